/* tests/unit/runtime/lab-agent.h - a node agent of the test's own over a cluster in memory: real images, containers,
 * network.
 *
 * A test's body runs in a fiber, where cmocka's assertions must not be used: CHECK() notes what is wrong and leaves. */
#pragma once

#include <stdbool.h>
#include "base/str.h"
#include "kube/client.h"
#include "kube/fake-client.h"
#include "kube/informer.h"
#include "runtime/agent/agent.h"

struct lab_node {
	struct loop *loop;
	struct kinds *kinds;
	struct client *client;
	struct informers *informers;
	struct images *images;
	struct agent *agent;
	char dir[64], instance[16];
	struct str wrong;               /* the first thing that was not as it should be */
};

int lab_node_open(void **state);        /* groups' setup: a network and mounts of its own; exits 77 where it may not */
int lab_node_close(void **state);       /* everything is gone, or the group fails */
/* Runs body with a started agent (image "box": busybox), destroys the agent's things, and fails the test with
 * l->wrong. */
void lab_node_run(void *state, void (*body)(struct lab_node *l));

#define CHECK(l, cond) do { \
	if (!(cond)) { \
		lab_wrong(l, "line %d: %s", __LINE__, #cond); \
		return; \
	} \
} while (0)
void lab_wrong(struct lab_node *l, const char *fmt, ...) PRINTF(2, 3);

/* A pod named name on this node; spec: JSON of the spec without its braces. */
void lab_pod(struct lab_node *l, const char *name, const char *spec);
void lab_delete(struct lab_node *l, const char *kind, const char *name, int64_t grace_s);
/* the text at a path of the pod; 15 s */
bool lab_await(struct lab_node *l, const char *pod, const char *path, const char *want);
bool lab_await_gone(struct lab_node *l, const char *pod);
/* "" when absent; until the next write */
const char *lab_text(struct lab_node *l, const char *pod, const char *path);
bool lab_await_event(struct lab_node *l, const char *reason, const char *text);
bool lab_logs(struct lab_node *l, const char *pod, const struct log_opts *o, struct str *out);
void lab_start_agent(struct lab_node *l);
void lab_stop_agent(struct lab_node *l);        /* containers go on */

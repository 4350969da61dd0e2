/* runtime/agent/agent-internal.h - what the files of this folder share: the agent, a worker a pod, a unit a
 * container. */
#pragma once

#include "base/fiber.h"
#include "base/httpc.h"
#include "base/map.h"
#include "runtime/agent/agent.h"
#include "runtime/agent/backoff.h"
#include "runtime/agent/env.h"
#include "runtime/agent/status.h"
#include "runtime/container/container.h"
#include "runtime/network/network.h"
#include "runtime/volume/volume.h"

struct dns;
struct proxy;
struct pulls;

struct agent {
	struct loop *loop;
	struct client *client;
	struct images *images;
	struct containers *containers;
	struct network *network;
	struct httpc *http;
	char *node_name, *dir, *instance, *host_ip;
	int64_t cpu_milli, memory_bytes;
	struct informer *pods, *config_maps, *secrets, *services, *endpoints;
	const struct kind *pod_kind, *node_kind;
	struct map workers;                     /* uid -> struct worker; each frees itself when its fiber ends */
	struct fiber_group fibers;              /* workers, events, node, proxy, pulls */
	struct proxy *proxy;
	struct dns *dns;                        /* NULL: its port is taken; pods ask the node's name servers */
	struct pulls *pulls;
	bool stopping;
	struct nodelink link;
	size_t log_readers;
	struct fiber_cond logs_changed;         /* some log grew, some reader left */
	struct session *sessions;               /* exec, attach, forward: fibers of the API */
	struct fiber_cond sessions_changed;
};

/* A pod on this node. Its fiber alone changes it, but for the flags that poke() goes with. */
struct worker {
	struct agent *a;
	char *uid, *ns, *name, *dir;
	struct object *object;                  /* the newest version seen */
	bool gone;                              /* no longer in the API */
	bool dirty;                             /* something changed since the last step */
	struct fiber_cond changed;
	struct fiber_group fibers;              /* probes, hooks */
	struct unit *units;                     /* init containers first */
	size_t n_units;
	bool past;                              /* it had finished when this daemon started */
	bool has_dir, has_volumes, has_sandbox, released;
	bool volumes_changed;                   /* a ConfigMap or Secret did */
	VEC(struct pod_token *) tokens;         /* of its service account: pod-tokens.c */
	struct sandbox_fds sandbox;
	struct str ip;
	int64_t start_ms, retry_ms;             /* wall clock; loop time of the next try of what failed */
	struct backoff backoff;
	struct str problem;                     /* why it cannot be set up, as told last */
	bool failed;                            /* given up */
	bool finishing;                         /* all but sidecars ended: they are stopped, and not started again */
	int ending;                             /* enum ending */
	int64_t grace_ms;
};

struct kept_run { struct run run; char *message, *id; };        /* a run that owns its texts; reasons are literals */

struct unit {
	struct worker *w;
	char *name;
	bool init, sidecar;                     /* sidecar: an init container with restartPolicy Always */
	struct container *c;                    /* NULL: no attempt exists */
	int64_t attempt;                        /* number of the newest one; -1: none yet */
	bool exited;                            /* the container ended and was not looked at yet */
	struct kept_run now, last;
	bool has_last, ready, started;
	char *image_id, *container_id;
	int stop_signal;
	struct backoff backoff;
	int64_t retry_ms;                       /* loop time; do not start before */
	bool config_wait;                       /* a ConfigMap or Secret that it needs is not there */
	/* set by a failed probe or hook: end it, the policy decides what then */
	const char *restart_why;
	struct { bool begun, hook, signaled, deaf; int64_t deadline_ms; } stop;
};

/* ---- agent.c ---- */
void poke(struct worker *w);                                    /* from anywhere on the loop: look again */
void poke_all(struct agent *a);
void agent_event(struct worker *w, const char *type, const char *reason, const char *fmt, ...) PRINTF(4, 5);
void agent_event_about(struct agent *a, struct object *pod, const char *type, const char *reason, const char *fmt,
	...) PRINTF(5, 6);

/* ---- worker.c ---- */
void worker_start(struct agent *a, struct object *pod);
/* containers that wait for a ConfigMap or Secret look again; false: none */
bool worker_retry_config(struct worker *w);
struct volume_lookup worker_lookup(struct worker *w);
struct pod_facts worker_facts(struct worker *w);
const struct node *unit_spec(const struct unit *u);             /* in the pod's object; borrowed until the next park */
static inline const struct node *worker_pod(const struct worker *w) { return w->object->root; }

/* ---- setup.c: directory, volumes, sandbox, network, files ---- */
MUST_CHECK int worker_setup(struct worker *w, struct err *err);         /* idempotent; parks */
/* The part of it that gives the pod its namespaces and its address. */
MUST_CHECK int worker_setup_sandbox(struct worker *w, struct err *err);
bool worker_open_sandbox(struct worker *w);                     /* false: there is none */
MUST_CHECK int worker_cleanup(struct worker *w, struct err *err);       /* everything but the API's object */
/* sandbox and address: the pod is finished, its logs stay */
void worker_release(struct worker *w);

/* ---- restore.c: what an earlier run of the daemon left ---- */
void worker_restore(struct worker *w);
MUST_CHECK int restore_orphans(struct agent *a, struct err *err);       /* pods that went while no one looked */

/* ---- unit.c: one container's life ---- */
/* ms until it wants to be looked at again; -1: not by time */
int64_t unit_step(struct unit *u);
void unit_poll_exit(struct unit *u);
bool unit_done(const struct unit *u);                           /* ended, and not to be started again */
int64_t unit_stop(struct unit *u, int64_t grace_ms);            /* one step; -1: ended */
void unit_watch(struct unit *u);                                /* after a start or an adoption: exit, probes */
void unit_free(struct unit *u);
void unit_dir(const struct unit *u, int64_t attempt, struct str *out);
void unit_log(const struct unit *u, int64_t attempt, struct str *out);
void run_set(struct kept_run *r, const struct run *run);
void run_move(struct kept_run *to, struct kept_run *from);

/* ---- launch.c: from a pod's container to a started one ---- */
struct launch_failure { const char *reason; bool config; };     /* config: try again when something changed, no crash */
MUST_CHECK int unit_launch(struct unit *u, const struct image *image, struct launch_failure *why, struct err *err);

/* ---- ending.c: a pod that is being deleted ---- */
enum ending { ENDING_NOT, ENDING_STOP, ENDING_CLEAN, ENDING_DONE };
int64_t worker_end(struct worker *w);                           /* one step */
/* one step: sidecars after the others; -1: all have ended */
int64_t units_stop(struct worker *w, bool finishing);
/* open connections to the pod's servers; parks; less than 0: not known */
int worker_inbound(struct worker *w, unsigned *n);

/* ---- probes.c ---- */
void probes_start(struct unit *u);
/* Waits until a socket is connected or is not going to be; 0, or an errno. */
int await_connect(int fd, int64_t timeout_ms);
MUST_CHECK int action_run(struct unit *u, const struct node *action, int64_t timeout_ms, struct str *output,
	struct err *err);

/* ---- pulls.c ---- */
enum pull_state { PULL_READY, PULL_BUSY, PULL_FAILED };
struct pulls *pulls_new(struct agent *a);
void pulls_free(struct pulls **p);
/* The image for a unit. PULL_FAILED: reason ("ErrImagePull", ...), message (borrowed) and when to ask again (loop
 * time). */
enum pull_state pulls_need(struct pulls *p, struct unit *u, struct image *out, const char **reason,
	const char **message,
			   int64_t *retry_ms);

/* ---- proxy.c ---- */
struct proxy *proxy_start(struct agent *a);
void proxy_free(struct proxy **p);
/* no new connections to it; parks until the kernel agrees */
void proxy_exclude(struct proxy *p, const char *ip);
void proxy_include(struct proxy *p, const char *ip);            /* the address belongs to a new pod */
bool proxy_serves(struct proxy *p, const char *ip);             /* some Service leads to it */

/* ---- node.c ---- */
void node_run(void *agent);                                     /* a fiber: registers, then beats */
MUST_CHECK int node_register(struct agent *a, struct err *err);
char *node_address(const char *fallback);                       /* of the machine's way out */
void node_read_machine(struct agent *a);

/* ---- what the API asks for (kube/nodelink.h) ---- */
extern const struct nodelink_ops nodelink_ops;                  /* nodelink.c */
void sessions_end(struct agent *a);                             /* cancels them, and waits until they are over */
struct worker *agent_find(struct agent *a, const char *ns, const char *name);
static inline struct agent *agent_of(struct nodelink *link)
{
	return (struct agent *)((char *)link - offsetof(struct agent, link));
}
int node_logs(struct nodelink *link, const char *ns, const char *pod, const struct log_opts *o,
	int (*write)(void *arg, struct sv data), void *arg, struct err *err);                  /* logs.c */
int node_exec(struct agent *a, struct container *c, const char *const *argv, bool tty, const struct client_streams *io,
	struct err *err);                                                                       /* exec.c */
int node_attach(struct container *c, const struct client_streams *io, struct err *err);         /* attach.c */
int node_forward(struct worker *w, uint16_t port, struct duplex *client, struct err *err);      /* forward.c */

/* ---- pod-tokens.c ---- */
/* Those that its volumes show are there, and new enough. Parks. */
MUST_CHECK int worker_tokens(struct worker *w, struct err *err);
int64_t worker_tokens_due(const struct worker *w);      /* ms until one is to be renewed; -1: there are none */
const struct str *worker_token(void *worker, const char *audience, int64_t seconds);    /* NULL: none was asked for */
void worker_tokens_free(struct worker *w);

/* ---- pod-files.c ---- */
void pod_hosts(struct worker *w, struct str *out);
void pod_resolv(struct worker *w, struct str *out);
const char *pod_hostname(const struct node *pod, char out[static 64]);

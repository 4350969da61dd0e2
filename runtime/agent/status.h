/* runtime/agent/status.h - a pod's status, as Kubernetes writes it, from what the node knows. Pure. */
#pragma once

#include "base/doc.h"
#include "base/vec.h"

enum run_kind { RUN_WAITING, RUN_RUNNING, RUN_ENDED };

struct run {                            /* one state of a container; texts are borrowed */
	enum run_kind kind;
	const char *reason, *message;   /* NULL or "": none */
	int64_t started_ms, finished_ms;
	int exit_code, signal;
	const char *container_id;
};

struct container_facts {
	const char *name, *image, *image_id, *container_id;     /* ids "" until known */
	bool init, ready, started;
	bool sidecar;                   /* an init container that goes on beside the others (restartPolicy: Always) */
	int64_t restarts;
	struct run now, last;
	bool has_last;
};

struct status_facts {
	const struct node *pod;                 /* the object, whose status is carried on */
	const struct container_facts *containers;       /* init containers first, each in the order of the spec */
	size_t n_containers;
	const char *pod_ip, *host_ip;           /* "": not known */
	int64_t start_ms, now_ms;
	bool has_sandbox;
	const char *reason, *message;           /* of the pod ("Evicted"), or NULL */
	bool failed;                            /* whatever the containers say: the node gave it up */
};

const char *status_phase(const struct status_facts *f);         /* "Pending", "Running", "Succeeded", "Failed" */
/* A new status in d: the old one with everything replaced that the node answers for. */
struct node *status_build(struct doc *d, const struct status_facts *f);

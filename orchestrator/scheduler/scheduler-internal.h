/* orchestrator/scheduler/scheduler-internal.h - what is known about nodes, and the tables of filters and scores. */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "kube/controller.h"

struct amount { struct sv name; int64_t milli; };       /* of a resource; the name is borrowed from a document */
struct amounts { VEC(struct amount); };

void amounts_add(struct amounts *a, struct sv name, int64_t milli);
int64_t amounts_get(const struct amounts *a, struct sv name);
void amounts_free(struct amounts *a);
void amounts_of_pod(struct amounts *out, const struct node *pod);       /* adds its requests, and one of "pods" */

/* One node as the next pod finds it. */
struct candidate {
	struct object *node;            /* borrowed from the copy, like all below: nothing parks while one is used */
	struct amounts allocatable, used;
	VEC(const struct object *) pods;
	int64_t score;
};
struct candidates { VEC(struct candidate); };

/* Nodes with the pods on them; assumed: uid of a pod -> name of the node that it is being bound to. */
void candidates_read(struct candidates *out, const struct informer *nodes, const struct informer *pods, const struct map *assumed);
void candidates_free(struct candidates *c);

struct request { const struct object *pod; struct amounts wants; const struct candidates *all; };

struct filter {
	const char *name;
	/* True: the pod can run there. Else why not, as a phrase for "1 ...". */
	bool (*fits)(const struct request *rq, const struct candidate *c, struct str *why);
};
struct score {
	const char *name;
	int64_t weight;
	int64_t (*rate)(const struct request *rq, const struct candidate *c);   /* 0 to 100 */
};

extern const struct filter filters[];           /* ended by a NULL name, like scores */
extern const struct score scores[];

/* nodeSelector and required node affinity of a pod. */
bool node_is_selected(const struct node *pod, const struct node *node);
bool node_terms_match(const struct node *terms, const struct node *node);       /* nodeSelectorTerms: any of them */
bool node_term_matches(const struct node *term, const struct node *node);
const struct node *untolerated_taint(const struct node *pod, const struct node *node, const char *effect);      /* NULL: none */
bool affinity_fits(const struct request *rq, const struct candidate *c, struct str *why);       /* filter of affinity.c */

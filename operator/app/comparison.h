/* operator/app/comparison.h - targets and live objects side by side: what differs, what is missing, how well all is. */
#pragma once

#include "kube/health.h"
#include "base/map.h"
#include "operator/app/live.h"
#include "operator/app/source.h"
#include "operator/app/target.h"

enum row_sync { ROW_NONE, ROW_SYNCED, ROW_OUT_OF_SYNC, ROW_UNKNOWN };   /* NONE: hooks and what is ignored */

struct row {
	struct ref ref;
	const struct kind *kind;        /* NULL: unknown to the cluster */
	const struct target *target;    /* NULL: only in the cluster */
	struct object *live;            /* a reference; NULL: missing */
	enum row_sync sync;
	bool counted;                   /* for the application's sync status */
	bool hook;                      /* by the manifest, or by the annotation of an object without one */
	struct health health;
};

/* What earlier comparisons found, so that equal inputs are not compared again. { 0 } is empty. */
struct compare_cache { struct rendering *of; struct map seen; };        /* of: a reference */
void compare_cache_free(struct compare_cache *c);

struct comparison {
	struct rendering *rendering;    /* a reference */
	struct targets targets;
	struct { struct row *v; size_t n, cap; } rows;  /* in order of group, kind, namespace, name */
	struct conditions conditions;
	enum row_sync sync;
	struct health health;
	size_t to_prune, not_synced, counted;
};

/* Parks when a kind is seen for the first time. The objects of `also` (status.resources) are looked for as well. */
MUST_CHECK int comparison_make(struct comparison *out, const struct app_spec *spec, struct rendering *rendering,
			       struct live *live, const struct kinds *kinds, const struct node *also, struct compare_cache *cache,
			       struct err *err);
void comparison_free(struct comparison *c);
const char *row_sync_name(enum row_sync s);     /* "OutOfSync"; "" for ROW_NONE */

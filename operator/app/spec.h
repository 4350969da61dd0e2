/* operator/app/spec.h - a typed view of an Application (operator semantics 2). Borrows from the object that it was read from. */
#pragma once

#include "base/vec.h"
#include "kube/object.h"

struct app_source {
	const struct node *node;
	const char *repo_url, *path, *revision, *tag_prefix;    /* "" when absent; path "." is "" */
	const char *ref;                        /* as which other sources name its files: $REF/path; "": not at all */
	const char *chart;                      /* its name in a chart repository or registry; "": a git repository */
};

struct app_retry { int64_t limit, duration_ms, factor, max_ms; };       /* limit less than 0: without end */

struct app_spec {
	const struct node *root;
	const char *ns, *name;
	struct str instance;                    /* owned: what tracking ids name it */
	const char *project;
	const struct node *rules;               /* the project's spec, set by who knows it; NULL: everything is allowed */
	VEC(struct app_source) sources;         /* owned */
	bool multi;                             /* written as spec.sources */
	const char *dest_ns;
	bool automated, prune, self_heal, allow_empty;
	struct app_retry retry;
	int64_t history_limit;
};

/* ERR_INVALID: what an InvalidSpecError condition says. What can be read is in s all the same. */
MUST_CHECK int app_spec_read(struct app_spec *s, const struct object *o, const char *control_ns, struct err *err);
/* A rollback's sources in place of the spec's; both may be NULL: nothing changes. */
void app_spec_use_sources(struct app_spec *s, const struct node *source, const struct node *sources);
void app_spec_free(struct app_spec *s);
bool app_option(const struct app_spec *s, const char *option);  /* "CreateNamespace=true" in spec.syncPolicy.syncOptions */
/* spec.syncPolicy.retry or operation.retry over the defaults; automated: 5 attempts when there is no block. */
void app_retry_read(struct app_retry *r, const struct node *retry, bool automated);
int64_t app_retry_wait_ms(const struct app_retry *r, int64_t attempt);  /* before attempt n, from 1 */

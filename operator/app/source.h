/* operator/app/source.h - an application's sources to its manifests, rendered again only when what was read has changed. */
#pragma once

#include "base/vec.h"
#include "base/yaml.h"
#include "operator/app/spec.h"
#include "kube/client.h"
#include "operator/chart/charts.h"
#include "operator/git/repo.h"
#include "render/render.h"

#define SOURCE_REVISION_SIZE 128

struct rendered_source {
	char sha[SOURCE_REVISION_SIZE];         /* of a git repository: the commit; of a chart: its version */
	enum render_type type;
	struct vfs_reads reads;                 /* what the result depends on */
};

/* One look at the sources: immutable, counted. Either objects, or an error. */
struct rendering {
	unsigned refs;
	char *key;                              /* all inputs but the trees: sources, names, namespace */
	VEC(struct rendered_source) sources;
	struct docs objects;                    /* in order of the sources */
	struct err err;
	int64_t render_ms;                      /* how long it took; 0: taken over from the one before */
};

struct rendering *rendering_ref(struct rendering *r);
void rendering_drop(struct rendering **r);

/* What rendering() is asked. */
struct source_want {
	const struct app_spec *spec;
	struct rendering *last;                 /* of the same application, or NULL */
	const char *const *pinned;              /* commits instead of the spec's revisions, one a source; NULL: none */
	bool look_up;                           /* ask for revisions; false: keep those of last, when its key still holds */
	bool hard;                              /* render whatever the last one says */
	int64_t max_age_ms;                     /* see struct repo_want */
	struct charts *charts;                  /* where charts of other repositories come from */
	struct client *client;                  /* where the repositories' Secrets are; NULL: no credentials */
	const char *secrets_ns;
};

/* Parks. *out is a new reference, also when its err is set: a failure to render is a result that is kept. An error is
 * returned when the revision cannot be found or the repository not be reached. */
MUST_CHECK int source_render(struct repos *repos, const struct source_want *w, struct rendering **out, struct err *err);

const char *render_type_name(enum render_type t);       /* "Kustomize", as status.sourceType */

/* render/render.h - a source tree to a list of objects: a pure function of (file view, options).
 *
 * No clock, network, environment or process: the same input gives the same bytes. May run on a pool thread. */
#pragma once

#include "base/vfs.h"
#include "base/yaml.h"

struct trail;

enum render_type { RENDER_AUTO, RENDER_PLAIN, RENDER_KUSTOMIZE, RENDER_CHART };

enum set_kind { SET_VALUE = 1, SET_STRING, SET_JSON, SET_FILE, SET_LITERAL, SET_VALUES_FILE, SET_VALUES_TEXT };
struct render_set { enum set_kind kind; const char *text; };    /* one -f, --set...; -f first, then the sets, each in order */

/* Where --set-file finds its files: a render reads nothing of the machine by itself. { 0 }: nowhere, an error. */
struct render_files { int (*read)(void *arg, const char *path, struct str *out, struct err *err); void *arg; };

/* A chart in a repository elsewhere. version: a version or a range; "": the newest. */
struct render_chart { const char *repo, *name, *version; };

struct render_opts {
	enum render_type type;
	const char *from;                       /* directory of the view that paths in messages are relative to; NULL: its root */
	bool explain;                           /* keep who set what: rendered.trails */
	/* What lies elsewhere: a view of a git repository's commit (borrowed), the content of a file. NULL: such names are errors. */
	int (*git)(void *arg, const char *url, const char *revision, struct vfs **view, struct err *err);
	int (*http)(void *arg, const char *url, struct str *content, struct err *err);
	void *remote_arg;
	/* The package of a chart that is a dependency and not in charts/, or named by helmCharts. NULL: they are errors. */
	int (*chart)(void *arg, const struct render_chart *want, struct str *package, struct err *err);
	void *chart_arg;
	/* plain */
	bool recurse;
	const char *include, *exclude;          /* globs; NULL: none */
	/* kustomize */
	bool any_path;                          /* --load-restrictor none */
	const char *reorder;                    /* "legacy", "none"; NULL: the file's sortOptions, else legacy */
	bool enable_helm;
	/* chart */
	const char *release, *ns;               /* NULL: "release-name", "default" */
	const struct render_set *sets;
	size_t n_sets;
	struct render_files set_files;
	bool include_crds, skip_tests, no_hooks, is_upgrade, validate_schema_off;
	const char *const *show_only;           /* NULL-terminated, or NULL */
	/* Without this, .Capabilities are what Helm's are when it knows no cluster; with it, those of our orchestrator, with its
	 * kinds ("apps/v1/Deployment"). What is said below goes first. */
	bool in_cluster;
	const char *seed;                       /* of the random functions, beside chart, release and values; NULL: none */
	const char *kube_version;               /* NULL: "v1.20.0", or "v1.30.0" in the cluster and for charts that refuse the other */
	const char *const *api_versions;        /* NULL-terminated, or NULL */
};

struct rendered_text { char *source, *text; };                 /* a document as its template wrote it */

struct rendered {
	enum render_type type;                  /* what the directory was found to be */
	struct docs objects;                    /* roots are the objects; Lists are expanded */
	struct { struct rendered_text *v; size_t n, cap; } texts;      /* of a chart: what `helm template` prints; else empty */
	struct str notes;                       /* NOTES.txt of a chart */
	struct str warnings;                    /* a line each */
	struct { struct trail **v; size_t n, cap; } trails;     /* of each object, when asked for: render/trail.h */
};

/* Argo CD's detection: Chart.yaml, kustomization.*, else plain. */
MUST_CHECK int render_detect(struct vfs *v, const char *path, enum render_type *out, struct err *err);
MUST_CHECK int render(struct vfs *v, const char *path, const struct render_opts *o, struct rendered *out, struct err *err);
void rendered_free(struct rendered *r);
/* The stream of documents as `kustomize build` or `helm template` print it. */
void rendered_write(const struct rendered *r, struct str *out);

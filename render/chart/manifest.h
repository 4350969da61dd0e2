/* render/chart/manifest.h - what templates gave, as manifests in the order of installation (Helm's releaseutil). */
#pragma once

#include "base/yaml.h"

struct manifest {
	char *source;                   /* "web/templates/deployment.yaml" */
	struct str text;                /* as the template wrote it, without the marker of the document */
	struct doc *doc;                /* NULL: no object (a document of comments) */
	bool hook, test;
	size_t order;                   /* in which it was added: sorting is stable */
};

struct manifests { struct manifest *v; size_t n, cap; };

/* Splits a rendered file into its documents and adds those that hold something. Errors name the file. */
MUST_CHECK int manifests_add_text(struct manifests *m, const char *source, struct sv text, struct err *err);
void manifests_add_doc(struct manifests *m, const char *source, struct doc *take);
void manifests_sort(struct manifests *m);       /* by kind, in Helm's order of installation; hooks last, tests among them */
void manifests_free(struct manifests *m);

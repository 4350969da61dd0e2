/* operator/app/target.h - what an application wants to exist: rendered objects with their namespace and tracking id. */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "operator/app/hooks.h"
#include "operator/app/spec.h"

/* How an object is named in statuses, results and messages. Strings are borrowed. */
struct ref { const char *group, *version, *kind, *ns, *name; };

struct target {
	struct ref ref;
	const struct kind *kind;        /* NULL: the cluster does not know it */
	struct doc *doc;                /* owned */
	const struct node *root;
	struct hooks hooks;
	int64_t wave;
};

struct condition { const char *type; char *message; };  /* type: a literal */
struct conditions { struct condition *v; size_t n, cap; };

struct targets { struct target *v; size_t n, cap; struct map index; };  /* index: by name, for targets_find() */

/* Namespaces are filled in (and taken away from cluster-scoped kinds), tracking ids are set, later objects of the same
 * name win. What is wrong with single objects becomes conditions. */
void targets_make(struct targets *out, const struct docs *objects, const struct app_spec *spec, const struct kinds *kinds,
		  struct conditions *conditions);
void targets_free(struct targets *t);
struct target *targets_find(const struct targets *t, const struct ref *r);      /* without regard to the version; NULL: none */

void ref_write(struct str *out, const struct ref *r);           /* "apps/Deployment:demo/web" */
void conditions_add(struct conditions *c, const char *type, const char *fmt, ...) PRINTF(3, 4);
void conditions_free(struct conditions *c);

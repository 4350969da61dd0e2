/* render/kustomize/fieldspec.h - where in objects a transformation applies: kinds, and a path that goes through lists. */
#pragma once

#include "render/kustomize/resource.h"
#include "render/kustomize/shape.h"

struct fieldspec {
	const struct node *at;                          /* NULL: built in */
	const char *group, *version, *kind;             /* NULL or "": any */
	const char *path;                               /* "spec/template/metadata/labels"; `\/` is a slash in a key */
	bool create;                                    /* makes what is missing, but nothing below a list */
};
struct fieldspecs { const struct fieldspec *v; size_t n; };
extern const struct shape fieldspec_shape;

/* What is made at the end of a path: nothing, an empty mapping, or a scalar that the setter fills in. */
enum fieldspec_make { MAKE_NOTHING, MAKE_MAP, MAKE_SCALAR };

/* Called for each node at the end of the path, to change it in place. */
typedef int fieldspec_set(struct resource *r, struct node *n, void *arg, struct err *err);

bool fieldspec_selects(const struct fieldspec *f, const struct id *id);
/* Walks the path in an object that the specification selects; does nothing in another one. */
MUST_CHECK int fieldspec_walk(struct resource *r, const struct fieldspec *f, enum fieldspec_make make, fieldspec_set *set,
			      void *arg, struct err *err);
MUST_CHECK int fieldspecs_walk(struct resource *r, struct fieldspecs all, enum fieldspec_make make, fieldspec_set *set, void *arg,
			       struct err *err);
/* all and one more, in the arena; the same one again is ignored, one that differs only in `create` is an error. */
MUST_CHECK int fieldspecs_merge(struct doc *arena, struct fieldspecs *all, const struct fieldspec *one, struct err *err);

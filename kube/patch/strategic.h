/* kube/patch/strategic.h - what the walk of a strategic merge and its two ways with lists share. Inside patch/ only.
 *
 * strategic.c walks over mappings, in place: both objects are in the merger's document and are used up. What becomes of a
 * list is said by the rules: Kubernetes' (strategic-list.c) or kustomize's (strategic-items.c). */
#pragma once

#include "kube/patch/patch.h"

/* What the tables say about a place: the type of a mapping, or the field that a list or a free mapping is the value of. */
struct place {
	const struct field *field;
	const struct type *type;
	bool inside;                    /* of field's list or mapping: an item of it */
};

struct merger;

/* What a patch says of a list; old or patch may be NULL. */
struct list_change {
	struct node *old, *patch;
	const struct node *order, *gone;        /* $setElementOrder/x, $deleteFromPrimitiveList/x */
};

typedef int merge_list(struct merger *m, const struct list_change *c, struct place s, struct node **out);

/* Where the two part. Both outcomes are contracts. */
struct merge_rules {
	merge_list *list;
	enum err_code code;             /* of errors */
	bool list_directives;           /* $retainKeys, $setElementOrder, $deleteFromPrimitiveList are no data */
	bool delete_empties;            /* a mapping that is deleted is empty, and a directive makes none where there was none */
	bool settles;                   /* what the patch does not name is merged, too: with nothing */
	bool strict_shapes;             /* a list for a mapping is an error, and not simply the new value */
};

struct merger {
	struct doc *d;
	const struct merge_rules *rules;
	const struct patch_schemas *schemas;    /* NULL: the tables are all there is */
	struct str path;                        /* of what failed, built on the way back from there */
	struct err *err;
};

enum directive { DIRECTIVE_NONE, DIRECTIVE_MERGE, DIRECTIVE_REPLACE, DIRECTIVE_DELETE };

merge_list merge_list_kubernetes, merge_list_kustomize;

/* Any two values of one place. *out: old or patch, changed, or a new list; NULL or a null that was not there: it goes. */
MUST_CHECK int merge_walk(struct merger *m, struct node *old, struct node *patch, struct place s, struct node **out);
MUST_CHECK int merge_directive_of(struct merger *m, const struct node *patch, enum directive *out);      /* its $patch */
bool merge_missing(const struct node *n);                       /* absent, or null */
/* Returns r; when that is an error, `part` ("name", or "[item]") becomes the start of where it was. */
int merge_failed(struct merger *m, int r, const char *fmt, struct sv part);

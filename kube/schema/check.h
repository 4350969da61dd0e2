/* kube/schema/check.h - collecting what is wrong with an object, in Kubernetes' words. Inside schema/ only. */
#pragma once

#include "kube/kind.h"
#include "kube/schema/walk.h"

struct check {
	struct str path;                        /* of the value that is looked at */
	struct err causes;                      /* one cause for each problem */
	const struct node *root, *before;       /* the object, and the stored one or NULL */
	const struct kind *kind;
};

/* Each adds a cause for `field` below the current path; field "" is the path itself, "[2].name" an item's field. */
void check_required(struct check *c, const char *field, const char *detail);
void check_invalid(struct check *c, const char *field, const struct node *value, const char *fmt, ...) PRINTF(4, 5);
void check_unsupported(struct check *c, const char *field, const struct node *value, const char *choices);  /* "A|B" */
void check_duplicate(struct check *c, const char *field, const struct node *value);
void check_not_found(struct check *c, const char *field, const struct node *value);
void check_forbidden(struct check *c, const char *field, const char *fmt, ...) PRINTF(3, 4);

/* The same for values that most rules ask about; absent ones are fine. */
void check_name(struct check *c, const struct node *n, const char *field, const char *(*rule)(struct sv));
void check_at_least(struct check *c, const struct node *n, const char *field, int64_t least);
void check_port_number(struct check *c, const struct node *n, const char *field);
void check_port_number_or_name(struct check *c, const struct node *n, const char *field);
void check_percent_or_count(struct check *c, const struct node *n, const char *field);
void check_unique(struct check *c, const struct node *list, const char *field, const char *key);        /* items' key */

/* A rule of one type: n is a value of it, before the stored one or NULL. */
struct check_rule { const char *type; void (*run)(struct check *c, const struct node *n, const struct node *before); };
extern const struct check_rule check_meta_rules[], check_pod_rules[], check_workload_rules[], check_other_rules[];  /* end: NULL */

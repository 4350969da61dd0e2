/* orchestrator/analysis/args.h - the arguments of a run: their values, and the places in metrics where they stand. */
#pragma once

#include "base/vec.h"
#include "kube/client.h"

struct secrets { VEC(char *); };        /* values that must not show in messages */
void secrets_free(struct secrets *s);
void secrets_mask(const struct secrets *s, struct str *text);   /* "*****" in their place */

/* The values of all arguments as a map, name -> text, in d. Parks, to read Secrets, whose values are added to secrets.
 * ERR_INVALID, ERR_NOT_FOUND: one without a value. */
MUST_CHECK int args_read(struct client *c, const char *ns, const struct node *args, struct doc *d, struct node *out,
			 struct secrets *secrets, struct err *err);
/* "{{args.name}}" and "{{ args.name }}" in all strings below n. ERR_INVALID: names something else. */
MUST_CHECK int args_fill(struct doc *d, struct node *n, const struct node *values, struct err *err);

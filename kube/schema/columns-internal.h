/* kube/schema/columns-internal.h - what the functions of columns share. Inside schema/ only. */
#pragma once

#include "kube/schema/columns.h"

/* arg is what stands behind the ':' in the column's path; "" when there is none. */
struct cell { const struct node *root; const char *arg; int64_t now_ms; struct str *out; };

struct column_function { const char *name; void (*run)(const struct cell *c); };
#define FUNCTION(name) { #name, name }

extern const struct column_function column_network[], column_other[];   /* end: NULL */

void column_since(const struct cell *c, const char *time, const char *absent);  /* how long ago that was */
void column_or(const struct cell *c, const char *absent);               /* the value at the path c->arg, or absent */
void column_join(struct str *out, size_t *n, struct sv text);           /* the next one of a list with commas; n counts */
void column_end(struct str *out, size_t n, const char *absent);         /* absent, when the list was empty */

/* render/trail.h - the history of an object's fields: who set each one, where, and what it was before.
 *
 * Nobody who changes an object has to know of it: after each step the object is compared with what it was, which costs
 * time only when somebody asks. Items of lists are known by their name where they have one. */
#pragma once

#include "base/doc.h"

struct trail;

struct trail *trail_new(void);
/* The object as it is now; what and where: the step that came before. The first call with what NULL: as it was read. */
void trail_note(struct trail *t, const struct doc *d, const struct node *root, const char *what, const char *where);
/* A paragraph for each field at or below `field` ("" or NULL: all of them): value, file and line, step, earlier value. */
void trail_explain(const struct trail *t, const struct doc *d, const struct node *root, const char *field, struct str *out);
void trail_drop(struct trail **t);

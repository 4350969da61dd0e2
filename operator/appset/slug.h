/* operator/appset/slug.h - names of branches as DNS labels. Pure. */
#pragma once

#include "base/str.h"

#define SLUG_MAX 40                     /* leaves room for what templates put around it: a label has 63 */

/* Appends a label of [a-z0-9-] that begins and ends with a letter or a digit. A name that is one already stays as it is;
 * any other is made one and gets six digits of its own hash, so that two branches never meet ("a/b" and "a-b") and a slug never
 * depends on which other branches there are. */
void slug_write(struct str *out, struct sv name);
/* Argo CD's normalisation: lower case, [^-a-z0-9.] to `-`, at most 253, trimmed of `-` and `.`. Not unique. Appends. */
void name_normalize(struct str *out, struct sv name);

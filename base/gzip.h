/* base/gzip.h - gzip (RFC 1952), piece by piece. */
#pragma once

#include "base/str.h"

struct gzip;

struct gzip *gzip_new(void);                    /* fast rather than small */
void gzip_free(struct gzip **g);
/* Appends what comes out of `in`; last: also what was held back, and the end. */
void gzip_add(struct gzip *g, struct sv in, bool last, struct str *out);

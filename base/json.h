/* base/json.h - JSON to and from documents. RFC 8259; bounds on size and depth; never more lenient than Go's decoder. */
#pragma once

#include "base/doc.h"

enum json_flags {
	JSON_SORTED = 1,        /* members in byte order of their keys, as Go writes maps */
	JSON_ESCAPE_HTML = 2,   /* <, >, & as \u escapes, as Go's encoder does by default */
	JSON_INDENT = 4,        /* two spaces a level, as `kubectl -o json` has four: see JSON_INDENT4 */
	JSON_INDENT4 = 8,
	JSON_UNIQUE_KEYS = 16,  /* reading: a duplicate key is an error; without it the last wins */
};

/* *out: a new reference. file names the source in errors and marks ("body" for a request); text may be freed afterwards.
 * Errors are ERR_BAD_REQUEST "FILE:LINE:COLUMN: what". Depth is limited (DOC_DEPTH_MAX). */
MUST_CHECK int json_read(struct sv text, const char *file, unsigned flags, struct doc **out, struct err *err);
void json_write(struct str *out, const struct node *n, unsigned flags);         /* appends; no newline at the end */
void json_write_string(struct str *out, struct sv s, unsigned flags);           /* one quoted string */

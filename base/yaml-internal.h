/* base/yaml-internal.h - what a plain scalar means: shared by the reader and by the writer, which quotes what would
 * be read as something else. */
#pragma once

#include "base/yaml.h"

enum yaml_tag { TAG_STR, TAG_NULL, TAG_BOOL, TAG_INT, TAG_FLOAT, TAG_MERGE, TAG_TIMESTAMP, TAG_BINARY, TAG_NONE };

struct scalar {
	enum yaml_tag tag;
	bool b;
	uint64_t magnitude;     /* INT: absolute value */
	bool negative;
	double f;               /* FLOAT; may be infinite or NaN */
};

/* strict_bool: only true and false, as go-yaml v3. */
struct scalar scalar_resolve(struct sv text, bool strict_bool);
bool scalar_is_base60(struct sv text);          /* "12:30": a number to YAML 1.1 readers */
/* A date or a time as RFC 3339 ("2001-01-01" is "2001-01-01T00:00:00Z"); false: not one. */
bool scalar_timestamp(struct sv text, struct str *out);
int yaml_key_cmp(const void *a, const void *b);         /* for qsort() of struct member: go-yaml's order of keys */

/* render/chart/schema.h - values.schema.json: JSON Schema, drafts 4 to 2020-12; nothing is fetched, so references stay in the file. */
#pragma once

#include "base/doc.h"

/* Appends a line "- PATH: what is wrong" for every violation to out; returns how many there are, or -ERR_INVALID for a
 * schema that cannot be read. Only references inside the schema are followed. */
MUST_CHECK int json_schema_check(const struct node *schema, const struct node *value, struct str *out, struct err *err);

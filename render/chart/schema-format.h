/* render/chart/schema-format.h - the values of "format" in a JSON Schema. Pure. */
#pragma once

#include "base/str.h"

/* Whether a text has the format; formats that nobody knows accept everything. */
bool schema_format_accepts(const char *format, struct sv text);

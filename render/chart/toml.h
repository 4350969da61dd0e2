/* render/chart/toml.h - TOML 1.0 as documents, for Helm's fromToml. */
#pragma once

#include "base/doc.h"

/* Integers are NODE_TYPED, times are strings in the form of RFC 3339, not-a-number and infinite floats are errors. Errors are
 * ERR_INVALID "toml: line 3: what". */
MUST_CHECK int toml_read(struct sv text, struct doc **out, struct err *err);

/* operator/chart/versions.h - the versions of one chart in a repository, and which of them a range means. Pure. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

struct chart_version { char *version, *url, *digest; };        /* url: as the index has it; digest: hex, or "" */
struct chart_versions { struct chart_version *v; size_t n, cap; };
void chart_versions_free(struct chart_versions *v);
void chart_versions_add(struct chart_versions *v, struct sv version, struct sv url, struct sv digest);

/* The version with this very text, else the newest one in the range ("": the newest that is no pre-release; devel: of all).
 * ERR_NOT_FOUND names some that there are; ERR_BAD_REQUEST: not a range. NULL then. */
const struct chart_version *chart_versions_choose(const struct chart_versions *v, const char *range, bool devel, const char *chart,
						  struct err *err);

/* What index.yaml says of one chart. ERR_INVALID: not an index; ERR_NOT_FOUND: there is no such chart. Entries that are not
 * sound are passed over, as Helm does. */
MUST_CHECK int chart_index_read(struct sv text, const char *chart, struct chart_versions *out, struct err *err);
/* The address of a package: url is relative to the repository, or whole. */
void chart_url_join(struct str *out, const char *repo, const char *url);

/* operator/git/url.h - URLs of repositories. Pure. */
#pragma once

#include <stdbool.h>

/* Do two URLs name the same repository? Scheme, user, port, letter case, an ssh. prefix and .git do not count. */
bool repo_url_same(const char *a, const char *b);

/* runtime/image/name.h - image names: [registry/]repository[:tag][@digest]. Pure.
 *
 * The first part is a registry when it has a dot or a colon, or is "localhost". A name without a registry is looked up
 * as a local one (localhost/...), then as docker.io/library/..., and pulled from there. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* registry "": none was given; tag "" only with a digest */
struct image_name { struct str registry, repository, tag, digest; };

MUST_CHECK int image_name_parse(struct image_name *n, const char *text, struct err *err);       /* ERR_INVALID */
void image_name_free(struct image_name *n);
/* "registry/repository:tag" or "...@digest", as the index has it. */
void image_name_text(const struct image_name *n, const char *registry, struct str *out);
const char *image_name_short(const char *text);         /* for people: without docker.io/library/ or localhost/ */
bool digest_is_valid(struct sv digest);                 /* "sha256:" and 64 hexadecimal digits */

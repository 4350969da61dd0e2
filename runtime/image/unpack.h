/* runtime/image/unpack.h - a layer's archive as a directory that overlayfs takes as a lower one.
 *
 * The archive is not trusted: no entry can leave the directory, by .. or by links, and its growth is bounded. Whiteouts
 * become overlayfs' own (a device 0/0, an opaque directory). */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* Fills buf with up to n bytes: their number, 0 at the end, or -code with err set. */
struct unpack_source { ssize_t (*read)(void *arg, const void **bytes, struct err *err); void *arg; };

/* Into dir, which exists and is empty. Compression (gzip, zstd, xz, bzip2) is found out. diff_id (may be NULL) gets the
 * digest of the uncompressed archive. plain: not a layer but a user's archive (ADD): names with .wh. mean themselves.
 */
struct unpack_opts { bool plain; int64_t max_bytes; };  /* 0: UNPACK_MAX */
#define UNPACK_MAX ((int64_t)64 << 30)
MUST_CHECK int unpack(const struct unpack_source *from, const char *dir, const struct unpack_opts *o,
		      struct str *diff_id, struct err *err);
MUST_CHECK int unpack_file(const char *path, const char *dir, const struct unpack_opts *o, struct str *diff_id,
			   struct err *err);

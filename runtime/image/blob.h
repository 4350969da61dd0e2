/* runtime/image/blob.h - content by digest: DIR/blobs/sha256/HEX, written once, hashed on the way, renamed when whole.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#define DIGEST_N 71                     /* "sha256:" and 64 digits */

struct hasher { void *ctx; int64_t bytes; };
void hasher_start(struct hasher *h);
void hasher_add(struct hasher *h, struct sv bytes);
void hasher_end(struct hasher *h, struct str *digest);  /* "sha256:..."; appends */
void hasher_free(struct hasher *h);

struct blob_writer { int fd; struct str path; const char *dir; struct hasher hash; };

MUST_CHECK int blob_create(struct blob_writer *w, const char *dir, struct err *err);    /* dir: the store's, borrowed */
MUST_CHECK int blob_write(struct blob_writer *w, struct sv bytes, struct err *err);
/* Into place. want NULL: whatever came out; else it must be that digest (ERR_INVALID). */
MUST_CHECK int blob_commit(struct blob_writer *w, const char *want, struct str *digest, struct err *err);
void blob_writer_free(struct blob_writer *w);           /* without a commit, nothing stays */

void blob_path(const char *dir, const char *digest, struct str *out);
bool blob_exists(const char *dir, const char *digest);
MUST_CHECK int blob_read(const char *dir, const char *digest, size_t max, struct str *out, struct err *err);
MUST_CHECK int blob_put(const char *dir, struct sv bytes, struct str *digest, struct err *err);
int64_t blob_size(const char *dir, const char *digest); /* -1: absent */

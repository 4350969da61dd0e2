/* runtime/image/fetch.h - images from a registry: manifests by what this program understands, blobs into the store.
 *
 * Parks the fiber; used on the loop of the pull itself (pull.c), never on the server's. */
#pragma once

#include "base/registry.h"
#include "runtime/image/store-internal.h"

MUST_CHECK int fetch_image_manifest(struct registry *r, const char *reference, struct str *body, struct str *media_type,
				    struct err *err);
/* Streams a blob into the store; it must have the digest, and at most size bytes. */
MUST_CHECK int fetch_blob(struct registry *r, const char *dir, const char *digest, int64_t size, struct err *err);

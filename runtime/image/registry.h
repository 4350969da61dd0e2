/* runtime/image/registry.h - one repository of an image registry, over HTTP(S): OCI distribution and Docker's v2.
 *
 * Parks the fiber; used on the loop of the pull itself (pull.c), never on the server's. */
#pragma once

#include "base/httpc.h"
#include "runtime/image/store-internal.h"

struct registry {
	struct httpc *http;
	struct str host, repository;            /* "registry-1.docker.io", "library/nginx" */
	bool plain, may_fall_back;              /* http; loopback: http when https does not answer */
	struct str user_password;               /* "" : anonymous */
	struct str authorization;               /* header line, once known */
};

void registry_init(struct registry *r, struct httpc *http, const struct image_name *n, const struct image_pull_opts *o);
void registry_free(struct registry *r);
/* The manifest or index by tag or digest; its media type as the registry says. */
MUST_CHECK int registry_manifest(struct registry *r, const char *reference, struct str *body, struct str *media_type,
				 struct err *err);
/* Streams a blob into the store; it must have the digest, and at most size bytes. */
MUST_CHECK int registry_blob(struct registry *r, const char *dir, const char *digest, int64_t size, struct err *err);

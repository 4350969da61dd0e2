/* base/registry.h - one repository of an OCI registry over HTTP(S): the distribution specification, and Docker's v2, from
 * which it came. For images and charts alike.
 *
 * Parks the fiber. Asks without credentials first and gets the token that the registry wants; on loopback http is tried
 * when https does not answer. */
#pragma once

#include "base/httpc.h"
#include "base/vec.h"

struct registry {
	struct httpc *http;
	struct str host, repository;            /* "registry-1.docker.io", "library/nginx" */
	bool plain, may_fall_back;              /* http; loopback: http when https does not answer */
	bool insecure;                          /* certificates are not checked */
	struct sv ca_pem, cert_pem, key_pem;    /* borrowed; empty: the system's CAs, no client certificate */
	struct str user_password;               /* "": anonymous */
	struct str authorization;               /* header line, once known */
};

#define REGISTRY_DOCUMENT_MAX ((size_t)8 << 20)         /* of a manifest, or a list of tags */

/* host "" or "docker.io": Docker Hub, where a repository without a slash is one of library/. user may be NULL. What may
 * be set besides is set by the caller afterwards. */
void registry_init(struct registry *r, struct httpc *http, const char *host, const char *repository, const char *user,
		   const char *password);
void registry_free(struct registry *r);

/* The manifest or index by tag or digest; its media type as the registry says. accept: "TYPE, TYPE..." */
MUST_CHECK int registry_manifest(struct registry *r, const char *reference, const char *accept, struct str *body,
				 struct str *media_type, struct err *err);
/* Streams a blob to fn, which may end it by a negative result: that is what is returned then, and fn has said why. */
MUST_CHECK int registry_blob(struct registry *r, const char *digest, int (*fn)(void *arg, struct sv data), void *arg,
			     struct err *err);
struct registry_tags { char **v; size_t n, cap; };
MUST_CHECK int registry_tags(struct registry *r, struct registry_tags *out, struct err *err);
void registry_tags_free(struct registry_tags *t);

/* Nothing is sent when the registry has the blob. digest: of the bytes. */
MUST_CHECK int registry_push_blob(struct registry *r, const char *digest, struct sv bytes, struct err *err);
MUST_CHECK int registry_push_manifest(struct registry *r, const char *reference, const char *media_type, struct sv body,
				      struct err *err);

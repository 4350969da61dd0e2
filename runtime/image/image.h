/* runtime/image/image.h - images: an OCI layout on disk, content addressed; build, import, pull, unpack.
 *
 * DIR/blobs/sha256/...   DIR/index.json   DIR/layers/<diffid>/   unpacked layers, used as overlay lowers, never changed
 * Functions that take long (pull, build, unpack) park the calling fiber; they run as long jobs. */
#pragma once

#include <sys/types.h>
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/vec.h"

struct images;                                          /* the store of one node */

struct images *images_open(struct loop *l, const char *dir, struct err *err);
void images_close(struct images **i);

struct strings { char **v; size_t n, cap; };
void strings_free(struct strings *s);
void strings_add(struct strings *s, const char *text);

struct image {                                          /* what a container needs to know of its image */
	struct str name, digest;                        /* as asked for; "sha256:..." of the manifest */
	struct strings env, entrypoint, cmd, volumes, ports;
	struct str user, workdir, stop_signal;
	struct strings layers;                          /* directories, topmost first: overlay's lowerdir order */
	int64_t size_bytes, created_ms;
};
void image_free(struct image *i);

/* Local only. ERR_NOT_FOUND. Names: "demo:v1", "localhost/demo:v1", "registry:5000/a/b@sha256:..."; no tag is
 * ":latest". */
MUST_CHECK int image_find(struct images *i, const char *name, struct image *out, struct err *err);
struct image_pull_opts {
	const char *user, *password;
	bool plain_http;
	void (*progress)(void *arg, const char *line);
	void *arg;
};
MUST_CHECK int image_pull(struct images *i, const char *name, const struct image_pull_opts *o, struct err *err);
struct image_build_opts {
	const char *file, *context, *tag;               /* paths; file NULL: context/Containerfile, then Dockerfile */
	const char *const *build_args;                  /* "K=V", NULL-terminated, or NULL */
	bool no_cache;
	/* RUN with the host's network; without it, with none but loopback */
	bool host_network;
	void (*progress)(void *arg, const char *line);  /* "STEP 2/5: COPY . /app" and output of RUN */
	void *arg;
};
MUST_CHECK int image_build(struct images *i, const struct image_build_opts *o, struct str *digest, struct err *err);
/* OCI layout or docker-archive, tar or directory */
MUST_CHECK int image_import(struct images *i, const char *archive, const char *tag, struct strings *names,
			    struct err *err);

/* Who runs: "name", "uid", "name:group", "uid:gid" as images and pods write it, looked up in the image's /etc/passwd
 * and /etc/group; "" is 0:0. ERR_NOT_FOUND: the image knows no such name. */
struct image_user { uid_t uid; gid_t gid; gid_t groups[64]; size_t n_groups; };
MUST_CHECK int image_user_find(const struct image *i, const char *user, struct image_user *out, struct err *err);

struct image_list { struct image *v; size_t n, cap; };
MUST_CHECK int image_list(struct images *i, struct image_list *out, struct err *err);
void image_list_free(struct image_list *l);
/* the name; blobs and layers no name uses go too */
MUST_CHECK int image_remove(struct images *i, const char *name, struct err *err);
/* What no name uses: layers of earlier builds and pulls. Nothing while another process adds content. */
MUST_CHECK int image_prune(struct images *i, struct err *err);

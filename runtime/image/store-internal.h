/* runtime/image/store-internal.h - the image store's parts, for the files of this folder.
 *
 * DIR/oci-layout, index.json, blobs/sha256/HEX     the OCI layout
 * DIR/layers/HEX                                   unpacked, by diff id; a running container holds a shared lock on
 * each DIR/steps/HEX                                    builds: key of a step -> its layer DIR/tmp unfinished work;
 * what no living process locks is removed DIR/lock                                         shared: somebody adds
 * content; exclusive: unused content is removed DIR/index.lock                                   exclusive: index.json
 * is changed All functions here may block: they run in jobs, and use only what they are given. */
#pragma once

#include "base/doc.h"
#include "base/fiber.h"
#include "runtime/container/container.h"
#include "runtime/image/blob.h"
#include "runtime/image/image.h"
#include "runtime/image/name.h"

struct images {
	struct loop *loop;
	struct str dir;                 /* absolute */
	struct containers *containers;  /* for RUN; opened when needed */
};

#define MANIFEST_MAX (8u << 20)
#define TYPE_INDEX "application/vnd.oci.image.index.v1+json"
#define TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define TYPE_CONFIG "application/vnd.oci.image.config.v1+json"
#define TYPE_LAYER "application/vnd.oci.image.layer.v1.tar"
#define TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

/* ---- locks: close the descriptor to release ---- */
MUST_CHECK int store_share(const char *dir, struct err *err);           /* while content is added */

/* ---- layers ---- */
void layer_path(const char *dir, const char *diff_id, struct str *out);
bool layer_exists(const char *dir, const char *diff_id);
/* Unpacks a blob to its place; diff_id NULL or what must come out. Nothing to do when it is there. */
MUST_CHECK int layer_install(const char *dir, const char *blob_digest, const char *diff_id, struct err *err);
/* a new directory below tmp */
MUST_CHECK int store_temp(const char *dir, const char *name, struct str *path, struct err *err);

/* ---- index ---- */
struct descriptor { struct str digest, media_type; int64_t size; };
void descriptor_free(struct descriptor *d);
MUST_CHECK int index_find(const char *dir, const char *name, struct descriptor *out, struct str *full_name,
			  struct err *err);
/* replaces the name */
MUST_CHECK int index_put(const char *dir, const char *full_name, const struct descriptor *d, struct err *err);
MUST_CHECK int index_remove(const char *dir, const char *full_name, struct err *err);
typedef int index_fn(void *arg, const char *full_name, const struct descriptor *d, struct err *err);
MUST_CHECK int index_each(const char *dir, index_fn *fn, void *arg, struct err *err);
/* removes what no name needs; nothing while others add */
MUST_CHECK int store_collect(const char *dir, struct err *err);

/* ---- manifests ---- */
/* created_ms: of a built one, else 0 */
struct layer_ref { struct str digest, diff_id, media_type; int64_t size, created_ms; };
struct layer_refs { struct layer_ref *v; size_t n, cap; };
/* bottom layer first */
struct manifest { struct str digest, config_digest; struct layer_refs layers; struct doc *config; };
void manifest_free(struct manifest *m);
/* From the blobs: manifest, configuration, both checked. ERR_INVALID says what is wrong with it. */
MUST_CHECK int manifest_read(const char *dir, const char *digest, struct manifest *m, struct err *err);
/* The parts of reading, for those who do not have all blobs yet. */
MUST_CHECK int manifest_parse(struct sv text, const char *what, struct manifest *m, struct err *err);
MUST_CHECK int manifest_add_config(struct sv text, struct manifest *m, struct err *err);
/* Of an index or a list: the entry for this machine's platform. */
MUST_CHECK int index_choose(const struct node *index, struct descriptor *out, struct err *err);
MUST_CHECK int image_fill(const char *dir, const char *name, const struct manifest *m, struct image *out,
			  struct err *err);
/* Writes configuration and manifest blobs. */
MUST_CHECK int manifest_write(const char *dir, const struct node *config, const struct layer_refs *layers,
			      struct descriptor *out, struct err *err);
const char *platform_arch(void);        /* "amd64" */

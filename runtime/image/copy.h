/* runtime/image/copy.h - COPY and ADD: files of a tree as a layer. Blocks: in a long job. */
#pragma once

#include "runtime/image/containerfile.h"
#include "base/glob.h"
#include "runtime/image/ignore.h"
#include "runtime/image/pack.h"
#include "runtime/image/store-internal.h"

struct copy {
	const char *store;
	int root;                               /* where the sources are: the context, or another image's view */
	const char *root_name;                  /* for messages: "the context" */
	const struct ignore *ignore;            /* NULL: nothing is ignored */
	const struct strings *sources;          /* patterns, relative to root */
	const struct heredocs *heredocs;        /* files made of text, NULL or after the sources */
	const char *dest;                       /* absolute; ends in / : a directory */
	const struct strings *base;             /* layers below, topmost first; may be empty */
	bool set_owner;                         /* false: the owner is kept */
	uid_t uid;
	gid_t gid;
	int mode;                               /* -1: kept */
	bool extract;                           /* ADD: an archive's content instead of the archive */
	int64_t newest_s;
	const char *below;                      /* digest of everything below, for the key of the step */
	bool no_cache;
};
/* *cached: an earlier build's layer was used. ERR_NOT_FOUND: a source does not exist. */
MUST_CHECK int copy_layer(const struct copy *c, struct layer_ref *out, bool *cached, struct err *err);

/* ---- steps.c: layers of earlier builds, by a key of everything that they depend on ---- */
bool step_find(const char *store, const char *key, struct layer_ref *out);
MUST_CHECK int step_keep(const char *store, const char *key, const struct layer_ref *layer, struct err *err);
/* Ends a pack: the blob, the unpacked layer, the step. */
MUST_CHECK int step_finish(const char *store, const char *key, struct pack *p, struct layer_ref *out, struct err *err);

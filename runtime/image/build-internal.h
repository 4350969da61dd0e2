/* runtime/image/build-internal.h - a build's state, for the files that a build is made of. */
#pragma once

#include "runtime/image/copy.h"
#include "runtime/image/words.h"

struct stage {
	struct str name;                        /* AS name, lower case; may be empty */
	struct layer_refs layers;               /* bottom first */
	struct image config;                    /* env, entrypoint, cmd, volumes, ports, user, workdir, stop_signal */
	struct strings labels, shell, args;     /* "K=V"; of RUN's shell form; "K=V" of ARG */
	bool cmd_set;                           /* this stage's own: ENTRYPOINT clears only the base's */
	int64_t created_ms;
};

struct build {
	struct images *images;
	const struct image_build_opts *opts;
	const char *dir;                        /* of the store */
	struct str file;
	struct containerfile cf;
	struct { struct stage **v; size_t n, cap; } stages;
	struct stage *now;
	struct strings global_args;             /* ARG before the first FROM */
	int context, shared;                    /* descriptors: the directory; the store's lock */
	struct ignore ignore;
	int64_t newest_s;
	size_t step;                            /* 1-based, for progress */
};

/* ---- stage.c ---- */
struct stage *stage_new(void);
void stage_free(struct stage *s);
MUST_CHECK int stage_from_image(struct stage *s, const char *dir, const struct manifest *m, struct err *err);
struct stage *stage_find(struct build *b, const char *name);            /* by AS name or number; NULL: none */
void stage_layers(const struct build *b, const struct stage *s, struct strings *out);   /* directories, topmost first */
/* of all layers so far: for the key of a step */
void stage_below(const struct stage *s, struct str *digest);
void stage_add_layer(struct stage *s, struct layer_ref *take_layer);
/* blocks */
MUST_CHECK int stage_write(const struct build *b, const struct stage *s, struct descriptor *out, struct err *err);

/* ---- build.c: the arguments of an instruction ---- */
struct flag { const char *name; struct str *value; };   /* value NULL: accepted, without an effect here */
void build_say(struct build *b, const char *fmt, ...) PRINTF(2, 3);
struct scope build_scope(const struct build *b);
MUST_CHECK int build_flags(const struct instruction *in, const struct scope *scope, char escape,
			   const struct flag *known, size_t n, struct err *err);
/* expanded */
MUST_CHECK int build_words(struct build *b, const struct instruction *in, struct strings *out, struct err *err);
const char *build_arg(const struct build *b, struct sv name);           /* --build-arg; NULL: not given */
void build_path(const struct build *b, const char *path, struct str *out);      /* absolute; a / at its end stays */
void strings_append(struct strings *to, const struct strings *from);
/* an image, pulled if need be */
MUST_CHECK int build_load(struct build *b, struct stage *s, const char *name, struct err *err);

/* ---- instructions: build-from.c, build-meta.c, build-layers.c ---- */
typedef int instruction_fn(struct build *b, const struct instruction *in, struct err *err);
instruction_fn build_do_from, build_do_run, build_do_cmd, build_do_label, build_do_expose, build_do_env, build_do_copy,
	build_do_entrypoint, build_do_volume, build_do_user, build_do_workdir, build_do_arg, build_do_stopsignal,
	build_do_shell, build_do_nothing, build_do_onbuild;

/* ---- run.c: RUN, in a container. Parks. ---- */
MUST_CHECK int run_layer(struct build *b, const struct instruction *in, struct layer_ref *out, bool *cached,
			 struct err *err);

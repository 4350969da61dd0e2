/* Where a stage starts: FROM, and images that are looked for, here or at their registry. */
#include "runtime/image/build-internal.h"

#include <strings.h>

struct load { const char *dir, *name; struct manifest m; struct stage *stage; int result; struct err err; };

static int load_image(struct load *l, struct err *err)
{
	AUTO(descriptor) d = { 0 };
	AUTO(str) full = { 0 };

	TRY(index_find(l->dir, l->name, &d, &full, err));
	TRY(manifest_read(l->dir, str_c(&d.digest), &l->m, err));
	int r = stage_from_image(l->stage, l->dir, &l->m, err);
	manifest_free(&l->m);
	return r;
}

static void load_job(void *arg)
{
	struct load *l = arg;

	l->result = load_image(l, &l->err);
}

/* A stage's content becomes the start of another: by way of a copy of its parts. */
void strings_append(struct strings *to, const struct strings *from)
{
	for (size_t i = 0; i < from->n; i++)
		strings_add(to, from->v[i]);
}

static void stage_copy(struct stage *to, const struct stage *from)
{
	strings_append(&to->config.env, &from->config.env);
	strings_append(&to->config.entrypoint, &from->config.entrypoint);
	strings_append(&to->config.cmd, &from->config.cmd);
	strings_append(&to->config.volumes, &from->config.volumes);
	strings_append(&to->config.ports, &from->config.ports);
	strings_append(&to->labels, &from->labels);
	strings_append(&to->shell, &from->shell);
	str_set(&to->config.user, str_c(&from->config.user));
	str_set(&to->config.workdir, str_c(&from->config.workdir));
	str_set(&to->config.stop_signal, str_c(&from->config.stop_signal));
	to->created_ms = from->created_ms;
	for (size_t i = 0; i < from->layers.n; i++) {
		struct layer_ref ref = { .size = from->layers.v[i].size };

		str_addc(&ref.digest, str_c(&from->layers.v[i].digest));
		str_addc(&ref.diff_id, str_c(&from->layers.v[i].diff_id));
		str_addc(&ref.media_type, str_c(&from->layers.v[i].media_type));
		stage_add_layer(to, &ref);
	}
}

int build_load(struct build *b, struct stage *s, const char *name, struct err *err)
{
	struct load l = { .dir = b->dir, .name = name, .stage = s };
	struct image_pull_opts pull = { .progress = b->opts->progress, .arg = b->opts->arg };

	fiber_job(load_job, &l);
	if (l.result != -ERR_NOT_FOUND)
		return l.result < 0 ? err_move(err, &l.err) : 0;
	err_free(&l.err);
	build_say(b, "pulling %s", name);
	TRY(image_pull(b->images, name, &pull, err));
	l = (struct load){ .dir = b->dir, .name = name, .stage = s };
	fiber_job(load_job, &l);
	return l.result < 0 ? err_move(err, &l.err) : 0;
}

int build_do_from(struct build *b, const struct instruction *in, struct err *err)
{
	AUTO(str) platform = { 0 };
	const struct flag flags[] = { { "--platform", &platform } };
	struct strings words = { 0 };
	struct scope scope = { NULL, &b->global_args, false };
	struct stage *previous, *s = stage_new();
	int r;

	b->now = NULL;
	vec_push(&b->stages, s);
	r = build_flags(in, &scope, b->cf.escape, flags, 1, err);
	if (r >= 0)
		r = build_words(b, in, &words, err);
	if (r >= 0 && words.n != 1 && !(words.n == 3 && !strcasecmp(words.v[1], "as")))
		r = err_set(err, ERR_INVALID, "want FROM image, or FROM image AS name");
	if (r >= 0) {
		b->now = s;
		if (words.n == 3)
			str_set(&s->name, words.v[2]);
		previous = stage_find(b, words.v[0]);
		if (previous)
			stage_copy(s, previous);
		else if (!str_eq(words.v[0], "scratch"))
			r = build_load(b, s, words.v[0], err);
	}
	strings_free(&words);
	return r;
}


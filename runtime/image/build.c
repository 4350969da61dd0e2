/* Containerfile to image. The fiber decides; files are read, packed and unpacked in jobs. */
#include "base/fs.h"
#include "runtime/image/build-internal.h"
#include "runtime/image/view.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

#define FILE_MAX (1u << 20)

void build_say(struct build *b, const char *fmt, ...)
{
	AUTO(str) line = { 0 };
	va_list ap;

	if (!b->opts->progress)
		return;
	va_start(ap, fmt);
	str_addv(&line, fmt, ap);
	va_end(ap);
	b->opts->progress(b->opts->arg, str_c(&line));
}

/* ---- arguments of instructions ---- */

int build_flags(const struct instruction *in, const struct scope *scope, char escape, const struct flag *known,
		size_t n, struct err *err)
{
	for (size_t i = 0; i < in->flags.n; i++) {
		struct sv name, value;
		size_t k = 0;

		(void)sv_cut(sv_c(in->flags.v[i]), '=', &name, &value);
		while (k < n && !sv_eq_c(name, known[k].name))
			k++;
		if (k == n)
			return err_set(err, ERR_INVALID, "%s has no flag " SV_FMT, keyword_name(in->keyword),
				       SV_ARG(name));
		if (known[k].value)
			TRY(words_expand(scope, value, escape, known[k].value, err));
	}
	return 0;
}

struct scope build_scope(const struct build *b)
{
	return b->now ? (struct scope){ &b->now->config.env, &b->now->args, false }
		      : (struct scope){ NULL, &b->global_args, false };
}

/* The arguments as words, variables expanded. */
int build_words(struct build *b, const struct instruction *in, struct strings *out, struct err *err)
{
	AUTO(str) text = { 0 };
	struct scope scope = build_scope(b);

	for (size_t i = 0; in->exec_form && i < in->list.n; i++) {
		str_cut(&text, 0);
		TRY(words_expand(&scope, sv_c(in->list.v[i]), b->cf.escape, &text, err));
		strings_add(out, str_c(&text));
	}
	if (in->exec_form)
		return 0;
	TRY(words_expand(&scope, str_sv(&in->text), b->cf.escape, &text, err));
	return words_split(str_sv(&text), b->cf.escape, out, err);
}

/* ---- the whole file ---- */

static instruction_fn *const instructions[KW_N] = {
	[KW_FROM] = build_do_from,
	[KW_RUN] = build_do_run,
	[KW_CMD] = build_do_cmd,
	[KW_LABEL] = build_do_label,
	[KW_EXPOSE] = build_do_expose,
	[KW_ENV] = build_do_env,
	[KW_ADD] = build_do_copy,
	[KW_COPY] = build_do_copy,
	[KW_ENTRYPOINT] = build_do_entrypoint,
	[KW_VOLUME] = build_do_volume,
	[KW_USER] = build_do_user,
	[KW_WORKDIR] = build_do_workdir,
	[KW_ARG] = build_do_arg,
	[KW_STOPSIGNAL] = build_do_stopsignal,
	[KW_SHELL] = build_do_shell,
	[KW_MAINTAINER] = build_do_nothing,
	[KW_HEALTHCHECK] = build_do_nothing,
	[KW_ONBUILD] = build_do_onbuild,
};

static int run_instruction(struct build *b, const struct instruction *in, struct err *err)
{
	build_say(b, "STEP %zu/%zu: %s %s", ++b->step, b->cf.n, keyword_name(in->keyword), str_c(&in->text));
	if (!b->stages.n && in->keyword != KW_FROM && in->keyword != KW_ARG)
		return err_set(err, ERR_INVALID, "%s before FROM: the first instruction must be FROM (or ARG)",
			       keyword_name(in->keyword));
	return instructions[in->keyword](b, in, err);
}

static int run_all(struct build *b, struct err *err)
{
	for (size_t i = 0; i < b->cf.n; i++)
		TRY(err_wrap(err, run_instruction(b, &b->cf.v[i], err), "%s:%u", str_c(&b->file), b->cf.v[i].line));
	return b->now ? 0 : err_set(err, ERR_INVALID, "%s: there is no FROM", str_c(&b->file));
}

/* ---- jobs at both ends ---- */

struct end_job { struct build *b; struct str *digest; int result; struct err err; };

static int read_inputs(struct build *b, struct err *err)
{
	static const char *const names[] = { "Containerfile", "Dockerfile" };
	static const char *const ignores[] = { ".containerignore", ".dockerignore" };
	AUTO(str) text = { 0 };
	AUTO(str) ignore = { 0 };

	b->shared = store_share(b->dir, err);
	TRY(b->shared);
	b->context = open(b->opts->context, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->context < 0)
		return err_errno(err, "open the context '%s'", b->opts->context);
	for (size_t i = 0; !b->opts->file && i < 2; i++) {
		str_set(&b->file, "");
		str_addf(&b->file, "%s/%s", b->opts->context, names[i]);
		if (path_exists(str_c(&b->file)))
			break;
		if (i)
			return err_set(err, ERR_NOT_FOUND,
				       "'%s' has neither a Containerfile nor a Dockerfile: name one with -f",
				       b->opts->context);
	}
	if (b->opts->file)
		str_set(&b->file, b->opts->file);
	TRY(file_read(str_c(&b->file), FILE_MAX, &text, err));
	for (size_t i = 0; i < 2; i++)
		if (view_read(b->context, ignores[i], FILE_MAX, &ignore, NULL) >= 0) {
			ignore_parse(&b->ignore, str_sv(&ignore));
			break;
		}
	return containerfile_parse(str_sv(&text), str_c(&b->file), &b->cf, err);
}

static void begin_job(void *arg)
{
	struct end_job *j = arg;

	j->result = read_inputs(j->b, &j->err);
}

static int write_image(struct end_job *j, struct err *err)
{
	AUTO(image_name) n = { 0 };
	AUTO(str) full = { 0 };
	AUTO(descriptor) d = { 0 };

	TRY(image_name_parse(&n, j->b->opts->tag, err));
	image_name_text(&n, n.registry.n ? str_c(&n.registry) : "localhost", &full);
	TRY(stage_write(j->b, j->b->now, &d, err));
	TRY(index_put(j->b->dir, str_c(&full), &d, err));
	str_set(j->digest, str_c(&d.digest));
	return 0;
}

static void write_job(void *arg)
{
	struct end_job *j = arg;

	j->result = write_image(j, &j->err);
}

/* SOURCE_DATE_EPOCH as a build argument: no time in the image is later. */
static int set_newest(struct build *b, struct err *err)
{
	const char *text = build_arg(b, SV("SOURCE_DATE_EPOCH"));

	b->newest_s = PACK_ANY_TIME;
	if (text && (!sv_to_i64(sv_c(text), &b->newest_s) || b->newest_s < 0))
		return err_set(err, ERR_INVALID, "SOURCE_DATE_EPOCH=%s: want seconds since 1970", text);
	return 0;
}

static void build_free(struct build *b)
{
	for (size_t i = 0; i < b->stages.n; i++)
		stage_free(b->stages.v[i]);
	vec_free(&b->stages);
	containerfile_free(&b->cf);
	strings_free(&b->global_args);
	ignore_free(&b->ignore);
	str_free(&b->file);
	fd_close(&b->context);
	fd_close(&b->shared);
}

int image_build(struct images *i, const struct image_build_opts *o, struct str *digest, struct err *err)
{
	AUTO(build) b = { .images = i, .opts = o, .dir = str_c(&i->dir), .context = -1, .shared = -1 };
	struct end_job j = { .b = &b, .digest = digest };
	AUTO(image_name) name = { 0 };

	TRY(image_name_parse(&name, o->tag ? o->tag : "", err));
	TRY(set_newest(&b, err));
	fiber_job(begin_job, &j);
	if (j.result < 0)
		return err_move(err, &j.err);
	TRY(run_all(&b, err));
	if (b.newest_s != PACK_ANY_TIME)
		b.now->created_ms = b.newest_s * 1000;
	fiber_job_long(write_job, &j);
	return j.result < 0 ? err_move(err, &j.err) : 0;
}

/* Containerfile to image. The fiber decides; files are read, packed and unpacked in jobs. */
#include "base/fs.h"
#include "runtime/image/build-internal.h"
#include "runtime/image/view.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>

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

/* ---- flags of instructions ---- */

struct flag { const char *name; struct str *value; };   /* value NULL: accepted, without an effect here */

static int take_flags(const struct instruction *in, const struct scope *scope, char escape, const struct flag *known, size_t n,
		      struct err *err)
{
	for (size_t i = 0; i < in->flags.n; i++) {
		struct sv name, value;
		size_t k = 0;

		(void)sv_cut(sv_c(in->flags.v[i]), '=', &name, &value);
		while (k < n && !sv_eq_c(name, known[k].name))
			k++;
		if (k == n)
			return err_set(err, ERR_INVALID, "%s has no flag " SV_FMT, keyword_name(in->keyword), SV_ARG(name));
		if (known[k].value)
			TRY(words_expand(scope, value, escape, known[k].value, err));
	}
	return 0;
}

static struct scope scope_of(const struct build *b)
{
	return b->now ? (struct scope){ &b->now->config.env, &b->now->args } : (struct scope){ NULL, &b->global_args };
}

/* The arguments as words, variables expanded. */
static int words_of(struct build *b, const struct instruction *in, struct strings *out, struct err *err)
{
	AUTO(str) text = { 0 };
	struct scope scope = scope_of(b);

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

/* ---- FROM ---- */

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
static void copy_strings(struct strings *to, const struct strings *from)
{
	for (size_t i = 0; i < from->n; i++)
		strings_add(to, from->v[i]);
}

static void stage_copy(struct stage *to, const struct stage *from)
{
	copy_strings(&to->config.env, &from->config.env);
	copy_strings(&to->config.entrypoint, &from->config.entrypoint);
	copy_strings(&to->config.cmd, &from->config.cmd);
	copy_strings(&to->config.volumes, &from->config.volumes);
	copy_strings(&to->config.ports, &from->config.ports);
	copy_strings(&to->labels, &from->labels);
	copy_strings(&to->shell, &from->shell);
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

static int load_or_pull(struct build *b, struct stage *s, const char *name, struct err *err)
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

static void platform_args(struct strings *args)
{
	AUTO(str) platform = { 0 };

	str_addf(&platform, "linux/%s", platform_arch());
	words_set(args, SV("TARGETPLATFORM"), str_c(&platform));
	words_set(args, SV("TARGETOS"), "linux");
	words_set(args, SV("TARGETARCH"), platform_arch());
}

static int do_from(struct build *b, const struct instruction *in, struct err *err)
{
	AUTO(str) platform = { 0 };
	const struct flag flags[] = { { "--platform", &platform } };
	struct strings words = { 0 };
	struct scope scope = { NULL, &b->global_args };
	struct stage *previous, *s = stage_new();
	int r;

	b->now = NULL;
	vec_push(&b->stages, s);
	r = take_flags(in, &scope, b->cf.escape, flags, 1, err);
	if (r >= 0)
		r = words_of(b, in, &words, err);
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
			r = load_or_pull(b, s, words.v[0], err);
	}
	strings_free(&words);
	return r;
}

/* ---- metadata ---- */

/* "K=V K2=V2", or the old "K rest of the line". */
static int do_pairs(struct build *b, const struct instruction *in, struct strings *to, struct err *err)
{
	struct strings words = { 0 };
	struct sv key, value;
	int r = words_of(b, in, &words, err);

	if (r >= 0 && words.n && !strchr(words.v[0], '=')) {
		struct sv text = str_sv(&in->text), name = text;
		struct scope scope = scope_of(b);
		AUTO(str) rest = { 0 };

		for (name.n = 0; name.n < text.n && !isspace((unsigned char)text.p[name.n]); name.n++)
			;
		text = sv_trim(sv_drop(text, name.n));
		r = text.n ? words_expand(&scope, text, b->cf.escape, &rest, err)
			   : err_set(err, ERR_INVALID, "want KEY=VALUE, got \"%s\"", words.v[0]);
		if (r >= 0)
			words_set(to, name, str_c(&rest));
	} else {
		for (size_t i = 0; i < words.n && r >= 0; i++)
			if (sv_cut(sv_c(words.v[i]), '=', &key, &value) && key.n)
				words_set(to, key, value.p);
			else
				r = err_set(err, ERR_INVALID, "want KEY=VALUE, got \"%s\"", words.v[i]);
	}
	strings_free(&words);
	return r;
}

static int do_env(struct build *b, const struct instruction *in, struct err *err)
{
	return do_pairs(b, in, &b->now->config.env, err);
}

static int do_label(struct build *b, const struct instruction *in, struct err *err)
{
	return do_pairs(b, in, &b->now->labels, err);
}

static const char *build_arg(const struct build *b, struct sv name)
{
	for (const char *const *a = b->opts->build_args; a && *a; a++)
		if (!strncmp(*a, name.p, name.n) && (*a)[name.n] == '=')
			return *a + name.n + 1;
	return NULL;
}

/* Given on the command line, else the default, else the one before the first FROM. */
static int do_arg(struct build *b, const struct instruction *in, struct err *err)
{
	struct strings words = { 0 }, automatic = { 0 };
	int r = words_of(b, in, &words, err);

	platform_args(&automatic);
	for (size_t i = 0; i < words.n && r >= 0; i++) {
		struct sv name, value;
		bool has_default = sv_cut(sv_c(words.v[i]), '=', &name, &value);
		const char *text = build_arg(b, name);

		if (!text && has_default)
			text = value.p;
		if (!text && b->now)
			text = env_find(&b->global_args, name);
		if (!text)
			text = env_find(&automatic, name);
		if (text)
			words_set(b->now ? &b->now->args : &b->global_args, name, text);
	}
	strings_free(&words);
	strings_free(&automatic);
	return r;
}

/* The shell form is a string for the shell; variables are the shell's business, when it runs. */
static void set_command(struct build *b, const struct instruction *in, struct strings *to)
{
	strings_free(to);
	if (in->exec_form) {
		copy_strings(to, &in->list);
		return;
	}
	if (b->now->shell.n) {
		copy_strings(to, &b->now->shell);
	} else {
		strings_add(to, "/bin/sh");
		strings_add(to, "-c");
	}
	strings_add(to, str_c(&in->text));
}

static int do_cmd(struct build *b, const struct instruction *in, struct err *err)
{
	(void)err;
	set_command(b, in, &b->now->config.cmd);
	b->now->cmd_set = true;
	return 0;
}

static int do_entrypoint(struct build *b, const struct instruction *in, struct err *err)
{
	(void)err;
	set_command(b, in, &b->now->config.entrypoint);
	if (!b->now->cmd_set)
		strings_free(&b->now->config.cmd);      /* the base's arguments belonged to the base's program */
	return 0;
}

static int do_shell(struct build *b, const struct instruction *in, struct err *err)
{
	if (!in->exec_form || !in->list.n)
		return err_set(err, ERR_INVALID, "want SHELL [\"program\", \"argument\"]");
	strings_free(&b->now->shell);
	copy_strings(&b->now->shell, &in->list);
	return 0;
}

static void add_once(struct strings *to, const char *text)
{
	for (size_t i = 0; i < to->n; i++)
		if (str_eq(to->v[i], text))
			return;
	strings_add(to, text);
}

static int do_expose(struct build *b, const struct instruction *in, struct err *err)
{
	struct strings words = { 0 };
	int r = words_of(b, in, &words, err);

	for (size_t i = 0; i < words.n && r >= 0; i++) {
		AUTO(str) port = { 0 };
		struct sv number, protocol;
		bool given = sv_cut(sv_c(words.v[i]), '/', &number, &protocol);
		int64_t n;

		if (!sv_to_i64(number, &n) || n < 1 || n > 65535)
			r = err_set(err, ERR_INVALID, "want a port from 1 to 65535, got \"%s\"", words.v[i]);
		str_addf(&port, SV_FMT "/%s", SV_ARG(number), given ? protocol.p : "tcp");
		if (r >= 0)
			add_once(&b->now->config.ports, str_c(&port));
	}
	strings_free(&words);
	return r;
}

static int do_volume(struct build *b, const struct instruction *in, struct err *err)
{
	struct strings words = { 0 };
	int r = words_of(b, in, &words, err);

	for (size_t i = 0; i < words.n && r >= 0; i++)
		add_once(&b->now->config.volumes, words.v[i]);
	strings_free(&words);
	return r;
}

/* One word, as it is after expansion. */
static int one_word(struct build *b, const struct instruction *in, struct str *out, struct err *err)
{
	struct strings words = { 0 };
	int r = words_of(b, in, &words, err);

	if (r >= 0 && words.n != 1)
		r = err_set(err, ERR_INVALID, "%s wants one argument, got %zu", keyword_name(in->keyword), words.n);
	if (r >= 0)
		str_set(out, words.v[0]);
	strings_free(&words);
	return r;
}

static int do_user(struct build *b, const struct instruction *in, struct err *err)
{
	return one_word(b, in, &b->now->config.user, err);
}

static int do_stopsignal(struct build *b, const struct instruction *in, struct err *err)
{
	return one_word(b, in, &b->now->config.stop_signal, err);
}

static void absolute(const struct build *b, const char *path, struct str *out)
{
	AUTO(str) joined = { 0 };
	AUTO(str) clean = { 0 };

	if (path[0] != '/')
		str_addf(&joined, "%s/", str_c(&b->now->config.workdir));
	str_addc(&joined, path);
	path_clean(str_sv(&joined), &clean);
	str_set(out, "/");
	str_addc(out, str_c(&clean));
	if (clean.n && path[strlen(path) - 1] == '/')
		str_add1(out, '/');
}

static int do_workdir(struct build *b, const struct instruction *in, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) full = { 0 };

	TRY(one_word(b, in, &path, err));
	absolute(b, str_c(&path), &full);
	if (full.n > 1 && full.p[full.n - 1] == '/')
		str_cut(&full, full.n - 1);
	str_set(&b->now->config.workdir, str_c(&full));
	return 0;
}

/* Not part of OCI images: read and passed over, as by other builders. */
static int do_nothing(struct build *b, const struct instruction *in, struct err *err)
{
	(void)err;
	build_say(b, "  %s has no effect in an OCI image", keyword_name(in->keyword));
	return 0;
}

static int do_onbuild(struct build *b, const struct instruction *in, struct err *err)
{
	(void)b;
	(void)in;
	return err_set(err, ERR_UNSUPPORTED, "ONBUILD is not offered: OCI images have no place for it");
}

/* ---- layers ---- */

static int finish_layer(struct build *b, struct layer_ref *layer, bool cached)
{
	if (cached)
		build_say(b, "  unchanged since an earlier build");
	if (b->now->created_ms < layer->created_ms)
		b->now->created_ms = layer->created_ms;
	stage_add_layer(b->now, layer);
	return 0;
}

static int do_run(struct build *b, const struct instruction *in, struct err *err)
{
	const struct flag flags[] = { { "--network", NULL }, { "--mount", NULL }, { "--security", NULL } };
	struct scope scope = scope_of(b);
	struct layer_ref layer = { 0 };
	bool cached = false;

	TRY(take_flags(in, &scope, b->cf.escape, flags, 1, err));
	int r = run_layer(b, in, &layer, &cached, err);
	if (r >= 0)
		return finish_layer(b, &layer, cached);
	str_free(&layer.digest);
	str_free(&layer.diff_id);
	str_free(&layer.media_type);
	return r;
}

struct copy_job {
	struct copy copy;
	const struct strings *view;     /* COPY --from: the layers to look at; NULL: the context */
	struct layer_ref layer;
	bool cached;
	int result;
	struct err err;
};

static void copy_job(void *arg)
{
	struct copy_job *j = arg;
	AUTO_FD view = j->view ? view_open(j->view, &j->err) : -1;

	if (j->view)
		j->copy.root = view;
	j->result = j->view && view < 0 ? view : copy_layer(&j->copy, &j->layer, &j->cached, &j->err);
}

static int parse_mode(const struct str *text, int *mode, struct err *err)
{
	char *end;
	long n;

	*mode = -1;
	if (!text->n)
		return 0;
	n = strtol(str_c(text), &end, 8);
	if (*end || n < 0 || n > 07777)
		return err_set(err, ERR_INVALID, "--chmod=%s: want an octal mode such as 0755", str_c(text));
	*mode = (int)n;
	return 0;
}

static int find_owner(struct build *b, const struct str *text, struct copy *c, struct err *err)
{
	struct strings layers = { 0 };
	struct image view = { 0 };
	struct image_user user;
	int r;

	if (!text->n)
		return 0;
	stage_layers(b, b->now, &layers);
	view.layers = layers;
	r = image_user_find(&view, str_c(text), &user, err);
	strings_free(&layers);
	c->set_owner = true;
	c->uid = user.uid;
	c->gid = user.gid;
	return r;
}

/* --from: a stage's layers, or an image's. */
static int find_from(struct build *b, const char *name, struct strings *layers, struct err *err)
{
	struct stage *s = stage_find(b, name);

	if (!s) {
		struct stage *image = stage_new();
		int r = load_or_pull(b, image, name, err);

		if (r >= 0)
			stage_layers(b, image, layers);
		stage_free(image);
		TRY(r);
	} else {
		stage_layers(b, s, layers);
	}
	return layers->n ? 0 : err_set(err, ERR_INVALID, "--from=%s: it has no files", name);
}

static int check_sources(const struct instruction *in, struct strings *words, struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < words->n; i++) {         /* <<NAME stands for its document */
		if (in->heredocs.n && !strncmp(words->v[i], "<<", 2))
			free(words->v[i]);
		else
			words->v[kept++] = words->v[i];
	}
	words->n = kept;
	if (words->n < 1 || (words->n < 2 && !in->heredocs.n))
		return err_set(err, ERR_INVALID, "%s wants a source and a destination", keyword_name(in->keyword));
	for (size_t i = 0; i + 1 < words->n; i++)
		if (!strncasecmp(words->v[i], "http://", 7) || !strncasecmp(words->v[i], "https://", 8) ||
		    !strncasecmp(words->v[i], "git@", 4))
			return err_set(err, ERR_UNSUPPORTED, "\"%s\": remote sources are not offered; fetch it into the context first",
				       words->v[i]);
	return 0;
}

static int copy_words(struct build *b, const struct instruction *in, struct strings *words, struct copy_job *j,
		      const struct str *from, struct err *err)
{
	struct strings view = { 0 }, base = { 0 };
	AUTO(str) dest = { 0 };
	AUTO(str) below = { 0 };
	int r = check_sources(in, words, err);

	if (r >= 0 && from->n)
		r = find_from(b, str_c(from), &view, err);
	if (r >= 0) {
		absolute(b, words->v[words->n - 1], &dest);
		stage_below(b->now, &below);
		stage_layers(b, b->now, &base);
		free(words->v[--words->n]);
		j->copy.store = b->dir;
		j->copy.root = b->context;
		j->copy.root_name = from->n ? str_c(from) : "the context";
		j->copy.ignore = from->n ? NULL : &b->ignore;
		j->copy.sources = words;
		j->copy.heredocs = &in->heredocs;
		j->copy.dest = str_c(&dest);
		j->copy.base = &base;
		j->copy.set_owner |= !from->n;
		j->copy.extract = in->keyword == KW_ADD;
		j->copy.newest_s = b->newest_s;
		j->copy.below = str_c(&below);
		j->copy.no_cache = b->opts->no_cache;
		j->view = from->n ? &view : NULL;
		fiber_job_long(copy_job, j);
		r = j->result < 0 ? err_move(err, &j->err) : finish_layer(b, &j->layer, j->cached);
	}
	strings_free(&view);
	strings_free(&base);
	return r;
}

static int do_copy(struct build *b, const struct instruction *in, struct err *err)
{
	AUTO(str) from = { 0 };
	AUTO(str) owner = { 0 };
	AUTO(str) mode = { 0 };
	const struct flag flags[] = { { "--chown", &owner }, { "--chmod", &mode }, { "--from", &from }, { "--link", NULL } };
	struct scope scope = scope_of(b);
	struct copy_job j = { 0 };
	struct strings words = { 0 };

	TRY(take_flags(in, &scope, b->cf.escape, flags, sizeof flags / sizeof *flags, err));
	TRY(parse_mode(&mode, &j.copy.mode, err));
	TRY(find_owner(b, &owner, &j.copy, err));
	int r = words_of(b, in, &words, err);
	if (r >= 0)
		r = copy_words(b, in, &words, &j, &from, err);
	strings_free(&words);
	str_free(&j.layer.digest);
	str_free(&j.layer.diff_id);
	str_free(&j.layer.media_type);
	return r;
}

/* ---- the whole file ---- */

static int (*const instructions[KW_N])(struct build *, const struct instruction *, struct err *) = {
	[KW_FROM] = do_from, [KW_RUN] = do_run, [KW_CMD] = do_cmd, [KW_LABEL] = do_label, [KW_EXPOSE] = do_expose,
	[KW_ENV] = do_env, [KW_ADD] = do_copy, [KW_COPY] = do_copy, [KW_ENTRYPOINT] = do_entrypoint, [KW_VOLUME] = do_volume,
	[KW_USER] = do_user, [KW_WORKDIR] = do_workdir, [KW_ARG] = do_arg, [KW_STOPSIGNAL] = do_stopsignal,
	[KW_SHELL] = do_shell, [KW_MAINTAINER] = do_nothing, [KW_HEALTHCHECK] = do_nothing, [KW_ONBUILD] = do_onbuild,
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
	static const char *const names[] = { "Containerfile", "Dockerfile" }, *const ignores[] = { ".containerignore", ".dockerignore" };
	AUTO(str) text = { 0 };
	AUTO(str) ignore = { 0 };

	b->context = open(b->opts->context, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->context < 0)
		return err_errno(err, "open the context '%s'", b->opts->context);
	for (size_t i = 0; !b->opts->file && i < 2; i++) {
		str_set(&b->file, "");
		str_addf(&b->file, "%s/%s", b->opts->context, names[i]);
		if (path_exists(str_c(&b->file)))
			break;
		if (i)
			return err_set(err, ERR_NOT_FOUND, "'%s' has neither a Containerfile nor a Dockerfile: name one with -f",
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
}

int image_build(struct images *i, const struct image_build_opts *o, struct str *digest, struct err *err)
{
	AUTO(build) b = { .images = i, .opts = o, .dir = str_c(&i->dir), .context = -1 };
	struct end_job j = { .b = &b, .digest = digest };
	AUTO(image_name) name = { 0 };

	TRY(image_name_parse(&name, o->tag ? o->tag : "", err));
	AUTO_FD shared = store_share(b.dir, err);
	TRY(shared);
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

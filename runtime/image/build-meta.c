/* Instructions that only describe the image: they change its configuration and make no layer. */
#include "runtime/image/build-internal.h"
#include "runtime/image/view.h"

#include <ctype.h>
#include <stdlib.h>

/* "K=V K2=V2", or the old "K rest of the line". */
static int do_pairs(struct build *b, const struct instruction *in, struct strings *to, struct err *err)
{
	struct strings words = { 0 };
	struct sv key, value;
	int r = build_words(b, in, &words, err);

	if (r >= 0 && words.n && !strchr(words.v[0], '=')) {
		struct sv text = str_sv(&in->text), name = text;
		struct scope scope = build_scope(b);
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

int build_do_env(struct build *b, const struct instruction *in, struct err *err)
{
	return do_pairs(b, in, &b->now->config.env, err);
}

int build_do_label(struct build *b, const struct instruction *in, struct err *err)
{
	return do_pairs(b, in, &b->now->labels, err);
}

const char *build_arg(const struct build *b, struct sv name)
{
	for (const char *const *a = b->opts->build_args; a && *a; a++)
		if (!strncmp(*a, name.p, name.n) && (*a)[name.n] == '=')
			return *a + name.n + 1;
	return NULL;
}

static void platform_args(struct strings *args)
{
	AUTO(str) platform = { 0 };

	str_addf(&platform, "linux/%s", platform_arch());
	words_set(args, SV("TARGETPLATFORM"), str_c(&platform));
	words_set(args, SV("TARGETOS"), "linux");
	words_set(args, SV("TARGETARCH"), platform_arch());
}

/* Given on the command line, else the default, else the one before the first FROM. */
int build_do_arg(struct build *b, const struct instruction *in, struct err *err)
{
	struct strings words = { 0 }, automatic = { 0 };
	int r = build_words(b, in, &words, err);

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
		strings_append(to, &in->list);
		return;
	}
	if (b->now->shell.n) {
		strings_append(to, &b->now->shell);
	} else {
		strings_add(to, "/bin/sh");
		strings_add(to, "-c");
	}
	strings_add(to, str_c(&in->text));
}

int build_do_cmd(struct build *b, const struct instruction *in, struct err *err)
{
	(void)err;
	set_command(b, in, &b->now->config.cmd);
	b->now->cmd_set = true;
	return 0;
}

int build_do_entrypoint(struct build *b, const struct instruction *in, struct err *err)
{
	(void)err;
	set_command(b, in, &b->now->config.entrypoint);
	if (!b->now->cmd_set)
		strings_free(&b->now->config.cmd);      /* the base's arguments belonged to the base's program */
	return 0;
}

int build_do_shell(struct build *b, const struct instruction *in, struct err *err)
{
	if (!in->exec_form || !in->list.n)
		return err_set(err, ERR_INVALID, "want SHELL [\"program\", \"argument\"]");
	strings_free(&b->now->shell);
	strings_append(&b->now->shell, &in->list);
	return 0;
}

static void add_once(struct strings *to, const char *text)
{
	for (size_t i = 0; i < to->n; i++)
		if (str_eq(to->v[i], text))
			return;
	strings_add(to, text);
}

int build_do_expose(struct build *b, const struct instruction *in, struct err *err)
{
	struct strings words = { 0 };
	int r = build_words(b, in, &words, err);

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

int build_do_volume(struct build *b, const struct instruction *in, struct err *err)
{
	struct strings words = { 0 };
	int r = build_words(b, in, &words, err);

	for (size_t i = 0; i < words.n && r >= 0; i++)
		add_once(&b->now->config.volumes, words.v[i]);
	strings_free(&words);
	return r;
}

/* One word, as it is after expansion. */
static int one_word(struct build *b, const struct instruction *in, struct str *out, struct err *err)
{
	struct strings words = { 0 };
	int r = build_words(b, in, &words, err);

	if (r >= 0 && words.n != 1)
		r = err_set(err, ERR_INVALID, "%s wants one argument, got %zu", keyword_name(in->keyword), words.n);
	if (r >= 0)
		str_set(out, words.v[0]);
	strings_free(&words);
	return r;
}

int build_do_user(struct build *b, const struct instruction *in, struct err *err)
{
	return one_word(b, in, &b->now->config.user, err);
}

int build_do_stopsignal(struct build *b, const struct instruction *in, struct err *err)
{
	return one_word(b, in, &b->now->config.stop_signal, err);
}

void build_path(const struct build *b, const char *path, struct str *out)
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

int build_do_workdir(struct build *b, const struct instruction *in, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) full = { 0 };

	TRY(one_word(b, in, &path, err));
	build_path(b, str_c(&path), &full);
	if (full.n > 1 && full.p[full.n - 1] == '/')
		str_cut(&full, full.n - 1);
	str_set(&b->now->config.workdir, str_c(&full));
	return 0;
}

/* Not part of OCI images: read and passed over, as by other builders. */
int build_do_nothing(struct build *b, const struct instruction *in, struct err *err)
{
	(void)err;
	build_say(b, "  %s has no effect in an OCI image", keyword_name(in->keyword));
	return 0;
}

int build_do_onbuild(struct build *b, const struct instruction *in, struct err *err)
{
	(void)b;
	(void)in;
	return err_set(err, ERR_UNSUPPORTED, "ONBUILD is not offered: OCI images have no place for it");
}


/* Instructions that make layers: RUN, COPY, ADD. */
#include "runtime/image/build-internal.h"
#include "runtime/image/view.h"

#include <stdlib.h>
#include <strings.h>

static int finish_layer(struct build *b, struct layer_ref *layer, bool cached)
{
	if (cached)
		build_say(b, "  unchanged since an earlier build");
	if (b->now->created_ms < layer->created_ms)
		b->now->created_ms = layer->created_ms;
	stage_add_layer(b->now, layer);
	return 0;
}

/* Which network RUN has is the builder's decision: --network may agree with it, not change it. */
static int check_network(const struct build *b, const struct str *network, struct err *err)
{
	if (!network->n || sv_eq_c(str_sv(network), "default"))
		return 0;
	if (!sv_eq_c(str_sv(network), "host") && !sv_eq_c(str_sv(network), "none"))
		return err_set(err, ERR_INVALID, "--network=%s: want default, none or host", str_c(network));
	if (sv_eq_c(str_sv(network), "host") && !b->opts->host_network)
		return err_set(err, ERR_FORBIDDEN, "--network=host: allow it with --host-network");
	return 0;
}

int build_do_run(struct build *b, const struct instruction *in, struct err *err)
{
	AUTO(str) network = { 0 };
	const struct flag flags[] = { { "--network", &network } };
	struct scope scope = build_scope(b);
	struct layer_ref layer = { 0 };
	bool cached = false;

	TRY(build_flags(in, &scope, b->cf.escape, flags, 1, err));
	TRY(check_network(b, &network, err));
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
		int r = build_load(b, image, name, err);

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
			return err_set(err, ERR_UNSUPPORTED,
				       "\"%s\": remote sources are not offered; fetch it into the context first",
				       words->v[i]);
	return 0;
}

/* Variables in here-documents, unless their mark is quoted. */
static int expand_heredocs(const struct build *b, const struct heredocs *from, struct heredocs *to, struct err *err)
{
	struct scope scope = build_scope(b);

	scope.plain = true;
	for (size_t i = 0; i < from->n; i++) {
		struct heredoc h = { .expand = from->v[i].expand };
		int r = 0;

		str_add(&h.name, str_sv(&from->v[i].name));
		if (h.expand)
			r = words_expand(&scope, str_sv(&from->v[i].text), b->cf.escape, &h.text, err);
		else
			str_add(&h.text, str_sv(&from->v[i].text));
		vec_push(to, h);
		TRY(r);
	}
	return 0;
}

static int copy_words(struct build *b, const struct instruction *in, struct strings *words, struct copy_job *j,
		      const struct str *from, struct err *err)
{
	struct strings view = { 0 }, base = { 0 };
	struct heredocs texts = { 0 };
	AUTO(str) dest = { 0 };
	AUTO(str) below = { 0 };
	int r = check_sources(in, words, err);

	if (r >= 0)
		r = expand_heredocs(b, &in->heredocs, &texts, err);
	if (r >= 0 && from->n)
		r = find_from(b, str_c(from), &view, err);
	if (r >= 0) {
		build_path(b, words->v[words->n - 1], &dest);
		stage_below(b->now, &below);
		stage_layers(b, b->now, &base);
		free(words->v[--words->n]);
		j->copy.store = b->dir;
		j->copy.root = b->context;
		j->copy.root_name = from->n ? str_c(from) : "the context";
		j->copy.ignore = from->n ? NULL : &b->ignore;
		j->copy.sources = words;
		j->copy.heredocs = &texts;
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
	heredocs_free(&texts);
	return r;
}

int build_do_copy(struct build *b, const struct instruction *in, struct err *err)
{
	AUTO(str) from = { 0 };
	AUTO(str) owner = { 0 };
	AUTO(str) mode = { 0 };
	const struct flag flags[] = {
		{ "--chown", &owner }, { "--chmod", &mode }, { "--from", &from }, { "--link", NULL }
	};
	struct scope scope = build_scope(b);
	struct copy_job j = { 0 };
	struct strings words = { 0 };

	TRY(build_flags(in, &scope, b->cf.escape, flags, sizeof flags / sizeof *flags, err));
	TRY(parse_mode(&mode, &j.copy.mode, err));
	TRY(find_owner(b, &owner, &j.copy, err));
	int r = build_words(b, in, &words, err);
	if (r >= 0)
		r = copy_words(b, in, &words, &j, &from, err);
	strings_free(&words);
	str_free(&j.layer.digest);
	str_free(&j.layer.diff_id);
	str_free(&j.layer.media_type);
	return r;
}


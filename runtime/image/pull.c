/* Pulling: a thread with a loop of its own, so that hashing and writing never hold up the server's. */
#include "base/json.h"
#include "runtime/image/fetch.h"

#include <inttypes.h>
#include <stdlib.h>

#define PARALLEL 4

struct pull {
	struct loop *home;              /* where progress is reported */
	const char *dir, *name;
	const struct image_pull_opts *opts;
	struct registry registry;
	struct manifest m;
	struct str manifest_text, media_type;
	size_t next;                    /* layer that nobody fetches yet */
	int result;
	struct err err;
};

/* ---- progress, on the caller's loop ---- */

struct line { void (*fn)(void *arg, const char *line); void *arg; char *text; };

static void report(void *arg)
{
	struct line *l = arg;

	l->fn(l->arg, l->text);
	free(l->text);
	free(l);
}

static void say(struct pull *p, char *take_text)
{
	struct line *l = malloc(sizeof *l);

	if (!l)
		abort();
	*l = (struct line){ p->opts->progress, p->opts->arg, take_text };
	loop_post(p->home, report, l);
}

/* ---- layers, several at once ---- */

struct install { const char *dir; const struct layer_ref *layer; int result; struct err err; };

static void install_job(void *arg)
{
	struct install *i = arg;

	i->result = layer_install(i->dir, str_c(&i->layer->digest), str_c(&i->layer->diff_id), &i->err);
}

static int fetch_layer(struct pull *p, const struct layer_ref *layer, struct err *err)
{
	struct install i = { .dir = p->dir, .layer = layer };

	if (!blob_exists(p->dir, str_c(&layer->digest)))
		TRY(fetch_blob(&p->registry, p->dir, str_c(&layer->digest), layer->size, err));
	fiber_job_long(install_job, &i);
	if (i.result < 0)
		return err_move(err, &i.err);
	if (p->opts->progress)
		say(p, str_fmt("  %.19s %" PRId64 " bytes", str_c(&layer->digest), layer->size));
	return 0;
}

static void fetch_layers(void *arg)
{
	struct pull *p = arg;

	while (p->next < p->m.layers.n && p->result >= 0) {
		struct err err = { 0 };
		int r = fetch_layer(p, &p->m.layers.v[p->next++], &err);

		if (r < 0 && p->result >= 0) {
			p->result = r;
			(void)err_move(&p->err, &err);
		}
		err_free(&err);
	}
}

static int fetch_all(struct pull *p)
{
	struct fiber_group group;

	fiber_group_init(&group, fiber_loop());
	for (size_t i = 0; i < PARALLEL && i < p->m.layers.n; i++)
		fiber_group_start(&group, "layer", fetch_layers, p);
	fiber_group_join(&group);
	return p->result;
}

/* ---- manifest and configuration ---- */

static int check_digest(struct sv text, const char *want, struct str *digest, struct err *err)
{
	AUTO(hasher) h = { 0 };

	hasher_start(&h);
	hasher_add(&h, text);
	hasher_end(&h, digest);
	return !want || str_eq(str_c(digest), want) ? 0 :
	       err_set(err, ERR_INVALID, "the registry's manifest is %s, not %s as asked for", str_c(digest), want);
}

static int fetch_manifest(struct pull *p, const char *reference, struct err *err)
{
	AUTO(descriptor) chosen = { 0 };
	AUTO(str) digest = { 0 };
	AUTO_DOC d = NULL;

	TRY(fetch_image_manifest(&p->registry, reference, &p->manifest_text, &p->media_type, err));
	TRY(check_digest(str_sv(&p->manifest_text), strchr(reference, ':') ? reference : NULL, &digest, err));
	TRY(json_read(str_sv(&p->manifest_text), "image index", 0, &d, err));
	if (!node_get(doc_root(d), "manifests")) {      /* by its content: not every registry sends the right type */
		str_move(&p->m.digest, &digest);
		return 0;
	}
	TRY(index_choose(doc_root(d), &chosen, err));
	str_free(&p->manifest_text);
	str_free(&p->media_type);
	TRY(fetch_image_manifest(&p->registry, str_c(&chosen.digest), &p->manifest_text, &p->media_type, err));
	return check_digest(str_sv(&p->manifest_text), str_c(&chosen.digest), &p->m.digest, err);
}

static int fetch_config(struct pull *p, struct err *err)
{
	AUTO(str) text = { 0 };

	if (!blob_exists(p->dir, str_c(&p->m.config_digest)))
		TRY(fetch_blob(&p->registry, p->dir, str_c(&p->m.config_digest), MANIFEST_MAX, err));
	TRY(blob_read(p->dir, str_c(&p->m.config_digest), MANIFEST_MAX, &text, err));
	return manifest_add_config(str_sv(&text), &p->m, err);
}

static int pull_image(struct pull *p, const struct image_name *n, struct err *err)
{
	AUTO(str) full = { 0 };
	AUTO(str) stored = { 0 };
	AUTO_FD shared = store_share(p->dir, err);
	TRY(shared);

	TRY(fetch_manifest(p, n->digest.n ? str_c(&n->digest) : str_c(&n->tag), err));
	TRY(manifest_parse(str_sv(&p->manifest_text), "image manifest", &p->m, err));
	TRY(fetch_config(p, err));
	if (fetch_all(p) < 0)
		return err_move(err, &p->err);
	TRY(blob_put(p->dir, str_sv(&p->manifest_text), &stored, err));
	image_name_text(n, n->registry.n ? str_c(&n->registry) : "docker.io", &full);
	struct descriptor d = { stored, p->media_type, (int64_t)p->manifest_text.n };
	return index_put(p->dir, str_c(&full), &d, err);
}

/* ---- the thread ---- */

static int pull_fiber(void *arg)
{
	struct pull *p = arg;
	AUTO(image_name) n = { 0 };
	struct httpc *http = httpc_new(fiber_loop());
	struct err err = { 0 };
	int r = image_name_parse(&n, p->name, &err);

	if (r >= 0) {
		registry_init(&p->registry, http, str_c(&n.registry), str_c(&n.repository), p->opts->user,
			      p->opts->password);
		p->registry.plain = p->opts->plain_http;
		r = pull_image(p, &n, &err);
	}
	httpc_free(&http);
	registry_free(&p->registry);
	manifest_free(&p->m);
	str_free(&p->manifest_text);
	str_free(&p->media_type);
	p->result = r;
	p->err = err;
	return r;
}

static void pull_job(void *arg) { (void)fiber_main(pull_fiber, arg); }

int image_pull(struct images *i, const char *name, const struct image_pull_opts *o, struct err *err)
{
	static const struct image_pull_opts none = { 0 };
	struct pull p = { .home = i->loop, .dir = str_c(&i->dir), .name = name, .opts = o ? o : &none };
	int r;

	fiber_job_long(pull_job, &p);
	if (p.result >= 0)
		return 0;
	r = err_move(err, &p.err);
	return err_wrap(err, r, "pull %s", name);
}

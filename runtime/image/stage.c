/* A build's stages: what they consist of so far, and how they become an image. */
#include "runtime/image/build-internal.h"

#include <stdlib.h>
#include <strings.h>
#include <time.h>

struct stage *stage_new(void)
{
	struct stage *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	return s;
}

void stage_free(struct stage *s)
{
	struct strings *lists[] = { &s->labels, &s->shell, &s->args };
	struct manifest layers = { .layers = s->layers };

	manifest_free(&layers);
	image_free(&s->config);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		strings_free(lists[i]);
	str_free(&s->name);
	free(s);
}

int stage_from_image(struct stage *s, const char *dir, const struct manifest *m, struct err *err)
{
	const struct node *labels = node_at(doc_root(m->config), "config.Labels"), *shell;
	struct member *l;
	struct node *item;

	TRY(image_fill(dir, "", m, &s->config, err));
	s->created_ms = s->config.created_ms;
	node_members(l, labels)
		words_set(&s->labels, sv_c(l->key), node_text(l->value) ? node_text(l->value) : "");
	shell = node_at(doc_root(m->config), "config.Shell");
	node_each(item, shell)
		if (node_text(item))
			strings_add(&s->shell, node_text(item));
	for (size_t i = 0; i < m->layers.n; i++) {
		const struct layer_ref *from = &m->layers.v[i];
		struct layer_ref ref = { .size = from->size };

		str_addc(&ref.digest, str_c(&from->digest));
		str_addc(&ref.diff_id, str_c(&from->diff_id));
		str_addc(&ref.media_type, str_c(&from->media_type));
		vec_push(&s->layers, ref);
	}
	return 0;
}

struct stage *stage_find(struct build *b, const char *name)
{
	int64_t number = sv_to_i64(sv_c(name), &number) ? number : -1;

	for (size_t i = 0; i < b->stages.n; i++)
		if (b->stages.v[i] != b->now &&
		    (!strcasecmp(str_c(&b->stages.v[i]->name), name) || number == (int64_t)i))
			return b->stages.v[i];
	return NULL;
}

void stage_layers(const struct build *b, const struct stage *s, struct strings *out)
{
	for (size_t i = s->layers.n; i-- > 0;) {
		AUTO(str) path = { 0 };

		layer_path(b->dir, str_c(&s->layers.v[i].diff_id), &path);
		strings_add(out, str_c(&path));
	}
}

void stage_below(const struct stage *s, struct str *digest)
{
	AUTO(hasher) h = { 0 };

	hasher_start(&h);
	for (size_t i = 0; i < s->layers.n; i++)
		hasher_add(&h, str_sv(&s->layers.v[i].diff_id));
	hasher_end(&h, digest);
}

void stage_add_layer(struct stage *s, struct layer_ref *take_layer)
{
	vec_push(&s->layers, *take_layer);
	*take_layer = (struct layer_ref){ 0 };
}

/* ---- as an image ---- */

static void put_list(struct doc *d, struct node *map, const char *key, const struct strings *v)
{
	struct node *seq = node_seq(d);

	for (size_t i = 0; i < v->n; i++)
		node_add(d, seq, node_str(d, v->v[i]));
	if (v->n)
		node_set(d, map, key, seq);
}

static void put_keys(struct doc *d, struct node *map, const char *key, const struct strings *v)
{
	struct node *keys = node_map(d);

	for (size_t i = 0; i < v->n; i++)
		node_set(d, keys, v->v[i], node_map(d));
	if (v->n)
		node_set(d, map, key, keys);
}

static void put_text(struct doc *d, struct node *map, const char *key, const struct str *s)
{
	if (s->n)
		node_set(d, map, key, node_strn(d, str_sv(s)));
}

static struct node *config_node(struct doc *d, const struct stage *s)
{
	struct node *c = node_map(d), *labels = node_map(d);

	put_text(d, c, "User", &s->config.user);
	put_keys(d, c, "ExposedPorts", &s->config.ports);
	put_list(d, c, "Env", &s->config.env);
	put_list(d, c, "Entrypoint", &s->config.entrypoint);
	put_list(d, c, "Cmd", &s->config.cmd);
	put_keys(d, c, "Volumes", &s->config.volumes);
	put_text(d, c, "WorkingDir", &s->config.workdir);
	for (size_t i = 0; i < s->labels.n; i++) {
		struct sv key, value;

		(void)sv_cut(sv_c(s->labels.v[i]), '=', &key, &value);
		node_setn(d, labels, key, node_strn(d, value));
	}
	if (s->labels.n)
		node_set(d, c, "Labels", labels);
	put_text(d, c, "StopSignal", &s->config.stop_signal);
	put_list(d, c, "Shell", &s->shell);
	return c;
}

/* The time of the newest layer that was made, not of this run: a build that changes nothing gives the same image. */
static struct node *created_node(struct doc *d, const struct stage *s)
{
	time_t t = (time_t)(s->created_ms / 1000);
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return node_str(d, text);
}

int stage_write(const struct build *b, const struct stage *s, struct descriptor *out, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *root = node_map(d), *ids = node_seq(d), *rootfs = node_map(d);

	node_set(d, root, "created", created_node(d, s));
	node_set(d, root, "architecture", node_str(d, platform_arch()));
	node_set(d, root, "os", node_str(d, "linux"));
	node_set(d, root, "config", config_node(d, s));
	for (size_t i = 0; i < s->layers.n; i++)
		node_add(d, ids, node_strn(d, str_sv(&s->layers.v[i].diff_id)));
	node_set(d, rootfs, "type", node_str(d, "layers"));
	node_set(d, rootfs, "diff_ids", ids);
	node_set(d, root, "rootfs", rootfs);
	return manifest_write(b->dir, root, &s->layers, out, err);
}

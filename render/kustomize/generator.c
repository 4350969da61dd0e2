#include "render/kustomize/generator.h"

#include "base/encode.h"
#include "base/utf8.h"
#include "render/kustomize/chart.h"
#include "render/kustomize/plugin.h"
#include "render/kustomize/steps.h"

#define BASE64_LINE 70

struct generation {
	struct target *t;
	const char *where;
	struct set *out;                /* what is made */
};

struct generator {
	const char *kind;
	const struct shape *shape;
	size_t (*count)(const struct target *t);        /* runs that the kustomization's own fields ask for */
	void (*configure)(struct target *t, size_t i, void *config);
	int (*run)(const struct generation *g, const void *config, struct err *err);
};

/* ---- key and value pairs ---- */

struct keyed { struct resource *r; const char *name; bool secret; struct map seen; };

static int add_pair(struct keyed *k, struct sv key, struct sv value, struct err *err)
{
	bool text = utf8_valid(value);
	AUTO(str) base64 = { 0 };
	AUTO(str) lines = { 0 };
	struct node *n;

	if (map_put(&k->seen, key, k))
		return err_set(err, ERR_INVALID, "%s %s illegally repeats the key `%.*s`", k->secret ? "secret" : "configmap", k->name,
			       SV_ARG(key));
	if (!k->secret && text) {
		n = node_strn(k->r->doc, value);
	} else {
		base64_encode(&base64, value);
		for (size_t i = 0; base64.n >= BASE64_LINE && i < base64.n; i += BASE64_LINE) {
			size_t left = base64.n - i;

			str_add(&lines, (struct sv){ base64.p + i, left < BASE64_LINE ? left : BASE64_LINE });
			str_add1(&lines, '\n');
		}
		n = node_strn(k->r->doc, base64.n >= BASE64_LINE ? str_sv(&lines) : str_sv(&base64));
	}
	n->flags |= NODE_QUOTED;
	node_append(k->r->doc, node_map_at(k->r->doc, k->r->root, k->secret || text ? "data" : "binaryData"), key, n);
	return 0;
}

static int add_env_line(struct keyed *k, struct sv line, bool first, struct err *err)
{
	struct sv key, value;

	if (!utf8_valid(line))
		return err_set(err, ERR_INVALID, "a line has invalid utf8 bytes");
	if (first && sv_starts(line, SV("\xef\xbb\xbf")))
		line = sv_drop(line, 3);
	while (line.n && strchr(" \t\v\f\r", *line.p))
		line = sv_drop(line, 1);
	if (!line.n || *line.p == '#')
		return 0;
	sv_cut(line, '=', &key, &value);
	return key.n ? add_pair(k, key, value, err) : 0;
}

static int add_env(const struct generation *g, struct keyed *k, const char *file, struct err *err)
{
	AUTO(str) text = { 0 };
	struct sv rest, line;
	const char *shown;
	unsigned n = 0;

	TRY(dir_load(&g->t->dir, file, &text, &shown, err));
	rest = str_sv(&text);
	while (rest.n) {
		sv_cut(rest, '\n', &line, &rest);
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		TRY(err_wrap(err, add_env_line(k, line, !n, err), "%s:%u", shown, n + 1));
		n++;
	}
	return 0;
}

static int add_literal(struct keyed *k, const char *text, struct err *err)
{
	struct sv key, value;

	if (!sv_cut(sv_c(text), '=', &key, &value) || !key.n)
		return err_set(err, ERR_INVALID, "invalid literal source %s, expected key=value", text);
	if (value.n >= 2 && (*value.p == '"' || *value.p == '\'') && value.p[value.n - 1] == *value.p)
		value = (struct sv){ value.p + 1, value.n - 2 };
	return add_pair(k, key, value, err);
}

static int add_file(const struct generation *g, struct keyed *k, const char *source, struct err *err)
{
	struct sv key, path, dir;
	AUTO(str) content = { 0 };

	if (!sv_cut(sv_c(source), '=', &key, &path)) {
		path = key;
		if (!sv_cut_last(path, '/', &dir, &key))
			key = path;
	}
	if (!key.n)
		return err_set(err, ERR_INVALID, "missing key name for file path \"%.*s\" in source \"%s\"", SV_ARG(path), source);
	if (!path.n)
		return err_set(err, ERR_INVALID, "missing file path for key name \"%.*s\" in source \"%s\"", SV_ARG(key), source);
	if (memchr(path.p, '=', path.n))
		return err_set(err, ERR_INVALID, "source \"%s\" key name or file path contains '='", source);
	TRY(dir_load(&g->t->dir, path.p, &content, NULL, err));
	return add_pair(k, key, str_sv(&content), err);
}

static int add_sources(const struct generation *g, struct keyed *k, const struct generator_spec *s, struct err *err)
{
	for (size_t i = 0; i < s->envs.n; i++)
		TRY(err_wrap(err, add_env(g, k, s->envs.v[i], err), "env source files"));
	if (s->env && *s->env)
		TRY(err_wrap(err, add_env(g, k, s->env, err), "env source file"));
	for (size_t i = 0; i < s->literals.n; i++)
		TRY(err_wrap(err, add_literal(k, s->literals.v[i], err), "literal sources"));
	for (size_t i = 0; i < s->files.n; i++)
		TRY(err_wrap(err, add_file(g, k, s->files.v[i], err), "file sources"));
	return 0;
}

/* ---- config maps and secrets ---- */

/* Labels and annotations; those that were put first stay. */
static void put_marks(struct resource *r, const char *field, const struct pairs *pairs)
{
	struct node *to;

	if (!pairs->n)
		return;
	to = node_map_at(r->doc, resource_metadata(r), field);
	for (size_t i = 0; i < pairs->n; i++) {
		struct node *n = node_str(r->doc, pairs->v[i].value);

		n->flags |= NODE_QUOTED;
		if (!node_get(to, pairs->v[i].key))
			node_set(r->doc, to, pairs->v[i].key, n);
	}
}

/* An unknown one is told and means nothing, as it does for kustomize. */
static enum behavior parse_behavior(const struct generation *g, const char *text)
{
	static const char *const names[] = { "unspecified", "create", "replace", "merge" };

	for (int i = 0; i < 4; i++)
		if (str_eq(text, names[i]))
			return (enum behavior)i;
	if (text && *text)
		str_addf(g->t->b->warnings, "%s: behavior is create, replace or merge, and not '%s'\n", g->where, text);
	return BEHAVIOR_UNSPECIFIED;
}

static struct resource *start(const struct generator_spec *s, bool secret)
{
	struct doc *d = doc_new();
	struct node *root = node_map(d), *name = node_str(d, s->name);

	doc_set_root(d, root);
	node_set(d, root, "apiVersion", node_str(d, "v1"));
	node_set(d, root, "kind", node_str(d, secret ? "Secret" : "ConfigMap"));
	name->flags |= NODE_QUOTED;
	node_put(d, root, "metadata.name", name);
	if (s->ns && *s->ns)
		node_put(d, root, "metadata.namespace", node_str(d, s->ns));
	if (secret) {
		node_set(d, root, "data", node_map(d));
		node_set(d, root, "type", node_str(d, s->type && *s->type ? s->type : "Opaque"));
	}
	return resource_new(d);
}

static void apply_options(struct resource *r, const struct generator_options *own, const struct generator_options *global)
{
	const struct generator_options *both[] = { own, global };
	bool immutable = false;

	r->hashed = true;
	for (size_t i = 0; i < 2; i++) {
		if (!both[i])
			continue;
		put_marks(r, "labels", &both[i]->labels);
		put_marks(r, "annotations", &both[i]->annotations);
		r->hashed &= !both[i]->no_hash;
		immutable |= both[i]->immutable;
	}
	if (immutable)
		node_set(r->doc, r->root, "immutable", node_bool(r->doc, true));
}

static int run_keyed(const struct generation *g, const struct generator_spec *s, bool secret, struct err *err)
{
	struct keyed k = { .secret = secret, .name = s->name };
	int r;

	if (!s->name || !*s->name)
		return err_set(err, ERR_INVALID, "a %s must have a name", secret ? "secret" : "configmap");
	k.r = start(s, secret);
	k.r->behavior = parse_behavior(g, s->behavior);
	r = add_sources(g, &k, s, err);
	map_free(&k.seen);
	if (r < 0) {
		resource_drop(&k.r);
		return err_wrap(err, r, "%s %s", secret ? "secret" : "configmap", s->name);
	}
	apply_options(k.r, s->options, g->t->k.generator_options);
	return set_add(g->out, k.r, err);
}

/* A file that configures a generator gives name and namespace as its own, too. */
struct keyed_plugin { struct generator_spec spec; struct named { const struct node *at; const char *name, *ns; } *metadata; };
static const struct shape_field named_fields[] = {
	FIELD_OF(named, name, "name", STR),
	FIELD_OF(named, ns, "namespace", STR),
	{ 0 }
};
static const struct shape named_shape = { sizeof(struct named), named_fields };
static const struct shape_field keyed_fields[] = {
	FIELD_IN(keyed_plugin, metadata, "metadata", ONE, named_shape),
	FIELD_OF(generator_spec, name, "name", STR),
	FIELD_OF(generator_spec, ns, "namespace", STR),
	FIELD_OF(generator_spec, behavior, "behavior", STR),
	FIELD_OF(generator_spec, literals, "literals", STRS),
	FIELD_OF(generator_spec, files, "files", STRS),
	FIELD_OF(generator_spec, envs, "envs", STRS),
	FIELD_OF(generator_spec, env, "env", STR),
	FIELD_OF(generator_spec, type, "type", STR),
	FIELD_IN(generator_spec, options, "options", ONE, generator_options_shape),
	{ 0 }
};
static const struct shape keyed_shape = { sizeof(struct keyed_plugin), keyed_fields };

static int run_either(const struct generation *g, const struct keyed_plugin *p, bool secret, struct err *err)
{
	struct generator_spec s = p->spec;

	if (p->metadata && (!s.name || !*s.name))
		s.name = p->metadata->name;
	if (p->metadata && (!s.ns || !*s.ns))
		s.ns = p->metadata->ns;
	return run_keyed(g, &s, secret, err);
}

static int run_config_map(const struct generation *g, const void *config, struct err *err)
{
	return run_either(g, config, false, err);
}

static int run_secret(const struct generation *g, const void *config, struct err *err) { return run_either(g, config, true, err); }

static size_t count_config_maps(const struct target *t) { return t->k.config_maps.n; }
static size_t count_secrets(const struct target *t) { return t->k.secrets.n; }

static void configure_config_map(struct target *t, size_t i, void *config)
{
	((struct keyed_plugin *)config)->spec = t->k.config_maps.v[i];
}

static void configure_secret(struct target *t, size_t i, void *config)
{
	((struct keyed_plugin *)config)->spec = t->k.secrets.v[i];
}

/* ---- charts ---- */

static int run_chart(const struct generation *g, const void *config, struct err *err)
{
	return chart_inflate(g->t, config, g->out, err);
}

static size_t count_charts(const struct target *t) { return t->k.charts.n; }
static void configure_chart(struct target *t, size_t i, void *config) { *(struct chart_spec *)config = t->k.charts.v[i]; }

/* ---- a service account bound to one of Google's cloud ---- */

struct iam {
	const struct node *at;
	const char *cloud;
	struct named *service;
	struct account { const struct node *at; const char *name, *project; } *account;
};
static const struct shape_field account_fields[] = {
	FIELD_OF(account, name, "name", STR),
	FIELD_OF(account, project, "projectId", STR),
	{ 0 }
};
static const struct shape account_shape = { sizeof(struct account), account_fields };
static const struct shape_field iam_fields[] = {
	FIELD_OF(iam, cloud, "cloud", STR),
	FIELD_IN(iam, service, "kubernetesService", ONE, named_shape),
	FIELD_IN(iam, account, "serviceAccount", ONE, account_shape),
	{ 0 }
};
static const struct shape iam_shape = { sizeof(struct iam), iam_fields };

static int run_iam(const struct generation *g, const void *config, struct err *err)
{
	const struct iam *c = config;
	struct doc *d;
	struct node *root;

	if (!str_eq(c->cloud, "gke"))
		return err_set(err, ERR_UNSUPPORTED, "cloud provider %s not supported yet", c->cloud ? c->cloud : "");
	if (!c->service || !c->service->name || !c->account)
		return err_set(err, ERR_INVALID, "kubernetesService.name and serviceAccount are required");
	d = doc_new();
	root = node_map(d);
	doc_set_root(d, root);
	node_set(d, root, "apiVersion", node_str(d, "v1"));
	node_set(d, root, "kind", node_str(d, "ServiceAccount"));
	node_put(d, root, "metadata.name", node_str(d, c->service->name));
	node_set(d, node_map_at(d, root, "metadata.annotations"), "iam.gke.io/gcp-service-account",
		 node_strf(d, "%s@%s.iam.gserviceaccount.com", c->account->name ? c->account->name : "",
			   c->account->project ? c->account->project : ""));
	if (c->service->ns && *c->service->ns)
		node_put(d, root, "metadata.namespace", node_str(d, c->service->ns));
	return set_add(g->out, resource_new(d), err);
}

/* ---- */

static const struct generator generators[] = {
	{ "ConfigMapGenerator", &keyed_shape, count_config_maps, configure_config_map, run_config_map },
	{ "SecretGenerator", &keyed_shape, count_secrets, configure_secret, run_secret },
	{ "HelmChartInflationGenerator", &chart_shape, count_charts, configure_chart, run_chart },
	{ "IAMPolicyGenerator", &iam_shape, NULL, NULL, run_iam },
};
#define N_GENERATORS (sizeof(generators) / sizeof(*generators))

const struct generator *generator_find(const char *kind)
{
	for (size_t i = 0; i < N_GENERATORS; i++)
		if (str_eq(generators[i].kind, kind))
			return &generators[i];
	return NULL;
}

const struct shape *generator_shape(const struct generator *g) { return g->shape; }

static int run(struct target *t, const struct generator *g, const void *config, const char *where, const struct origin *o,
	       struct err *err)
{
	struct set made = { 0 };
	int r = g->run(&(struct generation){ t, where, &made }, config, err);

	for (size_t i = 0; r >= 0 && i < made.n; i++) {
		struct resource *one = TAKE(made.v[i]);

		if (!one->origin)
			one->origin = o;
		r = set_absorb(&t->acc->set, one, err);
	}
	set_free(&made);
	if (r >= 0)
		steps_note(t->b, &t->acc->set, g->kind, where);
	return err_wrap(err, r, "%s", where);
}

static int run_plugins(struct target *t, struct err *err)
{
	struct accumulated configs = { 0 };
	int r = plugins_load(t, &t->k.generators, "generators", &configs, err);

	for (size_t i = 0; r >= 0 && i < configs.set.n; i++) {
		struct plugin p;

		r = plugin_read(t, configs.set.v[i], &p, err);
		if (r >= 0 && !p.generator)
			r = err_set(err, ERR_INVALID, "%s: plugin %s not a generator", p.where, p.kind);
		if (r >= 0)
			r = run(t, p.generator, p.config, p.where, p.origin, err);
	}
	accumulated_free(&configs);
	return r;
}

int generators_run(struct target *t, struct err *err)
{
	for (size_t g = 0; g < N_GENERATORS; g++) {
		const struct origin *o = target_configured(t, generators[g].kind);
		size_t n = generators[g].count ? generators[g].count(t) : 0;

		for (size_t i = 0; i < n; i++) {
			void *config = doc_alloc(t->b->arena, generators[g].shape->size);

			generators[g].configure(t, i, config);
			TRY(run(t, &generators[g], config, target_where(t, *(const struct node **)config), o, err));
		}
	}
	return run_plugins(t, err);
}

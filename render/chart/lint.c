#include "render/chart/lint.h"

#include "base/semver.h"
#include "kube/schema/schema.h"
#include "render/chart/chart.h"
#include "render/chart/deps.h"
#include "render/chart/load.h"

#define FILE_MAX ((size_t)5 << 20)

struct lint { struct vfs *v; const char *dir; const struct render_opts *o; struct lint_messages *out; const struct chart *chart; };

const char *lint_severity_name(enum lint_severity s)
{
	static const char *const names[] = { [LINT_INFO] = "INFO", [LINT_WARNING] = "WARNING", [LINT_ERROR] = "ERROR" };

	return names[s];
}

void lint_messages_free(struct lint_messages *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].path);
		free(m->v[i].text);
	}
	vec_free(m);
}

static void say(struct lint *l, enum lint_severity severity, const char *path, const char *fmt, ...) PRINTF(4, 5);
static void say(struct lint *l, enum lint_severity severity, const char *path, const char *fmt, ...)
{
	struct str text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	vec_push(l->out, ((struct lint_message){ severity, sv_dup(sv_c(path)), str_take(&text) }));
}

/* ---- Chart.yaml ---- */

static bool is_url(const char *s) { return !strncmp(s, "https://", 8) || !strncmp(s, "http://", 7); }

static void check_urls(struct lint *l, const struct node *meta)
{
	static const char *const fields[] = { "icon", "home" };
	const struct node *it;

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const char *url = node_str_at(meta, fields[i]);
		if (url && *url && !is_url(url) && strncmp(url, "data:", 5) && strncmp(url, "file:", 5))
			say(l, LINT_ERROR, "Chart.yaml", "%s: '%s' is not a URL", fields[i], url);
	}
	node_each(it, node_get(meta, "sources"))
		if (!node_text(it) || !is_url(node_text(it)))
			say(l, LINT_ERROR, "Chart.yaml", "sources: '" SV_FMT "' is not a URL", SV_ARG(node_sv(it)));
	if (!node_str_at(meta, "icon"))
		say(l, LINT_INFO, "Chart.yaml", "icon is recommended");
}

static void check_maintainers(struct lint *l, const struct node *meta)
{
	const struct node *it;

	node_each(it, node_get(meta, "maintainers"))
		if (!*node_str_or(it, "name", ""))
			say(l, LINT_ERROR, "Chart.yaml", "each maintainer requires a name");
}

static void check_name(struct lint *l, const char *name)
{
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-' || *c == '.')) {
			say(l, LINT_WARNING, "Chart.yaml", "name '%s': names have lower case letters, digits and '-'", name);
			return;
		}
	if (strlen(name) > 250)
		say(l, LINT_ERROR, "Chart.yaml", "name is longer than 250 characters");
}

static void check_versions(struct lint *l, const struct node *meta)
{
	const char *api = node_str_or(meta, "apiVersion", ""), *type = node_str_or(meta, "type", "application");
	const char *kube = node_str_or(meta, "kubeVersion", "");
	const struct node *app = node_get(meta, "appVersion");
	struct semver any;

	if (!str_eq(api, "v1") && !str_eq(api, "v2"))
		say(l, LINT_ERROR, "Chart.yaml", "apiVersion '%s' is not valid: it is v1 or v2", api);
	if (!str_eq(type, "application") && !str_eq(type, "library"))
		say(l, LINT_ERROR, "Chart.yaml", "type '%s' is not valid: it is application or library", type);
	if (app && !node_text(app))
		say(l, LINT_ERROR, "Chart.yaml", "appVersion should be a text, and is %s: write it in quotes", node_type_name(app));
	if (*kube && semver_parse(SV("1.30.0"), &any) && semver_match(sv_c(kube), &any, NULL) < 0)
		say(l, LINT_ERROR, "Chart.yaml", "kubeVersion '%s' is not a range of versions", kube);
	if (str_eq(api, "v1") && str_eq(type, "library"))
		say(l, LINT_ERROR, "Chart.yaml", "library charts need apiVersion v2");
}

static void check_entry(struct lint *l, const struct node *entry)
{
	const char *name = node_str_or(entry, "name", ""), *version = node_str_or(entry, "version", "");
	struct semver any;
	bool here = false;

	for (size_t i = 0; i < l->chart->n_deps; i++)
		here |= dep_is_about(entry, l->chart->deps[i]);
	if (!*name)
		say(l, LINT_ERROR, "Chart.yaml", "a dependency has no name");
	else if (!here)
		say(l, LINT_WARNING, "Chart.yaml", "charts/ is missing the dependency %s %s: `cd chart dependency update` gets it", name, version);
	if (*version && semver_parse(SV("1.0.0"), &any) && semver_match(sv_c(version), &any, NULL) < 0)
		say(l, LINT_ERROR, "Chart.yaml", "dependency %s: version '%s' is not a range of versions", name, version);
}

static const char *called(const struct node *entry) { return node_str_or(entry, "alias", node_str_or(entry, "name", "")); }

static void check_dependencies(struct lint *l, const struct node *meta)
{
	const struct node *list = node_get(meta, "dependencies");

	for (size_t i = 0; i < node_n(list); i++) {
		check_entry(l, node_item(list, i));
		for (size_t k = 0; k < i; k++)
			if (str_eq(called(node_item(list, i)), called(node_item(list, k))))
				say(l, LINT_ERROR, "Chart.yaml", "two dependencies are called '%s': give one an alias", called(node_item(list, i)));
	}
}

static void check_meta(struct lint *l)
{
	const struct node *meta = doc_root(l->chart->meta);

	check_name(l, l->chart->name);
	check_versions(l, meta);
	check_maintainers(l, meta);
	check_urls(l, meta);
	check_dependencies(l, meta);
}

/* ---- files ---- */

static bool read_file(struct lint *l, const char *name, struct str *text)
{
	AUTO(str) path = { 0 };

	return vfs_join(&path, l->dir, name, NULL) >= 0 && vfs_read(l->v, str_c(&path), FILE_MAX, text, NULL) >= 0;
}

/* A key that comes twice hides the first one without a word. */
static void check_yaml(struct lint *l, const char *name)
{
	AUTO(str) text = { 0 };
	AUTO(err) err = { 0 };
	AUTO_DOC d = NULL;

	if (read_file(l, name, &text) && yaml_read(str_sv(&text), name, YAML_UNIQUE_KEYS, &d, &err) < 0)
		say(l, LINT_ERROR, name, "%s", err_msg(&err));
}

static void check_files(struct lint *l)
{
	AUTO(str) values = { 0 };

	check_yaml(l, "Chart.yaml");
	check_yaml(l, "values.yaml");
	if (!l->chart->templates.n)
		say(l, LINT_WARNING, "templates/", "directory not found");
	if (!read_file(l, "values.yaml", &values))
		say(l, LINT_INFO, "values.yaml", "file does not exist");
}

/* ---- what templates give ---- */

/* "web/templates/x.yaml" of the chart web as "templates/x.yaml". */
static const char *below(const struct lint *l, const char *source)
{
	size_t n = strlen(l->chart->path);

	return !strncmp(source, l->chart->path, n) && source[n] == '/' ? source + n + 1 : source;
}

static void say_lines(struct lint *l, const char *path, const char *name, struct str *lines)
{
	struct sv rest = str_sv(lines), line;

	while (rest.n) {
		sv_cut(rest, '\n', &line, &rest);
		if (sv_trim(line).n)
			say(l, LINT_WARNING, path, "%s: " SV_FMT, name, SV_ARG(line));
	}
}

static void check_object(struct lint *l, const char *path, const struct node *root, const struct kinds *kinds)
{
	const char *kind = node_str_or(root, "kind", ""), *name = node_str_or(root, "metadata.name", "");
	const struct kind *k = kinds_find(kinds, node_str_at(root, "apiVersion"), kind);
	AUTO_DOC d = doc_of(root);
	AUTO(str) title = { 0 };
	AUTO(str) unknown = { 0 };
	AUTO(err) err = { 0 };

	str_addf(&title, "%s/%s", kind, name);
	if (!*kind || !node_str_at(root, "apiVersion"))
		say(l, LINT_ERROR, path, "an object has no %s", *kind ? "apiVersion" : "kind");
	if (!k && !*name && !node_str_at(root, "metadata.generateName") && !sv_ends(sv_c(kind), SV("List")))
		say(l, LINT_ERROR, path, "%s has no metadata.name", *kind ? kind : "an object");
	if (!k)
		return;
	if (schema_prune(doc_root(d), k, UNKNOWN_WARN, &unknown, &err) < 0) {
		say(l, LINT_ERROR, path, "%s: %s", str_c(&title), err_msg(&err));
		return;
	}
	say_lines(l, path, str_c(&title), &unknown);
	schema_default(d, doc_root(d), k);
	if (schema_validate(doc_root(d), NULL, k, &err) < 0)
		say(l, LINT_ERROR, path, "%s", err_msg(&err));
}

static void check_objects(struct lint *l, const struct rendered *r)
{
	struct kinds *kinds = kinds_new();

	for (size_t i = 0; i < r->texts.n; i++) {
		AUTO_DOC d = NULL;

		if (yaml_read(sv_c(r->texts.v[i].text), r->texts.v[i].source, 0, &d, NULL) >= 0 && node_n(doc_root(d)))
			check_object(l, below(l, r->texts.v[i].source), doc_root(d), kinds);
	}
	kinds_free(&kinds);
}

static void check_templates(struct lint *l)
{
	struct render_opts o = *l->o;
	struct rendered r = { 0 };
	AUTO(err) err = { 0 };

	if (str_eq(node_str_at(doc_root(l->chart->meta), "type"), "library"))
		return;                 /* it makes nothing by itself */
	o.type = RENDER_CHART;
	if (chart_render(l->v, l->dir, &o, &r, &err) < 0)
		say(l, LINT_ERROR, "templates/", "%s", err_msg(&err));
	else
		check_objects(l, &r);
	rendered_free(&r);
}

void chart_lint_check(struct vfs *v, const char *path, const struct render_opts *o, struct lint_messages *out)
{
	struct lint l = { .v = v, .dir = path, .o = o, .out = out };
	struct chart *c = NULL;
	AUTO(err) err = { 0 };

	if (chart_load(v, path, &c, &err) < 0) {
		say(&l, LINT_ERROR, "Chart.yaml", "%s", err_msg(&err));
		return;
	}
	l.chart = c;
	check_meta(&l);
	check_files(&l);
	check_templates(&l);
	chart_free(&c);
}

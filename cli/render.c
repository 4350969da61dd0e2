/* cli/render.c - `cd render`: kustomizations, charts and plain manifests to objects. */
#include "cli/render.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/fs.h"
#include "base/json.h"
#include "cli/chart.h"
#include "cli/verbs.h"
#include "render/diff.h"
#include "render/kustomize/scope.h"
#include "render/trail.h"

static const struct usage usage = {
	"render", "[OPTIONS] DIRECTORY[@REVISION]|CHART",
	"Renders a kustomization, a chart or plain manifests, as `kustomize build` and `helm template` do.",
	"  cd render overlays/prod\n"
	"  cd render overlays/prod --explain Deployment/web.spec.replicas\n"
	"  cd render overlays/prod --diff overlays/prod@v1.2\n"
	"  cd render overlays/prod --diff live\n"
	"  cd render charts/web -f values.yaml --set image.tag=2\n"
	"  cd render oci://registry.example.com/charts/web --version ^1.2",
};

struct command {
	struct render_opts o;
	const char *output, *output_dir, *restrictor, *diff, *explain_what, *type, *kubeconfig, *context;
	bool validate, release_dir, skip_crds;
	bool watch, explain;
	struct opt_list values, set, set_string, set_json, set_file, set_literal, apis, show_only, ignored;
	struct render_set *sets;
	struct render_remotes *remotes;
	struct render_place place;
	struct chart_flags chart;
	struct chart_found found;
	bool dependencies, random;
	char seed[33];
};

/* ---- options ---- */

struct choice { const char *name; int value; };

static bool choose(const struct choice *c, const char *name, int *out)
{
	for (; c->name; c++)
		if (!strcasecmp(c->name, name)) {
			*out = c->value;
			return true;
		}
	return false;
}

static const struct choice restrictors[] = {
	{ "none", true }, { "LoadRestrictionsNone", true }, { "root", false }, { "rootOnly", false },
	{ "LoadRestrictionsRootOnly", false }, { 0 },
};
static const struct choice types[] = {
	{ "auto", RENDER_AUTO }, { "plain", RENDER_PLAIN }, { "directory", RENDER_PLAIN }, { "kustomize", RENDER_KUSTOMIZE },
	{ "chart", RENDER_CHART }, { "helm", RENDER_CHART }, { 0 },
};

static int check_choices(struct command *c)
{
	int any_path = false, type = RENDER_AUTO;

	if (c->restrictor && !choose(restrictors, c->restrictor, &any_path))
		return cli_usage_error(&usage, "--load-restrictor is root or none, and not '%s'", c->restrictor);
	if (c->o.reorder && strcmp(c->o.reorder, "none") != 0 && strcmp(c->o.reorder, "legacy") != 0)
		return cli_usage_error(&usage, "--reorder is legacy or none, and not '%s'", c->o.reorder);
	if (c->type && !choose(types, c->type, &type))
		return cli_usage_error(&usage, "--type is auto, plain, kustomize or chart, and not '%s'", c->type);
	/* Options that only kustomizations have say that it must be one. */
	if (type == RENDER_AUTO && (c->restrictor || c->o.reorder))
		type = RENDER_KUSTOMIZE;
	c->o.any_path = any_path;
	c->o.type = (enum render_type)type;
	return -1;
}

static const char **terminated(struct opt_list *l)
{
	if (!l->n)
		return NULL;
	vec_push(l, NULL);
	return l->v;
}

/* "a,b" is two, as for helm; the texts are those of argv, which are ours to cut. */
static void split_commas(struct opt_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		char *comma = strchr((char *)(uintptr_t)l->v[i], ',');

		if (!comma)
			continue;
		*comma = '\0';
		vec_push(l, comma + 1);
	}
}

static void collect_sets(struct command *c)
{
	const struct { struct opt_list *from; enum set_kind kind; } rows[] = {
		{ &c->values, SET_VALUES_TEXT }, { &c->set_json, SET_JSON }, { &c->set, SET_VALUE }, { &c->set_string, SET_STRING },
		{ &c->set_file, SET_FILE }, { &c->set_literal, SET_LITERAL },
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		n += rows[i].from->n;
	c->sets = calloc(n + 1, sizeof(*c->sets));
	if (!c->sets)
		abort();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t j = 0; j < rows[i].from->n; j++)
			c->sets[c->o.n_sets++] = (struct render_set){ rows[i].kind, rows[i].from->v[j] };
	c->o.sets = c->sets;
	c->o.show_only = terminated(&c->show_only);
	split_commas(&c->apis);
	c->o.api_versions = terminated(&c->apis);
}

/* --explain may be followed by what it asks for: KIND/NAME, which is no directory. It is taken out of argv. */
static int take_explain(struct command *c, int argc, char **argv)
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "--explain=", 10)) {
			c->explain = true;
			c->explain_what = argv[i] + 10;
		} else if (!strcmp(argv[i], "--explain")) {
			c->explain = true;
			if (i + 1 < argc && argv[i + 1][0] != '-' && strchr(argv[i + 1], '/') && access(argv[i + 1], F_OK) != 0)
				c->explain_what = argv[++i];
		} else {
			argv[n++] = argv[i];
		}
	}
	argv[n] = NULL;
	return n;
}

static int read_set_file(void *arg, const char *path, struct str *out, struct err *err)
{
	(void)arg;
	return file_read(path, 8u << 20, out, err);
}

static int parse(struct command *c, int argc, char **argv, struct opt_list *args)
{
	bool ignored = false;
	const struct opt opts[] = {
		{ "type", 0, OPT_STR, &c->type, "TYPE", "auto, plain, kustomize or chart; found out by default" },
		{ "output", 'o', OPT_STR, &c->output, "FORMAT", "yaml, json, or a file or directory to write to" },
		{ "diff", 0, OPT_STR, &c->diff, "OTHER", "show what changes from OTHER: a directory, DIRECTORY@REVISION, or live" },
		{ "watch", 'w', OPT_FLAG, &c->watch, NULL, "render again whenever something that was read changes" },
		{ "load-restrictor", 0, OPT_STR, &c->restrictor, "RULE", "root: files must be below their kustomization; none" },
		{ "reorder", 0, OPT_STR, &c->o.reorder, "ORDER", "legacy: by kind, as kustomize does; none: as they are read" },
		{ "enable-helm", 0, OPT_FLAG, &c->o.enable_helm, NULL, "render the helmCharts of kustomizations" },
		{ "recurse", 'R', OPT_FLAG, &c->o.recurse, NULL, "plain: directories below, too" },
		{ "include", 0, OPT_STR, &c->o.include, "GLOB", "plain: only these files" },
		{ "exclude", 0, OPT_STR, &c->o.exclude, "GLOB", "plain: all but these files" },
		{ "release", 0, OPT_STR, &c->o.release, "NAME", "chart: name of the release" },
		{ "name", 0, OPT_STR, &c->o.release, "NAME", "the same, by helm's older name" },
		{ "namespace", 'n', OPT_STR, &c->o.ns, "NAMESPACE", "chart: namespace of the release" },
		{ "values", 'f', OPT_LIST, &c->values, "FILE", "chart: values; repeatable, the last one wins" },
		{ "set", 0, OPT_LIST, &c->set, "K=V", "chart: a value" },
		{ "set-string", 0, OPT_LIST, &c->set_string, "K=V", "chart: a value that is a text" },
		{ "set-json", 0, OPT_LIST, &c->set_json, "K=JSON", "chart: a value as JSON" },
		{ "set-file", 0, OPT_LIST, &c->set_file, "K=FILE", "chart: a value from a file" },
		{ "set-literal", 0, OPT_LIST, &c->set_literal, "K=V", "chart: a value, taken as it is" },
		{ "include-crds", 0, OPT_FLAG, &c->o.include_crds, NULL, "chart: its CustomResourceDefinitions, too" },
		{ "skip-crds", 0, OPT_FLAG, &c->skip_crds, NULL, "chart: without them, as by default" },
		{ "skip-tests", 0, OPT_FLAG, &c->o.skip_tests, NULL, "chart: leave out tests" },
		{ "no-hooks", 0, OPT_FLAG, &c->o.no_hooks, NULL, "chart: leave out hooks" },
		{ "is-upgrade", 0, OPT_FLAG, &c->o.is_upgrade, NULL, "chart: .Release.IsUpgrade" },
		{ "skip-schema-validation", 0, OPT_FLAG, &c->o.validate_schema_off, NULL, "chart: values may differ from its schema" },
		{ "validate", 0, OPT_FLAG, &c->validate, NULL, "chart: for this orchestrator, with its version and kinds; unknown ones are errors" },
		{ "output-dir", 0, OPT_STR, &c->output_dir, "DIR", "chart: a file for each template, below DIR, instead of the output" },
		{ "release-name", 0, OPT_FLAG, &c->release_dir, NULL, "chart: with --output-dir, below a directory named as the release" },
		{ "show-only", 's', OPT_LIST, &c->show_only, "TEMPLATE", "chart: only these templates" },
		{ "kube-version", 0, OPT_STR, &c->o.kube_version, "VERSION", "chart: .Capabilities.KubeVersion" },
		{ "helm-kube-version", 0, OPT_STR, &c->o.kube_version, "VERSION", "the same, by kustomize's name" },
		{ "api-versions", 'a', OPT_LIST, &c->apis, "API", "chart: one more of .Capabilities.APIVersions; several with commas" },
		{ "helm-api-versions", 0, OPT_LIST, &c->apis, "API", "the same, by kustomize's name" },
		{ "random", 0, OPT_FLAG, &c->random, NULL, "chart: other random names, passwords and keys each time" },
		{ "dependency-update", 0, OPT_FLAG, &c->dependencies, NULL, "chart: fetch dependencies that charts/ does not hold" },
		CHART_REMOTE_OPTS(&c->chart),
		{ "kubeconfig", 0, OPT_STR, &c->kubeconfig, "FILE", "for --diff live" },
		{ "context", 0, OPT_STR, &c->context, "NAME", "for --diff live" },
		{ "enable-alpha-plugins", 0, OPT_FLAG, &ignored, NULL, "accepted: built-in plugins always run, and no others" },
		{ "enable-exec", 0, OPT_FLAG, &ignored, NULL, "accepted: a render starts no programs" },
		{ "enable-star", 0, OPT_FLAG, &ignored, NULL, "accepted" },
		{ "network", 0, OPT_FLAG, &ignored, NULL, "accepted" },
		{ "as-current-user", 0, OPT_FLAG, &ignored, NULL, "accepted" },
		{ "helm-debug", 0, OPT_FLAG, &ignored, NULL, "accepted" },
		{ "helm-command", 0, OPT_LIST, &c->ignored, "PROGRAM", "accepted: charts are rendered by this program" },
		{ "network-name", 0, OPT_LIST, &c->ignored, "NAME", "accepted" },
		{ "env", 'e', OPT_LIST, &c->ignored, "K=V", "accepted" },
		{ "mount", 0, OPT_LIST, &c->ignored, "MOUNT", "accepted" },
		{ 0 }
	};
	int r;

	c->o.set_files.read = read_set_file;
	argc = take_explain(c, argc, argv);
	r = cli_options(&usage, opts, argc, argv, args);
	if (r >= 0)
		return r;
	if (args->n == 2 && !c->o.release && !strchr(args->v[0], '/') && access(args->v[0], F_OK) != 0) {
		c->o.release = args->v[0];      /* NAME CHART, as for helm */
		args->v[0] = args->v[1];
		args->n = 1;
	}
	if (args->n > 1)
		return cli_usage_error(&usage, "one directory is rendered at a time");
	c->o.include_crds = c->o.include_crds && !c->skip_crds;
	c->o.in_cluster = c->validate || str_eq(c->diff, "live");
	r = check_choices(c);
	if (r < 0)
		collect_sets(c);
	return r;
}

/* Values files are read here, from this machine, wherever the chart comes from. */
static int read_values(struct command *c, struct str *texts, struct err *err)
{
	for (size_t i = 0; i < c->values.n; i++) {
		TRY(file_read(c->values.v[i], 8u << 20, &texts[i], err));
		c->sets[i].text = str_c(&texts[i]);
	}
	return 0;
}

/* ---- output ---- */

static int write_json(const struct rendered *r, struct str *out)
{
	for (size_t i = 0; i < r->objects.n; i++) {
		json_write(out, doc_root(r->objects.v[i]), JSON_SORTED | JSON_INDENT);
		str_add1(out, '\n');
	}
	return 0;
}

static void lower(struct str *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->p[i] >= 'A' && s->p[i] <= 'Z')
			s->p[i] = (char)(s->p[i] + 'a' - 'A');
}

/* Where an object lies: "" for those of the whole cluster. */
static const char *namespace_of(const struct node *root)
{
	const char *api = node_str_or(root, "apiVersion", ""), *slash = strchr(api, '/'), *ns = node_str_or(root, "metadata.namespace", "");
	AUTO(str) group = { 0 };

	str_add(&group, (struct sv){ api, slash ? (size_t)(slash - api) : 0 });
	if (scope_is_cluster(str_c(&group), slash ? slash + 1 : api, node_str_or(root, "kind", "")))
		return "";
	return *ns ? ns : "default";
}

static bool has_several_namespaces(const struct rendered *r)
{
	const char *first = "";

	for (size_t i = 0; i < r->objects.n; i++) {
		const char *ns = namespace_of(doc_root(r->objects.v[i]));

		if (*ns && *first && strcmp(ns, first) != 0)
			return true;
		first = *first ? first : ns;
	}
	return false;
}

/* One file for each object, named as kustomize names them: with the namespace where there are several. */
static int write_dir(const struct rendered *r, const char *dir, struct err *err)
{
	bool several = has_several_namespaces(r);

	for (size_t i = 0; i < r->objects.n; i++) {
		const struct node *root = doc_root(r->objects.v[i]);
		const char *ns = several ? namespace_of(root) : "";
		AUTO(str) name = { 0 };
		AUTO(str) path = { 0 };
		AUTO(str) text = { 0 };

		str_addf(&name, "%s%s%s_%s_%s.yaml", ns, *ns ? "_" : "", node_str_or(root, "apiVersion", ""), node_str_or(root, "kind", ""),
			 node_str_or(root, "metadata.name", ""));
		lower(&name);
		for (size_t j = 0; j < name.n; j++)
			if (name.p[j] == '/')
				name.p[j] = '_';
		str_addf(&path, "%s/%s", dir, str_c(&name));
		yaml_write(&text, root, YAML_SORTED);
		TRY(file_write(str_c(&path), str_sv(&text), 0644, err));
	}
	return 0;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int print(const struct command *c, const struct rendered *r, struct err *err)
{
	AUTO(str) out = { 0 };

	if (c->output_dir)
		return render_write_sources(r, c->output_dir, c->release_dir ? c->o.release ? c->o.release : "release-name" : NULL, err);
	if (c->output && is_directory(c->output))
		return write_dir(r, c->output, err);
	if (str_eq(c->output, "json"))
		write_json(r, &out);
	else
		rendered_write(r, &out);
	if (c->output && strcmp(c->output, "json") != 0 && strcmp(c->output, "yaml") != 0)
		return file_write(c->output, str_sv(&out), 0644, err);
	fwrite(str_c(&out), 1, out.n, stdout);
	fflush(stdout);
	return 0;
}

/* ---- --explain ---- */

/* Whether "Deployment/web.spec.replicas" is about an object; *field is what comes after its name. */
static bool is_about(const struct node *root, const char *what, const char **field)
{
	const char *kind = node_str_or(root, "kind", ""), *name = node_str_or(root, "metadata.name", "");
	size_t k = strlen(kind), n = strlen(name);

	if (strncasecmp(what, kind, k) != 0 || what[k] != '/' || strncmp(what + k + 1, name, n) != 0)
		return false;
	what += k + 1 + n;
	*field = *what == '.' ? what + 1 : what;
	return !*what || *what == '.' || *what == '[';
}

static int explain(const struct command *c, const struct rendered *r, struct err *err)
{
	AUTO(str) out = { 0 };
	AUTO(str) names = { 0 };

	for (size_t i = 0; i < r->objects.n; i++) {
		const struct node *root = doc_root(r->objects.v[i]);
		const char *field = NULL;

		str_addf(&names, "\n  %s/%s", node_str_or(root, "kind", ""), node_str_or(root, "metadata.name", ""));
		if (c->explain_what && !is_about(root, c->explain_what, &field))
			continue;
		str_addf(&out, "# %s/%s\n", node_str_or(root, "kind", ""), node_str_or(root, "metadata.name", ""));
		if (i < r->trails.n)
			trail_explain(r->trails.v[i], r->objects.v[i], root, field, &out);
	}
	if (!out.n && c->explain_what)
		return err_set(err, ERR_NOT_FOUND, "no object is named '%s'; there are:%s", c->explain_what, str_c(&names));
	fwrite(str_c(&out), 1, out.n, stdout);
	return 0;
}

/* ---- --diff ---- */

static int diff_live(const struct command *c, const struct rendered *r, struct str *out, struct err *err)
{
	__attribute__((cleanup(docs_free))) struct docs live = { 0 };
	__attribute__((cleanup(docs_free))) struct docs applied = { 0 };

	TRY(render_live(&r->objects, c->kubeconfig, c->context, &live, &applied, err));
	return (int)objects_diff(&live, &applied, out);
}

static int diff_place(const struct command *c, const struct rendered *r, struct str *out, struct err *err)
{
	struct render_place other = { 0 };
	struct render_opts o = c->o;
	AUTO(rendered) old = { 0 };
	int code = render_place_open(&other, c->diff, err);

	o.from = other.from;
	o.explain = false;
	if (code >= 0)
		code = render(other.vfs, other.path, &o, &old, err);
	if (code >= 0)
		code = (int)objects_diff(&old.objects, &r->objects, out);
	render_place_free(&other);
	return code;
}

/* Returns how many objects differ. */
static int diff(const struct command *c, const struct rendered *r, struct err *err)
{
	AUTO(str) out = { 0 };
	int n = str_eq(c->diff, "live") ? diff_live(c, r, &out, err) : diff_place(c, r, &out, err);

	if (n >= 0)
		fwrite(str_c(&out), 1, out.n, stdout);
	return n;
}

/* ---- */

static int once(void *arg, struct vfs *v)
{
	struct command *c = arg;
	AUTO(rendered) r = { 0 };
	AUTO(err) err = { 0 };
	int code;

	c->o.explain = c->explain;
	code = render(v, c->place.path, &c->o, &r, &err);
	if (r.warnings.n)
		fputs(str_c(&r.warnings), stderr);
	if (code >= 0 && c->validate)
		code = render_check_kinds(&r, &err);
	if (code >= 0)
		code = c->diff ? diff(c, &r, &err) : c->explain ? explain(c, &r, &err) : print(c, &r, &err);
	if (code < 0)
		return cli_fail("render", &err);
	return code ? EXIT_FAILED : EXIT_OK;
}

/* A directory or a commit of one, or a chart that is fetched first. */
static int open_place(struct command *c, const char *name, struct err *err)
{
	AUTO(err) none = { 0 };
	int r = c->chart.repo || strstr(name, "://") ? -ERR_NOT_FOUND : render_place_open(&c->place, name, &none);

	if (r >= 0)
		return r;
	if (!c->chart.repo && !strstr(name, "://") && (!strchr(name, '/') || chart_find_now(name, &c->chart, &c->found, NULL) < 0))
		return err_move(err, &none);
	if (!c->found.path.n)
		TRY(chart_find_now(name, &c->chart, &c->found, err));
	return render_place_open(&c->place, str_c(&c->found.path), err);
}

/* What no rendering before this one has had. */
static const char *make_seed(char seed[static 33])
{
	unsigned char bytes[16];
	AUTO(str) text = { 0 };

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		abort();
	hex_encode(&text, (struct sv){ (const char *)bytes, sizeof(bytes) });
	memcpy(seed, str_c(&text), text.n + 1);
	return seed;
}

static int run(struct command *c, const char *dir)
{
	AUTO(err) err = { 0 };
	struct str *texts = calloc(c->values.n + 1, sizeof(*texts));
	int code;

	if (!texts)
		abort();
	code = read_values(c, texts, &err);
	if (code >= 0)
		code = open_place(c, dir, &err);
	c->o.from = c->place.from;
	c->remotes = render_remotes_new();
	c->o.git = render_git;
	c->o.http = render_http;
	c->o.remote_arg = c->remotes;
	if (c->random)
		c->o.seed = make_seed(c->seed);
	if (c->dependencies || c->o.enable_helm)
		c->o.chart = chart_give;
	if (code >= 0 && c->watch)
		code = render_watch(c->place.vfs, once, c, &err);
	code = code < 0 ? cli_fail("render", &err) : once(c, c->place.vfs);
	for (size_t i = 0; i < c->values.n; i++)
		str_free(&texts[i]);
	free(texts);
	render_remotes_free(&c->remotes);
	render_place_free(&c->place);
	chart_found_free(&c->found);
	return code;
}

int cmd_render(int argc, char **argv)
{
	struct command c = { 0 };
	struct opt_list args = { 0 };
	struct opt_list *lists[] = { &c.values, &c.set, &c.set_string, &c.set_json, &c.set_file, &c.set_literal, &c.apis, &c.show_only,
				     &c.ignored };
	int code;

	render_prepare_heap();
	if (render_expr_asked(argc, argv))
		return render_expr(argc, argv);
	code = parse(&c, argc, argv, &args);
	if (code < 0)
		code = run(&c, args.n ? args.v[0] : ".");
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		vec_free(lists[i]);
	free(c.sets);
	vec_free(&args);
	return code;
}

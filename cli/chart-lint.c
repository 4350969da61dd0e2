/* cli/chart-lint.c - `cd chart lint`. */
#include "cli/chart.h"

#include <stdlib.h>

#include "base/fs.h"
#include "render/chart/lint.h"

static const struct usage usage = {
	"chart lint", "[OPTIONS] DIR|PACKAGE...",
	"Tells what is wrong with charts: Chart.yaml, values and their schema, dependencies, templates, and the objects that they\n"
	"give, which are checked against Kubernetes' kinds. Errors make the exit code 1; with --strict, warnings do, too.",
	"  cd chart lint .\n  cd chart lint -f prod.yaml --set replicas=3 charts/web",
};

struct command {
	const char *output;
	bool strict, quiet;
	struct render_opts o;
	struct opt_list values, set, set_string, set_json, set_file, set_literal, args;
	struct str *texts;
	struct render_set *sets;
	size_t failed;
	struct doc *doc;
	struct node *list;
};

static int read_set_file(void *arg, const char *path, struct str *out, struct err *err)
{
	(void)arg;
	return file_read(path, 8u << 20, out, err);
}

static int collect_sets(struct command *c, struct err *err)
{
	const struct { struct opt_list *from; enum set_kind kind; } rows[] = {
		{ &c->values, SET_VALUES_TEXT }, { &c->set_json, SET_JSON }, { &c->set, SET_VALUE }, { &c->set_string, SET_STRING },
		{ &c->set_file, SET_FILE }, { &c->set_literal, SET_LITERAL },
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		n += rows[i].from->n;
	c->sets = calloc(n + 1, sizeof *c->sets);
	c->texts = calloc(c->values.n + 1, sizeof *c->texts);
	if (!c->sets || !c->texts)
		abort();
	for (size_t i = 0; i < c->values.n; i++)
		TRY(file_read(c->values.v[i], 8u << 20, &c->texts[i], err));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t k = 0; k < rows[i].from->n; k++)
			c->sets[c->o.n_sets++] = (struct render_set){ rows[i].kind, i ? rows[i].from->v[k] : str_c(&c->texts[k]) };
	c->o.sets = c->sets;
	c->o.set_files.read = read_set_file;
	return 0;
}

static void print_messages(const struct command *c, const char *path, const struct lint_messages *m)
{
	const struct lint_message *it;

	printf("==> Linting %s\n", path);
	vec_each(it, m)
		if (!c->quiet || it->severity > LINT_INFO)
			printf("[%s] %s: %s\n", lint_severity_name(it->severity), it->path, it->text);
	printf("\n");
}

static void add_json(struct command *c, const char *path, const struct lint_messages *m, bool failed)
{
	struct node *n = node_map(c->doc), *messages = node_seq(c->doc);
	const struct lint_message *it;

	node_set(c->doc, n, "chart", node_str(c->doc, path));
	node_set(c->doc, n, "failed", node_bool(c->doc, failed));
	vec_each(it, m) {
		struct node *one = node_map(c->doc);

		node_set(c->doc, one, "severity", node_str(c->doc, lint_severity_name(it->severity)));
		node_set(c->doc, one, "path", node_str(c->doc, it->path));
		node_set(c->doc, one, "message", node_str(c->doc, it->text));
		node_add(c->doc, messages, one);
	}
	node_set(c->doc, n, "messages", messages);
	node_add(c->doc, c->list, n);
}

static int lint(struct command *c, const char *path, struct err *err)
{
	struct lint_messages m = { 0 };
	const struct lint_message *it;
	const char *in_view;
	bool failed = false;
	struct vfs *v = chart_view(path, &in_view, err);

	if (!v)
		return -ERR_IO;
	chart_lint_check(v, in_view, &c->o, &m);
	vec_each(it, &m)
		failed |= it->severity == LINT_ERROR || (c->strict && it->severity == LINT_WARNING);
	if (str_eq(c->output, "json"))
		add_json(c, path, &m, failed);
	else
		print_messages(c, path, &m);
	c->failed += failed;
	lint_messages_free(&m);
	vfs_free(v);
	return 0;
}

static int run(struct command *c)
{
	AUTO(err) err = { 0 };
	int r = collect_sets(c, &err);

	c->doc = doc_new();
	c->list = node_seq(c->doc);
	if (!c->args.n)
		vec_push(&c->args, ".");
	for (size_t i = 0; r >= 0 && i < c->args.n; i++)
		r = lint(c, c->args.v[i], &err);
	if (r >= 0 && str_eq(c->output, "json"))
		chart_print_json(c->list);
	else if (r >= 0)
		printf("%zu chart(s) linted, %zu chart(s) failed\n", c->args.n, c->failed);
	for (size_t i = 0; i < c->values.n; i++)
		str_free(&c->texts[i]);
	free(c->texts);
	free(c->sets);
	doc_drop(&c->doc);
	return r < 0 ? cli_fail("chart lint", &err) : c->failed ? EXIT_FAILED : EXIT_OK;
}

int chart_lint(int argc, char **argv)
{
	struct command c = { .output = "text" };
	const struct opt opts[] = {
		{ "strict", 0, OPT_FLAG, &c.strict, NULL, "warnings fail, too" },
		{ "quiet", 0, OPT_FLAG, &c.quiet, NULL, "only warnings and errors" },
		{ "values", 'f', OPT_LIST, &c.values, "FILE", "values; repeatable, the last one wins" },
		{ "set", 0, OPT_LIST, &c.set, "K=V", "a value" },
		{ "set-string", 0, OPT_LIST, &c.set_string, "K=V", "a value that is a text" },
		{ "set-json", 0, OPT_LIST, &c.set_json, "K=JSON", "a value as JSON" },
		{ "set-file", 0, OPT_LIST, &c.set_file, "K=FILE", "a value from a file" },
		{ "set-literal", 0, OPT_LIST, &c.set_literal, "K=V", "a value, taken as it is" },
		{ "namespace", 'n', OPT_STR, &c.o.ns, "NAMESPACE", "of the release" },
		{ "kube-version", 0, OPT_STR, &c.o.kube_version, "VERSION", ".Capabilities.KubeVersion" },
		{ "skip-schema-validation", 0, OPT_FLAG, &c.o.validate_schema_off, NULL, "values may differ from their schema" },
		{ "output", 'o', OPT_STR, &c.output, "text|json", "how to print what was found" },
		{ 0 }
	};
	struct opt_list *lists[] = { &c.values, &c.set, &c.set_string, &c.set_json, &c.set_file, &c.set_literal, &c.args };
	int code = cli_options(&usage, opts, argc, argv, &c.args);

	if (code < 0)
		code = run(&c);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		vec_free(lists[i]);
	return code;
}

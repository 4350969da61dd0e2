/* cli/render-expr.c - `cd render --expr TEMPLATE` and `--expr-batch`: the template language by itself. */
#include "cli/render.h"

#include "base/fs.h"
#include "base/json.h"
#include "cli/verbs.h"
#include "render/chart/expr.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)8 << 20)

static const struct usage usage = {
	"render --expr", "TEMPLATE [--values FILE] [--set K=V]...",
	"Renders one Go template, with the data of a YAML or JSON file as its dot. `cd render --expr-batch` reads a JSON object a\n"
	"line ({\"id\", \"tpl\", \"data\", \"set\": [...], \"files\": {...}}) and answers each with a line ({\"id\", \"out\" or \"error\"}).",
	"  cd render --expr '{{ .name | upper }}' --set name=web"
};

/* In the order in which Helm applies the flags of these names. */
static const struct { const char *flag, *member; enum set_kind kind; } kinds[] = {
	{ "set-json", "set_json", SET_JSON }, { "set", "set", SET_VALUE }, { "set-string", "set_string", SET_STRING },
	{ "set-file", "set_file", SET_FILE }, { "set-literal", "set_literal", SET_LITERAL },
};
#define N_KINDS (sizeof kinds / sizeof *kinds)

struct sets { struct render_set *v; size_t n, cap; };

static int read_machine(void *arg, const char *path, struct str *out, struct err *err)
{
	(void)arg;
	return file_read(path, FILE_MAX, out, err);
}

/* ---- one ---- */

static int print_one(const char *template, const char *values, const struct sets *sets)
{
	struct chart_expr e = { .text = sv_c(template), .sets = sets->v, .n_sets = sets->n, .files = { read_machine, NULL } };
	AUTO(str) text = { 0 };
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };
	AUTO_DOC data = NULL;
	int r = 0;

	if (values && (r = file_read(values, FILE_MAX, &text, &err)) >= 0)
		r = yaml_read(str_sv(&text), values, 0, &data, &err);
	e.data = data ? doc_root(data) : NULL;
	if (r >= 0)
		r = chart_expr(&e, &out, &err);
	if (r < 0)
		return cli_fail("render", &err);
	fwrite(str_c(&out), 1, out.n, stdout);
	return EXIT_OK;
}

static int one(int argc, char **argv)
{
	const char *template = NULL, *values = NULL;
	struct opt_list args = { 0 }, texts[N_KINDS] = { 0 };
	struct opt opts[N_KINDS + 3] = {
		{ "expr", 0, OPT_STR, &template, "TEMPLATE", "the template" },
		{ "values", 'f', OPT_STR, &values, "FILE", "its data" },
	};
	struct sets sets = { 0 };

	for (size_t i = 0; i < N_KINDS; i++)
		opts[2 + i] = (struct opt){ kinds[i].flag, 0, OPT_LIST, &texts[i], "K=V", "changes the data, as for charts" };
	int r = cli_options(&usage, opts, argc, argv, &args);
	for (size_t i = 0; i < N_KINDS; i++) {
		for (size_t k = 0; k < texts[i].n; k++)
			vec_push(&sets, ((struct render_set){ kinds[i].kind, texts[i].v[k] }));
		vec_free(&texts[i]);
	}
	vec_free(&args);
	if (r < 0)
		r = print_one(template, values, &sets);
	vec_free(&sets);
	return r;
}

/* ---- many ---- */

/* Files of a request: names and texts. */
static int read_request(void *arg, const char *path, struct str *out, struct err *err)
{
	const char *text = node_text(node_get(arg, path));

	if (!text)
		return err_set(err, ERR_NOT_FOUND, "open %s: no such file", path);
	str_addc(out, text);
	return 0;
}

static void answer(const struct node *request)
{
	struct sets sets = { 0 };
	struct node *item;
	AUTO(str) out = { 0 };
	AUTO(str) line = { 0 };
	AUTO(err) err = { 0 };
	AUTO_DOC d = doc_new();
	struct node *root = node_map(d);

	for (size_t i = 0; i < N_KINDS; i++)
		node_each(item, node_get(request, kinds[i].member))
			vec_push(&sets, ((struct render_set){ kinds[i].kind, node_text(item) ? node_text(item) : "" }));
	const struct chart_expr e = { .text = node_sv(node_get(request, "tpl")), .data = node_get(request, "data"), .sets = sets.v,
				      .n_sets = sets.n, .files = { read_request, node_get(request, "files") } };
	int r = chart_expr(&e, &out, &err);
	vec_free(&sets);
	node_set(d, root, "id", node_strn(d, node_sv(node_get(request, "id"))));
	if (r < 0)
		node_set(d, root, "error", node_str(d, err_msg(&err)));
	else
		node_set(d, root, "out", node_strn(d, str_sv(&out)));
	json_write(&line, root, 0);
	puts(str_c(&line));
	fflush(stdout);
}

static int many(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int code = EXIT_OK;

	while (code == EXIT_OK && (n = getline(&line, &room, stdin)) > 0) {
		AUTO(err) err = { 0 };
		AUTO_DOC request = NULL;

		if (json_read((struct sv){ line, (size_t)n }, "request", 0, &request, &err) < 0)
			code = cli_fail("render", &err);
		else
			answer(doc_root(request));
	}
	free(line);
	return code;
}

bool render_expr_asked(int argc, char **argv)
{
	for (int i = 1; i < argc && !str_eq(argv[i], "--"); i++)
		if (sv_starts(sv_c(argv[i]), SV("--expr")) && strchr("-=", argv[i][6]))            /* --expr, --expr=..., --expr-batch; strchr finds the end, too */
			return true;
	return false;
}

int render_expr(int argc, char **argv)
{
	return argc == 2 && str_eq(argv[1], "--expr-batch") ? many() : one(argc, argv);
}

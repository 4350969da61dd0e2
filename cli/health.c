/* cli/health.c - `cd health FILE`: what the built-in rules say about an object. */
#include <stdio.h>

#include "base/fs.h"
#include "base/yaml.h"
#include "cli/print.h"
#include "cli/verbs.h"
#include "kube/health.h"

#define FILE_MAX (16 << 20)

static int run(const char *path, struct err *err)
{
	AUTO(str) text = { 0 };
	struct docs docs = { 0 };
	AUTO(health) h = { 0 };
	AUTO_DOC answer = doc_new();

	TRY(file_read(path, FILE_MAX, &text, err));
	int r = yaml_read_all(str_sv(&text), path, 0, &docs, err);
	if (r >= 0)
		r = docs.n ? health_of(doc_root(docs.v[0]), &h, err) : err_set(err, ERR_BAD_REQUEST, "%s holds no object", path);
	docs_free(&docs);
	if (r < 0)
		return r;
	struct node *root = h.known ? node_map(answer) : node_null(answer);
	if (h.known) {
		node_set(answer, root, "status", node_str(answer, health_name(h.status)));
		node_set(answer, root, "message", node_strn(answer, str_sv(&h.why)));
	}
	print_document(root, OUTPUT_JSON, stdout);
	return 0;
}

int cmd_health(int argc, char **argv)
{
	static const struct usage u = { "health", "FILE",
		"Prints {\"status\", \"message\"} of the first object of the file, by the rules that decide over the health of\n"
		"applications; null when its kind has no rule.", "  cd get deployment web -o yaml >web.yaml && cd health web.yaml" };
	struct opt_list args = { 0 };
	AUTO(err) err = { 0 };
	int r = cli_options(&u, NULL, argc, argv, &args);

	if (r < 0 && args.n != 1)
		r = cli_usage_error(&u, "want one file");
	if (r < 0)
		r = run(args.v[0], &err) < 0 ? cli_fail("health", &err) : EXIT_OK;
	vec_free(&args);
	return r;
}

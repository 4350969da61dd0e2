/* cli/version.c - `cd version`. */
#include "cli/verbs.h"

#include "base/json.h"
#include "base/yaml.h"

#include <git2.h>
#include <sqlite3.h>
#include <stdio.h>

static const struct usage usage = {
	"version", "[-o json|yaml]", "Shows the version of this program, and of what it is built with.", "  cd version -o json"
};

static struct doc *describe(void)
{
	struct doc *d = doc_new();
	struct node *root = node_map(d);
	int major, minor, rev;

	git_libgit2_version(&major, &minor, &rev);
	node_set(d, root, "version", node_str(d, CD_VERSION));
	node_set(d, root, "kubernetes", node_str(d, "v1.30.0"));
	node_put(d, root, "libraries.libgit2", node_strf(d, "%d.%d.%d", major, minor, rev));
	node_put(d, root, "libraries.sqlite", node_str(d, sqlite3_libversion()));
	doc_set_root(d, root);
	return d;
}

int cmd_version(int argc, char **argv)
{
	const char *format = "text";
	struct opt_list args = { 0 };
	const struct opt opts[] = { { "output", 'o', OPT_STR, &format, "text|json|yaml", "how to print it" }, { 0 } };
	int r = cli_options(&usage, opts, argc, argv, &args);
	AUTO(str) out = { 0 };

	vec_free(&args);
	if (r >= 0)
		return r;
	if (str_eq(format, "text")) {
		printf("timonier %s\n", CD_VERSION);
		return EXIT_OK;
	}
	AUTO_DOC d = describe();
	if (str_eq(format, "json")) {
		json_write(&out, doc_root(d), JSON_INDENT);
		str_add1(&out, '\n');
	} else {
		yaml_write(&out, doc_root(d), 0);
	}
	fputs(str_c(&out), stdout);
	return EXIT_OK;
}

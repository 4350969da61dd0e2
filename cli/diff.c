/* cli/diff.c - `cd diff`: would a sync change the live object of a manifest? */
#include <stdio.h>

#include "base/fs.h"
#include "base/yaml.h"
#include "cli/print.h"
#include "cli/unified.h"
#include "cli/verbs.h"
#include "operator/app/compare.h"

#define FILE_MAX (16 << 20)

static int read_one(const char *path, struct doc **out, struct err *err)
{
	AUTO(str) text = { 0 };

	TRY(file_read(path, FILE_MAX, &text, err));
	TRY(yaml_read(str_sv(&text), path, 0, out, err));
	return node_is(doc_root(*out), NODE_MAP) ? 0 : err_set(err, ERR_BAD_REQUEST, "%s does not hold an object", path);
}

struct files { const char *live, *config, *settings; };

static int run(const struct files *f, struct kinds *kinds, bool *modified, struct err *err)
{
	AUTO_DOC live = NULL;
	AUTO_DOC config = NULL;
	AUTO_DOC settings = NULL;
	AUTO_DOC d = doc_new();
	AUTO(str) before = { 0 };
	AUTO(str) after = { 0 };
	AUTO(str) text = { 0 };
	struct compared c;

	TRY(read_one(f->live, &live, err));
	TRY(read_one(f->config, &config, err));
	if (f->settings)
		TRY(read_one(f->settings, &settings, err));
	const struct node *want = doc_root(config), *set = settings ? doc_root(settings) : NULL;
	const struct compare_opts o = { .kinds = kinds, .ignore = node_get(set, "ignoreDifferences"),
					.ignore_aggregated_roles = node_bool_at(set, "ignoreAggregatedRoles", false) };
	const struct kind *k = kinds_find(kinds, node_str_or(want, "apiVersion", ""), node_str_or(want, "kind", ""));
	TRY(compare(d, want, doc_root(live), k, &o, &c, err));
	*modified = c.modified;
	if (!c.modified)
		return 0;
	yaml_write(&before, c.live, YAML_SORTED);
	yaml_write(&after, c.predicted, YAML_SORTED);
	unified_diff(&text, "live", str_sv(&before), "after a sync", str_sv(&after));
	fputs(str_c(&text), stdout);
	return 0;
}

int cmd_diff(int argc, char **argv)
{
	static const struct usage u = { "diff", "--live FILE --config FILE [--settings FILE]",
		"Compares a live object with the manifest that it was made of, as a sync does: three-way with what was applied the last\n"
		"time. Exit code 0: nothing would change; 1: something would, and it is shown. The settings are a YAML file with\n"
		"ignoreDifferences (as in an Application's spec) and ignoreAggregatedRoles.",
		"  cd get deployment web -o yaml >live.yaml && cd diff --live live.yaml --config deployment.yaml" };
	struct files f = { 0 };
	const struct opt opts[] = {
		{ "live", 0, OPT_STR, &f.live, "FILE", "the object as the cluster has it" },
		{ "config", 0, OPT_STR, &f.config, "FILE", "its manifest" },
		{ "settings", 0, OPT_STR, &f.settings, "FILE", "what does not count" },
		{ 0 }
	};
	struct opt_list args = { 0 };
	AUTO(err) err = { 0 };
	bool modified = false;
	int r = cli_options(&u, opts, argc, argv, &args);

	if (r < 0 && (args.n || !f.live || !f.config))
		r = cli_usage_error(&u, "want --live and --config");
	vec_free(&args);
	if (r >= 0)
		return r;
	struct kinds *kinds = kinds_new();
	r = run(&f, kinds, &modified, &err);
	kinds_free(&kinds);
	if (r < 0) {
		(void)cli_fail("diff", &err);
		return EXIT_USAGE;              /* 1 says that there are differences */
	}
	return modified ? EXIT_FAILED : EXIT_OK;
}

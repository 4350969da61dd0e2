/* cli/change.c - `cd scale`, `cd label`, `cd annotate`: small changes of one or many resources, each a merge patch. */
#include "cli/cluster.h"
#include "cli/print.h"
#include "cli/verbs.h"

struct change {
	const char *command, *said;     /* "label", "labeled" */
	const char *map;                /* "metadata.labels" */
	struct cluster_opts where;
	struct opt_list args, pairs;    /* pairs: "key=value", "key-" */
	const char *labels;
	int64_t replicas, current;
	bool overwrite, all;
};

/* ---- one resource ---- */

static const struct node *pair_value(struct doc *d, struct sv value, bool removes)
{
	return removes ? node_null(d) : node_strn(d, value);
}

static int add_pair(const struct change *ch, struct doc *d, struct node *map, const struct node *before, const char *pair, struct err *err)
{
	struct sv key, value;
	bool sets = sv_cut(sv_c(pair), '=', &key, &value), removes = !sets && sv_ends(key, SV("-"));

	if (!sets && !removes)
		return err_set(err, ERR_BAD_REQUEST, "'%s': want KEY=VALUE, or KEY- to remove it", pair);
	if (removes)
		key.n--;
	const struct node *old = node_getn(before, key);
	if (sets && old && !ch->overwrite && !sv_eq(node_sv(old), value))
		return err_set(err, ERR_CONFLICT, "'" SV_FMT "' is '" SV_FMT "' already: say --overwrite to change it", SV_ARG(key),
			       SV_ARG(node_sv(old)));
	node_setn(d, map, key, (struct node *)pair_value(d, value, removes));
	return 0;
}

static int change_one(struct cluster *c, const struct change *ch, const struct kind *k, const char *name, struct err *err)
{
	const struct write_opts o = { .manager = "cd" };
	const char *ns = resource_ns(c, k);
	AUTO_OBJECT before = NULL;
	AUTO_DOC d = doc_new();
	AUTO(str) title = { 0 };
	struct node *patch = node_map(d);

	TRY(client_get(c->client, k, ns, name, &before, err));
	if (ch->map) {
		struct node *map = node_map_at(d, patch, ch->map);

		for (size_t i = 0; i < ch->pairs.n; i++)
			TRY(add_pair(ch, d, map, node_at(before->root, ch->map), ch->pairs.v[i], err));
	} else {
		int64_t now = node_int_at(before->root, "spec.replicas", 1);

		if (!(k->subresources & SUB_SCALE))
			return err_set(err, ERR_BAD_REQUEST, "a %s cannot be scaled", k->kind);
		if (ch->current >= 0 && now != ch->current)
			return err_set(err, ERR_CONFLICT, "%s '%s' has %lld replicas, not %lld", k->kind, name, (long long)now,
				       (long long)ch->current);
		node_put(d, patch, "spec.replicas", node_int(d, ch->replicas));
	}
	TRY(client_patch(c->client, k, ns, name, PATCH_MERGE, patch, &o, NULL, err));
	resource_title(k, &title);
	printf("%s/%s %s\n", str_c(&title), name, ch->said);
	return 0;
}

static int change_all(struct cluster *c, const struct change *ch, const struct kind *k, struct err *err)
{
	const struct list_opts o = { .ns = resource_ns(c, k), .labels = ch->labels };
	struct object_list found = { 0 };
	int r = client_list(c->client, k, &o, &found, err);

	for (size_t i = 0; r >= 0 && i < found.n; i++)
		r = change_one(c, ch, k, found.v[i]->name, err);
	object_list_free(&found);
	return r;
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	struct change *ch = arg;
	AUTO(resources) wanted = { 0 };
	int code = EXIT_OK;

	TRY(resources_parse(c->client, &ch->args, &wanted, err));
	for (size_t i = 0; i < wanted.n; i++) {
		const struct resource *r = &wanted.v[i];

		if (!r->name && !ch->all && !ch->labels)
			return err_set(err, ERR_BAD_REQUEST, "name what to change, or say --all or -l LABELS");
		if ((r->name ? change_one(c, ch, r->kind, r->name, err) : change_all(c, ch, r->kind, err)) < 0)
			code = cli_fail(ch->command, err);
	}
	return code;
}

/* ---- the commands ---- */

static int finish(struct change *ch, int r)
{
	if (r < 0)
		r = cluster_run(ch->command, &ch->where, run, ch);
	vec_free(&ch->args);
	vec_free(&ch->pairs);
	return r;
}

static const struct usage scale_usage = {
	"scale", "TYPE NAME | TYPE/NAME... --replicas N [OPTIONS]", "Sets how many replicas there should be.",
	"  cd scale deployment/web --replicas 3\n"
	"  cd scale deployment/web --replicas 0 --current-replicas 3",
};

int cmd_scale(int argc, char **argv)
{
	struct change ch = { .command = "scale", .said = "scaled", .replicas = -1, .current = -1 };
	const struct opt opts[] = {
		{ "replicas", 0, OPT_INT, &ch.replicas, "N", "how many" },
		{ "current-replicas", 0, OPT_INT, &ch.current, "N", "only when there are so many now" },
		{ "selector", 'l', OPT_STR, &ch.labels, "LABELS", "those with these labels" },
		{ "all", 0, OPT_FLAG, &ch.all, NULL, "all of the type" },
		CLUSTER_OPTIONS(ch.where),
		{ 0 }
	};
	int r = cli_options(&scale_usage, opts, argc, argv, &ch.args);

	if (r < 0 && (!ch.args.n || ch.replicas < 0))
		r = cli_usage_error(&scale_usage, ch.args.n ? "say how many with --replicas" : "name what to scale");
	return finish(&ch, r);
}

/* Options go up to the pairs: "app=web" is a pair, "pod/web" and "web" are not. */
static void split_pairs(struct change *ch)
{
	size_t n = 0;

	for (size_t i = 0; i < ch->args.n; i++) {
		struct sv a = sv_c(ch->args.v[i]);

		if (i && (memchr(a.p, '=', a.n) || sv_ends(a, SV("-"))))
			vec_push(&ch->pairs, ch->args.v[i]);
		else
			ch->args.v[n++] = ch->args.v[i];
	}
	ch->args.n = n;
}

static int change_pairs(struct change *ch, const struct usage *usage, int argc, char **argv)
{
	const struct opt opts[] = {
		{ "overwrite", 0, OPT_FLAG, &ch->overwrite, NULL, "change what has another value" },
		{ "selector", 'l', OPT_STR, &ch->labels, "LABELS", "those with these labels" },
		{ "all", 0, OPT_FLAG, &ch->all, NULL, "all of the type" },
		CLUSTER_OPTIONS(ch->where),
		{ 0 }
	};
	int r = cli_options(usage, opts, argc, argv, &ch->args);

	split_pairs(ch);
	if (r < 0 && (!ch->args.n || !ch->pairs.n))
		r = cli_usage_error(usage, ch->args.n ? "say what to set: KEY=VALUE, or KEY- to remove it" : "name what to change");
	return finish(ch, r);
}

int cmd_label(int argc, char **argv)
{
	static const struct usage usage = {
		"label", "TYPE NAME... KEY=VALUE... | TYPE/NAME... KEY-...", "Sets labels, or removes them.",
		"  cd label pod web-1 tier=front\n"
		"  cd label pods --all tier-"
	};
	struct change ch = { .command = "label", .said = "labeled", .map = "metadata.labels" };

	return change_pairs(&ch, &usage, argc, argv);
}

int cmd_annotate(int argc, char **argv)
{
	static const struct usage usage = {
		"annotate", "TYPE NAME... KEY=VALUE... | TYPE/NAME... KEY-...", "Sets annotations, or removes them.",
		"  cd annotate application demo -n cd argocd.argoproj.io/refresh=hard --overwrite\n"
		"  cd annotate deployment/web note-"
	};
	struct change ch = { .command = "annotate", .said = "annotated", .map = "metadata.annotations" };

	return change_pairs(&ch, &usage, argc, argv);
}

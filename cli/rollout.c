/* cli/rollout.c - `cd rollout`: the table of its commands, and those that show. */
#include "cli/rollout.h"

#include "cli/await.h"
#include "cli/print.h"
#include "cli/verbs.h"
#include "kube/rollout.h"

#include <stdlib.h>

int rollout_kind(struct client *c, const struct kind **out, struct err *err)
{
	*out = client_kind(c, "argoproj.io/v1alpha1", "Rollout", err);
	return *out ? 0 : -ERR_NOT_FOUND;
}

int64_t rollout_revision(const struct object *set)
{
	const char *text = meta_annotation(set->root, ROLLOUT_REVISION);
	int64_t n;

	return text && sv_to_i64(sv_c(text), &n) ? n : 0;
}

static int by_revision(const void *a, const void *b)
{
	int64_t x = rollout_revision(*(struct object *const *)a), y = rollout_revision(*(struct object *const *)b);

	return x > y ? -1 : x < y;
}

int rollout_sets(struct client *c, const struct object *rollout, struct object_list *out, struct err *err)
{
	const struct list_opts o = { .ns = rollout->ns };
	size_t n = 0;

	TRY(client_list(c, kinds_find(c->kinds, "apps/v1", "ReplicaSet"), &o, out, err));
	for (size_t i = 0; i < out->n; i++) {
		if (str_eq(node_str_at(meta_owner(out->v[i]->root), "uid"), rollout->uid))
			out->v[n++] = out->v[i];
		else
			object_drop(&out->v[i]);
	}
	out->n = n;
	if (n)
		qsort(out->v, n, sizeof *out->v, by_revision);
	return 0;
}

/* ---- words ---- */

static const char *strategy_of(const struct node *root)
{
	return node_at(root, "spec.strategy.blueGreen") ? "BlueGreen" : "Canary";
}

/* The weight of the step that it is at, as the controller decides it. */
static int64_t set_weight(const struct node *root)
{
	const struct node *steps = node_at(root, "spec.strategy.canary.steps");
	int64_t weight = 0;

	if (rollout_step_done(root) >= rollout_steps_total(root) ||
	    str_eq(node_str_at(root, "status.stableRS"), node_str_at(root, "status.currentPodHash")))
		return 100;
	if (node_bool_at(root, "status.abort", false))
		return 0;
	for (int64_t i = 0; i <= rollout_step_done(root); i++)
		weight = node_int_at(node_item(steps, (size_t)i), "setWeight", weight);
	return weight;
}

static void write_state(const struct node *root, struct str *out)
{
	const char *message = node_str_or(root, "status.message", "");

	str_addf(out, "%s%s%s", node_str_or(root, "status.phase", "Unknown"), *message ? ": " : "", message);
}

/* What a set is for: "stable", "canary", "active,preview". */
static void write_roles(const struct node *root, const struct object *set, struct str *out)
{
	const char *hash = meta_label(set->root, ROLLOUT_HASH);
	const struct { const char *path, *role; } rows[] = {
		{ "status.stableRS", "stable" }, { "status.blueGreen.activeSelector", "active" }, { "status.blueGreen.previewSelector", "preview" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (hash && str_eq(node_str_at(root, rows[i].path), hash))
			str_addf(out, "%s%s", out->n ? "," : "", rows[i].role);
	if (!out->n && hash && str_eq(node_str_at(root, "status.currentPodHash"), hash))
		str_addc(out, "canary");
}

/* ---- get ---- */

struct show { struct cluster_opts where; struct opt_list args; const char *output; bool watch; struct str last; };

static void line(const char *name, const char *value) { printf("%-16s %s\n", name, value); }

static void print_state(const struct node *root)
{
	AUTO(str) state = { 0 }, counts = { 0 }, step = { 0 };

	write_state(root, &state);
	line("Name:", node_str_or(root, "metadata.name", ""));
	line("Namespace:", node_str_or(root, "metadata.namespace", ""));
	line("Status:", str_c(&state));
	line("Strategy:", strategy_of(root));
	if (rollout_steps_total(root)) {
		str_addf(&step, "%lld/%lld, weight %lld", (long long)rollout_step_done(root), (long long)rollout_steps_total(root),
			 (long long)set_weight(root));
		if (node_at(root, "status.canary.weights"))
			str_addf(&step, " (actual %lld)",
				 (long long)node_int_at(root, "status.canary.weights.canary.weight", 0));
		line("Step:", str_c(&step));
	}
	str_addf(&counts, "%lld desired, %lld updated, %lld ready, %lld available",
		 (long long)node_int_at(root, "spec.replicas", 1),
		 (long long)node_int_at(root, "status.updatedReplicas", 0),
		 (long long)node_int_at(root, "status.readyReplicas", 0),
		 (long long)node_int_at(root, "status.availableReplicas", 0));
	line("Replicas:", str_c(&counts));
}

static void print_sets(const struct node *root, const struct object_list *sets)
{
	static const char *const titles[] = { "REVISION", "REPLICASET", "ROLE", "IMAGE", "DESIRED", "READY" };
	AUTO(table) t = { 0 };

	t.columns = sizeof titles / sizeof *titles;
	for (size_t i = 0; i < t.columns; i++)
		table_add(&t, titles[i]);
	for (size_t i = 0; i < sets->n; i++) {
		const struct object *s = sets->v[i];
		AUTO(str) roles = { 0 };

		write_roles(root, s, &roles);
		table_addf(&t, "%lld", (long long)rollout_revision(s));
		table_add(&t, s->name);
		table_add(&t, str_c(&roles));
		table_add(&t, node_str_or(s->root, "spec.template.spec.containers.0.image", ""));
		table_addf(&t, "%lld", (long long)node_int_at(s->root, "spec.replicas", 1));
		table_addf(&t, "%lld", (long long)node_int_at(s->root, "status.readyReplicas", 0));
	}
	printf("\n");
	table_print(&t, NULL, stdout);
}

static int print_one(struct cluster *c, struct show *s, struct err *err)
{
	const struct kind *k;
	AUTO_OBJECT o = NULL;
	AUTO(object_list) sets = { 0 };

	TRY(rollout_kind(c->client, &k, err));
	TRY(client_get(c->client, k, c->ns, s->args.v[0], &o, err));
	if (output_parse(s->output) != OUTPUT_TABLE) {
		print_document(o->root, output_parse(s->output), stdout);
		return EXIT_OK;
	}
	TRY(rollout_sets(c->client, o, &sets, err));
	print_state(o->root);
	print_sets(o->root, &sets);
	return EXIT_OK;
}

/* A line for every change, until the update has ended. */
static int note_change(const struct node *root, void *arg, struct err *err)
{
	struct show *s = arg;
	AUTO(str) now = { 0 };

	if (!root)
		return err_set(err, ERR_NOT_FOUND, "rollout '%s' does not exist", s->args.v[0]);
	write_state(root, &now);
	if (rollout_steps_total(root))
		str_addf(&now, "  step %lld/%lld, weight %lld", (long long)rollout_step_done(root), (long long)rollout_steps_total(root),
			 (long long)set_weight(root));
	if (!str_eq(str_c(&now), str_c(&s->last))) {
		printf("%s\n", str_c(&now));
		fflush(stdout);
		str_move(&s->last, &now);
	}
	return str_eq(node_str_at(root, "status.phase"), "Healthy") ||
	       str_eq(node_str_at(root, "status.phase"), "Degraded");
}

static int run_get(struct cluster *c, void *arg, struct err *err)
{
	struct show *s = arg;
	const struct kind *k;

	TRY(print_one(c, s, err));
	if (!s->watch)
		return EXIT_OK;
	TRY(rollout_kind(c->client, &k, err));
	printf("\n");
	TRY(await_object(c->client, k, c->ns, s->args.v[0], -1, note_change, s, err));
	return sv_starts(str_sv(&s->last), SV("Degraded")) ? EXIT_UNHEALTHY : EXIT_OK;
}

int rollout_get(int argc, char **argv)
{
	static const struct usage u = {
		"rollout get", "[OPTIONS] NAME", "Shows how a Rollout stands, and the ReplicaSets of its revisions.",
		"  cd rollout get web\n  cd rollout get web -w",
	};
	struct show s = { 0 };
	const struct opt table[] = {
		{ "output", 'o', OPT_STR, &s.output, "json|yaml", "the whole object instead" },
		{ "watch", 'w', OPT_FLAG, &s.watch, NULL, "then a line for every change, until it is Healthy (exit 0) or Degraded (exit 5)" },
		CLUSTER_OPTIONS(s.where), { 0 }
	};
	int r = cli_options(&u, table, argc, argv, &s.args);

	if (r < 0)
		r = s.args.n == 1 ? cluster_run(u.name, &s.where, run_get, &s) : cli_usage_error(&u, "want one NAME");
	vec_free(&s.args);
	str_free(&s.last);
	return r;
}

/* ---- list ---- */

static int run_list(struct cluster *c, void *arg, struct err *err)
{
	static const char *const titles[] = { "NAME", "STRATEGY", "STATUS", "STEP", "WEIGHT", "READY", "DESIRED", "UP-TO-DATE" };
	const struct list_opts o = { .ns = c->ns };
	AUTO(object_list) all = { 0 };
	AUTO(table) t = { 0 };
	const struct kind *k;

	(void)arg;
	TRY(rollout_kind(c->client, &k, err));
	TRY(client_list(c->client, k, &o, &all, err));
	t.columns = sizeof titles / sizeof *titles + !c->ns;
	if (!c->ns)
		table_add(&t, "NAMESPACE");
	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
		table_add(&t, titles[i]);
	for (size_t i = 0; i < all.n; i++) {
		const struct node *root = all.v[i]->root;

		if (!c->ns)
			table_add(&t, all.v[i]->ns);
		table_add(&t, all.v[i]->name);
		table_add(&t, strategy_of(root));
		table_add(&t, node_str_or(root, "status.phase", "Unknown"));
		table_addf(&t, "%lld/%lld", (long long)rollout_step_done(root), (long long)rollout_steps_total(root));
		table_addf(&t, "%lld", (long long)set_weight(root));
		table_addf(&t, "%lld", (long long)node_int_at(root, "status.readyReplicas", 0));
		table_addf(&t, "%lld", (long long)node_int_at(root, "spec.replicas", 1));
		table_addf(&t, "%lld", (long long)node_int_at(root, "status.updatedReplicas", 0));
	}
	table_print(&t, NULL, stdout);
	return EXIT_OK;
}

int rollout_list(int argc, char **argv)
{
	static const struct usage u = { "rollout list", "[OPTIONS]", "Lists Rollouts and how they stand.", "  cd rollout list -A" };
	struct show s = { 0 };
	const struct opt table[] = { ALL_NAMESPACES_OPTION(s.where), CLUSTER_OPTIONS(s.where), { 0 } };
	int r = cli_options(&u, table, argc, argv, &s.args);

	if (r < 0)
		r = s.args.n ? cli_usage_error(&u, "takes no arguments") : cluster_run(u.name, &s.where, run_list, &s);
	vec_free(&s.args);
	return r;
}

int cmd_rollout(int argc, char **argv)
{
	static const struct verb table[] = {
		{ "get", NULL, "how a Rollout stands", rollout_get },
		{ "list", NULL, "all of them", rollout_list },
		{ "promote", NULL, "go on after a pause, or to the end at once", rollout_promote_command },
		{ "abort", NULL, "back to the stable version", rollout_abort_command },
		{ "retry", NULL, "begin an aborted update again", rollout_retry_command },
		{ "pause", NULL, "hold it where it is", rollout_pause_command },
		{ "restart", NULL, "new pods of the same version", rollout_restart_command },
		{ "undo", NULL, "back to an earlier revision", rollout_undo_command },
		{ "set-image", NULL, "begin an update to another image", rollout_set_image_command },
		{ 0 }
	};
	static const struct usage u = {
		"rollout", "COMMAND [OPTIONS]", "Rollouts: canary and blue-green updates, step by step.",
		"  cd rollout get web -w\n  cd rollout promote web",
	};

	return cli_group(&u, table, argc, argv);
}

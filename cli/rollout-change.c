/* cli/rollout-change.c - the commands that tell a Rollout what to do: each is a change of its spec or its status. */
#include "cli/rollout.h"

#include "base/vec.h"
#include "cli/verbs.h"
#include "orchestrator/controllers/family.h"

struct order {
	const char *done;                       /* "aborted" */
	struct cluster_opts where;
	struct opt_list args;
	bool full;
	int64_t revision;
	/* What to change; NULL: nothing there. */
	int (*spec)(struct doc *d, struct node *root, void *arg, struct err *err);
	int (*status)(struct doc *d, struct node *root, void *arg, struct err *err);
	const struct node *template;            /* of undo */
	const char *path;                       /* of the pod template in the object that has it */
};

/* The object that has the pod template: the Rollout, or the one that its spec.workloadRef names. */
static int template_holder(struct cluster *c, struct order *o, const struct object *rollout, const struct kind **kind,
			   const char **name, struct err *err)
{
	const struct node *ref = node_at(rollout->root, "spec.workloadRef");

	*kind = rollout->kind;
	*name = rollout->name;
	o->path = "spec.template";
	if (!ref)
		return 0;
	*kind = client_kind(c->client, node_str_or(ref, "apiVersion", ""), node_str_or(ref, "kind", ""), err);
	*name = node_str_or(ref, "name", "");
	if (*kind && !strcmp((*kind)->kind, "PodTemplate"))
		o->path = "template";
	return *kind ? 0 : -ERR_NOT_FOUND;
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	struct order *o = arg;
	const char *name = o->args.v[0];
	const struct kind *k;

	TRY(rollout_kind(c->client, &k, err));
	if (o->spec)
		TRY(client_modify(c->client, k, c->ns, name, NULL, o->spec, o, NULL, err));
	if (o->status)
		TRY(client_modify(c->client, k, c->ns, name, "status", o->status, o, NULL, err));
	printf("rollout '%s' %s\n", name, o->done);
	return EXIT_OK;
}

static int finish(const struct usage *u, struct order *o, size_t n_args, int parsed,
		  int (*fn)(struct cluster *, void *, struct err *))
{
	int r = parsed;

	if (r < 0)
		r = o->args.n == n_args ? cluster_run(u->name, &o->where, fn, o)
					: cli_usage_error(u, "want %s", u->synopsis);
	vec_free(&o->args);
	return r;
}

/* ---- promote ---- */

static int resume_spec(struct doc *d, struct node *root, void *arg, struct err *err)
{
	(void)d;
	(void)arg;
	(void)err;
	return node_del(node_get(root, "spec"), "paused");
}

/* An analysis that could not decide is decided by the person who promotes. */
static bool is_undecided(const struct node *root)
{
	return str_eq(node_str_at(root, "status.pauseConditions.0.reason"), "InconclusiveAnalysisRun") &&
	       node_at(root, "status.currentStepIndex");
}

static int promote_status(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct order *o = arg;

	if (!o->full && !node_n(node_at(root, "status.pauseConditions")))
		return node_bool_at(root, "spec.paused", false)
			       ? 0
			       : err_set(err, ERR_CONFLICT, "rollout '%s' is not paused; --full skips what is left",
					 o->args.v[0]);
	if (o->full)
		node_put(d, root, "status.promoteFull", node_bool(d, true));
	else if (is_undecided(root))
		node_put(d, root, "status.currentStepIndex",
			 node_int(d, node_int_at(root, "status.currentStepIndex", 0) + 1));
	(void)node_del(node_get(root, "status"), "pauseConditions");
	return 1;
}

/* The status first: whether there is something to promote is seen before anything is changed. */
static int run_promote(struct cluster *c, void *arg, struct err *err)
{
	struct order *o = arg;
	AUTO_OBJECT now = NULL;
	const struct kind *k;

	TRY(rollout_kind(c->client, &k, err));
	TRY(client_get(c->client, k, c->ns, o->args.v[0], &now, err));
	if (node_bool_at(now->root, "spec.paused", false)) {
		TRY(client_modify(c->client, k, c->ns, o->args.v[0], NULL, resume_spec, o, NULL, err));
		if (!o->full && !node_n(node_at(now->root, "status.pauseConditions"))) {
			printf("rollout '%s' promoted\n", o->args.v[0]);
			return EXIT_OK;
		}
	}
	TRY(client_modify(c->client, k, c->ns, o->args.v[0], "status", promote_status, o, NULL, err));
	printf("rollout '%s' promoted%s\n", o->args.v[0], o->full ? " fully" : "");
	return EXIT_OK;
}

int rollout_promote_command(int argc, char **argv)
{
	static const struct usage u = {
		"rollout promote",
		"[OPTIONS] NAME",
		"Ends the pause that a Rollout is in. With --full, skips all steps, pauses and analyses that are left.",
		"  cd rollout promote web\n  cd rollout promote web --full",
	};
	struct order o = { 0 };
	const struct opt table[] = { { "full", 0, OPT_FLAG, &o.full, NULL, "to the end at once" }, CLUSTER_OPTIONS(o.where), { 0 } };

	return finish(&u, &o, 1, cli_options(&u, table, argc, argv, &o.args), run_promote);
}

/* ---- abort, retry, pause ---- */

static int abort_status(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct order *o = arg;

	if (str_eq(node_str_or(root, "status.stableRS", "-"), node_str_or(root, "status.currentPodHash", "+")))
		return err_set(err, ERR_CONFLICT, "rollout '%s' is not being updated: there is nothing to abort",
			       o->args.v[0]);
	node_put(d, root, "status.abort", node_bool(d, true));
	return 1;
}

static int retry_status(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct order *o = arg;

	if (!node_bool_at(root, "status.abort", false))
		return err_set(err, ERR_CONFLICT, "rollout '%s' is not aborted: there is nothing to retry",
			       o->args.v[0]);
	node_put(d, root, "status.abort", node_bool(d, false));
	return 1;
}

static int pause_spec(struct doc *d, struct node *root, void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	node_put(d, root, "spec.paused", node_bool(d, true));
	return 1;
}

static int simple(const struct usage *u, struct order *o, int argc, char **argv)
{
	const struct opt table[] = { CLUSTER_OPTIONS(o->where), { 0 } };

	return finish(u, o, 1, cli_options(u, table, argc, argv, &o->args), run);
}

int rollout_abort_command(int argc, char **argv)
{
	static const struct usage u = { "rollout abort", "[OPTIONS] NAME", "Gives an update up: all traffic goes to the stable version.", "  cd rollout abort web" };
	struct order o = { .done = "aborted", .status = abort_status };

	return simple(&u, &o, argc, argv);
}

int rollout_retry_command(int argc, char **argv)
{
	static const struct usage u = { "rollout retry", "[OPTIONS] NAME", "Begins an aborted update again, from its first step.", "  cd rollout retry web" };
	struct order o = { .done = "retried", .status = retry_status };

	return simple(&u, &o, argc, argv);
}

int rollout_pause_command(int argc, char **argv)
{
	static const struct usage u = { "rollout pause", "[OPTIONS] NAME", "Holds a Rollout where it is; `cd rollout promote` lets it go on.", "  cd rollout pause web" };
	struct order o = { .done = "paused", .spec = pause_spec };

	return simple(&u, &o, argc, argv);
}

/* ---- restart ---- */

static int restart_spec(struct doc *d, struct node *root, void *arg, struct err *err)
{
	char now[32];

	(void)arg;
	(void)err;
	time_format(clock_ms(), now);
	node_put(d, root, "spec.restartAt", node_str(d, now));
	return 1;
}

int rollout_restart_command(int argc, char **argv)
{
	static const struct usage u = { "rollout restart", "[OPTIONS] NAME", "Replaces all pods by new ones of the same version, as many at a time as maxUnavailable allows.", "  cd rollout restart web" };
	struct order o = { .done = "restarted", .spec = restart_spec };

	return simple(&u, &o, argc, argv);
}

/* ---- undo ---- */

static int take_template(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct order *o = arg;
	struct node *template = node_copy(d, o->template);

	(void)err;
	family_strip(node_get(template, "metadata"), ROLLOUT_EPHEMERAL);
	(void)node_del(node_at(template, "metadata.labels"), ROLLOUT_HASH);
	if (node_eq(template, node_at(root, o->path)))
		return 0;
	node_put(d, root, o->path, template);
	return 1;
}

/* The newest set comes first: without a wish, the one after it. */
static const struct object *wanted_set(const struct object_list *sets, int64_t revision)
{
	for (size_t i = 0; i < sets->n; i++)
		if (revision ? rollout_revision(sets->v[i]) == revision : i == 1)
			return sets->v[i];
	return NULL;
}

static int run_undo(struct cluster *c, void *arg, struct err *err)
{
	struct order *o = arg;
	AUTO(object_list) sets = { 0 };
	AUTO_OBJECT now = NULL;
	const struct object *set;
	const struct kind *k, *holder;
	const char *name;

	TRY(rollout_kind(c->client, &k, err));
	TRY(client_get(c->client, k, c->ns, o->args.v[0], &now, err));
	TRY(rollout_sets(c->client, now, &sets, err));
	set = wanted_set(&sets, o->revision);
	if (!set && o->revision)
		return err_set(err, ERR_NOT_FOUND, "rollout '%s' has no revision %lld", o->args.v[0],
			       (long long)o->revision);
	if (!set)
		return err_set(err, ERR_NOT_FOUND, "rollout '%s' has no earlier revision", o->args.v[0]);
	o->template = node_at(set->root, "spec.template");
	TRY(template_holder(c, o, now, &holder, &name, err));
	TRY(client_modify(c->client, holder, c->ns, name, NULL, take_template, o, NULL, err));
	printf("rollout '%s' goes back to revision %lld\n", o->args.v[0], (long long)rollout_revision(set));
	return EXIT_OK;
}

int rollout_undo_command(int argc, char **argv)
{
	static const struct usage u = {
		"rollout undo",
		"[OPTIONS] NAME",
		"Takes the pod template of an earlier revision, by default the one before. Back to the stable version, "
		"steps are\n"
		"skipped.",
		"  cd rollout undo web\n  cd rollout undo web --to-revision 3",
	};
	struct order o = { 0 };
	const struct opt table[] = {
		{ "to-revision", 0, OPT_INT, &o.revision, "N", "which one; `cd rollout get` shows them" }, CLUSTER_OPTIONS(o.where), { 0 }
	};

	return finish(&u, &o, 1, cli_options(&u, table, argc, argv, &o.args), run_undo);
}

/* ---- set-image ---- */

static int set_image(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct order *o = arg;
	struct node *it, *all = node_at(node_at(root, o->path), "spec.containers");
	struct sv container, image;
	bool found = false;

	if (!sv_cut(sv_c(o->args.v[1]), '=', &container, &image) || !image.n)
		return err_set(err, ERR_BAD_REQUEST, "'%s': want CONTAINER=IMAGE, or *=IMAGE for all", o->args.v[1]);
	for (size_t i = 0; (it = node_item(all, i)); i++)
		if (sv_eq_c(container, "*") || sv_eq_c(container, node_str_or(it, "name", ""))) {
			node_set(d, it, "image", node_strn(d, image));
			found = true;
		}
	return found ? 1
		     : err_set(err, ERR_NOT_FOUND, "rollout '%s' has no container '" SV_FMT "'", o->args.v[0],
			       SV_ARG(container));
}

static int run_set_image(struct cluster *c, void *arg, struct err *err)
{
	struct order *o = arg;
	const struct kind *k, *holder;
	AUTO_OBJECT now = NULL;
	const char *name;

	TRY(rollout_kind(c->client, &k, err));
	TRY(client_get(c->client, k, c->ns, o->args.v[0], &now, err));
	TRY(template_holder(c, o, now, &holder, &name, err));
	TRY(client_modify(c->client, holder, c->ns, name, NULL, set_image, o, NULL, err));
	printf("rollout '%s' image set\n", o->args.v[0]);
	return EXIT_OK;
}

int rollout_set_image_command(int argc, char **argv)
{
	static const struct usage u = {
		"rollout set-image",
		"[OPTIONS] NAME CONTAINER=IMAGE",
		"Sets the image of a container, which begins an update.",
		"  cd rollout set-image web web=registry.example/web:2\n  cd rollout set-image web '*=web:2'",
	};
	struct order o = { 0 };
	const struct opt table[] = { CLUSTER_OPTIONS(o.where), { 0 } };

	return finish(&u, &o, 2, cli_options(&u, table, argc, argv, &o.args), run_set_image);
}

/* operator/app/news.c - what those who listen to an application are told. */
#include "kube/rollout.h"
#include "operator/app/app-internal.h"

#define PODS_SHOWN 3

static void tell(struct app *app, enum app_news what, const char *text)
{
	for (struct app_listener *l = app->listeners, *next; l; l = next) {
		next = l->next;
		if (what == NEWS_LINE || app->looks > l->since)
			l->news(l->arg, what, text);
	}
}

void app_say(struct app *app, const char *fmt, ...)
{
	AUTO(str) text = { 0 };
	va_list ap;

	if (!app->listeners)
		return;
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	tell(app, NEWS_LINE, str_c(&text));
}

/* ---- why a workload does not get ready: its pods know ---- */

struct pods { struct informer *all; struct str text; size_t n; bool stuck; };

/* A pod that no node has room for waits, perhaps for ever: that is to be known, too. */
static void add_unscheduled(struct pods *p, const struct object *o)
{
	const struct node *c = condition_get(node_get(o->root, "status"), "PodScheduled");

	if (str_eq(node_str_at(c, "status"), "False") && p->n++ < PODS_SHOWN)
		str_addf(&p->text, "; pod %s: %s", o->name, node_str_or(c, "message", "is not scheduled"));
}

static bool look_at_pod(struct object *o, void *arg)
{
	struct pods *p = arg;
	AUTO(health) h = { 0 };
	const struct node *c;

	if (health_of(o->root, &h, NULL) < 0 || h.status != DEGRADED) {
		add_unscheduled(p, o);
		return true;
	}
	node_each(c, node_at(o->root, "status.containerStatuses"))
		p->stuck |= sv_ends(sv_c(node_str_at(c, "state.waiting.reason")), SV("BackOff"));
	if (p->n++ < PODS_SHOWN)
		str_addf(&p->text, "; pod %s: %s", o->name, h.why.n ? str_c(&h.why) : "keeps failing");
	return true;
}

static bool look_at_replicas(struct object *o, void *arg)
{
	struct pods *p = arg;

	if (node_int_at(o->root, "spec.replicas", 0) > 0)
		informer_owned(p->all, o->uid, look_at_pod, p);
	return true;
}

static bool is_rollout(const struct row *row)
{
	return str_eq(row->ref.group, "argoproj.io") && str_eq(row->ref.kind, "Rollout");
}

/* Appends what the pods below a workload complain about. true: some have given up and are only tried again from time to time. */
static bool add_pods(struct apps *a, const struct row *row, struct str *out)
{
	const struct kind *pod = kinds_find(a->client->kinds, "v1", "Pod"), *rs = kinds_find(a->client->kinds, "apps/v1", "ReplicaSet");
	struct pods p = { 0 };

	if (!pod || !rs || !row->live || (!str_eq(row->ref.group, "apps") && !is_rollout(row)))
		return false;
	p.all = informer_of(a->informers, pod);
	if (str_eq(row->ref.kind, "Deployment") || is_rollout(row))
		informer_owned(informer_of(a->informers, rs), row->live->uid, look_at_replicas, &p);
	else
		informer_owned(p.all, row->live->uid, look_at_pod, &p);
	str_add(out, str_sv(&p.text));
	str_free(&p.text);
	return p.stuck;
}

/* A Rollout that is on its way tells where it is; everything else, and how a Rollout ended, is told by its health. */
static void add_row(const struct row *row, struct str *out)
{
	AUTO(str) progress = { 0 };

	if (is_rollout(row) && row->live && (row->health.status == PROGRESSING || row->health.status == SUSPENDED))
		rollout_progress_write(row->live->root, &progress);
	if (progress.n)
		str_addf(out, "rollout %s: %s", row->ref.name, str_c(&progress));
	else
		str_addf(out, "%s/%s: %s", row->ref.kind, row->ref.name,
			 row->health.why.n ? str_c(&row->health.why) : health_name(row->health.status));
}

/* A pause with an end: what comes after it is to be seen, too. */
static bool goes_on_by_itself(const struct pass *p)
{
	for (size_t i = 0; i < p->now.rows.n; i++) {
		const struct row *row = &p->now.rows.v[i];
		if (is_rollout(row) && row->live && row->health.status == SUSPENDED && !rollout_waits_for_person(row->live->root))
			return true;
	}
	return false;
}

/* Names what is not well. true: it will not get well by itself. */
static bool describe(struct pass *p, enum health_status worst, struct str *out)
{
	bool stuck = false;

	for (size_t i = 0; i < p->now.rows.n; i++) {
		const struct row *row = &p->now.rows.v[i];
		if (row->hook || !row->live || !row->health.known || row->health.status != worst)
			continue;
		str_addc(out, out->n ? ", " : "");
		add_row(row, out);
		stuck |= add_pods(p->apps, row, out);
	}
	return stuck || worst == DEGRADED;
}

static void tell_health(struct pass *p)
{
	AUTO(str) text = { 0 };
	enum health_status health = p->now.health.status;

	if (health == HEALTHY || (health == SUSPENDED && !goes_on_by_itself(p))) {
		str_addf(&text, "%s is %s", p->app->name, health == HEALTHY ? "healthy" : "suspended");
		if (health == SUSPENDED) {
			AUTO(str) why = { 0 };
			(void)describe(p, health, &why);
			str_addf(&text, ": %s", str_c(&why));
		}
		tell(p->app, NEWS_WELL, str_c(&text));
		str_cut(&p->app->said, 0);
		return;
	}
	bool over = describe(p, health, &text);
	if (over)
		tell(p->app, NEWS_BAD, str_c(&text));
	else if (text.n && !sv_eq(str_sv(&text), str_sv(&p->app->said)))
		tell(p->app, NEWS_LINE, str_c(&text));
	str_move(&p->app->said, &text);
}

void app_tell(struct pass *p, const struct err *failure, const char *refused)
{
	AUTO(str) text = { 0 };

	if (!p->app->listeners)
		return;
	if (failure->code) {
		tell(p->app, NEWS_BAD, err_msg(failure));
	} else if (*refused) {
		tell(p->app, NEWS_BAD, refused);
	} else if (!p->compared || engine_has_operation(p->root)) {
		return;
	} else if (p->now.sync == ROW_SYNCED) {
		tell_health(p);
	} else if (p->now.sync == ROW_UNKNOWN) {
		tell(p->app, NEWS_BAD, p->now.conditions.n ? p->now.conditions.v[0].message : "the sync status is unknown");
	} else if (!p->spec.automated) {
		str_addf(&text, "%s is OutOfSync and syncs by hand: `cd app sync %s`", p->app->name, p->app->name);
		tell(p->app, NEWS_WELL, str_c(&text));
	} else if (!p->spec.prune && p->now.not_synced == p->now.to_prune) {
		str_addf(&text, "%s is OutOfSync: %zu objects are no longer in git, and automated pruning is off", p->app->name,
			 p->now.to_prune);
		tell(p->app, NEWS_WELL, str_c(&text));
	}
}

void app_tell_gone(struct app *app)
{
	AUTO(str) text = { 0 };

	str_addf(&text, "%s is gone, with what it had made", app->name);
	app->looks++;           /* nothing will be looked at any more: this is the end for everyone */
	tell(app, NEWS_WELL, str_c(&text));
}

/* operator/app/status.c - writing an Application's status. */
#include "operator/app/status.h"

#include <stdlib.h>

void time_set(struct doc *d, struct node *map, const char *field, int64_t ms)
{
	char text[32];

	time_format(ms, text);
	node_set(d, map, field, node_str(d, text));
}

static void set_or_del(struct doc *d, struct node *map, const char *key, const char *text)
{
	if (text && *text)
		node_set(d, map, key, node_str(d, text));
	else
		(void)node_del(map, key);
}

/* ---- what was compared ---- */

static void set_compared_to(struct doc *d, struct node *sync, const struct app_spec *spec)
{
	struct node *to = node_map(d);
	const struct node *ignore = node_at(spec->root, "spec.ignoreDifferences");

	if (!spec->multi && spec->sources.n)
		node_set(d, to, "source", node_copy(d, spec->sources.v[0].node));
	else if (spec->multi)
		node_set(d, to, "sources", node_copy(d, node_at(spec->root, "spec.sources")));
	node_set(d, to, "destination", node_copy(d, node_at(spec->root, "spec.destination")));
	if (node_n(ignore))
		node_set(d, to, "ignoreDifferences", node_copy(d, ignore));
	node_set(d, sync, "comparedTo", to);
}

bool status_compared_to(const struct node *root, const struct app_spec *spec)
{
	const struct node *to = node_at(root, "status.sync.comparedTo");
	const struct node *ignore = node_at(spec->root, "spec.ignoreDifferences");

	if (!to || !node_eq(node_get(to, "destination"), node_at(spec->root, "spec.destination")))
		return false;
	if ((node_n(ignore) || node_n(node_get(to, "ignoreDifferences"))) && !node_eq(ignore, node_get(to, "ignoreDifferences")))
		return false;
	return spec->multi ? node_eq(node_get(to, "sources"), node_at(spec->root, "spec.sources")) :
	       spec->sources.n && node_eq(node_get(to, "source"), spec->sources.v[0].node);
}

static void set_revisions(struct doc *d, struct node *sync, struct node *status, const struct app_spec *spec,
			  const struct rendering *r)
{
	struct node *revisions = node_seq(d), *types = node_seq(d);

	for (size_t i = 0; i < r->sources.n; i++) {
		node_add(d, revisions, node_str(d, r->sources.v[i].sha));
		node_add(d, types, node_str(d, render_type_name(r->sources.v[i].type)));
	}
	if (spec->multi) {
		node_set(d, sync, "revisions", revisions);
		node_set(d, status, "sourceTypes", types);
	} else if (r->sources.n) {
		set_or_del(d, sync, "revision", r->sources.v[0].sha);
		set_or_del(d, status, "sourceType", render_type_name(r->sources.v[0].type));
	}
	(void)node_del(sync, spec->multi ? "revision" : "revisions");
	(void)node_del(status, spec->multi ? "sourceType" : "sourceTypes");
}

/* ---- health, resources, summary ---- */

static void set_health(struct doc *d, struct node *status, const struct health *h, int64_t now_ms)
{
	struct node *health = node_map_at(d, status, "health");
	bool changed = !str_eq(node_str_at(health, "status"), health_name(h->status));

	node_set(d, health, "status", node_str(d, health_name(h->status)));
	set_or_del(d, health, "message", str_c(&h->why));
	if (changed)
		time_set(d, health, "lastTransitionTime", now_ms);
}

static struct node *resource(struct doc *d, const struct row *row)
{
	struct node *r = node_map(d), *health;

	set_or_del(d, r, "group", row->ref.group);
	set_or_del(d, r, "version", row->ref.version);
	set_or_del(d, r, "kind", row->ref.kind);
	set_or_del(d, r, "namespace", row->ref.ns);
	set_or_del(d, r, "name", row->ref.name);
	set_or_del(d, r, "status", row_sync_name(row->sync));
	if (row->health.known) {
		health = node_map_at(d, r, "health");
		node_set(d, health, "status", node_str(d, health_name(row->health.status)));
		set_or_del(d, health, "message", str_c(&row->health.why));
	}
	if (row->hook)
		node_set(d, r, "hook", node_bool(d, true));
	if (!row->target && !row->hook)
		node_set(d, r, "requiresPruning", node_bool(d, true));
	if (row->target && row->target->wave)
		node_set(d, r, "syncWave", node_int(d, row->target->wave));
	return r;
}

static bool seen(const struct node *list, const char *text)
{
	const struct node *it;

	node_each(it, list)
		if (str_eq(node_text(it), text))
			return true;
	return false;
}

static void add_images(struct doc *d, struct node *images, const struct node *n, int depth)
{
	const struct node *it;
	const struct member *m;

	if (depth > 16)
		return;
	node_members(m, n) {
		bool list = str_eq(m->key, "containers") || str_eq(m->key, "initContainers");
		if (list)
			node_each(it, m->value)
				if (node_str_at(it, "image") && !seen(images, node_str_at(it, "image")))
					node_add(d, images, node_str(d, node_str_at(it, "image")));
		if (!list && node_is(m->value, NODE_MAP))
			add_images(d, images, m->value, depth + 1);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp((*(struct node *const *)a)->text, (*(struct node *const *)b)->text);
}

static void set_resources(struct doc *d, struct node *status, const struct comparison *c)
{
	struct node *list = node_seq(d), *images = node_seq(d), *summary = node_map_at(d, status, "summary");

	for (size_t i = 0; i < c->rows.n; i++) {
		const struct row *row = &c->rows.v[i];
		if (row->target && row->target->hooks.skipped)
			continue;
		node_add(d, list, resource(d, row));
		if (row->live)
			add_images(d, images, node_get(row->live->root, "spec"), 0);
	}
	node_set(d, status, "resources", list);
	if (images->n) {
		qsort(images->items, images->n, sizeof *images->items, by_text);
		node_set(d, summary, "images", images);
	} else {
		(void)node_del(summary, "images");
	}
}

void status_comparison(struct doc *d, struct node *root, const struct app_spec *spec, const struct comparison *c, bool failed,
		       int64_t now_ms)
{
	struct node *status = node_map_at(d, root, "status"), *sync = node_map_at(d, status, "sync");

	node_set(d, sync, "status", node_str(d, row_sync_name(failed ? ROW_UNKNOWN : c->sync)));
	set_compared_to(d, sync, spec);
	if (!failed)
		set_revisions(d, sync, status, spec, c->rendering);
	if (!c) {
		struct health unknown = { .status = UNKNOWN };
		if (!node_get(status, "health"))
			set_health(d, status, &unknown, now_ms);
		return;
	}
	set_health(d, status, &c->health, now_ms);
	set_resources(d, status, c);
}

/* ---- conditions, history ---- */

static const char *const owned[] = {
	"ComparisonError", "InvalidSpecError", "SyncError", "DeletionError", "UnknownError", "SharedResourceWarning",
	"RepeatedResourceWarning", "ExcludedResourceWarning", "OrphanedResourceWarning",
};

static bool is_owned(const char *type)
{
	for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
		if (str_eq(type, owned[i]))
			return true;
	return false;
}

static const struct node *same_condition(const struct node *list, const struct condition *c)
{
	const struct node *it;

	node_each(it, list)
		if (str_eq(node_str_at(it, "type"), c->type) && str_eq(node_str_at(it, "message"), c->message))
			return it;
	return NULL;
}

void status_conditions(struct doc *d, struct node *root, const struct conditions *c, int64_t now_ms)
{
	struct node *status = node_map_at(d, root, "status"), *old = node_get(status, "conditions"), *list = node_seq(d), *it;

	node_each(it, old)
		if (!is_owned(node_str_or(it, "type", "")))
			node_add(d, list, it);
	for (size_t i = 0; i < c->n; i++) {
		const struct node *was = same_condition(old, &c->v[i]);
		struct node *n = was ? node_copy(d, was) : node_map(d);
		if (!was) {
			node_set(d, n, "type", node_str(d, c->v[i].type));
			node_set(d, n, "message", node_str(d, c->v[i].message));
			time_set(d, n, "lastTransitionTime", now_ms);
		}
		node_add(d, list, n);
	}
	if (list->n)
		node_set(d, status, "conditions", list);
	else
		(void)node_del(status, "conditions");
}

void status_history(struct doc *d, struct node *root, int64_t limit, int64_t now_ms)
{
	static const char *const copied[] = { "revision", "revisions", "source", "sources" };
	struct node *status = node_map_at(d, root, "status"), *history = node_seq_at(d, status, "history");
	struct node *state = node_get(status, "operationState"), *result = node_get(state, "syncResult"), *entry = node_map(d);
	int64_t id = 0;

	for (size_t i = 0; i < history->n; i++) {
		int64_t other = node_int_at(history->items[i], "id", 0);
		id = other >= id ? other + 1 : id;
	}
	node_set(d, entry, "id", node_int(d, id));
	for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
		if (node_get(result, copied[i]))
			node_set(d, entry, copied[i], node_copy(d, node_get(result, copied[i])));
	time_set(d, entry, "deployedAt", now_ms);
	if (node_get(state, "startedAt"))
		node_set(d, entry, "deployStartedAt", node_copy(d, node_get(state, "startedAt")));
	if (node_at(state, "operation.initiatedBy"))
		node_set(d, entry, "initiatedBy", node_copy(d, node_at(state, "operation.initiatedBy")));
	node_add(d, history, entry);
	while (history->n && (int64_t)history->n > limit)
		node_remove(history, 0);
}

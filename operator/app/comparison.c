/* operator/app/comparison.c - targets and live objects side by side (operator semantics 5, 8 and 9). */
#include "operator/app/comparison.h"

#include <stdlib.h>
#include "base/map.h"
#include "operator/app/compare.h"
#include "operator/app/tracking.h"

#define SHOWN 3                         /* objects that the message of an application's health names */

struct making {
	struct comparison *out;
	const struct app_spec *spec;
	struct live *live;
	const struct kinds *kinds;
	struct compare_cache *cache;
};

const char *row_sync_name(enum row_sync s)
{
	static const char *const names[] = { "", "Synced", "OutOfSync", "Unknown" };

	return names[s];
}

void compare_cache_free(struct compare_cache *c)
{
	map_free(&c->seen);
	rendering_drop(&c->of);
}

void comparison_free(struct comparison *c)
{
	for (size_t i = 0; i < c->rows.n; i++) {
		object_drop(&c->rows.v[i].live);
		health_free(&c->rows.v[i].health);
	}
	vec_free(&c->rows);
	targets_free(&c->targets);
	conditions_free(&c->conditions);
	health_free(&c->health);
	rendering_drop(&c->rendering);
}

/* ---- rows ---- */

static bool is_app_itself(const struct making *m, const struct ref *r)
{
	return str_eq(r->kind, "Application") && str_eq(r->group, "argoproj.io") && str_eq(r->name, m->spec->name) &&
	       str_eq(r->ns, m->spec->ns);
}

static void add_target(struct making *m, const struct target *t)
{
	struct object *live = t->kind && *t->ref.name ? live_get(m->live, t->kind, t->ref.ns, t->ref.name) : NULL;
	struct row row = { .ref = t->ref, .kind = t->kind, .target = t, .live = live ? object_ref(live) : NULL,
			   .hook = t->hooks.is_hook };
	struct sv other;

	if (live && tracking_of(live, &other) && !sv_eq(other, str_sv(&m->spec->instance)) && !t->hooks.is_hook)
		conditions_add(&m->out->conditions, "SharedResourceWarning", "%s/%s is part of applications %s and " SV_FMT,
			       t->ref.kind, t->ref.name, str_c(&m->spec->instance), SV_ARG(other));
	vec_push(&m->out->rows, row);
}

static void add_live(void *arg, struct object *o)
{
	struct making *m = arg;
	struct ref ref = { o->kind->group, o->kind->version, o->kind->kind, o->ns, o->name };

	if (targets_find(&m->out->targets, &ref))
		return;
	if (is_app_itself(m, &ref) || meta_owner(o->root))
		return;                 /* a controller's child that carries its owner's annotations is not ours */
	struct hooks hooks;
	hooks_read(o->root, &hooks);
	struct row row = { .ref = ref, .kind = o->kind, .live = object_ref(o), .hook = hooks.is_hook };
	vec_push(&m->out->rows, row);
}

static int by_ref(const void *pa, const void *pb)
{
	const struct ref *a = &((const struct row *)pa)->ref, *b = &((const struct row *)pb)->ref;
	int r;

	if ((r = strcmp(a->group, b->group)) || (r = strcmp(a->kind, b->kind)) || (r = strcmp(a->ns, b->ns)))
		return r;
	return strcmp(a->name, b->name);
}

/* ---- what differs ---- */

/* The answer of the last comparison with the same manifest and the same version of the live object: 1 or 2; 0: none. */
static uintptr_t recall(struct making *m, const struct row *row, struct str *key)
{
	struct compare_cache *c = m->cache;

	if (c->of != m->out->rendering) {
		compare_cache_free(c);
		c->of = rendering_ref(m->out->rendering);
	}
	ref_write(key, &row->ref);
	str_addf(key, "@%s", row->live->uid);
	str_addf(key, "@%lld", (long long)row->live->revision);
	return row->live->revision ? (uintptr_t)map_get(&c->seen, str_sv(key)) : 0;
}

static int differs(struct making *m, struct row *row, bool *modified, struct err *err)
{
	const struct compare_opts o = { .kinds = m->kinds, .ignore = node_at(m->spec->root, "spec.ignoreDifferences") };
	AUTO(str) key = { 0 };
	AUTO_DOC d = NULL;
	struct compared c;
	uintptr_t known = recall(m, row, &key);

	if (known) {
		*modified = known == 2;
		return 0;
	}
	d = doc_new();
	TRY(compare(d, row->target->root, row->live->root, row->kind, &o, &c, err));
	*modified = c.modified;
	map_put(&m->cache->seen, str_sv(&key), (void *)(uintptr_t)(c.modified ? 2 : 1));
	return 0;
}

static void judge_sync(struct making *m, struct row *row)
{
	AUTO(err) err = { 0 };
	bool modified = true;

	if (row->hook)
		return;
	row->counted = true;
	row->sync = ROW_OUT_OF_SYNC;
	if (!row->target) {
		row->counted = !str_eq(meta_annotation(row->live->root, "argocd.argoproj.io/compare-options"), "IgnoreExtraneous");
	} else if (row->live && differs(m, row, &modified, &err) < 0) {
		conditions_add(&m->out->conditions, "ComparisonError", "%s/%s cannot be compared: %s", row->ref.kind, row->ref.name,
			       err_msg(&err));
		row->sync = ROW_UNKNOWN;
	} else if (row->live && !modified) {
		row->sync = ROW_SYNCED;
	}
}

/* ---- health ---- */

static void judge_health(struct making *m, struct row *row)
{
	AUTO(err) err = { 0 };

	if (!row->live) {
		(void)health_set(&row->health, MISSING, "%s", "");
	} else if (health_of(row->live->root, &row->health, &err) < 0) {
		(void)health_set(&row->health, UNKNOWN, "%s", err_msg(&err));
		conditions_add(&m->out->conditions, "ComparisonError", "error setting app health: %s", err_msg(&err));
	}
}

static bool counts_for_health(const struct row *row)
{
	return row->live && row->health.known && !row->hook &&
	       !str_eq(meta_annotation(row->live->root, "argocd.argoproj.io/ignore-healthcheck"), "true");
}

static void name_causes(struct comparison *c)
{
	AUTO(str) why = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < c->rows.n && c->health.status != HEALTHY; i++) {
		const struct row *row = &c->rows.v[i];
		if (!counts_for_health(row) || row->health.status != c->health.status)
			continue;
		if (n < SHOWN) {
			str_addc(&why, n ? ", " : "Caused by ");
			ref_write(&why, &row->ref);
			if (row->health.why.n)
				str_addf(&why, " (%s)", str_c(&row->health.why));
		}
		n++;
	}
	if (n > SHOWN)
		str_addf(&why, " and %zu more", n - SHOWN);
	str_move(&c->health.why, &why);
}

static void sum_up(struct comparison *c)
{
	size_t expected = 0, present = 0;

	c->sync = ROW_SYNCED;
	(void)health_set(&c->health, HEALTHY, "%s", "");
	for (size_t i = 0; i < c->rows.n; i++) {
		const struct row *row = &c->rows.v[i];

		expected += row->target && !row->hook;
		present += row->live && !row->hook;
		c->counted += row->counted;
		c->not_synced += row->counted && row->sync != ROW_SYNCED;
		c->to_prune += row->counted && !row->target;
		if (row->counted && row->sync > c->sync)
			c->sync = row->sync;
		if (counts_for_health(row) && row->health.status > c->health.status)
			c->health.status = row->health.status;
	}
	if (expected && !present)
		(void)health_set(&c->health, MISSING, "%s", "");
	else
		name_causes(c);
}

/* ---- all of it ---- */

static int watch_kinds(struct making *m, const struct node *also, struct err *err)
{
	for (size_t i = 0; i < m->out->targets.n; i++)
		if (m->out->targets.v[i].kind)
			TRY(live_watch(m->live, m->out->targets.v[i].kind, err));
	return live_watch_all(m->live, m->kinds, also, err);
}

int comparison_make(struct comparison *out, const struct app_spec *spec, struct rendering *rendering, struct live *live,
		    const struct kinds *kinds, const struct node *also, struct compare_cache *cache, struct err *err)
{
	struct making m = { out, spec, live, kinds, cache };

	*out = (struct comparison){ .rendering = rendering_ref(rendering) };
	targets_make(&out->targets, &rendering->objects, spec, kinds, &out->conditions);
	TRY(watch_kinds(&m, also, err));
	for (size_t i = 0; i < out->targets.n; i++)
		add_target(&m, &out->targets.v[i]);
	live_each(live, str_sv(&spec->instance), add_live, &m);
	if (out->rows.n)
		qsort(out->rows.v, out->rows.n, sizeof *out->rows.v, by_ref);
	for (size_t i = 0; i < out->rows.n; i++) {
		judge_sync(&m, &out->rows.v[i]);
		judge_health(&m, &out->rows.v[i]);
	}
	sum_up(out);
	for (size_t i = 0; i < out->conditions.n; i++)
		if (str_eq(out->conditions.v[i].type, "ComparisonError") || str_eq(out->conditions.v[i].type, "InvalidSpecError"))
			out->sync = ROW_UNKNOWN;
	return 0;
}

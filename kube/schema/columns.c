/* The functions that columns name: kubectl's way of showing objects. */
#include "kube/schema/columns-internal.h"
#include "kube/schema/columns-pod.h"
#include "kube/jsonpath.h"
#include "kube/object.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- times ---- */

void duration_text(int64_t ms, struct str *out)
{
	int64_t s = ms / 1000, m = s / 60, h = s / 3600, d = h / 24, y = d / 365;

	if (s < -1)
		str_addc(out, "<invalid>");
	else if (s < 120)
		str_addf(out, "%" PRId64 "s", s < 0 ? 0 : s);
	else if (m < 10)
		str_addf(out, s % 60 ? "%" PRId64 "m%" PRId64 "s" : "%" PRId64 "m", m, s % 60);
	else if (m < 180)
		str_addf(out, "%" PRId64 "m", m);
	else if (h < 8)
		str_addf(out, m % 60 ? "%" PRId64 "h%" PRId64 "m" : "%" PRId64 "h", h, m % 60);
	else if (h < 48)
		str_addf(out, "%" PRId64 "h", h);
	else if (d < 8)
		str_addf(out, h % 24 ? "%" PRId64 "d%" PRId64 "h" : "%" PRId64 "d", d, h % 24);
	else if (y < 2)
		str_addf(out, "%" PRId64 "d", d);
	else if (y < 8)
		str_addf(out, d % 365 ? "%" PRId64 "y%" PRId64 "d" : "%" PRId64 "y", y, d % 365);
	else
		str_addf(out, "%" PRId64 "y", y);
}

void column_since(const struct cell *c, const char *time, const char *absent)
{
	int64_t ms;

	if (time && time_parse(time, &ms))
		duration_text(c->now_ms - ms, c->out);
	else
		str_addc(c->out, absent);
}

static void age(const struct cell *c) { column_since(c, node_str_at(c->root, "metadata.creationTimestamp"), "<unknown>"); }

static void since_path(const struct cell *c) { column_since(c, node_str_at(c->root, c->arg + 1), "<none>"); }

/* ---- one value, and what stands for its absence ---- */

void column_or(const struct cell *c, const char *absent)
{
	size_t before = c->out->n;

	jsonpath_text(c->root, c->arg, c->out);
	if (c->out->n == before)
		str_addc(c->out, absent);
}

static void or_none(const struct cell *c) { column_or(c, "<none>"); }
static void or_unset(const struct cell *c) { column_or(c, "<unset>"); }
static void or_unknown(const struct cell *c) { column_or(c, "<unknown>"); }
static void or_na(const struct cell *c) { column_or(c, "N/A"); }
static void or_false(const struct cell *c) { column_or(c, "false"); }
static void or_delete(const struct cell *c) { column_or(c, "Delete"); }
static void or_immediate(const struct cell *c) { column_or(c, "Immediate"); }
static void number(const struct cell *c) { column_or(c, "0"); }

static void count(const struct cell *c) { str_addf(c->out, "%zu", node_n(node_at(c->root, c->arg + 1))); }

static void data_count(const struct cell *c)
{
	str_addf(c->out, "%zu", node_n(node_get(c->root, "data")) + node_n(node_get(c->root, "binaryData")));
}

/* "3/5": a number of the status of what the spec wants. */
static void ready_of(const struct cell *c)
{
	number(c);
	str_addf(c->out, "/%" PRId64, node_int_at(c->root, "spec.replicas", 1));
}

/* ---- lists ---- */

void column_join(struct str *out, size_t *n, struct sv text)
{
	if (!text.n)
		return;
	if ((*n)++)
		str_add1(out, ',');
	str_add(out, text);
}

void column_end(struct str *out, size_t n, const char *absent)
{
	if (!n)
		str_addc(out, absent);
}

static void add_pairs(const struct cell *c, const struct node *map, size_t *n)
{
	AUTO(str) pair = { 0 };
	struct member *m;

	node_members(m, map) {
		str_cut(&pair, 0);
		str_addf(&pair, "%s=" SV_FMT, m->key, SV_ARG(node_sv(m->value)));
		column_join(c->out, n, str_sv(&pair));
	}
}

static void pairs(const struct cell *c)
{
	size_t n = 0;

	add_pairs(c, node_at(c->root, c->arg + 1), &n);
	column_end(c->out, n, "<none>");
}

/* "tier in (a,b)", "!x", "x" */
static void add_expression(struct str *text, const struct node *e)
{
	const char *op = node_str_or(e, "operator", ""), *key = node_str_or(e, "key", "");
	bool in = str_eq(op, "In"), out = str_eq(op, "NotIn");
	struct node *v;
	size_t n = 0;

	str_addf(text, "%s%s", str_eq(op, "DoesNotExist") ? "!" : "", key);
	if (!in && !out)
		return;
	str_addc(text, in ? " in (" : " notin (");
	node_each(v, node_get(e, "values"))
		column_join(text, &n, node_sv(v));
	str_add1(text, ')');
}

static void label_selector(const struct cell *c)
{
	const struct node *s = node_at(c->root, c->arg + 1);
	struct node *e;
	size_t n = 0;

	add_pairs(c, node_get(s, "matchLabels"), &n);
	node_each(e, node_get(s, "matchExpressions")) {
		AUTO(str) text = { 0 };

		add_expression(&text, e);
		column_join(c->out, &n, str_sv(&text));
	}
	column_end(c->out, n, "<none>");
}

static void access_modes(const struct cell *c)
{
	static const struct { const char *mode, *text; } modes[] = {
		{ "ReadWriteOnce", "RWO" }, { "ReadOnlyMany", "ROX" }, { "ReadWriteMany", "RWX" }, { "ReadWriteOncePod", "RWOP" },
	};
	struct node *it;
	size_t n = 0;

	node_each(it, node_at(c->root, c->arg + 1))
		for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
			if (str_eq(node_text(it), modes[i].mode))
				column_join(c->out, &n, sv_c(modes[i].text));
}

static void each_container(const struct cell *c, const char *path, const char *key)
{
	struct node *it;
	size_t n = 0;

	node_each(it, node_at(c->root, path))
		column_join(c->out, &n, node_sv(node_get(it, key)));
	column_end(c->out, n, "<none>");
}

static const char *template_path(const struct cell *c)
{
	return node_get(c->root, "template") ? "template.spec.containers" : "spec.template.spec.containers";
}

static void containers(const struct cell *c) { each_container(c, template_path(c), "name"); }
static void images(const struct cell *c) { each_container(c, template_path(c), "image"); }
static void cronjob_containers(const struct cell *c) { each_container(c, "spec.jobTemplate.spec.template.spec.containers", "name"); }
static void cronjob_images(const struct cell *c) { each_container(c, "spec.jobTemplate.spec.template.spec.containers", "image"); }

/* ---- pods ---- */

static void pod_ready_cell(const struct cell *c) { column_pod_ready(c->root, c->out); }
static void pod_status_cell(const struct cell *c) { column_pod_status(c->root, c->out); }
static void pod_restarts_cell(const struct cell *c) { column_pod_restarts(c->root, c->now_ms, c->out); }
static void pod_gates(const struct cell *c) { column_pod_gates(c->root, c->out); }

static const struct column_function functions[] = {
	FUNCTION(age), { "since", since_path }, FUNCTION(or_none), FUNCTION(or_unset), FUNCTION(or_unknown),
	FUNCTION(or_na), FUNCTION(or_false), FUNCTION(or_delete), FUNCTION(or_immediate), FUNCTION(number),
	FUNCTION(count), FUNCTION(data_count), FUNCTION(ready_of), FUNCTION(pairs), FUNCTION(label_selector),
	FUNCTION(access_modes), FUNCTION(containers), FUNCTION(images), FUNCTION(cronjob_containers),
	FUNCTION(cronjob_images), { "pod_ready", pod_ready_cell }, { "pod_status", pod_status_cell },
	{ "pod_restarts", pod_restarts_cell }, FUNCTION(pod_gates), { 0 },
};

static const struct column_function *find(struct sv name)
{
	static const struct column_function *const tables[] = { functions, column_network, column_other };

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct column_function *f = tables[i]; f->name; f++)
			if (sv_eq_c(name, f->name))
				return f;
	return NULL;
}

bool column_known(const struct column *c)
{
	struct sv name, arg;

	if (*c->path != '=')
		return jsonpath_check(c->path, NULL) >= 0;
	sv_cut(sv_c(c->path + 1), ':', &name, &arg);
	return find(name) != NULL;
}

void column_text(const struct column *c, const struct node *root, int64_t now_ms, struct str *out)
{
	struct sv name, arg;

	if (*c->path != '=') {
		if (str_eq(c->type, "date"))
			column_since(&(struct cell){ root, "", now_ms, out }, node_str_at(root, c->path + 1), "");
		else
			jsonpath_text(root, c->path, out);
		return;
	}
	sv_cut(sv_c(c->path + 1), ':', &name, &arg);
	const struct column_function *f = find(name);
	if (f)
		f->run(&(struct cell){ root, arg.n ? arg.p : "", now_ms, out });
}

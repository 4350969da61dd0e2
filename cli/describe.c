/* cli/describe.c - `cd describe`: everything about an object, and the events about it. Generic: kinds need no code. */
#include "cli/cluster.h"
#include "cli/print.h"
#include "cli/verbs.h"
#include "kube/schema/columns.h"

struct describe { struct cluster_opts where; struct opt_list args; const char *labels; };

static void add_pairs(struct str *out, const char *title, const struct node *map)
{
	struct member *m;
	bool first = true;

	node_members(m, map) {
		struct sv value = node_sv(m->value);

		if (str_eq(m->key, "kubectl.kubernetes.io/last-applied-configuration"))
			continue;
		str_addf(out, "%-14s%s: " SV_FMT "\n", first ? title : "", m->key, (int)(value.n > 200 ? 200 : value.n), value.p);
		first = false;
	}
	if (first)
		str_addf(out, "%-14s<none>\n", title);
}

static void add_line(struct str *out, const char *title, const char *text)
{
	if (text && *text)
		str_addf(out, "%-14s%s\n", title, text);
}

static void add_age(struct str *out, const char *title, const char *when)
{
	AUTO(str) age = { 0 };
	int64_t ms;

	if (!when || !time_parse(when, &ms))
		return;
	duration_text(clock_ms() - ms, &age);
	str_addf(out, "%-14s%s (%s ago)\n", title, when, str_c(&age));
}

static void add_head(struct str *out, const struct object *o)
{
	const struct node *it, *owners = node_at(o->root, "metadata.ownerReferences");
	char version[128];

	add_line(out, "Name:", o->name);
	add_line(out, "Namespace:", o->ns);
	str_addf(out, "%-14s%s %s\n", "Kind:", kind_api_version(o->kind, version), o->kind->kind);
	add_pairs(out, "Labels:", node_at(o->root, "metadata.labels"));
	add_pairs(out, "Annotations:", node_at(o->root, "metadata.annotations"));
	node_each(it, owners)
		str_addf(out, "%-14s%s/%s\n", i_ ? "" : "Owned by:", node_str_or(it, "kind", ""), node_str_or(it, "name", ""));
	add_age(out, "Created:", node_str_at(o->root, "metadata.creationTimestamp"));
	add_age(out, "Deleted:", node_str_at(o->root, "metadata.deletionTimestamp"));
}

static void add_rest(struct str *out, const struct object *o)
{
	static const char *const told[] = { "apiVersion", "kind", "metadata" };
	bool is_secret = str_eq(o->kind->kind, "Secret");
	struct member *m;

	node_members(m, o->root) {
		const struct field *f = o->kind->type ? type_field(o->kind->type, (struct sv){ m->key, m->key_n }) : NULL;
		AUTO(str) title = { 0 };
		bool skip = node_is_empty(m->value);

		for (size_t i = 0; i < sizeof told / sizeof *told; i++)
			skip |= str_eq(m->key, told[i]);
		if (skip)
			continue;
		tree_title(&title, m->key);
		str_addf(out, "%s:", str_c(&title));
		if (!is_secret || !str_eq(m->key, "data")) {
			tree_value(out, m->value, f ? f->of : NULL, f && f->container == FIELD_MAP, 1);
			continue;
		}
		struct member *key;                     /* what is secret is not printed */
		str_add1(out, '\n');
		node_members(key, m->value)
			str_addf(out, "  %s: %zu bytes, encoded\n", key->key, node_sv(key->value).n);
	}
}

/* ---- events ---- */

static bool is_about(const struct object *event, const struct object *o)
{
	const struct node *about = node_get(event->root, "involvedObject");
	const char *uid = node_str_or(about, "uid", "");

	return str_eq(node_str_or(about, "name", ""), o->name) && str_eq(node_str_or(about, "kind", ""), o->kind->kind) &&
	       (!*uid || str_eq(uid, o->uid));
}

static void add_event(struct table *t, const struct object *e)
{
	AUTO(str) age = { 0 };
	int64_t ms, count = node_int_at(e->root, "count", 1);
	const char *last = node_str_at(e->root, "lastTimestamp");

	if (!last)
		last = node_str_or(e->root, "eventTime", "");
	if (time_parse(last, &ms))
		duration_text(clock_ms() - ms, &age);
	table_addf(t, "  %s", node_str_or(e->root, "type", ""));
	table_add(t, node_str_or(e->root, "reason", ""));
	if (count > 1)
		table_addf(t, "%s (x%lld)", str_c(&age), (long long)count);
	else
		table_add(t, str_c(&age));
	table_add(t, node_str_or(e->root, "source.component", node_str_or(e->root, "reportingComponent", "")));
	table_add(t, node_str_or(e->root, "message", ""));
}

static int print_events(struct cluster *c, const struct object *o, struct err *err)
{
	static const char *const titles[] = { "  TYPE", "REASON", "AGE", "FROM", "MESSAGE" };
	const struct kind *k = client_kind(c->client, "v1", "Event", err);
	const struct list_opts opts = { .ns = *o->ns ? o->ns : "default" };
	struct object_list found = { 0 };
	AUTO(table) t = { .columns = 5 };
	int r = k ? client_list(c->client, k, &opts, &found, err) : -(int)err->code;

	for (size_t i = 0; i < 5; i++)
		table_add(&t, titles[i]);
	for (size_t i = 0; i < found.n; i++)
		if (is_about(found.v[i], o))
			add_event(&t, found.v[i]);
	if (r >= 0 && t.n > 5) {
		puts("Events:");
		table_print(&t, NULL, stdout);
	} else if (r >= 0) {
		puts("Events: <none>");
	}
	object_list_free(&found);
	return r;
}

static int describe(struct cluster *c, const struct object *o, bool first, struct err *err)
{
	AUTO(str) text = { 0 };

	if (!first)
		str_addc(&text, "\n\n");
	add_head(&text, o);
	add_rest(&text, o);
	fwrite(str_c(&text), 1, text.n, stdout);
	return print_events(c, o, err);
}

static int find(struct cluster *c, const struct describe *d, const struct resource *r, struct object_list *out, struct err *err)
{
	const struct list_opts o = { .ns = resource_ns(c, r->kind), .labels = d->labels };
	struct object *one = NULL;

	if (!r->name)
		return client_list(c->client, r->kind, &o, out, err);
	TRY(client_get(c->client, r->kind, resource_ns(c, r->kind), r->name, &one, err));
	vec_push(out, one);
	return 0;
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	struct describe *d = arg;
	AUTO(resources) wanted = { 0 };
	struct object_list found = { 0 };
	int r = resources_parse(c->client, &d->args, &wanted, err);

	for (size_t i = 0; r >= 0 && i < wanted.n; i++)
		r = find(c, d, &wanted.v[i], &found, err);
	for (size_t i = 0; r >= 0 && i < found.n; i++)
		r = describe(c, found.v[i], !i, err);
	if (r >= 0 && !found.n)
		fprintf(stderr, "No resources found.\n");
	object_list_free(&found);
	return r < 0 ? r : EXIT_OK;
}

static const struct usage usage = {
	"describe", "TYPE [NAME...] | TYPE/NAME... [OPTIONS]",
	"Tells everything about a resource, for reading, with the events about it. Values of Secrets are not shown.",
	"  cd describe pod web-5d8f-x2k4z\n"
	"  cd describe application demo -n cd\n"
	"  cd describe pods -l app=web",
};

int cmd_describe(int argc, char **argv)
{
	struct describe d = { 0 };
	const struct opt opts[] = {
		CLUSTER_OPTIONS(d.where), ALL_NAMESPACES_OPTION(d.where),
		{ "selector", 'l', OPT_STR, &d.labels, "LABELS", "those with these labels" },
		{ 0 }
	};
	int r = cli_options(&usage, opts, argc, argv, &d.args);

	if (r < 0 && !d.args.n)
		r = cli_usage_error(&usage, "name what to describe");
	if (r < 0)
		r = cluster_run("describe", &d.where, run, &d);
	vec_free(&d.args);
	return r;
}

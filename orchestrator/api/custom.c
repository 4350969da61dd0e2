#include "orchestrator/api/custom-internal.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

static const char cleanup[] = "customresourcecleanup.apiextensions.k8s.io";

const struct custom *custom_of(const struct api *a, const struct kind *k)
{
	for (size_t i = 0; i < a->customs.all.n; i++)
		if (&a->customs.all.v[i]->kind == k)
			return a->customs.all.v[i];
	return NULL;
}

/* ---- a kind of a definition's version ---- */

static const char *joined(struct doc *d, const struct node *list)
{
	AUTO(str) out = { 0 };
	const struct node *it;

	node_each(it, list)
		str_addf(&out, "%s" SV_FMT, out.n ? "," : "", SV_ARG(node_sv(it)));
	return doc_text(d, str_sv(&out));
}

static const char *lower(struct doc *d, const char *text)
{
	char *copy = (char *)doc_text(d, sv_c(text));

	for (char *p = copy; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	return copy;
}

/* What stands for a description that is not there. */
static const char *help_of(struct doc *d, const struct node *column)
{
	AUTO(str) text = { 0 };

	if (*node_str_or(column, "description", ""))
		return node_str_or(column, "description", "");
	str_addf(&text, "Custom resource definition column (in JSONPath format): %s", node_str_or(column, "jsonPath", ""));
	return doc_text(d, str_sv(&text));
}

static struct column *columns_of(struct doc *d, const struct node *list)
{
	struct column *out = list ? doc_alloc(d, (node_n(list) + 1) * sizeof *out) : NULL;
	const struct node *it;
	size_t n = 0;

	node_each(it, list)
		out[n++] = (struct column){ .name = node_str_or(it, "name", ""),
					    .type = node_str_or(it, "type", "string"),
					    .format = node_str_or(it, "format", ""),
					    .path = node_str_or(it, "jsonPath", ""),
					    .priority = (int)node_int_at(it, "priority", 0),
					    .help = help_of(d, it) };
	return out;
}

static unsigned subresources_of(const struct node *version)
{
	return (node_at(version, "subresources.status") ? SUB_STATUS : 0u) |
	       (node_at(version, "subresources.scale") ? SUB_SCALE : 0u);
}

/* Fills c from a definition; everything that it points to is in d, which it takes. */
static void describe(struct custom *c, struct doc *d, const struct node *version)
{
	const struct node *root = doc_root(d), *names = node_at(root, "spec.names");
	const char *kind = node_str_or(names, "kind", "");

	doc_drop(&c->doc);
	c->doc = d;
	c->schema = node_at(version, "schema.openAPIV3Schema");
	if (node_bool_at(root, "spec.preserveUnknownFields", false))
		c->schema = NULL;
	c->rules = custom_compile_rules(d, c->schema, true);
	c->columns = columns_of(d, node_get(version, "additionalPrinterColumns"));
	c->kind = (struct kind){
		.group = node_str_or(root, "spec.group", ""),
		.version = node_str_or(version, "name", ""),
		.kind = kind,
		.plural = node_str_or(names, "plural", ""),
		.singular = node_str_or(names, "singular", lower(d, kind)),
		.short_names = joined(d, node_get(names, "shortNames")),
		.categories = joined(d, node_get(names, "categories")),
		.namespaced = str_eq(node_str_at(root, "spec.scope"), "Namespaced"),
		.subresources = subresources_of(version),
		.columns = c->columns,
	};
}

/* ---- the registry ---- */

static struct custom *find(struct customs *c, const char *group, const char *plural, const char *version)
{
	for (size_t i = 0; i < c->all.n; i++) {
		struct custom *one = c->all.v[i];

		if (one->live && !strcmp(one->kind.group, group) && !strcmp(one->kind.plural, plural) &&
		    (!version || !strcmp(one->kind.version, version)))
			return one;
	}
	return NULL;
}

static void withdraw(struct customs *c, struct custom *one)
{
	kinds_remove(c->api->kinds, &one->kind);
	one->live = false;
}

static bool is_built_in(const struct api *a, const char *group, const char *plural)
{
	for (size_t i = 0; i < kinds_n(a->kinds); i++) {
		const struct kind *k = kinds_at(a->kinds, i);

		if (!strcmp(k->plural, plural) && !strcmp(k->group, group) && !custom_of(a, k))
			return true;
	}
	return false;
}

static void offer(struct customs *c, const struct node *root, const struct node *version)
{
	const char *group = node_str_or(root, "spec.group", ""), *plural = node_str_or(root, "spec.names.plural", "");
	const char *name = node_str_or(version, "name", "");
	struct custom *one = find(c, group, plural, name);

	if (is_built_in(c->api, group, plural))
		return;                 /* it stays what it is, in all its versions */
	if (!one) {
		if (!(one = calloc(1, sizeof *one)))
			abort();
		vec_push(&c->all, one);
	} else {
		kinds_remove(c->api->kinds, &one->kind);
	}
	struct doc *d = doc_of(root);
	const struct node *it, *own = NULL;
	node_each(it, node_at(doc_root(d), "spec.versions"))
		if (str_eq(node_str_at(it, "name"), name))
			own = it;
	describe(one, d, own);
	one->live = true;
	kinds_add(c->api->kinds, &one->kind);
	struct resource *r = cache_resource(&c->api->cache, &one->kind);
	const struct custom *now = custom_of(c->api, r->kind);
	if (node_bool_at(own, "storage", false) || (now && !now->live))
		r->kind = &one->kind;
}

static bool is_served(const struct node *root, const char *version)
{
	const struct node *it;

	node_each(it, node_at(root, "spec.versions"))
		if (str_eq(node_str_at(it, "name"), version))
			return node_bool_at(it, "served", false);
	return false;
}

/* root NULL: the definition is gone. */
static void update(struct customs *c, const struct node *was, const struct node *root)
{
	const char *group = node_str_or(was, "spec.group", ""), *plural = node_str_or(was, "spec.names.plural", "");
	const struct node *it;

	for (size_t i = 0; i < c->all.n; i++) {
		struct custom *one = c->all.v[i];

		if (one->live && !strcmp(one->kind.group, group) && !strcmp(one->kind.plural, plural) &&
		    !is_served(root, one->kind.version))
			withdraw(c, one);
	}
	node_each(it, node_at(root, "spec.versions"))
		if (node_bool_at(it, "served", false))
			offer(c, root, it);
}

/* ---- the end of a definition: its objects go first ---- */

static int make_released(void *arg, struct doc *d, const struct node *live, struct node **out, struct err *err)
{
	(void)arg;
	(void)err;
	*out = node_copy(d, live);
	(void)meta_remove_finalizer(*out, cleanup);
	return 0;
}

struct ending { struct api *api; char *name; };

static const struct caller self = { "system:apiserver", NULL, 0 };

static int delete_objects(struct api *a, const struct kind *k, struct err *err)
{
	struct request rq = {
		.api = a, .caller = &self, .kind = k, .ns = "", .name = "", .subresource = "", .manager = ""
	};
	struct deletion how = { .grace_seconds = -1 };
	struct list_query all = { 0 };
	AUTO(list_result) found = { 0 };

	while (request_resource(&rq)->items.n) {
		list_result_free(&found);
		TRY(verb_delete_collection(&rq, &all, &how, &found, err));
		if (request_resource(&rq)->items.n &&
		    fiber_wait_ms(&request_resource(&rq)->changed, 1000) == -ERR_CANCELED)
			return -ERR_CANCELED;   /* finalizers hold some of them */
	}
	return 0;
}

static void end_definition(void *arg)
{
	struct ending *e = arg;
	struct api *a = e->api;
	struct item *i = resource_find(a->customs.definitions, "", e->name);
	struct object *o = i ? item_object(i) : NULL;
	struct custom *one = o ? find(&a->customs, node_str_or(o->root, "spec.group", ""),
				      node_str_or(o->root, "spec.names.plural", ""), NULL)
			       : NULL;
	struct request rq = { .api = a,
			      .caller = &self,
			      .kind = a->customs.definitions->kind,
			      .ns = "",
			      .name = e->name,
			      .subresource = "",
			      .manager = "" };
	AUTO(err) err = { 0 };

	if ((one && delete_objects(a, &one->kind, &err) < 0) || write_object(&rq, make_released, NULL, NULL, &err) < 0)
		if (err.code && err.code != ERR_CANCELED && err.code != ERR_NOT_FOUND)
			log_event(LOG_WARN, "custom resources not removed", "crd", e->name, "err", err_msg(&err), NULL);
	free(e->name);
	free(e);
}

static void start_ending(struct api *a, const struct node *before, const struct object *o)
{
	struct ending *e;

	if (!meta_deleting(o->root) || meta_deleting(before) || !meta_has_finalizer(o->root, cleanup))
		return;
	if (!(e = calloc(1, sizeof *e)))
		abort();
	*e = (struct ending){ a, sv_dup(sv_c(o->name)) };
	fiber_group_start(&a->fibers, "custom resource cleanup", end_definition, e);
}

/* ---- changes of definitions ---- */

static void on_change(struct cache_listener *l, const struct change *change)
{
	struct customs *c = (struct customs *)l;
	struct object *before = change->before ? item_object(change->before) : NULL,
		      *after = item_object(change->after);

	if (!after)
		return;
	update(c, before ? before->root : after->root, change->gone ? NULL : after->root);
	if (!change->gone)
		start_ending(c->api, before ? before->root : NULL, after);
}

void customs_open(struct customs *c, struct api *a)
{
	const struct kind *k = kinds_find(a->kinds, "apiextensions.k8s.io/v1", "CustomResourceDefinition");

	*c = (struct customs){ .listener = { on_change, NULL }, .api = a };
	if (!k)
		return;
	c->definitions = cache_resource(&a->cache, k);
	for (size_t i = 0; i < c->definitions->items.n; i++) {
		struct object *o = item_object(c->definitions->items.v[i]);

		if (o) {
			update(c, o->root, o->root);
			start_ending(a, NULL, o);
		}
	}
	resource_listen(c->definitions, &c->listener);
}

void customs_close(struct customs *c)
{
	if (c->definitions)
		resource_unlisten(c->definitions, &c->listener);
	for (size_t i = 0; i < c->all.n; i++) {
		if (c->all.v[i]->live)
			kinds_remove(c->api->kinds, &c->all.v[i]->kind);
		doc_drop(&c->all.v[i]->doc);
		free(c->all.v[i]);
	}
	vec_free(&c->all);
}

/* ---- the definition itself ---- */

static void accept_names(struct doc *d, struct node *root)
{
	struct node *names = node_copy(d, node_at(root, "spec.names")), *stored = node_seq(d),
		    *status = node_map_at(d, root, "status");
	const struct node *it;

	node_each(it, node_at(root, "spec.versions"))
		if (node_bool_at(it, "storage", false))
			node_add(d, stored, node_str(d, node_str_at(it, "name")));
	node_set(d, status, "acceptedNames", names);
	node_set(d, status, "storedVersions", stored);
	condition_set(d, status, "NamesAccepted", "True", "NoConflicts", "no conflicts found", clock_ms());
	condition_set(d, status, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted",
		      clock_ms());
}

/* Where the schema of version i stands: one that is the same for all is taken for that of the whole definition. */
static void schema_path(struct str *out, const struct node *root, size_t i)
{
	const struct node *versions = node_at(root, "spec.versions"), *first = node_get(node_item(versions, 0), "schema");
	bool same = true;

	for (size_t k = 1; k < node_n(versions); k++)
		same &= node_eq(first, node_get(node_item(versions, k), "schema"));
	if (same)
		str_addc(out, "spec.validation.openAPIV3Schema");
	else
		str_addf(out, "spec.versions[%zu].schema.openAPIV3Schema", i);
}

static void check_version(struct problems *p, const struct node *root, const struct node *version, size_t i)
{
	const struct node *schema = node_at(version, "schema.openAPIV3Schema");

	if (!schema) {
		str_addf(&p->path, "spec.versions[%zu].schema.openAPIV3Schema", i);
		problem(p, "FieldValueRequired", "Required value: schemas are required");
	} else {
		schema_path(&p->path, root, i);
		custom_check_schema(p, schema);
	}
	str_cut(&p->path, 0);
}

static void check_conversion(struct problems *p, const struct node *root)
{
	const struct node *how = node_at(root, "spec.conversion");
	const char *strategy = node_str_or(how, "strategy", "None");

	str_set(&p->path, "spec.conversion");
	if (strcmp(strategy, "None") != 0 && strcmp(strategy, "Webhook") != 0)
		problem_below(p, ".strategy", "FieldValueNotSupported",
			      "Unsupported value: \"%s\": supported values: \"None\", \"Webhook\"", strategy);
	if (!strcmp(strategy, "Webhook") && !node_at(how, "webhook.clientConfig"))
		problem_below(p, ".webhookClientConfig", "FieldValueRequired",
			      "Required value: required when strategy is set to Webhook");
	str_cut(&p->path, 0);
}

static int check_definition(const struct request *rq, const struct node *root, struct err *err)
{
	const struct node *it, *seen = NULL;
	AUTO(problems) p = { 0 };
	size_t stored = 0;

	node_each(it, node_at(root, "spec.versions")) {
		stored += node_bool_at(it, "storage", false);
		if (p.n || (seen && node_eq(seen, node_get(it, "schema"))))
			continue;       /* told already */
		check_version(&p, root, it, i_);
		seen = node_get(it, "schema");
	}
	str_set(&p.path, "spec.versions");
	if (stored != 1)
		problem(&p, "FieldValueInvalid", "Invalid value: %zu versions: must have exactly one version marked as storage version",
			stored);
	check_conversion(&p, root);
	return problems_error(&p, rq->kind, node_str_or(root, "metadata.name", ""), err);
}

/* Looked at again only when it changes: an old one stays what it is. */
static int check_change(const struct request *rq, const struct node *root, const struct node *before, struct err *err)
{
	return before && node_eq(node_get(root, "spec"), node_get(before, "spec")) ? 0 : check_definition(rq, root, err);
}

int definition_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		       struct err *err)
{
	const char *name = node_str_or(root, "metadata.name", ""), *kind = node_str_or(root, "spec.names.kind", "");
	char *want = str_fmt("%s.%s", node_str_or(root, "spec.names.plural", ""), node_str_or(root, "spec.group", ""));
	bool right = !strcmp(want, name);

	free(want);
	if (!right)
		return invalid_field(rq, name, "metadata.name", err,
				     "Invalid value: \"%s\": must be spec.names.plural+\".\"+spec.group", name);
	TRY(check_change(rq, root, before, err));
	if (!node_at(root, "spec.names.singular"))
		node_put(d, root, "spec.names.singular", node_str(d, lower(d, kind)));
	if (!node_at(root, "spec.names.listKind"))
		node_put(d, root, "spec.names.listKind", node_strf(d, "%sList", kind));
	if (!before)
		node_add(d, node_seq_at(d, node_get(root, "metadata"), "finalizers"), node_str(d, cleanup));
	if (!*rq->subresource)
		accept_names(d, root);
	return 0;
}

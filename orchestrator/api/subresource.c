#include "orchestrator/api/account-internal.h"

#include "base/json.h"

#include <inttypes.h>
#include <string.h>

/* ---- scale: an autoscaling/v1 Scale that reads and writes spec.replicas of another object ---- */

static struct node *selector_text(struct doc *d, const struct node *root)
{
	struct selector *s = NULL;
	AUTO(str) text = { 0 };

	if (node_at(root, "spec.selector") && !selector_of(node_at(root, "spec.selector"), &s, NULL))
		selector_write(s, &text);
	selector_free(&s);
	return node_strn(d, str_sv(&text));
}

static struct node *scale_of(struct doc *d, const struct node *root)
{
	static const char *const kept[] = { "name", "namespace", "uid", "resourceVersion", "creationTimestamp" };
	struct node *out = node_map(d), *meta = node_map(d);

	node_set(d, out, "kind", node_str(d, "Scale"));
	node_set(d, out, "apiVersion", node_str(d, "autoscaling/v1"));
	node_set(d, out, "metadata", meta);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		const struct node *v = node_get(node_get(root, "metadata"), kept[i]);

		if (v)
			node_set(d, meta, kept[i], node_copy(d, v));
	}
	node_put(d, out, "spec.replicas", node_int(d, node_int_at(root, "spec.replicas", 0)));
	node_put(d, out, "status.replicas", node_int(d, node_int_at(root, "status.replicas", 0)));
	node_put(d, out, "status.selector", selector_text(d, root));
	return out;
}

static struct item *scale_item(const struct request *rq, const struct node *root, int64_t revision)
{
	AUTO_DOC d = doc_new();
	AUTO(str) json = { 0 };
	struct node *scale = scale_of(d, root);

	(void)node_del(node_get(scale, "metadata"), "resourceVersion");
	json_write(&json, scale, 0);
	return item_new(request_resource(rq), rq->ns, rq->name, revision, str_sv(&json));
}

int scale_get(const struct request *rq, struct item **out, struct err *err)
{
	struct item *live = resource_find(request_resource(rq), rq->ns, rq->name);
	struct object *o = live ? item_object(live) : NULL;

	if (!o)
		return not_found(rq->kind, rq->name, err);
	*out = scale_item(rq, o->root, o->revision);
	return 0;
}

struct scaling { make_fn *make; void *arg; };

/* The inner make() sees a Scale and gives a Scale; what it says about replicas goes into the object. */
static int make_scaled(void *arg, struct doc *d, const struct node *live, struct node **out, struct err *err)
{
	const struct scaling *s = arg;
	struct node *scale, *root = node_copy(d, live);
	const char *version;

	TRY(s->make(s->arg, d, scale_of(d, live), &scale, err));
	int64_t replicas = node_int_at(scale, "spec.replicas", 0);
	if (replicas < 0)
		return err_set(err, ERR_INVALID,
			       "Scale.autoscaling \"%s\" is invalid: spec.replicas: Invalid value: %" PRId64
			       ": must be greater "
			       "than or equal to 0",
			       node_str_or(live, "metadata.name", ""), replicas);
	node_put(d, root, "spec.replicas", node_int(d, replicas));
	if ((version = node_str_at(scale, "metadata.resourceVersion")) && *version)
		node_put(d, root, "metadata.resourceVersion", node_str(d, version));
	*out = root;
	return 0;
}

int scale_write(const struct request *rq, make_fn *make, void *arg, struct item **out, struct err *err)
{
	struct scaling s = { make, arg };
	struct request plain = *rq;
	AUTO_ITEM written = NULL;

	plain.subresource = "";
	TRY(write_object(&plain, make_scaled, &s, &written, err));
	struct object *o = item_object(written);
	if (o && out)
		*out = scale_item(rq, o->root, o->revision);
	return 0;
}

/* ---- binding: a scheduler's decision ---- */

static int make_bound(void *arg, struct doc *d, const struct node *live, struct node **out, struct err *err)
{
	const struct node *binding = arg;
	const char *node = node_str_or(binding, "target.name", ""), *has = node_str_or(live, "spec.nodeName", "");
	struct node *root = node_copy(d, live);
	struct member *m;

	if (!*node)
		return err_set(err, ERR_BAD_REQUEST, "Binding: target.name: Required value");
	if (*has)
		return err_set(err, ERR_CONFLICT,
			       "Operation cannot be fulfilled on pods/binding \"%s\": pod %s is already assigned to "
			       "node \"%s\"",
			       node_str_or(live, "metadata.name", ""), node_str_or(live, "metadata.name", ""), has);
	if (meta_deleting(live))
		return err_set(
			err, ERR_CONFLICT,
			"Operation cannot be fulfilled on pods/binding \"%s\": pod %s is being deleted, cannot be "
			"assigned to a host",
			node_str_or(live, "metadata.name", ""), node_str_or(live, "metadata.name", ""));
	node_put(d, root, "spec.nodeName", node_str(d, node));
	node_members(m, node_at(binding, "metadata.annotations"))
		meta_set_annotation(d, root, m->key, node_text(m->value));
	condition_set(d, node_map_at(d, root, "status"), "PodScheduled", "True", NULL, NULL, clock_ms());
	*out = root;
	return 0;
}

static int bind_pod(const struct request *rq, const struct node *obj, struct item **out, struct err *err)
{
	struct request plain = *rq;

	plain.subresource = "binding";  /* neither the object nor its status alone */
	return write_object(&plain, make_bound, (void *)obj, out, err);
}

/* ---- eviction: a deletion that may be refused ---- */

static int evict_pod(const struct request *rq, const struct node *obj, struct item **out, struct err *err)
{
	struct deletion how = { .propagation = node_str_at(obj, "deleteOptions.propagationPolicy"),
				.grace_seconds = node_int_at(obj, "deleteOptions.gracePeriodSeconds", -1),
				.uid = node_str_at(obj, "deleteOptions.preconditions.uid") };
	struct request plain = *rq;
	AUTO_ITEM left = NULL;

	plain.subresource = "";
	return verb_delete(&plain, &how, &left, out, err);
}

static const struct {
	const char *name;
	unsigned bit;
	int (*run)(const struct request *, const struct node *, struct item **, struct err *);
} creates[] = {
	{ "binding", SUB_BINDING, bind_pod },
	{ "eviction", SUB_EVICTION, evict_pod },
	{ "token", SUB_TOKEN, account_token },
};

int subresource_create(const struct request *rq, const struct node *obj, struct item **out, struct err *err)
{
	for (size_t i = 0; i < sizeof creates / sizeof *creates; i++)
		if (!strcmp(creates[i].name, rq->subresource) && (rq->kind->subresources & creates[i].bit))
			return creates[i].run(rq, obj, out, err);
	return err_set(err, ERR_NOT_FOUND, "the server could not find the requested resource (%s/%s)", rq->kind->plural,
		       rq->subresource);
}

#include "kube/client-https-internal.h"

#include "base/json.h"
#include "base/vec.h"

#include <stdio.h>
#include <stdlib.h>

static struct https *https_of(struct client *c) { return (struct https *)c; }

struct object *https_object(const struct kind *k, struct doc *take)
{
	struct node *root = doc_root(take);
	char version[128];

	if (!node_get(root, "kind")) {
		node_set(take, root, "apiVersion", node_str(take, kind_api_version(k, version)));
		node_set(take, root, "kind", node_str(take, k->kind));
	}
	return object_new(k, take);
}

static void give(const struct kind *k, struct doc **d, struct object **out)
{
	if (out)
		*out = https_object(k, TAKE(*d));
}

/* ---- reading ---- */

static int get(struct client *c, const struct kind *k, const char *ns, const char *name, struct object **out,
	       struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO_DOC d = NULL;

	https_path(&path, k, ns, name, NULL);
	TRY(https_call(https_of(c), &(struct call){ .method = "GET", .path = str_c(&path) }, &d, err));
	give(k, &d, out);
	return 0;
}

static int list(struct client *c, const struct kind *k, const struct list_opts *o, struct object_list *out,
		struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO_DOC d = NULL;
	const struct node *it, *items;
	const char *token;
	char limit[24];

	https_path(&path, k, o ? o->ns : NULL, NULL, NULL);
	if (o) {
		snprintf(limit, sizeof limit, "%lld", (long long)o->limit);
		https_query(&path, "labelSelector", o->labels);
		https_query(&path, "fieldSelector", o->fields);
		https_query(&path, "limit", o->limit > 0 ? limit : NULL);
		https_query(&path, "continue", o->token);
	}
	TRY(https_call(https_of(c), &(struct call){ .method = "GET", .path = str_c(&path) }, &d, err));
	items = node_get(doc_root(d), "items");
	for (size_t i = 0; (it = node_item(items, i)); i++)
		vec_push(out, https_object(k, doc_of(it)));
	if (!sv_to_i64(sv_c(node_str_or(doc_root(d), "metadata.resourceVersion", "0")), &out->revision))
		out->revision = 0;
	token = node_str_or(doc_root(d), "metadata.continue", "");
	out->token = *token ? sv_dup(sv_c(token)) : NULL;
	return 0;
}

/* ---- writing ---- */

struct writing { const char *method, *ns, *name, *content_type; const struct node *body; };

static int write_object(struct client *c, const struct kind *k, const struct writing *w, const struct write_opts *o,
			struct object **out, struct err *err)
{
	AUTO(str) path = { 0 }, body = { 0 };
	AUTO_DOC d = NULL;

	https_path(&path, k, w->ns, w->name, o ? o->subresource : NULL);
	if (o) {
		https_query(&path, "fieldManager", o->manager);
		https_query(&path, "force", o->force ? "true" : NULL);
		https_query(&path, "dryRun", o->dry_run ? "All" : NULL);
	}
	json_write(&body, w->body, 0);
	TRY(https_call(https_of(c), &(struct call){w->method, str_c(&path), w->content_type, str_sv(&body), 0}, &d,
		       err));
	give(k, &d, out);
	return 0;
}

static int create(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
		  struct object **out, struct err *err)
{
	const char *name = o && o->subresource ? node_str_at(obj, "metadata.name") : NULL;
	const struct writing w = { "POST", node_str_at(obj, "metadata.namespace"), name, "application/json", obj };

	return write_object(c, k, &w, o, out, err);
}

static int update(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
		  struct object **out, struct err *err)
{
	const struct writing w = { "PUT", node_str_at(obj, "metadata.namespace"), node_str_at(obj, "metadata.name"), "application/json", obj };

	return write_object(c, k, &w, o, out, err);
}

static int patch(struct client *c, const struct kind *k, const char *ns, const char *name, enum patch_type type,
		 const struct node *change, const struct write_opts *o, struct object **out, struct err *err)
{
	static const char *const content[] = {
		[PATCH_JSON] = "application/json-patch+json",
		[PATCH_MERGE] = "application/merge-patch+json",
		[PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
		[PATCH_APPLY] = "application/apply-patch+yaml",
	};
	const struct writing w = { "PATCH", ns, name, content[type], change };

	return write_object(c, k, &w, o, out, err);
}

static struct node *delete_options(struct doc *d, const struct delete_opts *o)
{
	struct node *root = node_map(d);

	node_set(d, root, "kind", node_str(d, "DeleteOptions"));
	node_set(d, root, "apiVersion", node_str(d, "v1"));
	if (o->propagation)
		node_set(d, root, "propagationPolicy", node_str(d, o->propagation));
	if (o->grace_seconds >= 0)
		node_set(d, root, "gracePeriodSeconds", node_int(d, o->grace_seconds));
	if (o->uid)
		node_put(d, root, "preconditions.uid", node_str(d, o->uid));
	if (o->dry_run)
		node_add(d, node_seq_at(d, root, "dryRun"), node_str(d, "All"));
	return root;
}

static int del(struct client *c, const struct kind *k, const char *ns, const char *name, const struct delete_opts *o,
	       struct err *err)
{
	const struct delete_opts standard = { .grace_seconds = -1 };
	AUTO(str) path = { 0 }, body = { 0 };
	AUTO_DOC d = doc_new();

	https_path(&path, k, ns, name, NULL);
	json_write(&body, delete_options(d, o ? o : &standard), 0);
	return https_call(https_of(c), &(struct call){ "DELETE", str_c(&path), "application/json", str_sv(&body), 0 }, NULL, err);
}

static int stream(struct client *c, const char *path, int (*on_data)(void *arg, struct sv data), void *arg,
		  struct err *err)
{
	return https_stream(https_of(c), path, on_data, arg, err);
}

/* ---- lifetime ---- */

static void free_kind(struct kind *k)
{
	const char *const owned[] = {k->group,	  k->version,	  k->kind,	k->plural,
				     k->singular, k->short_names, k->categories};

	for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
		free((char *)owned[i]);
	free(k);
}

static void free_https(struct client *c)
{
	struct https *h = https_of(c);

	httpc_free(&h->http);
	kubeconfig_free(&h->config);
	str_free(&h->authorization);
	kinds_free(&h->registry);
	for (size_t i = 0; i < h->found.n; i++)
		free_kind(h->found.v[i]);
	vec_free(&h->found);
	free(h);
}

struct client *client_https(struct loop *l, const char *kubeconfig, const char *context, struct err *err)
{
	static const struct client_ops ops = {
		.get = get,
		.list = list,
		.watch = https_watch,
		.create = create,
		.update = update,
		.patch = patch,
		.del = del,
		.stream = stream,
		.connect = https_connect,
		.discover = https_discover,
		.free = free_https,
	};
	struct https *h = calloc(1, sizeof *h);

	if (!h)
		abort();
	if (kubeconfig_load(&h->config, kubeconfig, context, err) < 0) {
		kubeconfig_free(&h->config);
		free(h);
		return NULL;
	}
	if (h->config.token)
		str_addf(&h->authorization, "Authorization: Bearer %s", h->config.token);
	h->http = httpc_new(l);
	h->registry = kinds_new();
	h->client = (struct client){ .ops = &ops, .loop = l, .kinds = h->registry, .ns = h->config.ns };
	return &h->client;
}

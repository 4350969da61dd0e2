/* tests/unit/orchestrator/api-cluster.h - an API over a store in memory, and steps that note what they saw in a trace.
 *
 * Scenarios run in a fiber, where cmocka must not assert: they write the trace, and the test compares it afterwards. */
#pragma once

#include "base/fiber.h"
#include "base/json.h"
#include "base/yaml.h"
#include "orchestrator/api/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cluster {
	struct store *store;
	struct kinds *kinds;
	struct api *api;
	struct client *client;
	struct str trace;
	void (*scenario)(struct cluster *c);
	void *arg;
	const char *ca, *ca_key, *keys;         /* see api.h; NULL: none */
	const char *audit_path, *audit_policy;
};

static int cluster_main(void *arg)
{
	struct cluster *c = arg;
	AUTO(err) err = { 0 };
	struct api_opts o = { .version = "test", .token = SV("secret-token"), .tokens = "plain,jane,1,people\n",
			      .ca = sv_c(c->ca), .audit_path = c->audit_path,
			      .audit_policy = c->audit_policy, .audit_max_bytes = 1 << 20, .audit_backups = 2,
			      .ca_key = sv_c(c->ca_key), .account_keys = sv_c(c->keys) };

	o.store = c->store = store_memory(fiber_loop());
	o.kinds = c->kinds = kinds_new();
	if (!(c->api = api_new(fiber_loop(), &o, &err))) {
		str_addf(&c->trace, "api_new: %s", err_msg(&err));
	} else {
		c->client = api_client(c->api, "tester");
		c->scenario(c);
		client_free(&c->client);
		api_free(&c->api);
	}
	c->store->ops->free(c->store);
	kinds_free(&c->kinds);
	return 0;
}

static inline void cluster_run(struct cluster *c)
{
	fiber_main(cluster_main, c);
}

static inline void cluster_expect(void (*scenario)(struct cluster *), const char *want)
{
	struct cluster c = { .scenario = scenario };

	cluster_run(&c);
	char *got = str_take(&c.trace);
	assert_string_equal(got, want);
	free(got);
}

/* ---- steps ---- */

static inline void note_result(struct cluster *c, int r, const struct err *e)
{
	if (r < 0)
		str_addf(&c->trace, "%s: %s\n", err_reason((enum err_code)-r), err_msg(e));
}

static inline const struct kind *kind_named(struct cluster *c, const char *name)
{
	const struct kind *k = kinds_find_name(c->kinds, name);

	if (!k)
		str_addf(&c->trace, "no kind %s\n", name);
	return k;
}

static inline struct doc *yaml_doc(struct cluster *c, const char *text)
{
	struct doc *d = NULL;
	AUTO(err) e = { 0 };

	if (yaml_read(sv_c(text), "test", 0, &d, &e) < 0)
		str_addf(&c->trace, "%s\n", err_msg(&e));
	return d;
}

/* Creates it; the new object (NULL on error, which is noted) is the caller's. */
static inline struct object *create_as(struct cluster *c, const char *yaml, const struct write_opts *o)
{
	AUTO_DOC d = yaml_doc(c, yaml);
	const struct node *root = doc_root(d);
	const struct kind *k = kinds_find(c->kinds, node_str_or(root, "apiVersion", ""), node_str_or(root, "kind", ""));
	struct object *out = NULL;
	AUTO(err) e = { 0 };

	note_result(c,
		    k ? client_create(c->client, k, root, o, &out, &e)
		      : kinds_unknown(c->kinds, node_str_or(root, "apiVersion", ""), node_str_or(root, "kind", ""), &e),
		    &e);
	return out;
}

static inline void create(struct cluster *c, const char *yaml)
{
	AUTO_OBJECT o = create_as(c, yaml, NULL);

	(void)o;
}

static inline struct object *get_object(struct cluster *c, const char *kind, const char *ns, const char *name)
{
	struct object *o = NULL;
	AUTO(err) e = { 0 };

	note_result(c, client_get(c->client, kind_named(c, kind), ns, name, &o, &e), &e);
	return o;
}

/* Notes the JSON of the value at path ("-" when absent), and a blank. */
static inline void note_at(struct cluster *c, const struct node *root, const char *path)
{
	const struct node *n = *path ? node_at(root, path) : root;

	if (n)
		json_write(&c->trace, n, JSON_SORTED);
	else
		str_addc(&c->trace, "-");
	str_addc(&c->trace, " ");
}

static inline void get(struct cluster *c, const char *kind, const char *ns, const char *name, const char *path)
{
	AUTO_OBJECT o = get_object(c, kind, ns, name);

	if (o)
		note_at(c, o->root, path);
}

/* Changes the value at path (JSON text) in a copy of the live object, and updates. */
static inline int64_t update_sub(struct cluster *c, const char *kind, const char *ns, const char *name, const char *sub,
				 const char *path, const char *json)
{
	AUTO_OBJECT o = get_object(c, kind, ns, name);
	AUTO_OBJECT after = NULL;
	AUTO_DOC d = o ? doc_of(o->root) : NULL;
	AUTO_DOC value = NULL;
	AUTO(err) e = { 0 };
	struct write_opts w = { .subresource = sub };

	if (!o || json_read(sv_c(json), "test", 0, &value, NULL) < 0)
		return -1;
	node_put(d, doc_root(d), path, node_copy(d, doc_root(value)));
	note_result(c, client_update(c->client, o->kind, doc_root(d), &w, &after, &e), &e);
	return after ? after->revision : -1;
}

static inline int64_t update(struct cluster *c, const char *kind, const char *ns, const char *name, const char *path,
			     const char *json)
{
	return update_sub(c, kind, ns, name, NULL, path, json);
}

static inline void patch(struct cluster *c, const char *kind, const char *ns, const char *name, enum patch_type type,
			 const char *json, const struct write_opts *o)
{
	AUTO_DOC d = yaml_doc(c, json);
	AUTO(err) e = { 0 };

	note_result(c, client_patch(c->client, kind_named(c, kind), ns, name, type, doc_root(d), o, NULL, &e), &e);
}

static inline void del_as(struct cluster *c, const char *kind, const char *ns, const char *name,
			  const struct delete_opts *o)
{
	AUTO(err) e = { 0 };

	note_result(c, client_delete(c->client, kind_named(c, kind), ns, name, o, &e), &e);
}

static inline void del(struct cluster *c, const char *kind, const char *ns, const char *name)
{
	del_as(c, kind, ns, name, NULL);
}

/* Notes the names of a list; returns its continue token (heap) or NULL. */
static inline char *list_as(struct cluster *c, const char *kind, const struct list_opts *o)
{
	struct object_list l = { 0 };
	AUTO(err) e = { 0 };
	char *token;

	note_result(c, client_list(c->client, kind_named(c, kind), o, &l, &e), &e);
	for (size_t i = 0; i < l.n; i++)
		str_addf(&c->trace, "%s ", l.v[i]->name);
	token = l.token ? sv_dup(sv_c(l.token)) : NULL;
	object_list_free(&l);
	return token;
}

static inline void list(struct cluster *c, const char *kind, const char *ns, const char *labels, const char *fields)
{
	struct list_opts o = { .ns = ns, .labels = labels, .fields = fields };

	free(list_as(c, kind, &o));
}

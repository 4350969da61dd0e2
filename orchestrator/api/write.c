#include "orchestrator/api/quota-internal.h"

#include "base/json.h"
#include "kube/patch/patch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { RACES_MAX = 200, NAME_TRIES = 8, GENERATED = 5, GENERATED_PREFIX = 58 };   /* 63 in all, as there */

/* ---- the store ---- */

static struct item *written_item(const struct request *rq, const char *ns, const char *name, int64_t revision,
				 struct sv json)
{
	struct resource *r = request_resource(rq);
	struct item *i = resource_find(r, ns, name);

	return i && i->revision == revision ? item_ref(i) : item_new(r, ns, name, revision, json);
}

int store_object(const struct request *rq, const char *ns, const char *name, struct node *root, int64_t expect,
		 int64_t revision, struct item **out, struct err *err)
{
	struct store *st = rq->api->store;
	AUTO(str) json = { 0 };

	(void)node_del(node_get(root, "metadata"), "resourceVersion");
	json_write(&json, root, 0);
	if (!rq->dry_run) {
		char *key = resource_key(request_resource(rq), ns, name);
		int r = st->ops->put(st, key, expect, str_sv(&json), &revision, err);

		free(key);
		if (r < 0)
			return r;
	}
	if (out)
		*out = rq->dry_run ? item_new(request_resource(rq), ns, name, revision, str_sv(&json)) :
				     written_item(rq, ns, name, revision, str_sv(&json));
	return 0;
}

int remove_object(const struct request *rq, const struct item *live, struct err *err)
{
	struct store *st = rq->api->store;
	char *key;
	int r;

	if (rq->dry_run)
		return 0;
	key = resource_key(live->resource, live->ns, live->name);
	r = st->ops->del(st, key, live->revision, NULL, err);
	free(key);
	fiber_signal_all(&rq->api->quota_changed);
	return r;
}

int lost_race(int r, struct err *err)
{
	if (r != -ERR_CONFLICT && r != -ERR_NOT_FOUND)
		return r;
	if (err)
		err_free(err);  /* nobody is to hear of it: the write is tried again */
	return 1;
}

static void give_up(const struct request *rq, const struct node *root, const struct node *before)
{
	const struct rules *rules = rules_of(rq->kind);

	if (rules->give_up)
		rules->give_up(rq, root, before);
}

/* ---- create ---- */

static bool generate_name(struct doc *d, struct node *meta)
{
	const char *prefix = node_str_or(meta, "generateName", "");
	char suffix[GENERATED + 1];

	if (*node_str_or(meta, "name", "") || !*prefix)
		return false;
	random_suffix(suffix, GENERATED);
	node_set(d, meta, "name", node_strf(d, "%.*s%s", GENERATED_PREFIX, prefix, suffix));
	return true;
}

/* The store, with the quotas knowing of it meanwhile. */
static int admit_and_store(const struct request *rq, const char *ns, const char *name, struct node *root,
			   struct item **out, struct err *err)
{
	struct creating self = { rq, root, rq->api->creating };
	struct creating **at = &rq->api->creating;
	int r;

	if (resource_find(request_resource(rq), ns, name))
		return -ERR_ALREADY_EXISTS;
	TRY(quota_admit(rq, root, err));
	rq->api->creating = &self;
	r = store_object(rq, ns, name, root, 0, 0, out, err);
	while (*at != &self)
		at = &(*at)->next;
	*at = self.next;
	fiber_signal_all(&rq->api->quota_changed);
	return r;
}

/* 1: the generated name is taken. */
static int try_create(const struct request *rq, const struct node *obj, struct item **out, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *root;
	char resource[192];

	TRY(canonical_object(rq, d, node_copy(d, obj), &root, err));
	struct node *meta = node_get(root, "metadata");
	bool generated = generate_name(d, meta);
	if (*rq->name && !str_eq(node_str_or(meta, "name", rq->name), rq->name))
		return err_set(err, ERR_BAD_REQUEST,
			       "the name of the object (%s) does not match the name on the URL (%s)",
			       node_str_or(meta, "name", ""), rq->name);
	TRY(prepare_create(rq, d, root, err));
	const char *name = node_str_or(meta, "name", ""), *ns = node_str_or(meta, "namespace", "");
	int r = admit_and_store(rq, ns, name, root, out, err);
	if (r < 0 || rq->dry_run)
		give_up(rq, root, NULL);
	if (r == -ERR_ALREADY_EXISTS)
		return generated ? 1
				 : err_set(err, ERR_ALREADY_EXISTS, "%s \"%s\" already exists",
					   kind_resource(rq->kind, resource), name);
	return r;
}

int verb_create(const struct request *rq, const struct node *obj, struct item **out, struct err *err)
{
	int r = 1;

	if (*rq->subresource)
		return subresource_create(rq, obj, out, err);
	if (rules_of(rq->kind)->ready)
		TRY(rules_of(rq->kind)->ready(rq, obj, err));
	for (int i = 0; i < NAME_TRIES && r == 1; i++)
		r = try_create(rq, obj, out, err);
	if (r == 1)
		return err_set(err, ERR_ALREADY_EXISTS,
			       "%s \"%s\" already exists, the server was not able to generate a unique name for "
			       "the object",
			       rq->kind->plural, node_str_or(obj, "metadata.generateName", ""));
	return r;
}

/* ---- read, change, write ---- */

static bool unchanged(struct doc *d, struct node *root, const struct object *live)
{
	node_put(d, root, "metadata.resourceVersion", node_strf(d, "%" PRId64, live->revision));
	return node_eq(root, live->root);
}

/* 1: another writer was faster. */
static int try_write(const struct request *rq, struct item *live, make_fn *make, void *arg, struct item **out,
		     struct err *err)
{
	AUTO_DOC d = doc_new();
	AUTO_OBJECT o = object_ref(item_object(live));  /* others are asked meanwhile, and the cache forgets */
	struct node *root;

	if (!o)
		return err_set(err, ERR_IO, "the stored %s \"%s\" does not parse", rq->kind->kind, live->name);
	TRY(make(arg, d, o->root, &root, err));
	TRY(canonical_object(rq, d, root, &root, err));
	TRY(prepare_update(rq, d, root, o, err));
	if (unchanged(d, root, o)) {
		if (out)
			*out = item_ref(live);
		return 0;
	}
	int r = object_finished(rq->kind, root) ? remove_object(rq, live, err) :
		store_object(rq, live->ns, live->name, root, live->revision, live->revision, out, err);
	if (r < 0 || rq->dry_run)
		give_up(rq, root, o->root);
	if (!r && out && !*out)
		*out = item_ref(live);
	return lost_race(r, err);
}

int write_object(const struct request *rq, make_fn *make, void *arg, struct item **out, struct err *err)
{
	int r = 1;

	for (int i = 0; i < RACES_MAX && r == 1; i++) {
		struct item *now = resource_find(request_resource(rq), rq->ns, rq->name);
		AUTO_ITEM live = now ? item_ref(now) : NULL;

		if (out)
			*out = NULL;
		r = live ? try_write(rq, live, make, arg, out, err) : not_found(rq->kind, rq->name, err);
	}
	return r == 1 ? modified(rq->kind, rq->name, err) : r;
}

/* ---- update ---- */

static int make_copy(void *arg, struct doc *d, const struct node *live, struct node **out, struct err *err)
{
	(void)live;
	(void)err;
	*out = node_copy(d, arg);
	return 0;
}

int verb_update(const struct request *rq, const struct node *obj, struct item **out, struct err *err)
{
	if (!strcmp(rq->subresource, "scale"))
		return scale_write(rq, make_copy, (void *)obj, out, err);
	return write_object(rq, make_copy, (void *)obj, out, err);
}

/* ---- patch ---- */

struct patch_job { const struct request *rq; enum patch_type type; const struct node *patch; };

static int make_patched(void *arg, struct doc *d, const struct node *live, struct node **out, struct err *err)
{
	const struct patch_job *p = arg;

	switch (p->type) {
	case PATCH_JSON:
		return patch_json(d, live, p->patch, out, err);
	case PATCH_MERGE:
		*out = patch_merge(d, live, p->patch);
		return 0;
	case PATCH_STRATEGIC:
		return patch_strategic(d, live, p->patch, p->rq->kind->type, out, err);
	default:
		return err_set(err, ERR_UNSUPPORTED, "this kind of patch is not offered for %s", p->rq->kind->plural);
	}
}

int verb_patch(const struct request *rq, enum patch_type type, const struct node *patch, struct item **out,
	       struct err *err)
{
	struct patch_job job = { rq, type, patch };

	if (type == PATCH_APPLY)
		return verb_apply(rq, patch, out, err);
	if (!strcmp(rq->subresource, "scale"))
		return scale_write(rq, make_patched, &job, out, err);
	return write_object(rq, make_patched, &job, out, err);
}

#include "orchestrator/controllers/revisions.h"

#include "base/vec.h"
#include "orchestrator/controllers/claim.h"
#include "orchestrator/controllers/family.h"

#include <stdlib.h>

const char *revision_hash(const struct object *revision)
{
	const char *hash = meta_label(revision->root, REVISION_HASH);

	return hash ? hash : "";
}

const struct node *revision_template(const struct object *revision)
{
	return node_at(revision->root, "data.spec.template");
}

static int64_t number(const struct object *revision) { return node_int_at(revision->root, "revision", 0); }

static int by_number(const void *a, const void *b)
{
	int64_t x = number(*(struct object *const *)a), y = number(*(struct object *const *)b);

	return x < y ? -1 : x > y;
}

struct object *template_revisions_named(const struct template_revisions *r, const char *name)
{
	for (size_t i = 0; i < r->all.n; i++)
		if (str_eq(r->all.v[i]->name, name))
			return r->all.v[i];
	return NULL;
}

void template_revisions_free(struct template_revisions *r)
{
	object_drop(&r->owner);
	object_list_free(&r->all);
}

/* The data of a revision: a patch that makes the owner's template what it was. */
static struct node *data_of(struct doc *d, const struct object *owner)
{
	struct node *data = node_map(d), *template = node_copy(d, node_at(owner->root, "spec.template"));

	node_set(d, template, "$patch", node_str(d, "replace"));
	node_put(d, data, "spec.template", template);
	return data;
}

static int64_t next_number(const struct template_revisions *r)
{
	return r->all.n ? number(r->all.v[r->all.n - 1]) + 1 : 1;
}

static int create(struct template_revisions *r, struct err *err)
{
	const struct kind *k = informer_kind(r->informer);
	const struct node *labels = node_at(r->owner->root, "spec.selector.matchLabels");
	AUTO_DOC d = doc_new();
	struct object *made = NULL;
	struct node *root;
	char hash[16];

	family_hash(node_at(r->owner->root, "spec.template"), NULL, hash);
	root = object_start(d, k, r->owner->ns, NULL);
	node_put(d, root, "metadata.name", node_strf(d, "%s-%s", r->owner->name, hash));
	if (labels)
		node_put(d, root, "metadata.labels", node_copy(d, labels));
	meta_set_label(d, root, REVISION_HASH, hash);
	meta_add_owner(d, root, r->owner);
	node_set(d, root, "data", data_of(d, r->owner));
	node_set(d, root, "revision", node_int(d, next_number(r)));
	TRY(client_create(controller_client(r->c), k, root, NULL, &made, err));
	vec_push(&r->all, made);
	r->update = made;
	return informer_wait_seen(r->informer, made->revision, err);
}

static int set_number(struct doc *d, struct node *root, void *arg, struct err *err)
{
	(void)err;
	node_set(d, root, "revision", node_int(d, *(int64_t *)arg));
	return 1;
}

/* An old version that is wanted again is the newest one from now on. */
static int renew(struct template_revisions *r, size_t at, struct err *err)
{
	struct object *o = r->all.v[at], *now = NULL;
	int64_t next = next_number(r);

	if (at + 1 < r->all.n) {
		TRY(client_modify(controller_client(r->c), o->kind, o->ns, o->name, NULL, set_number, &next, &now,
				  err));
		object_drop(&r->all.v[at]);
		r->all.v[at] = now;
		qsort(r->all.v, r->all.n, sizeof *r->all.v, by_number);
		TRY(informer_wait_seen(r->informer, now->revision, err));
	}
	r->update = r->all.v[r->all.n - 1];
	return 0;
}

int template_revisions_read(struct template_revisions *r, struct controller *c, struct informer *informer,
			    struct object *owner, struct err *err)
{
	AUTO_DOC d = doc_new();
	const struct node *data = data_of(d, owner);

	*r = (struct template_revisions){ .c = c, .informer = informer, .owner = object_ref(owner) };
	TRY(claim_objects(c, informer, owner, &r->all, err));
	if (r->all.n)
		qsort(r->all.v, r->all.n, sizeof *r->all.v, by_number);
	for (size_t i = 0; i < r->all.n; i++)
		if (node_eq(node_get(r->all.v[i]->root, "data"), data))
			return renew(r, i, err);
	return create(r, err);
}

bool revision_has_pods(const struct object *revision, const struct object_list *pods)
{
	for (size_t i = 0; i < pods->n; i++)
		if (str_eq(meta_label(pods->v[i]->root, REVISION_HASH), revision_hash(revision)))
			return true;
	return false;
}

int template_revisions_trim(struct template_revisions *r, int64_t limit,
			    bool (*used)(const struct object *revision, void *arg), void *arg, struct err *err)
{
	int64_t idle = 0;

	for (size_t i = r->all.n; i-- > 0;) {
		const struct object *o = r->all.v[i];
		const struct delete_opts opts = { .grace_seconds = -1, .uid = o->uid };

		if (o == r->update || used(o, arg) || ++idle <= limit)
			continue;
		int result = client_delete(controller_client(r->c), o->kind, o->ns, o->name, &opts, err);

		if (result < 0 && result != -ERR_NOT_FOUND)
			return result;
	}
	return 0;
}

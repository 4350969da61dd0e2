#include "orchestrator/controllers/family.h"

#include "base/fnv.h"
#include "base/json.h"
#include "base/vec.h"
#include "orchestrator/controllers/claim.h"

#include <stdio.h>
#include <stdlib.h>

#define HISTORY_BYTES 2000      /* of the annotation that lists a set's earlier revisions */

int64_t set_replicas(const struct object *set) { return node_int_at(set->root, "spec.replicas", 1); }

int64_t set_count(const struct object *set, const char *field)
{
	return node_int_at(node_get(set->root, "status"), field, 0);
}

/* ---- reading ---- */

int family_read(struct family *f, struct controller *c, struct informer *informer, const struct family_names *names,
		struct object *owner, struct err *err)
{
	*f = (struct family){ .c = c, .informer = informer, .names = names, .owner = object_ref(owner) };
	return claim_objects(c, informer, owner, &f->sets, err);
}

void family_free(struct family *f)
{
	object_drop(&f->owner);
	object_list_free(&f->sets);
}

int family_settle(struct family *f, struct err *err) { return informer_wait_seen(f->informer, f->seen, err); }

void family_hash(const struct node *template, const int64_t *collisions, char out[static 16])
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	AUTO(str) text = { 0 };
	uint32_t h;

	json_write(&text, template, JSON_SORTED);
	h = fnv32(FNV32_START, str_sv(&text));
	if (collisions) {
		unsigned char bytes[8];

		for (int i = 0; i < 8; i++)
			bytes[i] = (unsigned char)((uint64_t)*collisions >> (8 * i));
		h = fnv32(h, (struct sv){ (const char *)bytes, sizeof bytes });
	}
	snprintf(out, 16, "%u", h);
	for (char *p = out; *p; p++)
		*p = alphabet[(unsigned char)*p % (sizeof alphabet - 1)];
}

static void del_if_empty(struct node *map, const char *key)
{
	if (node_get(map, key) && !node_n(node_get(map, key)))
		(void)node_del(map, key);
}

/* The template without what the family adds. */
static struct node *bare(const struct family *f, struct doc *d, const struct node *template)
{
	struct node *copy = node_copy(d, template), *meta = node_get(copy, "metadata");

	if (f->names->injected)
		family_strip(meta, f->names->injected);
	(void)node_del(node_get(meta, "labels"), f->names->hash_label);
	del_if_empty(meta, "labels");
	del_if_empty(meta, "annotations");
	return copy;
}

static bool same_template(const struct family *f, const struct node *a, const struct node *b)
{
	AUTO_DOC d = doc_new();

	return node_eq(bare(f, d, a), bare(f, d, b));
}

size_t family_match(const struct family *f, const struct node *template)
{
	for (size_t i = 0; i < f->sets.n; i++)
		if (same_template(f, node_at(f->sets.v[i]->root, "spec.template"), template))
			return i;
	return FAMILY_NONE;
}

size_t family_find(const struct family *f, const char *hash)
{
	for (size_t i = 0; hash && i < f->sets.n; i++)
		if (str_eq(meta_label(f->sets.v[i]->root, f->names->hash_label), hash))
			return i;
	return FAMILY_NONE;
}

const char *family_hash_of(const struct family *f, size_t at)
{
	return at < f->sets.n ? meta_label(f->sets.v[at]->root, f->names->hash_label) : NULL;
}

static int64_t number(const char *text)
{
	int64_t n = 0;

	return text && sv_to_i64(sv_c(text), &n) ? n : 0;
}

int64_t family_revision(const struct family *f, const struct object *set)
{
	return number(meta_annotation(set->root, f->names->revision));
}

int64_t family_next_revision(const struct family *f, size_t current)
{
	int64_t most = 0;

	for (size_t i = 0; i < f->sets.n; i++)
		if (i != current && family_revision(f, f->sets.v[i]) > most)
			most = family_revision(f, f->sets.v[i]);
	return most + 1;
}

/* ---- annotations ---- */

static void set_number(struct doc *d, struct node *root, const char *annotation, int64_t n)
{
	AUTO(str) text = { 0 };

	str_addf(&text, "%lld", (long long)n);
	meta_set_annotation(d, root, annotation, str_c(&text));
}

/* The owner's own annotations, but for the ones that speak of the owner itself. */
static bool is_inherited(const struct family *f, const char *key)
{
	const char *const not[] = { "kubectl.kubernetes.io/last-applied-configuration", f->names->revision, f->names->history,
		f->names->desired, f->names->most };

	for (size_t i = 0; i < sizeof not / sizeof *not; i++)
		if (!strcmp(key, not[i]))
			return false;
	return true;
}

/* A set that serves again keeps the numbers it had: "1,4". The oldest go when the list gets too long. */
static void add_history(const struct family *f, struct doc *d, struct node *root, int64_t revision)
{
	AUTO(str) list = { 0 };
	const char *text;

	str_addc(&list, meta_annotation(root, f->names->history));
	str_addf(&list, "%s%lld", list.n ? "," : "", (long long)revision);
	text = str_c(&list);
	while (strlen(text) > HISTORY_BYTES && strchr(text, ','))
		text = strchr(text, ',') + 1;
	meta_set_annotation(d, root, f->names->history, text);
}

static void annotate(const struct family *f, struct doc *d, struct node *root, int64_t revision)
{
	const struct node *from = node_at(f->owner->root, "metadata.annotations");
	int64_t old = number(meta_annotation(root, f->names->revision));
	struct member *m;

	node_members(m, from)
		if (is_inherited(f, m->key) && node_text(m->value))
			meta_set_annotation(d, root, m->key, node_text(m->value));
	if (old >= revision)
		return;
	if (old)
		add_history(f, d, root, old);
	set_number(d, root, f->names->revision, revision);
}

/* ---- metadata for a time ---- */

static const char *const groups[] = { "labels", "annotations" };

void family_strip(struct node *meta, const char *annotation)
{
	struct node *annotations = node_get(meta, "annotations");
	const char *text = node_text(node_get(annotations, annotation));
	AUTO_DOC listed = NULL;
	struct member *m;

	if (!text || json_read(sv_c(text), "annotation", 0, &listed, NULL) < 0)
		return;
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		node_members(m, node_get(doc_root(listed), groups[i]))
			(void)node_del(node_get(meta, groups[i]), m->key);
	(void)node_del(annotations, annotation);
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		del_if_empty(meta, groups[i]);
}

void family_inject(struct doc *d, struct node *parent, const char *annotation, const struct node *wanted)
{
	struct node *meta = node_map_at(d, parent, "metadata"), *listed = node_map(d);
	AUTO(str) text = { 0 };
	struct member *m;

	family_strip(meta, annotation);
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		node_members(m, node_get(wanted, groups[i])) {
			if (node_get(node_get(meta, groups[i]), m->key))
				continue;
			node_set(d, node_map_at(d, meta, groups[i]), m->key, node_copy(d, m->value));
			node_set(d, node_map_at(d, listed, groups[i]), m->key, node_copy(d, m->value));
		}
	if (!node_n(listed))
		return;
	json_write(&text, listed, JSON_SORTED);
	node_set(d, node_map_at(d, meta, "annotations"), annotation, node_str(d, str_c(&text)));
}

/* ---- writing ---- */

static void replace(struct family *f, size_t at, struct object *take)
{
	object_drop(&f->sets.v[at]);
	f->sets.v[at] = take;
	if (take->revision > f->seen)
		f->seen = take->revision;
}

struct edit { const struct family *family; int64_t revision; const struct family_size *size; };

int family_modify(struct family *f, size_t at, int (*change)(struct doc *, struct node *, void *, struct err *),
		  void *arg, struct err *err)
{
	const struct object *set = f->sets.v[at];
	struct object *now = NULL;

	TRY(client_modify(controller_client(f->c), set->kind, set->ns, set->name, NULL, change, arg, &now, err));
	replace(f, at, now);
	return 0;
}

static struct doc *build(const struct family *f, const struct node *template, const char *hash,
			 const struct family_size *size)
{
	const struct node *min_ready = node_at(f->owner->root, "spec.minReadySeconds"),
			  *labels = node_at(template, "metadata.labels");
	struct doc *d = doc_new();
	struct node *root = object_start(d, informer_kind(f->informer), f->owner->ns, NULL), *pod;

	doc_set_root(d, root);
	node_put(d, root, "metadata.name", node_strf(d, "%s-%s", f->owner->name, hash));
	if (labels)
		node_put(d, root, "metadata.labels", node_copy(d, labels));
	meta_set_label(d, root, f->names->hash_label, hash);
	annotate(f, d, root, family_next_revision(f, FAMILY_NONE));
	set_number(d, root, f->names->desired, size->desired);
	set_number(d, root, f->names->most, size->most);
	meta_add_owner(d, root, f->owner);
	node_put(d, root, "spec.replicas", node_int(d, size->replicas));
	if (min_ready)
		node_put(d, root, "spec.minReadySeconds", node_copy(d, min_ready));
	node_put(d, root, "spec.selector", node_copy(d, node_at(f->owner->root, "spec.selector")));
	node_set(d, node_map_at(d, root, "spec.selector.matchLabels"), f->names->hash_label, node_str(d, hash));
	pod = node_copy(d, template);
	meta_set_label(d, pod, f->names->hash_label, hash);
	node_put(d, root, "spec.template", pod);
	return d;
}

/* The set that has the name already: ours, when an earlier pass made it and the copy did not know. */
static int take_existing(struct family *f, const struct node *template, const char *name, struct object **out,
			 struct err *err)
{
	AUTO_OBJECT found = NULL;

	TRY(client_get(controller_client(f->c), informer_kind(f->informer), f->owner->ns, name, &found, err));
	if (!str_eq(node_str_at(meta_owner(found->root), "uid"), f->owner->uid)
	    || !same_template(f, node_at(found->root, "spec.template"), template))
		return err_set(err, ERR_ALREADY_EXISTS,
			       "replicasets.apps \"%s\" exists and is not the one for this template", name);
	*out = TAKE(found);
	return 0;
}

static void tell_scaled(struct family *f, const struct object *set, int64_t before)
{
	int64_t now = set_replicas(set);

	controller_event(f->c, f->owner, "Normal", "ScalingReplicaSet", "Scaled %s replica set %s from %lld to %lld",
			 now > before ? "up" : "down", set->name, (long long)before, (long long)now);
}

int family_create(struct family *f, const struct node *template, const int64_t *collisions,
		  const struct family_size *size, size_t *at, struct err *err)
{
	struct object *made = NULL;
	AUTO_DOC d = NULL;
	char hash[16];
	int r;

	family_hash(template, collisions, hash);
	d = build(f, template, hash, size);
	r = client_create(controller_client(f->c), informer_kind(f->informer), doc_root(d), NULL, &made, err);
	if (r == -ERR_ALREADY_EXISTS)
		r = take_existing(f, template, node_str_or(doc_root(d), "metadata.name", ""), &made, err);
	if (r < 0)
		return r;
	*at = f->sets.n;
	vec_push(&f->sets, NULL);
	replace(f, *at, made);
	if (size->replicas)
		tell_scaled(f, made, 0);
	return 0;
}

static int renew(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct edit *e = arg;
	AUTO_DOC before = doc_of(root);
	const struct node *min_ready = node_at(e->family->owner->root, "spec.minReadySeconds");

	(void)err;
	annotate(e->family, d, root, e->revision);
	if (min_ready)
		node_put(d, root, "spec.minReadySeconds", node_copy(d, min_ready));
	return !node_eq(root, doc_root(before));
}

int family_renew(struct family *f, size_t at, int64_t revision, struct err *err)
{
	struct edit e = { .family = f, .revision = revision };
	AUTO_DOC trial = doc_of(f->sets.v[at]->root);

	if (!renew(trial, doc_root(trial), &e, NULL))
		return 0;       /* as almost always: no call at all */
	return family_modify(f, at, renew, &e, err);
}

static int scale(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct edit *e = arg;
	AUTO_DOC before = doc_of(root);

	(void)err;
	node_put(d, root, "spec.replicas", node_int(d, e->size->replicas));
	set_number(d, root, e->family->names->desired, e->size->desired);
	set_number(d, root, e->family->names->most, e->size->most);
	return !node_eq(root, doc_root(before));
}

int family_scale(struct family *f, size_t at, const struct family_size *size, struct err *err)
{
	struct edit e = { .family = f, .size = size };
	AUTO_DOC trial = doc_of(f->sets.v[at]->root);
	int64_t before = set_replicas(f->sets.v[at]);

	if (!scale(trial, doc_root(trial), &e, NULL))
		return 0;
	TRY(family_modify(f, at, scale, &e, err));
	if (set_replicas(f->sets.v[at]) != before)
		tell_scaled(f, f->sets.v[at], before);
	return 0;
}

struct note { const char *key, *value; };

static int annotate_one(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct note *n = arg;

	(void)err;
	if (str_eq(meta_annotation(root, n->key), n->value))
		return 0;
	if (n->value)
		meta_set_annotation(d, root, n->key, n->value);
	else
		(void)node_del(node_at(root, "metadata.annotations"), n->key);
	return 1;
}

int family_annotate(struct family *f, size_t at, const char *key, const char *value, struct err *err)
{
	struct note n = { key, value };

	if (str_eq(meta_annotation(f->sets.v[at]->root, key), value))
		return 0;
	return family_modify(f, at, annotate_one, &n, err);
}

int family_mark_owner(struct family *f, size_t current, struct object **owner, struct err *err)
{
	struct object *o = *owner, *now = NULL;
	struct note n = { f->names->revision, meta_annotation(f->sets.v[current]->root, f->names->revision) };

	if (!n.value || str_eq(meta_annotation(o->root, n.key), n.value))
		return 0;
	TRY(client_modify(controller_client(f->c), o->kind, o->ns, o->name, NULL, annotate_one, &n, &now, err));
	object_drop(owner);
	*owner = now;
	return 0;
}

/* ---- history ---- */

static bool is_idle(const struct object *set)
{
	return !set_replicas(set) && !set_count(set, "replicas") && !meta_deleting(set->root)
	       && set_count(set, "observedGeneration") >= node_int_at(set->root, "metadata.generation", 0);
}

/* The idle set with the lowest revision; n: there is none. *count: how many sets count as history. */
static size_t oldest(const struct family *f, size_t keep, int64_t *count)
{
	size_t best = f->sets.n;

	*count = 0;
	for (size_t i = 0; i < f->sets.n; i++) {
		const struct object *set = f->sets.v[i];

		if (i == keep || meta_deleting(set->root))
			continue;
		++*count;
		if (is_idle(set) &&
		    (best == f->sets.n || family_revision(f, set) < family_revision(f, f->sets.v[best])))
			best = i;
	}
	return best;
}

int family_trim(struct family *f, size_t keep, int64_t limit, struct err *err)
{
	for (;;) {
		int64_t count;
		size_t at = oldest(f, keep, &count);

		if (count <= limit || at == f->sets.n)
			return 0;
		struct object *set = f->sets.v[at];
		const struct delete_opts o = { .grace_seconds = -1, .uid = set->uid };
		int r = client_delete(controller_client(f->c), set->kind, set->ns, set->name, &o, err);

		if (r < 0 && r != -ERR_NOT_FOUND)
			return r;
		TRY(informer_wait_gone(f->informer, set->uid, err));
		object_drop(&f->sets.v[at]);
		memmove(f->sets.v + at, f->sets.v + at + 1, (f->sets.n - at - 1) * sizeof *f->sets.v);
		f->sets.n--;
		if (keep != FAMILY_NONE && keep > at)
			keep--;
	}
}

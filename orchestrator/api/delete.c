#include "orchestrator/api/admission-internal.h"

#include <string.h>

static const char foreground[] = "foregroundDeletion", orphan[] = "orphan";

/* ---- the marks of a deletion ---- */

void begin_deletion(struct doc *d, struct node *root, int64_t grace_seconds)
{
	struct node *meta = node_get(root, "metadata");
	int64_t generation = node_int_at(meta, "generation", 0);
	char text[32];

	time_format(clock_ms() + grace_seconds * 1000, text);
	node_set(d, meta, "deletionTimestamp", node_str(d, text));
	node_set(d, meta, "deletionGracePeriodSeconds", node_int(d, grace_seconds));
	if (generation)
		node_set(d, meta, "generation", node_int(d, generation + 1));
}

static bool has_finalizer(const struct node *meta, const char *name)
{
	const struct node *it;

	node_each(it, node_get(meta, "finalizers"))
		if (str_eq(node_text(it), name))
			return true;
	return false;
}

/* What the garbage collector is to do with dependents is a finalizer: it removes it when that is done. */
static void set_propagation(struct doc *d, struct node *root, const char *propagation)
{
	struct node *meta = node_get(root, "metadata");
	const char *want = str_eq(propagation, "Foreground") ? foreground :
			   str_eq(propagation, "Orphan") ? orphan : NULL;
	struct node *finalizers = node_get(meta, "finalizers");

	if (!propagation)
		return;
	for (size_t i = node_n(finalizers); i-- > 0;) {
		const char *text = node_text(finalizers->items[i]);

		if (!str_eq(text, want) && (str_eq(text, foreground) || str_eq(text, orphan)))
			node_remove(finalizers, i);
	}
	if (want && !has_finalizer(meta, want))
		node_add(d, node_seq_at(d, meta, "finalizers"), node_str(d, want));
}

/* ---- one object ---- */

static int check_preconditions(const struct request *rq, const struct object *live, const struct deletion *how,
			       struct err *err)
{
	char resource[192];

	if (how->uid && strcmp(how->uid, live->uid))
		return err_set(
			err, ERR_CONFLICT,
			"Operation cannot be fulfilled on %s \"%s\": the UID in the precondition (%s) does not match "
			"the UID in record (%s). The object might have been deleted and then recreated",
			kind_resource(rq->kind, resource), live->name, how->uid, live->uid);
	if (how->revision && how->revision != live->revision)
		return modified(rq->kind, live->name, err);
	if (how->propagation && strcmp(how->propagation, "Background") && strcmp(how->propagation, "Foreground") &&
	    strcmp(how->propagation, "Orphan"))
		return err_set(
			err, ERR_INVALID,
			"DeleteOptions is invalid: propagationPolicy: Unsupported value: \"%s\": supported values: "
			"\"Background\", \"Foreground\", \"Orphan\"",
			how->propagation);
	return 0;
}

static int64_t grace_of(const struct request *rq, const struct object *live, const struct deletion *how)
{
	const struct rules *rules = rules_of(rq->kind);

	return rules->grace ? rules->grace(live->root, how->grace_seconds) : 0;
}

/* True: it stays for a while, and root says so; false: it can go at once. */
static bool mark(const struct request *rq, const struct object *live, const struct deletion *how, struct doc *d,
		 struct node *root)
{
	int64_t grace = grace_of(rq, live, how), left = node_int_at(root, "metadata.deletionGracePeriodSeconds", 0);

	set_propagation(d, root, how->propagation);
	bool held = node_n(node_at(root, "metadata.finalizers")) ||
		    (rules_of(rq->kind)->finalize_in_spec && node_n(node_at(root, "spec.finalizers")));
	if (!held && grace <= 0)
		return false;
	if (!meta_deleting(root) || grace < left)
		begin_deletion(d, root, grace);
	if (rules_of(rq->kind)->finalize_in_spec)
		node_put(d, root, "status.phase", node_str(d, "Terminating"));
	return true;
}

/* 1: another writer was faster. */
static int try_delete(const struct request *rq, struct item *live, const struct deletion *how, struct item **out,
		      struct err *err)
{
	AUTO_DOC d = doc_new();
	AUTO_OBJECT o = object_ref(item_object(live));  /* others are asked meanwhile, and the cache forgets */
	struct node *root = o ? node_copy(d, o->root) : NULL;
	int r;

	if (o) {
		TRY(check_preconditions(rq, o, how, err));
		TRY(admission_delete(rq, o->root, err));
		if (mark(rq, o, how, d, root)) {
			if (node_eq(root, o->root)) {
				*out = item_ref(live);
				return 0;
			}
			r = store_object(rq, live->ns, live->name, root, live->revision, live->revision, out, err);
			return lost_race(r, err);
		}
	}
	r = remove_object(rq, live, err);
	return lost_race(r, err);
}

int verb_delete(const struct request *rq, const struct deletion *how, struct item **out, struct item **last,
		struct err *err)
{
	const struct rules *rules = rules_of(rq->kind);
	int r = 1;

	if (rules->check_delete)
		TRY(rules->check_delete(rq, err));
	while (r == 1) {
		struct item *now = resource_find(request_resource(rq), rq->ns, rq->name);
		AUTO_ITEM live = now ? item_ref(now) : NULL;

		if (!live)
			return not_found(rq->kind, rq->name, err);
		*out = NULL;
		r = try_delete(rq, live, how, out, err);
		if (!r && last)
			*last = TAKE(live);
	}
	return r;
}

/* ---- many ---- */

int verb_delete_collection(const struct request *rq, const struct list_query *q, const struct deletion *how,
			   struct list_result *out, struct err *err)
{
	TRY(verb_list(rq, q, out, err));
	for (size_t i = 0; i < out->items.n; i++) {
		struct request one = *rq;
		AUTO_ITEM left = NULL;

		one.ns = out->items.v[i]->ns;
		one.name = out->items.v[i]->name;
		int r = verb_delete(&one, how, &left, NULL, err);
		if (r < 0 && r != -ERR_NOT_FOUND)
			return r;
		if (left) {
			item_drop(&out->items.v[i]);
			out->items.v[i] = TAKE(left);
		}
	}
	return 0;
}

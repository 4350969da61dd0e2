#include "orchestrator/api/admission-internal.h"
#include "orchestrator/api/custom-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* ---- the parts of metadata that are the server's ---- */

static void random_bytes(unsigned char *out, size_t n)
{
	if (getrandom(out, n, 0) != (ssize_t)n)
		abort();        /* never for so few bytes, once the kernel has started */
}

void random_suffix(char *out, size_t n)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";    /* no vowels, and none of 0 1 3 */
	unsigned char bytes[16];

	random_bytes(bytes, sizeof bytes);
	for (size_t i = 0; i < n && i < sizeof bytes; i++)
		out[i] = letters[bytes[i] % (sizeof letters - 1)];
	out[n] = '\0';
}

struct node *random_uid(struct doc *d)
{
	unsigned char b[16];

	random_bytes(b, sizeof b);
	b[6] = (b[6] & 0x0f) | 0x40;    /* RFC 4122, version 4 */
	b[8] = (b[8] & 0x3f) | 0x80;
	return node_strf(d, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
			 b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static struct node *now(struct doc *d)
{
	char text[32];

	time_format(clock_ms(), text);
	return node_str(d, text);
}

/* Takes a member of the live object's metadata over, or removes it. */
static void keep(struct doc *d, struct node *meta, const struct node *live_meta, const char *name)
{
	const struct node *was = node_get(live_meta, name);

	if (was)
		node_set(d, meta, name, node_copy(d, was));
	else
		(void)node_del(meta, name);
}

static void set_or_remove(struct doc *d, struct node *root, const char *name, const struct node *value)
{
	if (value)
		node_set(d, root, name, node_copy(d, value));
	else
		(void)node_del(root, name);
}

static int check_type(const struct request *rq, const struct node *root, struct err *err)
{
	const char *api_version = node_str_at(root, "apiVersion"), *kind = node_str_at(root, "kind");
	char want[128];

	kind_api_version(rq->kind, want);
	if (!node_is(root, NODE_MAP))
		return err_set(err, ERR_BAD_REQUEST, "the body is not an object");
	if ((kind && strcmp(kind, rq->kind->kind)) || (api_version && strcmp(api_version, want)))
		return err_set(err, ERR_BAD_REQUEST,
			       "the object provided is unrecognized (must be of type %s): %s, Kind=%s is not %s, "
			       "Kind=%s",
			       rq->kind->kind, api_version ? api_version : "", kind ? kind : "", want, rq->kind->kind);
	return 0;
}

int canonical_object(const struct request *rq, struct doc *d, struct node *root, struct node **result, struct err *err)
{
	struct node *out = node_map(d), *meta = node_get(root, "metadata");
	char version[128];
	struct member *m;

	TRY(check_type(rq, root, err));
	*result = out;
	node_set(d, out, "kind", node_str(d, rq->kind->kind));
	node_set(d, out, "apiVersion", node_str(d, kind_api_version(rq->kind, version)));
	node_set(d, out, "metadata", node_is(meta, NODE_MAP) ? meta : node_map(d));
	node_members(m, root) {
		struct sv key = { m->key, m->key_n };

		if (!sv_eq_c(key, "kind") && !sv_eq_c(key, "apiVersion") && !sv_eq_c(key, "metadata"))
			node_setn(d, out, key, m->value);
	}
	return 0;
}

bool object_finished(const struct kind *k, const struct node *root)
{
	const struct node *meta = node_get(root, "metadata");

	if (rules_of(k)->finalize_in_spec && node_n(node_at(root, "spec.finalizers")))
		return false;
	return meta_deleting(root) && !node_n(node_get(meta, "finalizers")) &&
	       node_int_at(meta, "deletionGracePeriodSeconds", 0) <= 0;
}

/* ---- checks of names against the request ---- */

static int check_namespace(const struct request *rq, struct doc *d, struct node *meta, struct err *err)
{
	const char *ns = node_str_or(meta, "namespace", "");

	if (!rq->kind->namespaced) {
		(void)node_del(meta, "namespace");
		return 0;
	}
	if (*ns && strcmp(ns, rq->ns))
		return err_set(err, ERR_BAD_REQUEST,
			       "the namespace of the provided object does not match the namespace sent on the "
			       "request");
	node_set(d, meta, "namespace", node_str(d, rq->ns));
	return 0;
}

static int check_name(const struct request *rq, const struct node *meta, struct err *err)
{
	const char *name = node_str_or(meta, "name", "");

	if (*name && strcmp(name, rq->name))
		return err_set(err, ERR_BAD_REQUEST,
			       "the name of the object (%s) does not match the name on the URL (%s)", name, rq->name);
	return 0;
}

/* ---- the namespace that it goes into ---- */

static int check_namespace_lives(const struct request *rq, const char *name, struct err *err)
{
	const struct kind *k = kinds_find(rq->api->kinds, "v1", "Namespace");
	char resource[192];

	if (!rq->kind->namespaced || !k)
		return 0;
	struct item *i = resource_find(cache_resource(&rq->api->cache, k), "", rq->ns);
	struct object *o = i ? item_object(i) : NULL;
	if (!o)
		return not_found(k, rq->ns, err);
	if (!meta_deleting(o->root))
		return 0;
	int r = err_set(err, ERR_FORBIDDEN,
			"%s \"%s\" is forbidden: unable to create new content in namespace %s because it is being "
			"terminated",
			kind_resource(rq->kind, resource), name, rq->ns);
	err_cause(err, "metadata.namespace", "NamespaceTerminating", "namespace %s is being terminated", rq->ns);
	return r;
}

/* ---- create ---- */

static void start_metadata(const struct request *rq, struct doc *d, struct node *meta)
{
	static const char *const servers_own[] = { "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds",
						   "generation", "resourceVersion" };

	for (size_t i = 0; i < sizeof servers_own / sizeof *servers_own; i++)
		(void)node_del(meta, servers_own[i]);
	if (!rq->applies)
		(void)node_del(meta, "managedFields");
	node_set(d, meta, "uid", random_uid(d));
	node_set(d, meta, "creationTimestamp", now(d));
}

static int check_create(const struct request *rq, struct doc *d, struct node *meta, struct err *err)
{
	TRY(check_namespace(rq, d, meta, err));
	if (*node_str_or(meta, "resourceVersion", ""))
		return err_set(err, ERR_BAD_REQUEST, "resourceVersion should not be set on objects to be created");
	return check_namespace_lives(rq, node_str_or(meta, "name", ""), err);
}

static int prune_and_default(const struct request *rq, struct doc *d, struct node *root, enum schema_unknown unknown,
			     struct err *err)
{
	const struct custom *custom = custom_of(rq->api, rq->kind);

	TRY(custom ? custom_prune(root, custom, unknown, rq->warnings, err) :
	    schema_prune(root, rq->kind, unknown, rq->warnings, err));
	schema_default(d, root, rq->kind);
	if (custom)
		custom_default(d, root, custom);
	return 0;
}

/* What others make of it, and whether they let it through. A custom kind may be another one after they were asked. */
static int admit(const struct request *rq, struct doc *d, struct node *root, const struct node *before, struct err *err)
{
	struct admission a = { .rq = rq, .d = d, .root = root, .before = before, .operation = before ? "UPDATE" : "CREATE" };
	const struct custom *custom;
	bool changed = false;

	TRY(admission_mutate(&a, &changed, err));
	if (changed)
		TRY(prune_and_default(rq, d, root, UNKNOWN_IGNORE, err));
	if (!before && rules_of(rq->kind)->settle)
		rules_of(rq->kind)->settle(d, root);
	TRY(schema_validate(root, before, rq->kind, err));
	if ((custom = custom_of(rq->api, rq->kind)))
		TRY(custom_validate(root, before, custom, rq->warnings, err));
	return admission_validate(&a, err);
}

static int run_rules(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		     struct err *err)
{
	const struct rules *rules = rules_of(rq->kind);

	TRY(prune_and_default(rq, d, root, rq->unknown, err));
	if (rules->prepare)
		TRY(rules->prepare(rq, d, root, before, err));
	int r = admit(rq, d, root, before, err);
	if (r < 0 && rules->give_up)
		rules->give_up(rq, root, before);
	return r;
}

int prepare_create(const struct request *rq, struct doc *d, struct node *root, struct err *err)
{
	struct node *meta = node_get(root, "metadata");

	TRY(check_create(rq, d, meta, err));
	start_metadata(rq, d, meta);
	if (kind_has_generation(rq->kind))
		node_set(d, meta, "generation", node_int(d, 1));
	if (rq->kind->subresources & SUB_STATUS)
		(void)node_del(root, "status");
	return run_rules(rq, d, root, NULL, err);
}

/* ---- update ---- */

static int check_version(const struct request *rq, const struct node *meta, const struct object *live, struct err *err)
{
	const char *version = node_str_or(meta, "resourceVersion", ""), *uid = node_str_or(meta, "uid", "");
	char resource[192];
	int64_t want;

	if (*uid && strcmp(uid, live->uid))
		return err_set(
			err, ERR_CONFLICT,
			"Operation cannot be fulfilled on %s \"%s\": Precondition failed: UID in precondition: %s, "
			"UID in object meta: %s",
			kind_resource(rq->kind, resource), rq->name, uid, live->uid);
	if (!*version || !strcmp(version, "0"))
		return 0;
	if (!sv_to_i64(sv_c(version), &want))
		return err_set(err, ERR_BAD_REQUEST, "metadata.resourceVersion: Invalid value: \"%s\"", version);
	return want == live->revision ? 0 : modified(rq->kind, rq->name, err);
}

static void keep_metadata(const struct request *rq, struct doc *d, struct node *meta, const struct object *live)
{
	static const char *const kept[] = {
		"uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
		"generation", "resourceVersion", "selfLink"
	};
	const struct node *live_meta = node_get(live->root, "metadata");

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		keep(d, meta, live_meta, kept[i]);
	keep(d, meta, live_meta, "name");
	if (!rq->applies)
		keep(d, meta, live_meta, "managedFields");
	if (!node_get(meta, "generateName"))
		keep(d, meta, live_meta, "generateName");
}

/* A status write changes nothing but the status; a write of the object itself anything but it. */
static void separate_status(const struct request *rq, struct doc *d, struct node *root, const struct object *live)
{
	struct member *m;

	if (strcmp(rq->subresource, "status") && strcmp(rq->subresource, "approval")) {
		if (!*rq->subresource && (rq->kind->subresources & SUB_STATUS))
			set_or_remove(d, root, "status", node_get(live->root, "status"));
		return;
	}
	node_members(m, live->root)
		if (strcmp(m->key, "status") && !(rq->applies && !strcmp(m->key, "metadata")))
			node_set(d, root, m->key, node_copy(d, m->value));
	for (size_t i = root->n; i-- > 0;)
		if (strcmp(root->members[i].key, "status") && !node_get(live->root, root->members[i].key))
			(void)node_del(root, root->members[i].key);
}

static void count_generation(const struct request *rq, struct doc *d, struct node *root, const struct object *live)
{
	int64_t was = node_int_at(live->root, "metadata.generation", 0);

	if (kind_has_generation(rq->kind) && !node_eq(node_get(root, "spec"), node_get(live->root, "spec")))
		node_put(d, root, "metadata.generation", node_int(d, was + 1));
}

int prepare_update(const struct request *rq, struct doc *d, struct node *root, const struct object *live,
		   struct err *err)
{
	struct node *meta = node_get(root, "metadata");

	TRY(check_namespace(rq, d, meta, err));
	TRY(check_name(rq, meta, err));
	TRY(check_version(rq, meta, live, err));
	keep_metadata(rq, d, meta, live);
	separate_status(rq, d, root, live);
	TRY(run_rules(rq, d, root, live->root, err));
	count_generation(rq, d, root, live);
	if (!rq->applies)
		track_fields(rq, d, live->root, root);
	return 0;
}

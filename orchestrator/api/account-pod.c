/* What a pod gets of its service account: Kubernetes' admission plugin ServiceAccount. */
#include "orchestrator/api/account-internal.h"

#include <string.h>

#define MOUNT "/var/run/secrets/kubernetes.io/serviceaccount"
#define TOKEN_SECONDS 3607      /* as in Kubernetes: an hour, and a number that tells such tokens from others */

static const char *const masters[] = { "system:masters" };
static const struct caller self = { "system:apiserver", masters, 1 };

static struct item *find(struct api *a, const char *kind, const char *ns, const char *name)
{
	const struct kind *k = kinds_find(a->kinds, "v1", kind);

	return k ? resource_find(cache_resource(&a->cache, k), ns, name) : NULL;
}

/* ---- what a namespace has ---- */

/* Somebody else makes it at the same moment: just as well. */
static int create(struct api *a, const char *kind, const char *ns, const struct node *root, struct err *err)
{
	struct request rq = {
		.api = a, .caller = &self, .kind = kinds_find(a->kinds, "v1", kind), .ns = ns, .name = "", .subresource = "",
		.manager = ""
	};
	int r = rq.kind ? verb_create(&rq, root, NULL, err) : 0;

	if (r == -ERR_ALREADY_EXISTS && err)
		err_free(err);
	return r == -ERR_ALREADY_EXISTS ? 0 : r;
}

static int create_ca(struct api *a, const char *ns, struct err *err)
{
	AUTO_DOC d = doc_new();
	const struct kind *k = kinds_find(a->kinds, "v1", "ConfigMap");

	if (!k || !*a->accounts.ca || find(a, "ConfigMap", ns, ROOT_CA))
		return 0;
	struct node *root = object_start(d, k, ns, ROOT_CA);
	meta_set_annotation(d, root, "kubernetes.io/description",
			    "The CA of this cluster's API: pods trust it by /var/run/secrets/kubernetes.io/serviceaccount/ca.crt.");
	node_set(d, node_map_at(d, root, "data"), "ca.crt", node_str(d, a->accounts.ca));
	return create(a, "ConfigMap", ns, root, err);
}

static int make_ca(void *arg, struct doc *d, const struct node *live, struct node **out, struct err *err)
{
	const struct api *a = arg;

	(void)err;
	*out = node_copy(d, live);
	node_set(d, node_map_at(d, *out, "data"), "ca.crt", node_str(d, a->accounts.ca));
	return 0;
}

int accounts_create(struct api *a, struct err *err)
{
	struct request rq = { .api = a, .caller = &self, .kind = kinds_find(a->kinds, "v1", "ConfigMap"),
			      .ns = "kube-system", .name = ROOT_CA, .subresource = "", .manager = "" };

	TRY(create_ca(a, rq.ns, err));
	if (!find(a, "ConfigMap", rq.ns, rq.name))
		return 0;
	return *a->accounts.ca ? write_object(&rq, make_ca, a, NULL, err) : 0;  /* the CA may be another one by now */
}

/* Controllers make both in every namespace; the first pod of a new one does not wait for them. */
int account_ready(const struct request *rq, const struct node *obj, struct err *err)
{
	struct item *space = find(rq->api, "Namespace", "", rq->ns);
	struct object *o = space ? item_object(space) : NULL;

	(void)obj;
	if (rq->dry_run || !o || meta_deleting(o->root))
		return 0;
	TRY(create_ca(rq->api, rq->ns, err));
	if (find(rq->api, "ServiceAccount", rq->ns, "default"))
		return 0;
	AUTO_DOC d = doc_new();
	const struct kind *k = kinds_find(rq->api->kinds, "v1", "ServiceAccount");
	return k ? create(rq->api, "ServiceAccount", rq->ns, object_start(d, k, rq->ns, "default"), err) : 0;
}

/* ---- the pod ---- */

static struct node *source_token(struct doc *d)
{
	struct node *source = node_map(d);

	node_put(d, source, "serviceAccountToken.expirationSeconds", node_int(d, TOKEN_SECONDS));
	node_put(d, source, "serviceAccountToken.path", node_str(d, "token"));
	return source;
}

static struct node *source_ca(struct doc *d)
{
	struct node *source = node_map(d), *item = node_map(d);

	node_set(d, item, "key", node_str(d, "ca.crt"));
	node_set(d, item, "path", node_str(d, "ca.crt"));
	node_add(d, node_seq_at(d, source, "configMap.items"), item);
	node_put(d, source, "configMap.name", node_str(d, ROOT_CA));
	return source;
}

static struct node *source_namespace(struct doc *d)
{
	struct node *source = node_map(d), *item = node_map(d);

	node_put(d, item, "fieldRef.apiVersion", node_str(d, "v1"));
	node_put(d, item, "fieldRef.fieldPath", node_str(d, "metadata.namespace"));
	node_set(d, item, "path", node_str(d, "namespace"));
	node_add(d, node_seq_at(d, source, "downwardAPI.items"), item);
	return source;
}

static void add_volume(struct doc *d, struct node *spec, const char *name)
{
	struct node *volume = node_map(d), *sources = node_seq(d);

	node_set(d, volume, "name", node_str(d, name));
	node_add(d, sources, source_token(d));
	node_add(d, sources, source_ca(d));
	node_add(d, sources, source_namespace(d));
	node_put(d, volume, "projected.defaultMode", node_int(d, 0644));
	node_put(d, volume, "projected.sources", sources);
	node_add(d, node_seq_at(d, spec, "volumes"), volume);
}

/* Whoever mounts something there of their own keeps it. */
static bool has_mount(const struct node *container)
{
	const struct node *it;

	node_each(it, node_get(container, "volumeMounts"))
		if (str_eq(node_str_at(it, "mountPath"), MOUNT))
			return true;
	return false;
}

static bool mount_in(struct doc *d, struct node *containers, const char *volume)
{
	struct node *it;
	bool any = false;

	node_each(it, containers) {
		struct node *mount;

		if (!node_is(it, NODE_MAP) || has_mount(it))
			continue;
		mount = node_map(d);
		node_set(d, mount, "mountPath", node_str(d, MOUNT));
		node_set(d, mount, "name", node_str(d, volume));
		node_set(d, mount, "readOnly", node_bool(d, true));
		node_add(d, node_seq_at(d, it, "volumeMounts"), mount);
		any = true;
	}
	return any;
}

static void mount_token(struct doc *d, struct node *spec)
{
	char suffix[6], name[32] = "kube-api-access-";

	random_suffix(suffix, 5);
	memcpy(name + strlen(name), suffix, sizeof suffix);
	bool init = mount_in(d, node_get(spec, "initContainers"), name);
	if (mount_in(d, node_get(spec, "containers"), name) || init)
		add_volume(d, spec, name);
}

int account_admit(const struct request *rq, struct doc *d, struct node *root, struct err *err)
{
	struct node *spec = node_get(root, "spec");
	const char *name = node_str_or(spec, "serviceAccountName", "default");
	struct item *i = find(rq->api, "ServiceAccount", rq->ns, name);
	struct object *account = i ? item_object(i) : NULL;
	const struct node *secrets = account ? node_get(account->root, "imagePullSecrets") : NULL;
	char resource[192];

	if (!account && !(rq->dry_run && str_eq(name, "default")))
		return err_set(err, ERR_FORBIDDEN, "%s \"%s\" is forbidden: error looking up service account %s/%s: "
			       "serviceaccount \"%s\" not found", kind_resource(rq->kind, resource),
			       node_str_or(root, "metadata.name", ""), rq->ns, name, name);
	if (node_n(secrets) && !node_n(node_get(spec, "imagePullSecrets")))
		node_set(d, spec, "imagePullSecrets", node_copy(d, secrets));
	bool wanted = node_bool_at(spec, "automountServiceAccountToken",
				   account ? node_bool_at(account->root, "automountServiceAccountToken", true) : true);
	if (wanted && *rq->api->accounts.ca)
		mount_token(d, spec);
	return 0;
}

#include "orchestrator/api/account-internal.h"
#include "orchestrator/api/api-internal.h"
#include "orchestrator/api/audit-internal.h"
#include "orchestrator/api/auth-internal.h"
#include "orchestrator/api/custom-internal.h"
#include "orchestrator/api/flow-internal.h"
#include "orchestrator/api/oidc-internal.h"
#include "orchestrator/api/quota-internal.h"
#include "orchestrator/api/rbac-internal.h"

#include "base/httpc.h"
#include "base/log.h"
#include "kube/protobuf.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const char *const masters[] = { "system:masters" };
static const struct caller self = { "system:apiserver", masters, 1 };

/* ---- what every cluster has ---- */

static int create(struct api *a, const struct kind *k, const char *ns, const struct node *root, struct err *err)
{
	struct request rq = {
		.api = a, .caller = &self, .kind = k, .ns = ns, .name = "", .subresource = "", .manager = ""
	};
	int r = verb_create(&rq, root, NULL, err);

	if (r == -ERR_ALREADY_EXISTS && err)
		err_free(err);
	return r == -ERR_ALREADY_EXISTS ? 0 : r;
}

static int create_namespaces(struct api *a, struct err *err)
{
	static const char *const names[] = { "default", "kube-system", "kube-public", "kube-node-lease", "cd" };
	const struct kind *k = kinds_find(a->kinds, "v1", "Namespace");

	for (size_t i = 0; k && i < sizeof names / sizeof *names; i++) {
		AUTO_DOC d = doc_new();

		if (!resource_find(cache_resource(&a->cache, k), "", names[i]))
			TRY(create(a, k, "", object_start(d, k, NULL, names[i]), err));
	}
	return 0;
}

static int create_default(struct api *a, const struct node *obj, struct err *err)
{
	return create(a, kinds_find(a->kinds, node_str_or(obj, "apiVersion", ""), node_str_or(obj, "kind", "")), "",
		      obj, err);
}

/* The API's own Service: the first address of the range. */
static int create_service(struct api *a, struct err *err)
{
	const struct kind *k = kinds_find(a->kinds, "v1", "Service");
	struct in_addr first = { htonl(a->services.base + 1) };
	AUTO_DOC d = doc_new();
	char text[INET_ADDRSTRLEN];

	if (!k || resource_find(cache_resource(&a->cache, k), "default", "kubernetes"))
		return 0;
	struct node *root = object_start(d, k, "default", "kubernetes"), *port = node_map(d);
	meta_set_label(d, root, "component", "apiserver");
	meta_set_label(d, root, "provider", "kubernetes");
	node_put(d, root, "spec.clusterIP", node_str(d, inet_ntop(AF_INET, &first, text, sizeof text)));
	node_set(d, port, "name", node_str(d, "https"));
	node_set(d, port, "protocol", node_str(d, "TCP"));
	node_set(d, port, "port", node_int(d, 443));
	node_set(d, port, "targetPort", node_int(d, 6443));
	node_add(d, node_seq_at(d, root, "spec.ports"), port);
	return create(a, k, "default", root, err);
}

static int create_priority_classes(struct api *a, struct err *err)
{
	static const struct { const char *name; int64_t value; const char *help; } classes[] = {
		{ "system-cluster-critical", 2000000000,
		  "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary." },
		{ "system-node-critical", 2000001000, "Used for system critical pods that must not be moved from their current node." },
	};
	const struct kind *k = kinds_find(a->kinds, "scheduling.k8s.io/v1", "PriorityClass");

	for (size_t i = 0; k && i < sizeof classes / sizeof *classes; i++) {
		AUTO_DOC d = doc_new();

		if (resource_find(cache_resource(&a->cache, k), "", classes[i].name))
			continue;
		struct node *root = object_start(d, k, "", classes[i].name);
		node_set(d, root, "value", node_int(d, classes[i].value));
		node_set(d, root, "description", node_str(d, classes[i].help));
		TRY(create(a, k, "", root, err));
	}
	return 0;
}

/* Endpoints of a Service without a selector, which no controller touches. */
static struct node *endpoints_of(struct doc *d, const struct kind *k, const char *ip, int port)
{
	struct node *root = object_start(d, k, "default", "kubernetes"), *subset = node_map(d), *address = node_map(d),
		    *row = node_map(d);

	node_set(d, address, "ip", node_str(d, ip));
	node_add(d, node_seq_at(d, subset, "addresses"), address);
	node_set(d, row, "name", node_str(d, "https"));
	node_set(d, row, "port", node_int(d, port));
	node_set(d, row, "protocol", node_str(d, "TCP"));
	node_add(d, node_seq_at(d, subset, "ports"), row);
	node_add(d, node_seq_at(d, root, "subsets"), subset);
	return root;
}

int api_set_address(struct api *a, const char *ip, int port, struct err *err)
{
	struct request rq = { .api = a, .caller = &self, .kind = kinds_find(a->kinds, "v1", "Endpoints"), .ns = "default",
			      .name = "kubernetes", .subresource = "", .manager = "" };
	AUTO_DOC d = doc_new();

	if (!rq.kind)
		return 0;
	struct node *root = endpoints_of(d, rq.kind, ip, port);
	if (resource_find(request_resource(&rq), rq.ns, rq.name))
		return verb_update(&rq, root, NULL, err);
	rq.name = "";
	return verb_create(&rq, root, NULL, err);
}

/* ---- housekeeping ---- */

enum { SEATS = 600, WATCHES_MAX = 20000, REQUEST_TIMEOUT_MS = 60000 };
enum { TURN_MS = 10000, EVENTS_EVERY = 6, COMPACT_EVERY = 30, EVENT_TTL_MS = 3600000, REQUEST_TTL_MS = 24 * 3600000 };

/* Of the write when this process saw it; of the object's creation for what was there at the start. */
static int64_t last_write_ms(const struct item *i)
{
	static const char start[] = "\"creationTimestamp\":\"";
	const char *at = i->written_ms ? NULL : memmem(i->json, i->n, start, sizeof start - 1);
	char text[32] = "";
	int64_t ms = i->written_ms;

	if (at)
		strncpy(text, at + sizeof start - 1, sizeof "2006-01-02T15:04:05Z" - 1);
	return at && !time_parse(text, &ms) ? 0 : ms;
}

static void drop_old(struct api *a, const char *api_version, const char *kind, int64_t ttl_ms)
{
	const struct kind *k = kinds_find(a->kinds, api_version, kind);
	struct resource *r = k ? cache_resource(&a->cache, k) : NULL;
	int64_t before = clock_ms() - ttl_ms;

	for (size_t i = 0; r && i < r->items.n && !fiber_canceled();) {
		AUTO_ITEM old = item_ref(r->items.v[i]);
		struct request rq = {
			.api = a, .caller = &self, .kind = k, .ns = old->ns, .name = old->name, .subresource = ""
		};

		/* After the deletion the next one stands at i; others may have moved meanwhile, and are seen the next
		 * time. */
		if (last_write_ms(old) >= before || remove_object(&rq, old, NULL) < 0)
			i++;
	}
}

static void drop_all_old(struct api *a)
{
	drop_old(a, "v1", "Event", EVENT_TTL_MS);
	drop_old(a, "certificates.k8s.io/v1", "CertificateSigningRequest", REQUEST_TTL_MS);
}

static void keep_house(void *arg)
{
	struct api *a = arg;
	int64_t last = a->store->ops->revision(a->store);

	for (unsigned turn = 1; !fiber_sleep(TURN_MS); turn++) {
		AUTO(err) err = { 0 };

		cache_trim(&a->cache);
		if (turn % EVENTS_EVERY == 0)
			drop_all_old(a);
		if (turn % COMPACT_EVERY)
			continue;
		if (a->store->ops->compact(a->store, last - 1000, &err) < 0)
			log_event(LOG_WARN, "compaction failed", "err", err_msg(&err), NULL);
		last = a->store->ops->revision(a->store);
	}
}

/* ---- open and close ---- */

static int open_all(struct api *a, const struct api_opts *o, struct err *err)
{
	const struct kind *service = kinds_find(a->kinds, "v1", "Service");

	TRY(cache_open(&a->cache, a->store, a->kinds, err));
	customs_open(&a->customs, a);
	TRY(tokens_read(&a->tokens, o->tokens, err));
	if (o->token.n)
		tokens_add_admin(&a->tokens, o->token);
	str_add(&a->ca_key, o->ca_key);
	TRY(audit_open(a, o, err));
	if (o->oidc.issuer && !(a->oidc = oidc_new(a->loop, &o->oidc, err)))
		return err && err->code ? -(int)err->code : -ERR_BAD_REQUEST;
	if (service)
		TRY(service_ranges_open(&a->services, cache_resource(&a->cache, service),
					o->service_cidr ? o->service_cidr : "10.96.0.0/16", err));
	TRY(accounts_open(a, o, err));
	TRY(create_namespaces(a, err));
	TRY(create_priority_classes(a, err));
	TRY(accounts_create(a, err));
	TRY(rbac_create_defaults(a, create_default, err));
	return create_service(a, err);
}

struct api *api_new(struct loop *l, const struct api_opts *o, struct err *err)
{
	struct api *a = calloc(1, sizeof *a);

	if (!a)
		abort();
	a->loop = l;
	a->kinds = o->kinds;
	a->store = o->store;
	a->version = sv_dup(sv_c(o->version));
	a->flows = (struct flows){ .seats = o->seats < 0 ? 0 : o->seats ? (unsigned)o->seats : SEATS, .wait_ms = FLOW_WAIT_MS };
	a->watches_max = o->watches_max ? o->watches_max : WATCHES_MAX;
	a->request_timeout_ms = o->request_timeout_ms ? o->request_timeout_ms : REQUEST_TIMEOUT_MS;
	fiber_group_init(&a->fibers, l);
	if (open_all(a, o, err) < 0) {
		api_free(&a);
		return NULL;
	}
	fiber_group_start(&a->fibers, "api housekeeping", keep_house, a);
	fiber_group_start(&a->fibers, "api quotas", quota_keep, a);
	return a;
}

void api_free(struct api **ap)
{
	struct api *a = TAKE(*ap);

	if (!a)
		return;
	fiber_group_cancel(&a->fibers);
	fiber_group_join(&a->fibers);
	service_ranges_close(&a->services);
	lines_free(&a->lines);
	customs_close(&a->customs);
	cache_close(&a->cache);
	audit_close(a);
	flows_free(&a->flows);
	metrics_free(&a->metrics);
	oidc_free(&a->oidc);
	httpc_free(&a->http);
	str_free(&a->ca_key);
	accounts_close(&a->accounts);
	tokens_free(&a->tokens);
	map_free(&a->nodes);
	protobuf_free(&a->protobuf);
	free(a->version);
	free(a);
}

void api_set_node(struct api *a, const char *node, struct nodelink *borrowed)
{
	if (borrowed)
		(void)map_put(&a->nodes, sv_c(node), borrowed);
	else
		(void)map_del(&a->nodes, sv_c(node));
}

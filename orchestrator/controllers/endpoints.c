#include "orchestrator/controllers/rows.h"

#include "base/map.h"
#include "kube/pod.h"
#include "kube/selector.h"
#include "kube/traffic.h"
#include "orchestrator/controllers/shares.h"

#include <stdlib.h>

enum { SERVICES, ENDPOINTS, PODS };

#define MANAGED_BY "endpoints.kubernetes.io/managed-by"
#define MANAGER "endpoint-controller"

/* The subsets of one Service under construction: a subset for each different list of ports. */
struct subsets {
	const struct object *service;
	const struct node *ports;       /* of the Service */
	struct selector *selector;
	bool even_unready, headless;
	struct doc *d;
	struct node *list;
	struct map by_ports;            /* JSON-like text of a port list -> subset */
};

/* ---- ports ---- */

/* A named target port means what the pod's containers say; 0: they do not say it. */
static int64_t named_port(const struct node *pod, const char *name, const char *protocol)
{
	const struct node *container, *containers = node_at(pod, "spec.containers");

	for (size_t c = 0; (container = node_item(containers, c)); c++) {
		const struct node *port, *ports = node_get(container, "ports");

		node_each(port, ports) if (str_eq(node_str_at(port, "name"), name) &&
					   str_eq(node_str_or(port, "protocol", "TCP"),
						  protocol)) return node_int_at(port, "containerPort", 0);
	}
	return 0;
}

static int64_t target_of(const struct node *pod, const struct node *port)
{
	const struct node *target = node_get(port, "targetPort");
	const char *name = node_text(target);

	if (name)
		return named_port(pod, name, node_str_or(port, "protocol", "TCP"));
	return node_int_at(port, "targetPort", node_int_at(port, "port", 0));
}

/* The ports under which this pod serves; *key tells different lists apart. */
static struct node *ports_of(struct subsets *s, const struct node *pod, struct str *key)
{
	struct node *list = node_seq(s->d);
	const struct node *port;

	node_each(port, s->ports) {
		const char *name = node_str_at(port, "name"), *protocol = node_str_or(port, "protocol", "TCP");
		int64_t number = target_of(pod, port);
		struct node *row;

		if (!number)
			continue;
		row = node_map(s->d);
		if (name)
			node_set(s->d, row, "name", node_str(s->d, name));
		if (node_str_at(port, "appProtocol"))
			node_set(s->d, row, "appProtocol", node_copy(s->d, node_get(port, "appProtocol")));
		node_set(s->d, row, "port", node_int(s->d, number));
		node_set(s->d, row, "protocol", node_str(s->d, protocol));
		node_add(s->d, list, row);
		str_addf(key, "%s:%lld/%s,", name ? name : "", (long long)number, protocol);
	}
	return list;
}

/* ---- addresses ---- */

static struct node *address_of(struct subsets *s, const struct object *pod)
{
	struct doc *d = s->d;
	struct node *row = node_map(d), *ref = node_map(d);
	const char *host = node_str_at(pod->root, "spec.hostname"), *node = node_str_at(pod->root, "spec.nodeName");

	if (host && str_eq(node_str_at(pod->root, "spec.subdomain"), s->service->name))
		node_set(d, row, "hostname", node_str(d, host));
	node_set(d, row, "ip", node_str(d, node_str_at(pod->root, "status.podIP")));
	if (node)
		node_set(d, row, "nodeName", node_str(d, node));
	node_set(d, ref, "kind", node_str(d, "Pod"));
	node_set(d, ref, "name", node_str(d, pod->name));
	node_set(d, ref, "namespace", node_str(d, pod->ns));
	node_set(d, ref, "uid", node_str(d, pod->uid));
	node_set(d, row, "targetRef", ref);
	return row;
}

static struct node *subset_for(struct subsets *s, const struct node *pod)
{
	AUTO(str) key = { 0 };
	struct node *ports = ports_of(s, pod, &key), *subset;

	if (!node_n(ports) && !s->headless)
		return NULL;
	subset = map_get(&s->by_ports, str_sv(&key));
	if (subset)
		return subset;
	subset = node_map(s->d);
	if (node_n(ports))
		node_set(s->d, subset, "ports", ports);
	node_add(s->d, s->list, subset);
	(void)map_put(&s->by_ports, str_sv(&key), subset);
	return subset;
}

/* A pod on its way out leaves as soon as its deletion is known, before anything happens to its containers. */
static bool belongs(const struct subsets *s, const struct node *pod)
{
	const char *ip = node_str_at(pod, "status.podIP");

	if (!ip || !*ip || pod_finished(pod) || !selector_matches(s->selector, node_at(pod, "metadata.labels")))
		return false;
	return s->even_unready || !meta_deleting(pod);
}

static bool add_pod(struct object *pod, void *arg)
{
	struct subsets *s = arg;
	struct node *subset;

	if (!belongs(s, pod->root))
		return true;
	subset = subset_for(s, pod->root);
	if (subset)
		node_add(s->d,
			 node_seq_at(s->d, subset,
				     s->even_unready || pod_ready(pod->root) ? "addresses" : "notReadyAddresses"),
			 address_of(s, pod));
	return true;
}

/* ---- the object ---- */

/* The share that each address has in the Service's new connections, when the Service says so. */
static void put_weights(struct controller *c, struct subsets *s, struct node *root)
{
	AUTO(str) out = { 0 };

	(void)node_del(node_at(root, "metadata.annotations"), TRAFFIC_WEIGHTS);
	if (shares_write(s->service, s->list, controller_informer(c, PODS), &out))
		meta_set_annotation(s->d, root, TRAFFIC_WEIGHTS, str_c(&out));
}

static void put_labels(struct subsets *s, struct node *root)
{
	const struct node *labels = node_at(s->service->root, "metadata.labels");

	(void)node_del(node_get(root, "metadata"), "labels");
	if (labels)
		node_put(s->d, root, "metadata.labels", node_copy(s->d, labels));
	meta_set_label(s->d, root, MANAGED_BY, MANAGER);
	if (s->headless)
		meta_set_label(s->d, root, "service.kubernetes.io/headless", "");
}

static int write_object(struct controller *c, struct subsets *s, const struct object *now, struct err *err)
{
	const struct kind *k = informer_kind(controller_informer(c, ENDPOINTS));
	struct node *root = now ? node_copy(s->d, now->root) : object_start(s->d, k, s->service->ns, s->service->name);
	AUTO_OBJECT written = NULL;

	put_labels(s, root);
	put_weights(c, s, root);
	if (node_n(s->list))
		node_set(s->d, root, "subsets", s->list);
	else
		(void)node_del(root, "subsets");
	if (now && node_eq(root, now->root))
		return 0;
	if (now)
		TRY(client_update(controller_client(c), k, root, NULL, &written, err));
	else
		TRY(client_create(controller_client(c), k, root, NULL, &written, err));
	return informer_wait_seen(controller_informer(c, ENDPOINTS), written->revision, err);
}

static int rewrite(struct controller *c, const struct object *service, const struct object *now, struct err *err)
{
	const struct node *spec = node_get(service->root, "spec");
	struct subsets s = { .service = service, .ports = node_get(spec, "ports"), .d = doc_new() };
	int r;

	s.selector = selector_of_map(node_get(spec, "selector"));
	s.even_unready = node_bool_at(spec, "publishNotReadyAddresses", false);
	s.headless = str_eq(node_str_at(spec, "clusterIP"), "None");
	s.list = node_seq(s.d);
	informer_each(controller_informer(c, PODS), service->ns, add_pod, &s);
	r = write_object(c, &s, now, err);
	selector_free(&s.selector);
	map_free(&s.by_ports);
	doc_drop(&s.d);
	return r;
}

/* Only what this controller made goes with its Service: people write Endpoints by hand too. */
static int remove_left(struct controller *c, const struct object *now, struct err *err)
{
	const struct delete_opts o = { .grace_seconds = -1, .uid = now->uid };

	if (!str_eq(meta_label(now->root, MANAGED_BY), MANAGER) || meta_deleting(now->root))
		return 0;
	int r = client_delete(controller_client(c), now->kind, now->ns, now->name, &o, err);
	return r == -ERR_NOT_FOUND ? 0 : r;
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	AUTO_OBJECT service = object_ref(informer_get(controller_informer(c, SERVICES), ns, name));
	AUTO_OBJECT now = object_ref(informer_get(controller_informer(c, ENDPOINTS), ns, name));

	if (!service || meta_deleting(service->root))
		return now ? remove_left(c, now, err) : 0;
	if (!node_n(node_at(service->root, "spec.selector")) ||
	    str_eq(node_str_at(service->root, "spec.type"), "ExternalName"))
		return 0;
	return rewrite(c, service, now, err);
}

struct search { struct controller *c; const struct node *labels; };

static bool queue_if_selected(struct object *service, void *arg)
{
	struct search *s = arg;
	struct selector *selector = selector_of_map(node_at(service->root, "spec.selector"));

	if (selector_matches(selector, s->labels))
		controller_queue(s->c, service->ns, service->name);
	selector_free(&selector);
	return true;
}

static void map_pod(struct controller *c, const struct object *pod)
{
	struct search s = { c, node_at(pod->root, "metadata.labels") };

	informer_each(controller_informer(c, SERVICES), pod->ns, queue_if_selected, &s);
}

const struct controller_spec endpoints_controller = {
	.name = MANAGER,
	.watches = (const struct controller_watch[]){
		[SERVICES] = { "v1", "Service", NULL },
		[ENDPOINTS] = { "v1", "Endpoints", NULL },
		[PODS] = { "v1", "Pod", map_pod },
		{ 0 },
	},
	.reconcile = reconcile,
};

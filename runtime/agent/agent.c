/* The agent: starts a worker for each pod of this node, and hands changes to those that they concern. */
#include "runtime/agent/agent-internal.h"

#include <stdlib.h>
#include "base/fs.h"
#include "base/log.h"
#include "kube/informer.h"
#include "runtime/agent/dns.h"
#include "runtime/agent/leftover.h"

void poke(struct worker *w)
{
	w->dirty = true;
	fiber_signal_all(&w->changed);
}

void poke_all(struct agent *a)
{
	struct map_slot *s;

	map_each(s, &a->workers)
		poke(s->value);
}

/* ---- events: written by fibers of their own, so that no pod waits for them ---- */

struct note { struct agent *a; struct object *about; const char *type, *reason; char *text; };

static void write_event(void *arg)
{
	struct note *n = arg;

	client_event(n->a->client, n->about, "kubelet", n->type, n->reason, "%s", n->text);
	object_drop(&n->about);
	free(n->text);
	free(n);
}

static void note(struct agent *a, struct object *pod, const char *type, const char *reason, char *take_text)
{
	struct note *n = malloc(sizeof *n);

	if (!n)
		abort();
	*n = (struct note){ a, object_ref(pod), type, reason, take_text };
	fiber_group_start(&a->fibers, "event", write_event, n);
}

#define FORMATTED(text, fmt) \
	struct str text = { 0 }; \
	va_list ap_; \
	va_start(ap_, fmt); \
	str_addv(&text, fmt, ap_); \
	va_end(ap_)

void agent_event_about(struct agent *a, struct object *pod, const char *type, const char *reason, const char *fmt, ...)
{
	FORMATTED(text, fmt);
	note(a, pod, type, reason, str_take(&text));
}

void agent_event(struct worker *w, const char *type, const char *reason, const char *fmt, ...)
{
	FORMATTED(text, fmt);
	note(w->a, w->object, type, reason, str_take(&text));
}

/* ---- changes ---- */

static bool is_ours(const struct agent *a, const struct object *pod)
{
	return str_eq(node_str_at(pod->root, "spec.nodeName"), a->node_name);
}

static void on_pod(void *arg, const struct object *before, const struct object *after)
{
	struct agent *a = arg;
	struct object *now = (struct object *)(uintptr_t)after;         /* counted, else constant */
	struct worker *w = map_get(&a->workers, sv_c(after ? after->uid : before->uid));

	if (a->stopping)
		return;
	if (w && !after) {
		w->gone = true;
		poke(w);
	} else if (w && now->revision > w->object->revision) {
		object_drop(&w->object);
		w->object = object_ref(now);
		poke(w);
	} else if (!w && after && is_ours(a, after)) {
		worker_start(a, now);
	}
}

/* A ConfigMap or Secret: volumes that show it are brought up to date; a container may wait for it to compose its
 * environment. */
static void on_config(void *arg, const struct object *before, const struct object *after)
{
	const struct object *o = after ? after : before;
	struct agent *a = arg;
	struct map_slot *s;

	map_each(s, &a->workers) {
		struct worker *w = s->value;

		if (!str_eq(w->ns, o->ns))
			continue;
		bool shown = volumes_refer(worker_pod(w), o->kind->kind, o->name);

		w->volumes_changed |= shown;
		if (worker_retry_config(w) || shown)
			poke(w);
	}
}

struct worker *agent_find(struct agent *a, const char *ns, const char *name)
{
	struct object *o = informer_get(a->pods, ns, name);

	return o ? map_get(&a->workers, sv_c(o->uid)) : NULL;
}

static bool start_existing(struct object *o, void *arg)
{
	struct agent *a = arg;

	if (is_ours(a, o) && !map_get(&a->workers, sv_c(o->uid)))
		worker_start(a, o);
	return true;
}

/* ---- start ---- */

static int find_kinds(struct agent *a, struct informers *all, struct err *err)
{
	const struct { const char *kind; struct informer **to; } wanted[] = {
		{ "Pod", &a->pods }, { "ConfigMap", &a->config_maps }, { "Secret", &a->secrets }, { "Service",
		&a->services },
		{ "Endpoints", &a->endpoints },
	};

	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		const struct kind *k = kinds_find(a->client->kinds, "v1", wanted[i].kind);

		if (!k)
			return kinds_unknown(a->client->kinds, "v1", wanted[i].kind, err);
		*wanted[i].to = informer_of(all, k);
	}
	a->pod_kind = kinds_find(a->client->kinds, "v1", "Pod");
	a->node_kind = kinds_find(a->client->kinds, "v1", "Node");
	return a->node_kind ? 0 : kinds_unknown(a->client->kinds, "v1", "Node", err);
}

struct open_job { struct network_opts o; struct network *n; struct err err; };

static void open_network(void *arg)
{
	struct open_job *j = arg;

	j->n = network_open(&j->o, &j->err);
}

static int start_network(struct agent *a, const struct agent_opts *o, struct err *err)
{
	AUTO(str) state = { 0 };
	struct open_job j = { .o = { a->instance, o->pod_cidr, o->service_cidr, NULL } };

	str_addf(&state, "%s/addresses", a->dir);
	j.o.state_dir = str_c(&state);
	fiber_job(open_network, &j);
	if (!j.n)
		return err_move(err, &j.err);
	a->network = j.n;
	a->host_ip = node_address(network_gateway(a->network));
	return 0;
}

static void start_dns(struct agent *a)
{
	AUTO(err) err = { 0 };

	a->dns = dns_start(a->loop, network_gateway(a->network), &(struct dns_source){ a->services, a->endpoints },
		&err);
	if (!a->dns)
		log_event(LOG_WARN, "no names of Services: pods use the node's name servers", "error", err_msg(&err),
			  NULL);
}

static int watch(struct agent *a, struct err *err)
{
	informer_on_change(a->pods, on_pod, a);
	informer_on_change(a->config_maps, on_config, a);
	informer_on_change(a->secrets, on_config, a);
	if (informer_wait(a->pods) < 0 || informer_wait(a->config_maps) < 0 || informer_wait(a->secrets) < 0 ||
	    informer_wait(a->services) < 0)
		return err_set(err, ERR_CANCELED, "the node agent was stopped while it started");
	informer_each(a->pods, NULL, start_existing, a);
	return restore_orphans(a, err);
}

static int start(struct agent *a, const struct agent_opts *o, struct informers *informers, struct err *err)
{
	TRY(dir_make(a->dir, 0700, err));
	TRY(find_kinds(a, informers, err));
	node_read_machine(a);
	if (!(a->containers = containers_open(a->loop, err)))
		return -(int)err->code;
	TRY(start_network(a, o, err));
	a->http = httpc_new(a->loop);
	a->pulls = pulls_new(a);
	a->proxy = proxy_start(a);
	start_dns(a);
	TRY(node_register(a, err));
	fiber_group_start(&a->fibers, "node", node_run, a);
	return watch(a, err);
}

struct agent *agent_start(struct loop *l, const struct agent_opts *o, struct err *err)
{
	struct agent *a = calloc(1, sizeof *a);
	AUTO(err) own = { 0 };

	if (!a)
		abort();
	a->loop = l;
	a->client = o->client;
	a->images = o->images;
	a->node_name = sv_dup(sv_c(o->node_name));
	a->dir = sv_dup(sv_c(o->dir));
	a->instance = sv_dup(sv_c(o->instance));
	a->link.ops = &nodelink_ops;
	fiber_group_init(&a->fibers, l);
	if (start(a, o, o->informers, &own) < 0) {
		(void)err_wrap(&own, -1, "node agent");
		(void)err_move(err, &own);
		agent_stop(&a);
	}
	return a;
}

struct nodelink *agent_nodelink(struct agent *a) { return &a->link; }

const char *agent_gateway(const struct agent *a) { return network_gateway(a->network); }

const char *agent_host_ip(const struct agent *a) { return a->host_ip; }

/* ---- end ---- */

static void stop_watching(struct agent *a)
{
	if (a->pods)
		informer_off_change(a->pods, on_pod, a);
	if (a->config_maps)
		informer_off_change(a->config_maps, on_config, a);
	if (a->secrets)
		informer_off_change(a->secrets, on_config, a);
}

void agent_stop(struct agent **ap)
{
	struct agent *a = TAKE(*ap);

	if (!a)
		return;
	a->stopping = true;
	stop_watching(a);
	fiber_signal_all(&a->logs_changed);
	while (a->log_readers && fiber_wait(&a->logs_changed) == 0)
		;
	sessions_end(a);
	fiber_group_cancel(&a->fibers);
	fiber_group_join(&a->fibers);
	dns_stop(&a->dns);
	proxy_free(&a->proxy);
	pulls_free(&a->pulls);
	httpc_free(&a->http);
	network_close(&a->network);
	containers_close(&a->containers);
	map_free(&a->workers);
	free(a->node_name);
	free(a->dir);
	free(a->instance);
	free(a->host_ip);
	free(a);
}

/* ---- all of it, without an API ---- */

int agent_destroy(const char *dir, const char *instance, struct err *err)
{
	struct containers *cs = containers_open(fiber_loop(), err);
	AUTO(str) path = { 0 };
	int r;

	if (!cs)
		return err ? -(int)err->code : -ERR_IO;
	str_addf(&path, "%s/pods", dir);
	r = leftover_pods(cs, str_c(&path), NULL, NULL, err);
	containers_close(&cs);
	TRY(r);
	TRY(network_destroy(instance, err));
	str_cut(&path, 0);
	str_addf(&path, "%s/addresses", dir);
	return tree_remove(str_c(&path), err);
}

#include "kube/client.h"

#include "base/fnv.h"
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct note { const char *component, *type, *reason, *msg; };

/* What makes two events the same one: then it is counted instead of written again. */
static uint64_t identity(const struct object *about, const struct note *n)
{
	const char *const parts[] = { about->uid, n->component, n->type, n->reason, n->msg };
	uint64_t h = FNV64_START;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		h = fnv64(h, sv_c(parts[i]));
		h = fnv64(h, SV("\n"));
	}
	return h;
}

static struct node *reference(struct doc *d, const struct object *o)
{
	struct node *ref = node_map(d);
	char version[128];

	node_set(d, ref, "apiVersion", node_str(d, kind_api_version(o->kind, version)));
	node_set(d, ref, "kind", node_str(d, o->kind->kind));
	node_set(d, ref, "name", node_str(d, o->name));
	if (*o->ns)
		node_set(d, ref, "namespace", node_str(d, o->ns));
	if (o->revision)
		node_set(d, ref, "resourceVersion", node_strf(d, "%lld", (long long)o->revision));
	node_set(d, ref, "uid", node_str(d, o->uid));
	return ref;
}

static struct node *build(struct doc *d, const struct kind *k, const struct object *about, const struct note *n,
			  const char *name)
{
	struct node *root = object_start(d, k, *about->ns ? about->ns : "default", name);
	char now[32];

	time_format(clock_ms(), now);
	node_set(d, root, "involvedObject", reference(d, about));
	node_set(d, root, "type", node_str(d, n->type));
	node_set(d, root, "reason", node_str(d, n->reason));
	node_set(d, root, "message", node_str(d, n->msg));
	node_put(d, root, "source.component", node_str(d, n->component));
	node_set(d, root, "reportingComponent", node_str(d, n->component));
	node_set(d, root, "reportingInstance", node_str(d, ""));
	node_set(d, root, "firstTimestamp", node_str(d, now));
	node_set(d, root, "lastTimestamp", node_str(d, now));
	node_set(d, root, "count", node_int(d, 1));
	return root;
}

static int count_again(struct doc *d, struct node *root, void *arg, struct err *err)
{
	char now[32];

	(void)arg;
	(void)err;
	time_format(clock_ms(), now);
	node_set(d, root, "count", node_int(d, node_int_at(root, "count", 1) + 1));
	node_set(d, root, "lastTimestamp", node_str(d, now));
	return 1;
}

void client_event(struct client *c, const struct object *about, const char *component, const char *type,
		  const char *reason, const char *fmt, ...)
{
	const struct kind *k = kinds_find(c->kinds, "v1", "Event");
	AUTO(str) name = { 0 }, msg = { 0 };
	AUTO(err) err = { 0 };
	AUTO_DOC d = doc_new();
	va_list ap;
	int r;

	if (!k)
		return;
	va_start(ap, fmt);
	str_addv(&msg, fmt, ap);
	va_end(ap);
	const struct note n = { component, type, reason, str_c(&msg) };

	str_addf(&name, "%s.%016llx", about->name, (unsigned long long)identity(about, &n));
	r = client_create(c, k, build(d, k, about, &n, str_c(&name)), NULL, NULL, &err);
	if (r == -ERR_ALREADY_EXISTS)
		r = client_modify(c, k, *about->ns ? about->ns : "default", str_c(&name), NULL, count_again, NULL, NULL,
				  &err);
	if (r < 0 && r != -ERR_CANCELED)
		log_event(LOG_DEBUG, "event not recorded", "reason", reason, "about", about->name, "error",
			  err_msg(&err), NULL);
}

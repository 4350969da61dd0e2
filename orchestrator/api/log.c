#include "orchestrator/api/api-internal.h"

#include <stdlib.h>
#include <string.h>

static bool flag(const char *query, const char *name)
{
	AUTO(str) v = { 0 };

	return http_query_get(query, name, &v) && (!strcmp(str_c(&v), "true") || !strcmp(str_c(&v), "1"));
}

static int number(const char *query, const char *name, int64_t *out, struct err *err)
{
	AUTO(str) v = { 0 };

	if (!http_query_get(query, name, &v) || !v.n)
		return 0;
	if (!sv_to_i64(str_sv(&v), out) || *out < 0)
		return err_set(err, ERR_BAD_REQUEST,
			       "%s: Invalid value: \"%s\": must be a whole number that is not negative", name,
			       str_c(&v));
	return 0;
}

static int since(const char *query, int64_t *ms, struct err *err)
{
	AUTO(str) text = { 0 };
	int64_t seconds = 0;

	TRY(number(query, "sinceSeconds", &seconds, err));
	*ms = seconds ? clock_ms() - seconds * 1000 : 0;
	if (http_query_get(query, "sinceTime", &text) && text.n && !time_parse(str_c(&text), ms))
		return err_set(err, ERR_BAD_REQUEST, "sinceTime: Invalid value: \"%s\": want RFC 3339", str_c(&text));
	return 0;
}

/* A pod of one container needs none named; otherwise the annotation, or the first one as kubectl does, is not guessed
 * here. */
static int pick_container(const struct object *pod, struct str *name, struct err *err)
{
	const struct node *containers = node_at(pod->root, "spec.containers"), *it;
	static const char *const lists[] = { "spec.containers", "spec.initContainers", "spec.ephemeralContainers" };
	AUTO(str) all = { 0 };

	if (!name->n && node_n(containers) == 1)
		str_addc(name, node_str_at(node_item(containers, 0), "name"));
	node_each(it, containers)
		str_addf(&all, "%s%s", all.n ? " " : "", node_str_or(it, "name", ""));
	if (!name->n)
		return err_set(err, ERR_BAD_REQUEST,
			       "a container name must be specified for pod %s, choose one of: [%s]", pod->name,
			       str_c(&all));
	for (size_t i = 0; i < 3; i++)
		node_each(it, node_at(pod->root, lists[i]))
			if (str_eq(node_str_at(it, "name"), str_c(name)))
				return 0;
	return err_set(err, ERR_BAD_REQUEST, "container %s is not valid for pod %s", str_c(name), pod->name);
}

int pod_log(const struct request *rq, const char *query, int (*write)(void *arg, struct sv data), void *arg,
	    struct err *err)
{
	struct log_opts o = { .follow = flag(query, "follow"), .previous = flag(query, "previous"),
			      .timestamps = flag(query, "timestamps"), .tail_lines = -1 };
	AUTO(str) container = { 0 };
	AUTO_ITEM pod = NULL;

	TRY(number(query, "tailLines", &o.tail_lines, err));
	TRY(number(query, "limitBytes", &o.limit_bytes, err));
	TRY(since(query, &o.since_ms, err));
	TRY(verb_get(rq, &pod, err));
	struct object *p = item_object(pod);
	if (!p)
		return err_set(err, ERR_IO, "the stored pod \"%s\" does not parse", rq->name);
	(void)http_query_get(query, "container", &container);
	TRY(pick_container(p, &container, err));
	const char *node = node_str_or(p->root, "spec.nodeName", "");
	struct nodelink *link = map_get(&rq->api->nodes, sv_c(node));
	if (!*node)
		return err_set(err, ERR_BAD_REQUEST, "pod %s does not have a host assigned", rq->name);
	if (!link)
		return err_set(err, ERR_UNAVAILABLE, "the node \"%s\" of pod \"%s\" cannot be reached", node, rq->name);
	o.container = str_c(&container);
	return link->ops->logs(link, rq->ns, rq->name, &o, write, arg, err);
}

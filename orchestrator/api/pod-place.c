/* Where a pod runs, for what is asked of its node. */
#include "orchestrator/api/upgrade-internal.h"

#include <string.h>

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

int pod_place(const struct request *rq, struct str *container, struct nodelink **out, struct err *err)
{
	AUTO_ITEM pod = NULL;

	TRY(verb_get(rq, &pod, err));
	struct object *p = item_object(pod);
	if (!p)
		return err_set(err, ERR_IO, "the stored pod \"%s\" does not parse", rq->name);
	if (container)
		TRY(pick_container(p, container, err));
	const char *node = node_str_or(p->root, "spec.nodeName", "");
	if (!*node)
		return err_set(err, ERR_BAD_REQUEST, "pod %s does not have a host assigned", rq->name);
	*out = map_get(&rq->api->nodes, sv_c(node));
	return *out ? 0 : err_set(err, ERR_UNAVAILABLE, "the node \"%s\" of pod \"%s\" cannot be reached", node, rq->name);
}

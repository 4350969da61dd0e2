#include "orchestrator/api/exchange-internal.h"

#include "base/json.h"
#include "kube/status.h"

#include <string.h>

static int delete_options(struct exchange *x, struct doc **body, struct str *propagation, struct deletion *how,
			  struct err *err)
{
	const struct node *root = NULL, *orphans;

	*how = (struct deletion){ .grace_seconds = -1 };
	if (http_body(x->http).n) {
		TRY(read_body(x->request.api, x->http, body, err));
		root = doc_root(*body);
	}
	(void)query_int(x->query, "gracePeriodSeconds", &how->grace_seconds);
	how->grace_seconds = node_int_at(root, "gracePeriodSeconds", how->grace_seconds);
	how->uid = node_str_at(root, "preconditions.uid");
	const char *revision = node_str_at(root, "preconditions.resourceVersion");
	if (revision && !sv_to_i64(sv_c(revision), &how->revision))
		return err_set(err, ERR_BAD_REQUEST, "preconditions.resourceVersion: Invalid value: \"%s\"", revision);
	if ((how->propagation = node_str_at(root, "propagationPolicy")) || !propagation)
		return 0;
	if (http_query_get(x->query, "propagationPolicy", propagation))
		how->propagation = str_c(propagation);
	else if (node_is(orphans = node_get(root, "orphanDependents"), NODE_BOOL))
		how->propagation = orphans->b ? "Orphan" : "Background";
	if (node_n(node_get(root, "dryRun")))
		x->request.dry_run = true;
	return 0;
}

static void reply_deleted(struct exchange *x, struct item *last)
{
	struct object *o = item_object(last);
	AUTO_DOC d = doc_new();
	AUTO(str) out = { 0 };

	json_write(&out, status_success(d, x->route.kind, last->name, o ? o->uid : NULL), 0);
	str_add1(&out, '\n');
	reply_json(x->http, 200, &out);
}

static int delete_all(struct exchange *x, const struct deletion *how, struct err *err)
{
	AUTO(list_text) text = { 0 };
	AUTO(list_result) found = { 0 };
	struct list_query q;

	if (x->route.kind->namespaced && !*x->route.ns)
		return no_method(err);          /* never all namespaces at once */
	TRY(authorize(&x->request, "deletecollection", err));
	TRY(read_list_query(x, &text, &q, err));
	TRY(verb_delete_collection(&x->request, &q, how, &found, err));
	reply_list(x, &found);
	return 0;
}

int do_delete(struct exchange *x, struct err *err)
{
	AUTO(str) propagation = { 0 };
	AUTO_ITEM left = NULL;
	AUTO_ITEM last = NULL;
	AUTO_DOC body = NULL;
	struct deletion how;

	if (*x->route.name)
		TRY(authorize(&x->request, "delete", err));
	TRY(delete_options(x, &body, &propagation, &how, err));
	if (!*x->route.name)
		return delete_all(x, &how, err);
	TRY(verb_delete(&x->request, &how, &left, &last, err));
	if (left)
		reply_item(x, 200, left);
	else
		reply_deleted(x, last);
	return 0;
}

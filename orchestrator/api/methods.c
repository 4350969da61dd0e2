#include "orchestrator/api/exchange-internal.h"

#include "base/json.h"
#include "kube/status.h"

#include <stdlib.h>
#include <string.h>

int no_method(struct err *err)
{
	return err_set(err, ERR_NOT_ALLOWED, "the server does not allow this method on the requested resource");
}

/* ---- reading ---- */

void list_text_free(struct list_text *t)
{
	str_free(&t->labels);
	str_free(&t->fields);
	str_free(&t->token);
}

int read_list_query(struct exchange *x, struct list_text *t, struct list_query *q, struct err *err)
{
	AUTO(str) limit = { 0 }, match = { 0 };

	*q = (struct list_query){ 0 };
	q->labels = http_query_get(x->query, "labelSelector", &t->labels) ? str_c(&t->labels) : NULL;
	q->fields = http_query_get(x->query, "fieldSelector", &t->fields) ? str_c(&t->fields) : NULL;
	q->token = http_query_get(x->query, "continue", &t->token) && t->token.n ? str_c(&t->token) : NULL;
	if (http_query_get(x->query, "limit", &limit) && limit.n && !sv_to_i64(str_sv(&limit), &q->limit))
		return err_set(err, ERR_BAD_REQUEST, "limit: Invalid value: \"%s\": must be a number", str_c(&limit));
	TRY(check_list_options(x->query, false, &q->revision, err));
	if (q->token && q->revision > 0)
		return err_set(err, ERR_BAD_REQUEST, "specifying resource version is not allowed when using continue");
	bool matched = http_query_get(x->query, "resourceVersionMatch", &match) && match.n;
	/* with a limit, a revision alone has always meant that very one */
	q->exact = matched ? !strcmp(str_c(&match), "Exact") : q->limit > 0 && q->revision > 0;
	return 0;
}

/* The answer to a token that is too old has one that goes on from there. */
static void reply_expired(struct exchange *x, const char *token)
{
	AUTO_DOC d = doc_new();
	AUTO(err) e = { 0 };
	AUTO(str) out = { 0 };
	char *next = list_inconsistent(token);

	(void)!err_set(&e, ERR_EXPIRED,
		       "The provided continue parameter is too old to display a consistent list result. You can start a new list "
		       "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
		       "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
		       "modified, or deleted between the time the first chunk was returned and now may show up in the list.");
	struct node *status = status_of_err(d, &e, NULL, NULL);
	node_put(d, status, "metadata.continue", node_str(d, next));
	json_write(&out, status, 0);
	reply_json(x->http, 410, &out);
	free(next);
}

static int get_list(struct exchange *x, struct err *err)
{
	AUTO(list_text) text = { 0 };
	AUTO(list_result) found = { 0 };
	struct list_query q;

	TRY(read_list_query(x, &text, &q, err));
	int r = verb_list(&x->request, &q, &found, err);
	if (r == -ERR_EXPIRED && q.token)
		reply_expired(x, q.token);
	else if (r < 0)
		return r;
	else
		reply_list(x, &found);
	return 0;
}

static int get_item(struct exchange *x, struct err *err)
{
	AUTO_ITEM i = NULL;

	TRY(verb_get(&x->request, &i, err));
	reply_item(x, 200, i);
	return 0;
}

int do_get(struct exchange *x, struct err *err)
{
	bool watch = x->route.watch || query_flag(x->query, "watch");

	if (watch && (!*x->route.name || x->route.watch)) {
		TRY(authorize(&x->request, "watch", err));
		serve_watch(x->http, &x->request, &x->wanted);
		return 0;
	}
	TRY(authorize(&x->request, *x->route.name ? "get" : "list", err));
	return *x->route.name ? get_item(x, err) : get_list(x, err);
}

/* A question, answered in its status; nothing is stored. */
static int do_review(struct exchange *x, struct doc *d, struct err *err)
{
	AUTO(str) out = { 0 };
	struct node *answer;

	TRY(review_answer(&x->request, d, doc_root(d), &answer, err));
	json_write(&out, answer, 0);
	reply_json(x->http, 201, &out);
	return 0;
}

int do_post(struct exchange *x, struct err *err)
{
	AUTO_DOC d = NULL;
	AUTO_ITEM i = NULL;

	if ((*x->route.name && !*x->route.subresource) || (x->route.kind->namespaced && !*x->route.ns))
		return no_method(err);
	TRY(authorize(&x->request, "create", err));
	TRY(read_body(x->request.api, x->http, &d, err));
	if (review_find(x->route.group, x->route.version, x->route.plural))
		return do_review(x, d, err);
	int r = verb_create(&x->request, doc_root(d), &i, err);
	if (r < 0 && !*x->route.name)
		str_set(&x->created, node_str_or(doc_root(d), "metadata.name", ""));
	if (r < 0)
		return r;
	if (i && *x->route.subresource != 'b' && *x->route.subresource != 'e') {
		reply_item(x, 201, i);
		return 0;
	}
	AUTO(str) out = { 0 };          /* a binding, an eviction: done */
	str_addc(&out,
		 "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"code\":201}\n");
	reply_json(x->http, 201, &out);
	return 0;
}

static int no_name(struct exchange *x, struct err *err) { return *x->route.name ? 0 : no_method(err); }

int do_put(struct exchange *x, struct err *err)
{
	AUTO_DOC d = NULL;
	AUTO_ITEM i = NULL;

	TRY(no_name(x, err));
	TRY(authorize(&x->request, "update", err));
	TRY(read_body(x->request.api, x->http, &d, err));
	TRY(verb_update(&x->request, doc_root(d), &i, err));
	reply_item(x, 200, i);
	return 0;
}

static const struct { const char *media; enum patch_type type; } patches[] = {
	{ "application/json-patch+json", PATCH_JSON },
	{ "application/merge-patch+json", PATCH_MERGE },
	{ "application/strategic-merge-patch+json", PATCH_STRATEGIC },
	{ "application/apply-patch+yaml", PATCH_APPLY },
};

static int patch_type(struct exchange *x, enum patch_type *out, struct err *err)
{
	for (size_t i = 0; i < sizeof patches / sizeof *patches; i++)
		if (body_type_is(x->http, patches[i].media)) {
			*out = patches[i].type;
			if (*out == PATCH_STRATEGIC && !x->route.kind->type)
				break;
			return 0;
		}
	return err_set(err, ERR_UNSUPPORTED,
		       "the body of the request was in an unknown format - accepted media types include: "
		       "application/json-patch+json, application/merge-patch+json%s, application/apply-patch+yaml",
		       x->route.kind->type ? ", application/strategic-merge-patch+json" : "");
}

int do_patch(struct exchange *x, struct err *err)
{
	AUTO_DOC d = NULL;
	AUTO_ITEM i = NULL;
	enum patch_type type;

	TRY(no_name(x, err));
	TRY(authorize(&x->request, "patch", err));
	TRY(patch_type(x, &type, err));
	TRY(read_body(x->request.api, x->http, &d, err));
	bool exists = resource_find(request_resource(&x->request), x->request.ns, x->request.name);
	TRY(verb_patch(&x->request, type, doc_root(d), &i, err));
	reply_item(x, exists ? 200 : 201, i);
	return 0;
}

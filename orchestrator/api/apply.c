#include "orchestrator/api/api-internal.h"

#include "kube/patch/managed.h"

#include <string.h>

/* The manager of a request; its strings live as long as the buffers. */
struct manager_text { char version[128], now[32]; };

static struct manager manager_of(const struct request *rq, struct manager_text *text)
{
	time_format(clock_ms(), text->now);
	return (struct manager){ *rq->manager ? rq->manager : "unknown", rq->subresource,
				 kind_api_version(rq->kind, text->version), text->now, rq->force };
}

void track_fields(const struct request *rq, struct doc *d, const struct node *before, struct node *root)
{
	struct manager_text text;
	struct manager m = manager_of(rq, &text);

	managed_update(d, before, root, rq->kind->type, &m);
}

struct application { const struct request *rq; const struct node *config; };

static int make_applied(void *arg, struct doc *d, const struct node *live, struct node **out, struct err *err)
{
	const struct application *a = arg;
	struct manager_text text;
	struct manager m = manager_of(a->rq, &text);

	return managed_apply(d, live, a->config, a->rq->kind->type, &m, out, err);
}

static int create_applied(const struct request *rq, const struct node *config, struct item **out, struct err *err)
{
	struct application a = { rq, config };
	AUTO_DOC d = doc_new();
	struct request plain = *rq;
	struct node *root;

	TRY(make_applied(&a, d, NULL, &root, err));
	node_put(d, root, "metadata.name", node_str(d, rq->name));
	plain.name = "";
	return verb_create(&plain, root, out, err);
}

static int check_config(const struct request *rq, const struct node *config, struct err *err)
{
	if (!*rq->manager)
		return err_set(
			err, ERR_INVALID,
			"PatchOptions.meta.k8s.io \"\" is invalid: metadata.fieldManager: Required value: is required "
			"for apply patch");
	if (!node_is(config, NODE_MAP) || !node_str_at(config, "apiVersion") || !node_str_at(config, "kind"))
		return err_set(err, ERR_BAD_REQUEST, "the applied configuration needs apiVersion and kind");
	if (node_get(node_get(config, "metadata"), "managedFields"))
		return err_set(err, ERR_BAD_REQUEST, "metadata.managedFields must be nil");
	return 0;
}

int verb_apply(const struct request *rq, const struct node *config, struct item **out, struct err *err)
{
	struct request applying = *rq;
	struct application a = { &applying, config };
	int r = -ERR_ALREADY_EXISTS;

	TRY(check_config(rq, config, err));
	applying.applies = true;
	if (!*rq->subresource && !resource_find(request_resource(rq), rq->ns, rq->name))
		r = create_applied(&applying, config, out, err);
	if (r != -ERR_ALREADY_EXISTS)
		return r;
	if (err)
		err_free(err);          /* it is there: made by us a moment ago, or by somebody else meanwhile */
	return write_object(&applying, make_applied, &a, out, err);
}

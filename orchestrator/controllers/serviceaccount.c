#include "orchestrator/controllers/rows.h"

enum { NAMESPACES, ACCOUNTS };

/* Every namespace has the account that pods run under when they name none. */
static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	const struct object *space = informer_get(controller_informer(c, NAMESPACES), ns, name);
	const struct kind *k = informer_kind(controller_informer(c, ACCOUNTS));
	AUTO_OBJECT made = NULL;
	AUTO_DOC d = NULL;
	int r;

	if (!space || meta_deleting(space->root) || informer_get(controller_informer(c, ACCOUNTS), name, "default"))
		return 0;
	d = doc_new();
	r = client_create(controller_client(c), k, object_start(d, k, name, "default"), NULL, &made, err);
	if (r == -ERR_ALREADY_EXISTS)
		return 0;
	return r < 0 ? r : informer_wait_seen(controller_informer(c, ACCOUNTS), made->revision, err);
}

static void map_account(struct controller *c, const struct object *account)
{
	if (str_eq(account->name, "default"))
		controller_queue(c, NULL, account->ns);
}

const struct controller_spec serviceaccount_controller = {
	.name = "serviceaccount-controller",
	.watches = (const struct controller_watch[]){
		[NAMESPACES] = { "v1", "Namespace", NULL },
		[ACCOUNTS] = { "v1", "ServiceAccount", map_account },
		{ 0 },
	},
	.reconcile = reconcile,
};

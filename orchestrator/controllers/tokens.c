/* Secrets of type kubernetes.io/service-account-token: they go with their account. The API puts the token in when the
 * Secret is written; one that came before its account is written again. */
#include "orchestrator/controllers/rows.h"

enum { SECRETS, ACCOUNTS };

#define TYPE "kubernetes.io/service-account-token"
#define ACCOUNT_NAME "kubernetes.io/service-account.name"
#define ACCOUNT_UID "kubernetes.io/service-account.uid"
#define EARLY_MS 10000          /* so long may the account be late: manifests are applied in any order */

static int touch(struct doc *d, struct node *root, void *arg, struct err *err)
{
	(void)d, (void)root, (void)arg, (void)err;
	return 1;
}

static int remove_secret(struct controller *c, const struct object *secret, struct err *err)
{
	struct delete_opts o = { .grace_seconds = -1, .uid = secret->uid };
	int r = client_delete(controller_client(c), secret->kind, secret->ns, secret->name, &o, err);

	return r == -ERR_NOT_FOUND || r == -ERR_CONFLICT ? 0 : r;
}

/* A token for an account that is not there: it may come, for a while. */
static int without_account(struct controller *c, const struct object *secret, struct err *err)
{
	int64_t made = 0;

	(void)time_parse(node_str_or(secret->root, "metadata.creationTimestamp", ""), &made);
	int64_t left = made + EARLY_MS - clock_ms();
	if (meta_annotation(secret->root, ACCOUNT_UID) || left <= 0 || left > EARLY_MS)
		return remove_secret(c, secret, err);
	controller_queue_after(c, secret->ns, secret->name, left);
	return 0;
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	AUTO_OBJECT secret = NULL;
	AUTO_OBJECT account = NULL;
	struct object *now = informer_get(controller_informer(c, SECRETS), ns, name);
	int r;

	if (!now || !str_eq(node_str_at(now->root, "type"), TYPE) || meta_deleting(now->root))
		return 0;
	secret = object_ref(now);
	const char *owner = meta_annotation(secret->root, ACCOUNT_NAME), *uid = meta_annotation(secret->root, ACCOUNT_UID);
	/* Asked of the API: the copies of the two kinds need not be of the same moment. */
	r = client_get(controller_client(c), informer_kind(controller_informer(c, ACCOUNTS)), ns, owner ? owner : "", &account, err);
	if (r == -ERR_NOT_FOUND) {
		err_free(err);
		return without_account(c, secret, err);
	}
	if (r < 0)
		return r;
	if (uid && !str_eq(uid, account->uid))
		return remove_secret(c, secret, err);
	if (uid && node_at(secret->root, "data.token"))
		return 0;
	r = client_modify(controller_client(c), secret->kind, ns, name, NULL, touch, NULL, NULL, err);
	return r == -ERR_NOT_FOUND ? 0 : r;
}

static bool queue_one(struct object *secret, void *arg)
{
	if (str_eq(node_str_at(secret->root, "type"), TYPE))
		controller_queue(arg, secret->ns, secret->name);
	return true;
}

static void map_account(struct controller *c, const struct object *account)
{
	informer_each(controller_informer(c, SECRETS), account->ns, queue_one, c);
}

const struct controller_spec token_controller = {
	.name = "serviceaccount-token-controller",
	.watches = (const struct controller_watch[]){
		[SECRETS] = { "v1", "Secret", NULL },
		[ACCOUNTS] = { "v1", "ServiceAccount", map_account },
		{ 0 },
	},
	.reconcile = reconcile,
};

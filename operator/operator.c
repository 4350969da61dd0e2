/* operator/operator.c - continuous delivery: the parts, put together. */
#include "operator/operator-internal.h"

#include <stdlib.h>

#include "base/fs.h"
#include "operator/webhook/webhook.h"

struct operator *operator_start(struct loop *l, const struct operator_opts *o, struct err *err)
{
	struct operator *op = calloc(1, sizeof *op);

	op->loop = l;
	op->client = o->client;
	op->informers = o->informers;
	op->root = str_fmt("%s/repos", o->dir);
	str_add(&op->token, o->token);
	op->repos = repos_new(l, o->dir);
	repos_serve(op->repos, "/git/", op->root);
	AUTO(str) packages = { 0 };
	str_addf(&packages, "%s/charts", o->dir);
	op->charts = charts_new(l, str_c(&packages));
	const struct apps_opts a = { .client = o->client, .informers = o->informers, .repos = op->repos, .charts = op->charts,
				     .poll_ms = o->poll_ms };
	if (dir_make(op->root, 0700, err) < 0 || !(op->apps = apps_start(l, &a))) {
		if (!err->code)
			(void)err_set(err, ERR_UNSUPPORTED, "the cluster does not know the kind Application of argoproj.io/v1alpha1");
		operator_stop(&op);
		return NULL;
	}
	const struct appsets_opts sets = { .client = o->client, .informers = o->informers, .repos = op->repos, .poll_ms = o->poll_ms };
	op->appsets = appsets_start(l, &sets);
	op->webhook = webhook_new(op);
	return op;
}

void operator_set_url(struct operator *op, const char *url)
{
	AUTO(str) prefix = { 0 };

	str_addf(&prefix, "%s/git/", url);
	repos_serve(op->repos, str_c(&prefix), op->root);
}

void operator_stop(struct operator **opp)
{
	struct operator *op = TAKE(*opp);

	if (!op)
		return;
	webhook_free(&op->webhook);
	appsets_stop(&op->appsets);
	apps_stop(&op->apps);
	charts_free(&op->charts);
	repos_free(&op->repos);
	str_free(&op->token);
	free(op->root);
	free(op);
}

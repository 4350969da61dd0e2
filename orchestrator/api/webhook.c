/* Mutating and validating webhooks: who is asked, in which order, and what becomes of the answers. */
#include "orchestrator/api/admission-internal.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/log.h"
#include "kube/patch/patch.h"

#include <stdlib.h>
#include <string.h>

static const char version[] = "admission.k8s.io/v1";

/* ---- all that there are ---- */

struct hook {
	struct object *configuration;
	const struct node *row;
	bool changed_since;
};
struct hooks {
	struct hook *v;
	size_t n, cap;
};

static void hooks_free(struct hooks *h)
{
	for (size_t i = 0; i < h->n; i++)
		object_drop(&h->v[i].configuration);
	vec_free(h);
}

/* Those that the write concerns, by the names of their configurations. They stay what they are while others are asked.
 */
static void collect(const struct admission *a, const char *kind, struct hooks *out)
{
	const struct kind *k = kinds_find(a->rq->api->kinds, "admissionregistration.k8s.io/v1", kind);
	struct resource *r = k ? cache_resource(&a->rq->api->cache, k) : NULL;

	for (size_t i = 0; r && i < r->items.n; i++) {
		struct object *o = item_object(r->items.v[i]);
		const struct node *it;

		node_each(it, o ? node_get(o->root, "webhooks") : NULL)
			if (admission_matches(a, node_get(it, "rules"), it))
				vec_push(out, ((struct hook){ object_ref(o), it, false }));
	}
}

static const char *name_of(const struct hook *h) { return node_str_or(h->row, "name", ""); }

static bool must_answer(const struct hook *h)
{
	return strcmp(node_str_or(h->row, "failurePolicy", "Fail"), "Ignore") != 0;
}

/* ---- the question ---- */

static struct node *review_of(struct admission *a, struct doc *d)
{
	struct node *review = node_map(d), *request = node_copy(d, admission_request(a));

	node_set(d, request, "uid", random_uid(d));
	node_set(d, request, "object", a->root ? node_copy(d, a->root) : node_null(d));
	node_set(d, request, "oldObject", a->before ? node_copy(d, a->before) : node_null(d));
	node_set(d, review, "kind", node_str(d, "AdmissionReview"));
	node_set(d, review, "apiVersion", node_str(d, version));
	node_set(d, review, "request", request);
	return review;
}

static bool has_side_effects(const struct hook *h)
{
	const char *effects = node_str_or(h->row, "sideEffects", "Unknown");

	return strcmp(effects, "None") != 0 && strcmp(effects, "NoneOnDryRun") != 0;
}

/* ---- the answer ---- */

static int denied(const struct hook *h, const struct node *response, struct err *err)
{
	const struct node *status = node_get(response, "status");
	const char *message = node_str_or(status, "message", ""), *reason = node_str_or(status, "reason", "");
	int code = (int)node_int_at(status, "code", 403);
	enum err_code what = code >= 400 && code < 600 ? err_from_http(code, *reason ? reason : NULL) : ERR_FORBIDDEN;
	const char *why = *message ? message : reason;

	if (!*why)
		return err_set(err, what, "admission webhook \"%s\" denied the request without explanation",
			       name_of(h));
	return err_set(err, what, "admission webhook \"%s\" denied the request: %s", name_of(h), why);
}

static void add_warnings(const struct admission *a, const struct node *response)
{
	const struct node *it;

	node_each(it, a->rq->warnings ? node_get(response, "warnings") : NULL)
		str_addf(a->rq->warnings, SV_FMT "\n", SV_ARG(node_sv(it)));
}

static int check_answer(const struct node *answer, const struct node *review, struct err *err)
{
	const struct node *response = node_get(answer, "response");

	if (!str_eq(node_str_at(answer, "kind"), "AdmissionReview") ||
	    !str_eq(node_str_at(answer, "apiVersion"), version))
		return err_set(
			err, ERR_IO,
			"received invalid webhook response: expected webhook response of %s, Kind=AdmissionReview",
			version);
	if (!node_is(response, NODE_MAP))
		return err_set(err, ERR_IO, "received invalid webhook response: webhook response was absent");
	if (!str_eq(node_str_at(response, "uid"), node_str_at(review, "request.uid")))
		return err_set(err, ERR_IO,
			       "received invalid webhook response: expected response.uid=\"%s\", got \"%s\"",
			       node_str_or(review, "request.uid", ""), node_str_or(response, "uid", ""));
	return 0;
}

static int apply_patch(struct admission *a, const struct node *response, bool *changed, struct err *err)
{
	const char *type = node_str_or(response, "patchType", ""), *encoded = node_str_or(response, "patch", "");
	AUTO(str) text = { 0 };
	AUTO_DOC ops = NULL;
	struct node *out;

	if (!*encoded || !a->root)
		return 0;
	if (strcmp(type, "JSONPatch") != 0)
		return err_set(err, ERR_IO, "received invalid webhook response: unsupported patch type: %s", type);
	TRY(base64_decode(&text, sv_c(encoded), err));
	TRY(json_read(str_sv(&text), "patch", 0, &ops, err));
	TRY(patch_json(a->d, a->root, doc_root(ops), &out, err));
	if (node_eq(a->root, out))
		return 0;
	*a->root = *out; /* whoever holds the object holds the new one */
	*changed = true;
	return 0;
}

/* ---- one webhook ---- */

/* It gave no answer that is one. */
static int failed(const struct hook *h, const struct err *why, struct err *err)
{
	if (must_answer(h))
		return err_set(err, ERR_IO,
			       "Internal error occurred: failed calling webhook \"%s\": failed to call webhook: %s",
			       name_of(h), err_msg(why));
	log_event(LOG_WARN, "webhook failed and is ignored", "webhook", name_of(h), "err", err_msg(why), NULL);
	return 0;
}

/* 1: it is not asked */
static int is_spared(struct admission *a, const struct hook *h, struct err *err)
{
	AUTO(err) why = { 0 };
	int r = admission_conditions(a, node_get(h->row, "matchConditions"), &why);

	if (r < 0 && must_answer(h))
		return err_set(err, ERR_FORBIDDEN, "admission webhook \"%s\" denied the request: matchConditions: %s",
			       name_of(h), err_msg(&why));
	if (r <= 0)
		return 1;
	if (a->rq->dry_run && has_side_effects(h))
		return err_set(err, ERR_BAD_REQUEST, "admission webhook \"%s\" does not support dry run", name_of(h));
	return 0;
}

static int ask(struct admission *a, const struct hook *h, bool *changed, struct err *err)
{
	AUTO_DOC d = doc_new();
	AUTO_DOC answer = NULL;
	AUTO(err) why = { 0 };
	struct node *review;
	int r = is_spared(a, h, err);

	if (r)
		return r < 0 ? r : 0;
	review = review_of(a, d);
	r = webhook_post(a->rq->api, node_get(h->row, "clientConfig"), review,
			 node_int_at(h->row, "timeoutSeconds", 10) * 1000, &answer, &why);
	if (r == -ERR_CANCELED)
		return err_set(err, ERR_CANCELED, "the server is stopping");
	if (r >= 0)
		r = check_answer(doc_root(answer), review, &why);
	if (r < 0)
		return failed(h, &why, err);
	const struct node *response = node_get(doc_root(answer), "response");
	add_warnings(a, response);
	if (!node_bool_at(response, "allowed", false))
		return denied(h, response, err);
	return changed && apply_patch(a, response, changed, &why) < 0 ? failed(h, &why, err) : 0;
}

/* ---- all of them ---- */

static bool again(const struct hook *h)
{
	return h->changed_since && !strcmp(node_str_or(h->row, "reinvocationPolicy", "Never"), "IfNeeded");
}

int webhooks_mutate(struct admission *a, bool *changed, struct err *err)
{
	AUTO(hooks) all = { 0 };

	collect(a, "MutatingWebhookConfiguration", &all);
	for (size_t i = 0; i < all.n; i++) {
		bool now = false;

		TRY(ask(a, &all.v[i], &now, err));
		for (size_t k = 0; now && k < i; k++)
			all.v[k].changed_since = true;
		*changed |= now;
	}
	for (size_t i = 0; i < all.n; i++) /* who was asked before another one changed the object, once more */
		if (again(&all.v[i]))
			TRY(ask(a, &all.v[i], changed, err));
	return 0;
}

int webhooks_validate(struct admission *a, struct err *err)
{
	AUTO(hooks) all = { 0 };

	collect(a, "ValidatingWebhookConfiguration", &all);
	for (size_t i = 0; i < all.n; i++)
		TRY(ask(a, &all.v[i], NULL, err));
	return 0;
}

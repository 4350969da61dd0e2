/* operator/webhook/webhook.c - POST /api/webhook: verified, accepted at once, acted on afterwards. */
#include "operator/webhook/webhook.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/fiber.h"
#include "base/json.h"
#include "base/log.h"
#include "operator/git/url.h"
#include "operator/operator-internal.h"

#define QUEUE_MAX 1000

struct webhook {
	struct operator *op;
	struct fiber_group workers;
	size_t queued;
};

struct webhook *webhook_new(struct operator *op)
{
	struct webhook *w = calloc(1, sizeof *w);

	w->op = op;
	fiber_group_init(&w->workers, op->loop);
	return w;
}

void webhook_free(struct webhook **wp)
{
	struct webhook *w = TAKE(*wp);

	if (!w)
		return;
	fiber_group_cancel(&w->workers);
	fiber_group_join(&w->workers);
	free(w);
}

/* ---- is it the forge? ---- */

/* The secret of the control plane's Secret argocd-secret; empty: none is set, and every event is taken, since all that an
 * event can do is to make us look. Parks. */
static void read_secret(struct operator *op, const char *key, struct str *out)
{
	static const char *const namespaces[] = { "argocd", "cd" };
	const struct kind *k = kinds_find(op->client->kinds, "v1", "Secret");

	for (size_t i = 0; k && !out->n && i < sizeof namespaces / sizeof *namespaces; i++) {
		AUTO_OBJECT o = NULL;
		const char *text;
		if (client_get(op->client, k, namespaces[i], "argocd-secret", &o, NULL) < 0)
			continue;
		if ((text = node_text(node_get(node_get(o->root, "data"), key))))
			(void)!base64_decode(out, sv_c(text), NULL);
	}
}

static bool hmac_matches(struct sv key, struct sv body, struct sv given)
{
	unsigned char mac[32];
	AUTO(str) hex = { 0 };

	hmac_sha256(mac, key, body);
	hex_encode(&hex, (struct sv){ (const char *)mac, sizeof mac });
	return secure_eq(str_sv(&hex), given);
}

static bool proves(const struct forge *f, struct http_request *rq, struct sv secret)
{
	struct sv given = http_header(rq, f->proof_header);

	if (!sv_starts(given, sv_c(f->proof_prefix)))
		return false;
	given = sv_drop(given, strlen(f->proof_prefix));
	if (f->proof == PROOF_TOKEN)
		return secure_eq(given, secret);
	return hmac_matches(secret, http_body(rq), given);
}

/* ---- acting on it ---- */

struct work { struct webhook *hook; struct doc *doc; struct push_event event; const char *forge; };

static void work_free(struct work *w)
{
	push_event_free(&w->event);
	doc_drop(&w->doc);
	free(w);
}

static bool source_matches(const struct work *w, const struct object *app, const struct node *source)
{
	const struct push_event *e = &w->event;
	AUTO(str) head = { 0 };
	const struct ref_change change = { e->ref, "" };
	bool same = false;

	for (size_t i = 0; i < e->urls.n; i++)
		same |= repo_url_same(e->urls.v[i], node_str_or(source, "repoURL", ""));
	str_addf(&head, "%s%s", sv_starts(sv_c(e->ref), SV("refs/")) ? "refs/heads/" : "", e->default_branch);
	return same &&
	       (revision_follows(node_str_or(source, "targetRevision", ""), node_str_or(source, "tagPrefix", ""), &change, 1, str_c(&head)) ||
		(*e->ref && str_eq(e->ref, node_str_at(source, "targetRevision")))) &&
	       paths_touched(meta_annotation(app->root, "argocd.argoproj.io/manifest-generate-paths"), node_str_or(source, "path", ""),
			     e->files.v, e->files.n);
}

static bool app_matches(void *arg, const struct object *app)
{
	const struct work *w = arg;
	const struct node *spec = node_get(app->root, "spec"), *sources = node_get(spec, "sources"), *it;

	node_each(it, sources)
		if (source_matches(w, app, it))
			return true;
	return !node_n(sources) && source_matches(w, app, node_get(spec, "source"));
}

static bool is_pushed(void *arg, const char *url)
{
	const struct work *w = arg;

	for (size_t i = 0; i < w->event.urls.n; i++)
		if (repo_url_same(w->event.urls.v[i], url))
			return true;
	return false;
}

static void act(void *arg)
{
	struct work *w = arg;

	if (w->hook->op->appsets)
		(void)appsets_refresh(w->hook->op->appsets, is_pushed, w);
	size_t n = apps_refresh(w->hook->op->apps, app_matches, w);
	char count[24];

	snprintf(count, sizeof count, "%zu", n);
	log_event(LOG_INFO, "webhook", "forge", w->forge, "repository", w->event.urls.n ? w->event.urls.v[0] : "", "ref",
		  w->event.ref, "applications", count, NULL);
	w->hook->queued--;
	work_free(w);
}

/* ---- the request ---- */

static void answer(struct http_request *rq, int status, const char *text)
{
	http_reply(rq, status, "text/plain; charset=utf-8", sv_c(text));
}

static const struct forge *forge_of(struct http_request *rq)
{
	for (const struct forge *f = forges; f->name; f++)
		if (http_header(rq, f->header).n)
			return f;
	return NULL;
}

static void event_name(struct http_request *rq, const struct forge *f, struct str *out)
{
	str_add(out, http_header(rq, str_eq(f->name, "bitbucket") ? "X-Event-Key" : f->header));
}

static void accept_event(struct webhook *hook, struct http_request *rq, const struct forge *f)
{
	struct work *w = calloc(1, sizeof *w);
	AUTO(str) event = { 0 };
	AUTO(err) err = { 0 };

	w->hook = hook;
	w->forge = f->name;
	event_name(rq, f, &event);
	w->event.ref = w->event.default_branch = "";
	if (json_read(http_body(rq), "body", 0, &w->doc, &err) < 0) {
		answer(rq, 400, err_msg(&err));
		work_free(w);
		return;
	}
	f->read(doc_root(w->doc), str_c(&event), &w->event);
	answer(rq, 200, "ok\n");
	if (!w->event.is_push) {
		work_free(w);
		return;
	}
	hook->queued++;
	fiber_group_start(&hook->workers, "webhook", act, w);
}

void operator_webhook(struct http_request *rq, void *arg)
{
	struct operator *op = arg;
	const struct forge *f = forge_of(rq);
	AUTO(str) secret = { 0 };

	if (!str_eq(http_method(rq), "POST")) {
		http_add_header(rq, "Allow", "POST");
		answer(rq, 405, "webhooks are sent by POST\n");
	} else if (!f) {
		answer(rq, 400, "unknown webhook event: it is not from GitHub, GitLab, Gitea or Bitbucket\n");
	} else if (op->webhook->queued >= QUEUE_MAX) {
		answer(rq, 503, "too many events are waiting\n");
	} else {
		read_secret(op, f->secret_key, &secret);
		if (secret.n && !proves(f, rq, str_sv(&secret))) {
			log_event(LOG_WARN, "a webhook with a wrong signature", "forge", f->name, "from", http_remote(rq), NULL);
			answer(rq, 401, "the signature does not match the secret\n");
			return;
		}
		accept_event(op->webhook, rq, f);
	}
}

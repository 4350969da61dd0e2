/* Tokens of the pod's service account for its projected volumes: asked for, kept, and renewed before they expire. */
#include "runtime/agent/agent-internal.h"

#include <stdlib.h>
#include "base/log.h"
#include "kube/object.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define RETRY_MS 10000
#define SECONDS_DEFAULT 3600

struct pod_token {
	char *audience;                         /* "" : the API itself */
	int64_t seconds;                        /* asked for */
	struct str text;
	int64_t expires_ms, renew_ms;           /* wall clock */
};

static void token_free(struct pod_token *t)
{
	free(t->audience);
	str_free(&t->text);
	free(t);
}

void worker_tokens_free(struct worker *w)
{
	for (size_t i = 0; i < w->tokens.n; i++)
		token_free(w->tokens.v[i]);
	vec_free(&w->tokens);
}

static struct pod_token *find(struct worker *w, const char *audience, int64_t seconds)
{
	for (size_t i = 0; i < w->tokens.n; i++)
		if (str_eq(w->tokens.v[i]->audience, audience) && w->tokens.v[i]->seconds == seconds)
			return w->tokens.v[i];
	return NULL;
}

/* ---- asking ---- */

static struct node *question(struct worker *w, const struct object *pod, const struct pod_token *t, struct doc *d)
{
	struct node *root = node_map(d), *ref = node_map(d);

	node_set(d, root, "apiVersion", node_str(d, "authentication.k8s.io/v1"));
	node_set(d, root, "kind", node_str(d, "TokenRequest"));
	node_put(d, root, "metadata.name", node_str(d, node_str_or(pod->root, "spec.serviceAccountName", "default")));
	node_put(d, root, "metadata.namespace", node_str(d, w->ns));
	if (*t->audience)
		node_add(d, node_seq_at(d, root, "spec.audiences"), node_str(d, t->audience));
	node_put(d, root, "spec.expirationSeconds", node_int(d, t->seconds));
	node_set(d, ref, "apiVersion", node_str(d, "v1"));
	node_set(d, ref, "kind", node_str(d, "Pod"));
	node_set(d, ref, "name", node_str(d, w->name));
	node_set(d, ref, "uid", node_str(d, w->uid));
	node_put(d, root, "spec.boundObjectRef", ref);
	return root;
}

static int take_answer(struct pod_token *t, const struct object *answer, struct err *err)
{
	const char *text = node_str_or(answer->root, "status.token", "");
	int64_t now = clock_ms(), life;

	if (!*text || !time_parse(node_str_or(answer->root, "status.expirationTimestamp", ""), &t->expires_ms))
		return err_set(err, ERR_IO, "the API's answer to a TokenRequest holds no token");
	str_set(&t->text, text);
	life = t->expires_ms - now;
	t->renew_ms = now + life * 8 / 10;      /* as kubelet: at four fifths of its life, and after a day */
	if (t->renew_ms > now + DAY_MS)
		t->renew_ms = now + DAY_MS;
	return 0;
}

static int ask(struct worker *w, struct object *pod, struct pod_token *t, struct err *err)
{
	const struct kind *k = kinds_find(w->a->client->kinds, "v1", "ServiceAccount");
	AUTO_OBJECT answer = NULL;
	AUTO_DOC d = doc_new();

	if (!k)
		return kinds_unknown(w->a->client->kinds, "v1", "ServiceAccount", err);
	TRY(client_create(w->a->client, k, question(w, pod, t, d), &(struct write_opts){ .subresource = "token" }, &answer, err));
	return take_answer(t, answer, err);
}

/* The old one is good for as long as it lasts, and a new one is asked for again soon. */
static int renew(struct worker *w, struct object *pod, struct pod_token *t, struct err *err)
{
	AUTO(err) why = { 0 };
	int64_t now = clock_ms();

	if (now < t->renew_ms || ask(w, pod, t, &why) >= 0)
		return 0;
	if (now >= t->expires_ms)
		return err_move(err, &why);
	t->renew_ms = now + RETRY_MS;
	log_event(LOG_WARN, "token of a pod not renewed", "namespace", w->ns, "pod", w->name, "error", err_msg(&why), NULL);
	return 0;
}

/* ---- what the pod's volumes want ---- */

static int source_token(struct worker *w, struct object *pod, const struct node *source, struct err *err)
{
	const char *audience = node_str_or(source, "audience", "");
	int64_t seconds = node_int_at(source, "expirationSeconds", SECONDS_DEFAULT);
	struct pod_token *t = find(w, audience, seconds);

	if (!t) {
		if (!(t = calloc(1, sizeof *t)))
			abort();
		t->audience = sv_dup(sv_c(audience));
		t->seconds = seconds;
		vec_push(&w->tokens, t);
	}
	return renew(w, pod, t, err);
}

int worker_tokens(struct worker *w, struct err *err)
{
	AUTO_OBJECT pod = object_ref(w->object);        /* asking parks, and the worker's may change meanwhile */
	const struct node *volumes = node_at(pod->root, "spec.volumes"), *volume;

	for (size_t i = 0; i < node_n(volumes); i++) {
		volume = node_at(node_item(volumes, i), "projected.sources");
		for (size_t k = 0; k < node_n(volume); k++) {
			const struct node *source = node_get(node_item(volume, k), "serviceAccountToken");

			if (source)
				TRY(source_token(w, pod, source, err));
		}
	}
	return 0;
}

int64_t worker_tokens_due(const struct worker *w)
{
	int64_t first = -1, now = clock_ms();

	for (size_t i = 0; i < w->tokens.n; i++) {
		int64_t left = w->tokens.v[i]->renew_ms - now;

		left = left > 0 ? left : 0;
		first = first < 0 || left < first ? left : first;
	}
	return first;
}

const struct str *worker_token(void *arg, const char *audience, int64_t seconds)
{
	const struct pod_token *t = find(arg, audience, seconds);

	return t && t->text.n ? &t->text : NULL;
}

#include "orchestrator/analysis/args.h"

#include "base/encode.h"

#include <stdlib.h>

/* ---- secrets ---- */

void secrets_free(struct secrets *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	vec_free(s);
}

static void mask_one(struct sv secret, struct str *text)
{
	struct sv rest = str_sv(text);
	AUTO(str) shown = { 0 };
	const char *at;

	while (secret.n && rest.n && (at = memmem(rest.p, rest.n, secret.p, secret.n))) {
		str_add(&shown, (struct sv){ rest.p, (size_t)(at - rest.p) });
		str_addc(&shown, "*****");
		rest = sv_drop(rest, (size_t)(at - rest.p) + secret.n);
	}
	if (!shown.n)
		return;
	str_add(&shown, rest);
	str_move(text, &shown);
}

void secrets_mask(const struct secrets *s, struct str *text)
{
	for (size_t i = 0; i < s->n; i++)
		mask_one(sv_c(s->v[i]), text);
}

/* ---- values ---- */

static int read_secret(struct client *c, const char *ns, const struct node *ref, struct str *out, struct err *err)
{
	const struct kind *k = kinds_find(c->kinds, "v1", "Secret");
	const char *name = node_str_or(ref, "name", ""), *key = node_str_or(ref, "key", ""), *data;
	AUTO_OBJECT secret = NULL;

	TRY(client_get(c, k, ns, name, &secret, err));
	data = node_text(node_get(node_get(secret->root, "data"), key));
	if (!data)
		return err_set(err, ERR_NOT_FOUND, "secret \"%s\" has no key \"%s\"", name, key);
	return base64_decode(out, sv_c(data), err);
}

static int read_one(struct client *c, const char *ns, const struct node *arg, struct str *out, struct secrets *secrets,
		    struct err *err)
{
	const struct node *ref = node_at(arg, "valueFrom.secretKeyRef"), *value = node_get(arg, "value");
	const char *name = node_str_or(arg, "name", "");

	if (value) {
		str_add(out, node_sv(value));
		return 0;
	}
	if (!node_get(arg, "valueFrom"))
		return err_set(err, ERR_INVALID, "argument \"%s\" has no value", name);
	if (!ref)
		return err_set(err, ERR_INVALID,
			       "argument \"%s\": podTemplateHashValue and fieldRef are of the Rollout that starts a run; a "
			       "run of its own takes value or valueFrom.secretKeyRef",
			       name);
	TRY(err_wrap(err, read_secret(c, ns, ref, out, err), "argument \"%s\"", name));
	vec_push(secrets, sv_dup(str_sv(out)));
	return 0;
}

int args_read(struct client *c, const char *ns, const struct node *args, struct doc *d, struct node *out,
	      struct secrets *secrets, struct err *err)
{
	const struct node *it;

	for (size_t i = 0; (it = node_item(args, i)); i++) {
		AUTO(str) value = { 0 };

		TRY(read_one(c, ns, it, &value, secrets, err));
		node_set(d, out, node_str_or(it, "name", ""), node_strn(d, str_sv(&value)));
	}
	return 0;
}

/* ---- places ---- */

static int fill_text(struct sv text, const struct node *args, struct str *out, struct err *err)
{
	for (;;) {
		const char *open = text.n ? memmem(text.p, text.n, "{{", 2) : NULL;
		const char *close = open ? memmem(open, (size_t)(text.p + text.n - open), "}}", 2) : NULL;

		if (!close) {
			str_add(out, text);
			return 0;
		}
		struct sv name = sv_trim((struct sv){ open + 2, (size_t)(close - open - 2) });

		str_add(out, (struct sv){ text.p, (size_t)(open - text.p) });
		if (!sv_starts(name, SV("args.")) || !node_getn(args, sv_drop(name, 5)))
			return err_set(err, ERR_INVALID, "'{{" SV_FMT "}}' is not an argument of the run",
				       SV_ARG(name));
		str_add(out, node_sv(node_getn(args, sv_drop(name, 5))));
		text = sv_drop(text, (size_t)(close + 2 - text.p));
	}
}

int args_fill(struct doc *d, struct node *n, const struct node *values, struct err *err)
{
	struct member *m;
	struct node *it;

	if (node_is(n, NODE_STR)) {
		AUTO(str) text = { 0 };

		TRY(fill_text(node_sv(n), values, &text, err));
		n->text = doc_text(d, str_sv(&text));
		n->n = (uint32_t)text.n;
	}
	node_each(it, n)
		TRY(args_fill(d, it, values, err));
	node_members(m, n)
		TRY(args_fill(d, m->value, values, err));
	return 0;
}

/* Bootstrap tokens: "ID.SECRET" of a Secret kube-system/bootstrap-token-ID, for machines that are to join. */
#include "orchestrator/api/auth-internal.h"

#include "base/encode.h"

#include <stdlib.h>
#include <string.h>

enum { ID = 6, SECRET = 16, GROUP_MAX = 256 };

static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

static bool is_all(struct sv s, const char *of)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(of, s.p[i]))
			return false;
	return true;
}

bool bootstrap_shaped(struct sv token)
{
	struct sv id, secret;

	return sv_cut(token, '.', &id, &secret) && id.n == ID && secret.n == SECRET && is_all(id, letters) &&
	       is_all(secret, letters);
}

static void value_of(const struct node *root, const char *key, struct str *out)
{
	if (base64_decode(out, node_sv(node_get(node_get(root, "data"), key)), NULL) < 0)
		str_free(out);
}

static bool value_is(const struct node *root, const char *key, struct sv want)
{
	AUTO(str) value = { 0 };

	value_of(root, key, &value);
	return secure_eq(str_sv(&value), want);
}

/* One that cannot be read counts as passed. */
static bool expired(const struct node *root)
{
	AUTO(str) text = { 0 };
	int64_t ms;

	value_of(root, "expiration", &text);
	return text.n && (!time_parse(str_c(&text), &ms) || ms <= clock_ms());
}

static bool is_group(struct sv name)
{
	return sv_starts(name, SV("system:bootstrappers:")) && name.n > 21 && name.n <= GROUP_MAX &&
	       is_all(sv_drop(name, 21), "abcdefghijklmnopqrstuvwxyz0123456789:-") && strchr(letters, name.p[name.n - 1]);
}

static int read_groups(const struct node *root, struct login *out, struct err *err)
{
	AUTO(str) text = { 0 };
	struct sv rest, one;

	value_of(root, "auth-extra-groups", &text);
	rest = str_sv(&text);
	for (bool more = rest.n; more;) {
		more = sv_cut(rest, ',', &one, &rest);
		one = sv_trim(one);
		if (!is_group(one))
			return err_set(err, ERR_UNAUTHORIZED, "group '" SV_FMT "' of a bootstrap token: want system:bootstrappers:NAME",
				       SV_ARG(one));
		login_add_group(out, one);
	}
	return 0;
}

int bootstrap_login(struct api *a, struct sv token, struct login *out, struct err *err)
{
	const struct kind *k = kinds_find(a->kinds, "v1", "Secret");
	struct sv id = { token.p, ID }, secret = sv_drop(token, ID + 1);
	char *name = str_fmt("bootstrap-token-" SV_FMT, SV_ARG(id));
	struct item *i = k ? resource_find(cache_resource(&a->cache, k), "kube-system", name) : NULL;
	const struct object *o = i ? item_object(i) : NULL;

	free(name);
	if (!o || !str_eq(node_str_at(o->root, "type"), "bootstrap.kubernetes.io/token") || meta_deleting(o->root) ||
	    !value_is(o->root, "token-id", id) || !value_is(o->root, "token-secret", secret))
		return err_set(err, ERR_UNAUTHORIZED, "the bootstrap token is nobody's");
	if (expired(o->root))
		return err_set(err, ERR_UNAUTHORIZED, "the bootstrap token has expired");
	if (!value_is(o->root, "usage-bootstrap-authentication", SV("true")))
		return err_set(err, ERR_UNAUTHORIZED, "the bootstrap token is not for authentication");
	TRY(read_groups(o->root, out, err));
	str_addf(&out->user, "system:bootstrap:" SV_FMT, SV_ARG(id));
	login_add_group(out, SV("system:bootstrappers"));
	login_finish(out);
	return 0;
}

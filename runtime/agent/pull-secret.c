#include "runtime/agent/pull-secret.h"

#include "base/encode.h"
#include "base/json.h"

void pull_login_free(struct pull_login *l)
{
	str_free(&l->user);
	str_free(&l->password);
}

/* "https://index.docker.io/v1/" -> "index.docker.io" */
static struct sv host_of(const char *entry)
{
	struct sv host = sv_c(entry), rest;
	const char *scheme = strstr(entry, "://");

	if (scheme)
		host = sv_drop(host, (size_t)(scheme + 3 - entry));
	(void)sv_cut(host, '/', &host, &rest);
	return host;
}

static bool is_docker_hub(struct sv host)
{
	return !host.n || sv_eq_c(host, "docker.io") || sv_eq_c(host, "index.docker.io") ||
	       sv_eq_c(host, "registry-1.docker.io");
}

static bool same_registry(const char *entry, const char *registry)
{
	struct sv host = host_of(entry), wanted = sv_c(registry);

	return sv_eq(host, wanted) || (is_docker_hub(host) && is_docker_hub(wanted));
}

/* username and password, or auth: base64 of "user:password". */
static bool read_entry(const struct node *entry, struct pull_login *out)
{
	struct sv user = node_sv(node_get(entry, "username")), password = node_sv(node_get(entry, "password"));
	AUTO(str) text = { 0 };

	if (!user.n && base64_decode(&text, node_sv(node_get(entry, "auth")), NULL) >= 0 &&
	    !sv_cut(str_sv(&text), ':', &user, &password))
		return false;
	str_add(&out->user, user);
	str_add(&out->password, password);
	return user.n > 0;
}

bool pull_secret_find(const struct node *secret, const char *registry, struct pull_login *out)
{
	const struct node *data = node_get(secret, "data"), *config = node_get(data, ".dockerconfigjson"), *auths;
	AUTO(str) text = { 0 };
	AUTO_DOC d = NULL;
	struct member *m;
	bool found = false;

	if (base64_decode(&text, node_sv(config ? config : node_get(data, ".dockercfg")), NULL) < 0 ||
	    json_read(str_sv(&text), "image pull secret", 0, &d, NULL) < 0)
		return false;
	auths = config ? node_get(doc_root(d), "auths") : doc_root(d);
	node_members(m, auths)
		if (!found && same_registry(m->key, registry))
			found = read_entry(m->value, out);
	return found;
}

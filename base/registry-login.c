/* base/registry-login.c - logins of registries in docker's config.json. */
#include "base/registry-login.h"

#include "base/encode.h"

void registry_login_free(struct registry_login *l)
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
static bool read_entry(const struct node *entry, struct registry_login *out)
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

bool registry_login_find(const struct node *auths, const char *registry, struct registry_login *out)
{
	struct member *m;

	node_members(m, auths) {
		if (!same_registry(m->key, registry))
			continue;
		if (read_entry(m->value, out))
			return true;
		str_cut(&out->user, 0);
		str_cut(&out->password, 0);
	}
	return false;
}

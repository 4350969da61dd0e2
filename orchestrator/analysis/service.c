#include "orchestrator/analysis/provider.h"

/* Names of Services in URLs, as pods of the cluster write them. This process does not ask the cluster's DNS, but knows the
 * Services. */

static bool is_label(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-'))
			return false;
	return s.n > 0 && s.n <= 63;
}

/* NAME.NAMESPACE, NAME.NAMESPACE.svc, NAME.NAMESPACE.svc.cluster.local. *sure: it can be nothing else. */
static bool split(struct sv host, struct sv *name, struct sv *ns, bool *sure)
{
	static const char *const endings[] = { ".svc.cluster.local.", ".svc.cluster.local", ".svc" };

	*sure = false;
	for (size_t i = 0; i < sizeof endings / sizeof *endings && !*sure; i++)
		if (sv_ends(host, sv_c(endings[i]))) {
			host.n -= strlen(endings[i]);
			*sure = true;
		}
	return sv_cut(host, '.', name, ns) && is_label(*name) && is_label(*ns);
}

static struct sv host_of(const char *url)
{
	struct sv host = httpc_origin(url), name, port;

	return sv_cut(host, ':', &name, &port) ? name : host;
}

int service_address(struct client *c, const char *url, struct str *out, struct err *err)
{
	const struct kind *k = kinds_find(c->kinds, "v1", "Service");
	struct sv host = host_of(url), name, ns;
	AUTO(str) name_text = { 0 }, ns_text = { 0 };
	AUTO_OBJECT service = NULL;
	AUTO(err) none = { 0 };
	const char *ip;
	bool sure;
	int r;

	if (!k || !split(host, &name, &ns, &sure))
		return 0;
	str_add(&name_text, name);
	str_add(&ns_text, ns);
	r = client_get(c, k, str_c(&ns_text), str_c(&name_text), &service, &none);
	if (r == -ERR_NOT_FOUND && !sure)
		return 0;               /* a name of the world */
	if (r < 0)
		return err_wrap(err, err_move(err, &none), "%s", url);
	ip = node_str_or(service->root, "spec.clusterIP", "");
	if (!*ip || str_eq(ip, "None"))
		return err_set(err, ERR_INVALID, "%s: service \"%s\" has no address of its own", url, service->name);
	str_addf(out, strchr(ip, ':') ? SV_FMT "::[%s]:" : SV_FMT "::%s:", SV_ARG(host), ip);
	return 0;
}

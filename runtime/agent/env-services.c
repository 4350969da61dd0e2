/* The addresses of Services as environment variables: those of the API always, those of the pod's namespace unless it
 * says enableServiceLinks: false. */
#include "runtime/agent/env.h"

#include <ctype.h>

static void put(struct env *e, const struct str *prefix, const char *suffix, const char *value)
{
	AUTO(str) name = { 0 };

	str_addf(&name, "%s%s", str_c(prefix), suffix);
	env_put(e, str_sv(&name), sv_c(value));
}

/* "my-app.x" as MY_APP_X. */
static void add_upper(struct str *out, const char *text)
{
	for (; *text; text++)
		str_add1(out, isalnum((unsigned char)*text) ? (char)toupper((unsigned char)*text) : '_');
}

static void add_port(struct env *e, const struct str *prefix, const char *ip, const struct node *port, bool first)
{
	const char *protocol = node_str_or(port, "protocol", "TCP"), *name = node_str_at(port, "name");
	AUTO(str) number = { 0 }, scheme = { 0 }, url = { 0 }, place = { 0 };

	str_addf(&number, "%lld", (long long)node_int_at(port, "port", 0));
	for (const char *c = protocol; *c; c++)
		str_add1(&scheme, (char)tolower((unsigned char)*c));
	str_addf(&url, "%s://%s:%s", str_c(&scheme), ip, str_c(&number));
	if (first) {
		put(e, prefix, "_SERVICE_PORT", str_c(&number));
		put(e, prefix, "_PORT", str_c(&url));
	}
	if (name) {
		str_addf(&place, "%s_SERVICE_PORT_", str_c(prefix));
		add_upper(&place, name);
		put(e, &place, "", str_c(&number));
		str_cut(&place, 0);
	}
	str_addf(&place, "%s_PORT_%s_%s", str_c(prefix), str_c(&number), protocol);
	put(e, &place, "", str_c(&url));
	put(e, &place, "_PROTO", str_c(&scheme));
	put(e, &place, "_PORT", str_c(&number));
	put(e, &place, "_ADDR", ip);
}

void env_add_service(struct env *e, const struct node *service)
{
	const struct node *ports = node_at(service, "spec.ports");
	const char *ip = node_str_or(service, "spec.clusterIP", "");
	AUTO(str) prefix = { 0 };

	if (!*ip || str_eq(ip, "None") || !node_n(ports))
		return;
	add_upper(&prefix, node_str_or(service, "metadata.name", ""));
	put(e, &prefix, "_SERVICE_HOST", ip);
	for (size_t i = 0; i < node_n(ports); i++)
		add_port(e, &prefix, ip, node_item(ports, i), !i);
}

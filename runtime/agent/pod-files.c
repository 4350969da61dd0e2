/* The files that every container gets from its pod: /etc/hosts, /etc/resolv.conf, /etc/hostname. */
#include "runtime/agent/agent-internal.h"

#include <stdio.h>
#include "base/fs.h"
#include "runtime/agent/dns.h"

#define FILE_MAX ((size_t)1 << 20)

const char *pod_hostname(const struct node *pod, char out[static 64])
{
	const char *name = node_str_at(pod, "spec.hostname");

	snprintf(out, 64, "%.63s", name && *name ? name : node_str_or(pod, "metadata.name", ""));
	/* a cut name may end so */
	for (size_t n = strlen(out); n && (out[n - 1] == '-' || out[n - 1] == '.'); n--)
		out[n - 1] = '\0';
	return out;
}

static bool on_host_network(const struct node *pod) { return node_bool_at(pod, "spec.hostNetwork", false); }

static void add_own_name(struct worker *w, struct str *out)
{
	const struct node *pod = worker_pod(w);
	const char *subdomain = node_str_or(pod, "spec.subdomain", "");
	char host[64];

	if (!w->ip.n)
		return;
	str_addf(out, "%s\t", str_c(&w->ip));
	if (*subdomain)
		str_addf(out, "%s.%s.%s.svc.cluster.local\t", pod_hostname(pod, host), subdomain, w->ns);
	str_addf(out, "%s\n", pod_hostname(pod, host));
}

void pod_hosts(struct worker *w, struct str *out)
{
	const struct node *aliases = node_at(worker_pod(w), "spec.hostAliases"), *it, *name;

	if (!on_host_network(worker_pod(w)) || file_read("/etc/hosts", FILE_MAX, out, NULL) < 0) {
		str_addc(out, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
		add_own_name(w, out);
	}
	node_each(it, aliases) {
		const struct node *names = node_get(it, "hostnames");
		size_t n = 0;

		str_addc(out, node_str_or(it, "ip", ""));
		for (; n < node_n(names); n++) {
			name = node_item(names, n);
			str_addf(out, "\t%s", node_text(name) ? node_text(name) : "");
		}
		str_add1(out, '\n');
	}
}

/* The node's own lines, but for name servers at loopback addresses, which a pod cannot reach. */
static void add_node_lines(struct str *out)
{
	AUTO(str) text = { 0 };
	struct sv line, rest;

	if (file_read("/etc/resolv.conf", FILE_MAX, &text, NULL) < 0)
		return;
	rest = str_sv(&text);
	for (bool more = true; more;) {
		more = sv_cut(rest, '\n', &line, &rest);
		line = sv_trim(line);
		if (line.n && *line.p != '#' && *line.p != ';' && !sv_starts(line, SV("nameserver 127.")) &&
		    !sv_starts(line, SV("nameserver ::1")))
			str_addf(out, SV_FMT "\n", SV_ARG(line));
	}
}

static void add_list(struct str *out, const char *word, const struct node *list, bool one_line)
{
	const struct node *it;
	size_t n = 0;

	node_each(it, list) {
		str_addf(out, "%s %s%s", one_line && n ? "" : word, node_text(it) ? node_text(it) : "",
			 one_line ? "" : "\n");
		n++;
	}
	if (one_line && n)
		str_add1(out, '\n');
}

/* Names of the cluster are wanted: the agent answers them, and it can. */
static bool uses_cluster_names(struct worker *w)
{
	const char *policy = node_str_or(worker_pod(w), "spec.dnsPolicy", "ClusterFirst");

	return w->a->dns && (str_eq(policy, "ClusterFirstWithHostNet") ||
			     (str_eq(policy, "ClusterFirst") && !on_host_network(worker_pod(w))));
}

static void add_cluster_lines(struct worker *w, struct str *out)
{
	str_addf(out, "search %s.svc." DNS_DOMAIN " svc." DNS_DOMAIN " " DNS_DOMAIN "\n", w->ns);
	str_addf(out, "nameserver %s\noptions ndots:5\n", network_gateway(w->a->network));
}

void pod_resolv(struct worker *w, struct str *out)
{
	const struct node *pod = worker_pod(w), *config = node_at(pod, "spec.dnsConfig"),
			  *options = node_get(config, "options"), *it;

	if (uses_cluster_names(w))
		add_cluster_lines(w, out);
	else if (!str_eq(node_str_at(pod, "spec.dnsPolicy"), "None"))
		add_node_lines(out);
	add_list(out, "nameserver", node_get(config, "nameservers"), false);
	add_list(out, "search", node_get(config, "searches"), true);
	node_each(it, options) {
		const char *value = node_str_at(it, "value");

		str_addf(out, "options %s%s%s\n", node_str_or(it, "name", ""), value ? ":" : "", value ? value : "");
	}
}

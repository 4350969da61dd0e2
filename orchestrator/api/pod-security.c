#include "orchestrator/api/pod-security.h"

#include "base/vec.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool security_level_parse(const char *text, enum security_level *out)
{
	static const char *const names[] = { "privileged", "baseline", "restricted" };

	for (size_t i = 0; i < 3; i++)
		if (str_eq(text, names[i])) {
			*out = (enum security_level)i;
			return true;
		}
	return false;
}

/* ---- names, quoted and in a row ---- */

struct names {
	const char **v;
	size_t n, cap;
};

static void names_free(struct names *s) { vec_free(s); }

static void add(struct names *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i], name))
			return;
	vec_push(s, name);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void sort(struct names *s)
{
	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, by_text);
}

static void write_names(struct str *out, const struct names *s)
{
	for (size_t i = 0; i < s->n; i++)
		str_addf(out, "%s\"%s\"", i ? ", " : "", s->v[i]);
}

/* `containers "a", "b"` */
static void write_many(struct str *out, const char *one, const struct names *s)
{
	str_addf(out, "%s%s ", one, s->n == 1 ? "" : "s");
	write_names(out, s);
}

/* ---- all containers of a pod ---- */

struct walk {
	const struct node *pod, *spec;
	size_t list, at;
};

static const struct node *next(struct walk *w)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

	for (; w->list < 3; w->list++, w->at = 0) {
		const struct node *c = node_item(node_get(w->spec, lists[w->list]), w->at);

		if (c) {
			w->at++;
			return c;
		}
	}
	return NULL;
}

#define EACH_CONTAINER(c, pod)                                                                                         \
	struct walk walk_ = { pod, node_get(pod, "spec"), 0, 0 };                                                      \
	for (const struct node *c; (c = next(&walk_));)

static const char *name_of(const struct node *c) { return node_str_or(c, "name", ""); }

/* "pod and containers "a" must not set WHAT" */
static void write_setters(struct str *out, bool pod, const struct names *containers)
{
	str_addc(out, pod ? "pod" : "");
	str_addc(out, pod && containers->n ? " and " : "");
	if (containers->n)
		write_many(out, "container", containers);
}

/* ---- checks: each appends what is wrong, or nothing; *reason may be changed ---- */

static void host_namespaces(const struct node *pod, struct str *out)
{
	static const char *const fields[] = { "hostNetwork", "hostPID", "hostIPC" };

	for (size_t i = 0; i < 3; i++)
		if (node_bool_at(node_get(pod, "spec"), fields[i], false))
			str_addf(out, "%s%s=true", out->n ? ", " : "", fields[i]);
}

static void host_path_volumes(const struct node *pod, struct str *out)
{
	AUTO(names) bad = { 0 };
	const struct node *it;

	node_each(it, node_at(pod, "spec.volumes"))
		if (node_get(it, "hostPath"))
			add(&bad, name_of(it));
	if (bad.n)
		write_many(out, "volume", &bad);
}

static void host_ports(const struct node *pod, struct str *out)
{
	AUTO(names) bad = { 0 };
	AUTO(str) ports = { 0 };
	const struct node *it;
	size_t n = 0;

	EACH_CONTAINER(c, pod)
	node_each(it, node_get(c, "ports"))
		if (node_int_at(it, "hostPort", 0)) {
			add(&bad, name_of(c));
			str_addf(&ports, "%s%" PRId64, n++ ? ", " : "", node_int_at(it, "hostPort", 0));
		}
	if (!bad.n)
		return;
	write_many(out, "container", &bad);
	str_addf(out, " %s hostPort%s %s", bad.n == 1 ? "uses" : "use", n == 1 ? "" : "s", str_c(&ports));
}

static void privileged(const struct node *pod, struct str *out)
{
	AUTO(names) bad = { 0 };

	EACH_CONTAINER(c, pod)
	if (node_bool_at(c, "securityContext.privileged", false))
		add(&bad, name_of(c));
	if (!bad.n)
		return;
	write_many(out, "container", &bad);
	str_addc(out, " must not set securityContext.privileged=true");
}

static bool in(const char *what, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(what, list[i]))
			return true;
	return false;
}

/* Capabilities that are added beyond a list, and by whom. */
static void added(const struct node *pod, const char *const *allowed, size_t n, struct names *bad, struct names *which)
{
	const struct node *it;

	EACH_CONTAINER(c, pod)
	node_each(it, node_at(c, "securityContext.capabilities.add"))
		if (node_text(it) && !in(node_text(it), allowed, n)) {
			add(bad, name_of(c));
			add(which, node_text(it));
		}
	sort(which);
}

static void write_added(struct str *out, const struct names *bad, const struct names *which)
{
	write_many(out, "container", bad);
	str_addc(out, " must not include ");
	write_names(out, which);
	str_addc(out, " in securityContext.capabilities.add");
}

static void default_capabilities(const struct node *pod, struct str *out)
{
	static const char *const allowed[] = { "AUDIT_WRITE", "CHOWN",	"DAC_OVERRIDE",	    "FOWNER",  "FSETID",
					       "KILL",	      "MKNOD",	"NET_BIND_SERVICE", "SETFCAP", "SETGID",
					       "SETPCAP",     "SETUID", "SYS_CHROOT" };
	AUTO(names) bad = { 0 }, which = { 0 };

	added(pod, allowed, sizeof allowed / sizeof *allowed, &bad, &which);
	if (bad.n)
		write_added(out, &bad, &which);
}

static void restricted_capabilities(const struct node *pod, struct str *out)
{
	static const char *const allowed[] = { "NET_BIND_SERVICE" };
	AUTO(names) bad = { 0 }, which = { 0 }, keeps = { 0 };
	const struct node *it;

	EACH_CONTAINER(c, pod)
	{
		bool dropped = false;

		node_each(it, node_at(c, "securityContext.capabilities.drop"))
			dropped |= str_eq(node_text(it), "ALL");
		if (!dropped)
			add(&keeps, name_of(c));
	}
	if (keeps.n) {
		write_many(out, "container", &keeps);
		str_addc(out, " must set securityContext.capabilities.drop=[\"ALL\"]");
	}
	added(pod, allowed, 1, &bad, &which);
	if (!bad.n)
		return;
	str_addc(out, out->n ? "; " : "");
	write_added(out, &bad, &which);
}

static void proc_mount(const struct node *pod, struct str *out)
{
	AUTO(names) bad = { 0 }, which = { 0 };

	EACH_CONTAINER(c, pod)
	{
		const char *mount = node_str_or(c, "securityContext.procMount", "Default");

		if (!strcmp(mount, "Default"))
			continue;
		add(&bad, name_of(c));
		add(&which, mount);
	}
	if (!bad.n)
		return;
	write_many(out, "container", &bad);
	str_addc(out, " must not set securityContext.procMount to ");
	write_names(out, &which);
}

/* A text field of the pod's and the containers' securityContext that has only some values. */
static void restricted_text(const struct node *pod, const char *path, const char *const *allowed, size_t n,
			    const char *what, struct str *out)
{
	const char *of_pod = node_str_at(node_at(pod, "spec.securityContext"), path);
	AUTO(names) bad = { 0 }, which = { 0 };
	bool pod_is_bad = of_pod && !in(of_pod, allowed, n);

	if (pod_is_bad)
		add(&which, of_pod);
	EACH_CONTAINER(c, pod)
	{
		const char *own = node_str_at(node_get(c, "securityContext"), path);

		if (own && !in(own, allowed, n)) {
			add(&bad, name_of(c));
			add(&which, own);
		}
	}
	if (!which.n)
		return;
	sort(&which);
	write_setters(out, pod_is_bad, &bad);
	str_addf(out, " must not set %s to ", what);
	write_names(out, &which);
}

static const char *const profiles[] = { "RuntimeDefault", "Localhost", "" };

static void app_armor(const struct node *pod, struct str *out)
{
	restricted_text(pod, "appArmorProfile.type", profiles, 2, "AppArmor profile type", out);
}

static void seccomp_baseline(const struct node *pod, struct str *out)
{
	restricted_text(pod, "seccompProfile.type", profiles, 2, "securityContext.seccompProfile.type", out);
}

static void seccomp_restricted(const struct node *pod, struct str *out)
{
	bool of_pod = node_at(pod, "spec.securityContext.seccompProfile.type") != NULL;
	AUTO(names) unset = { 0 };

	seccomp_baseline(pod, out);
	if (out->n || of_pod)
		return;
	EACH_CONTAINER(c, pod)
	if (!node_at(c, "securityContext.seccompProfile.type"))
		add(&unset, name_of(c));
	if (!unset.n)
		return;
	str_addc(out, "pod or ");
	write_many(out, "container", &unset);
	str_addc(out, " must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"");
}

static void se_linux(const struct node *pod, struct str *out)
{
	static const char *const types[] = { "", "container_t", "container_init_t", "container_kvm_t" };
	static const char *const none[] = { "" };

	restricted_text(pod, "seLinuxOptions.type", types, 4, "securityContext.seLinuxOptions: type", out);
	if (!out->n)
		restricted_text(pod, "seLinuxOptions.user", none, 1, "securityContext.seLinuxOptions: user", out);
	if (!out->n)
		restricted_text(pod, "seLinuxOptions.role", none, 1, "securityContext.seLinuxOptions: role", out);
}

static void sysctls(const struct node *pod, struct str *out)
{
	static const char *const allowed[] = {
		"kernel.shm_rmid_forced",	"net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
		"net.ipv4.tcp_syncookies",	"net.ipv4.ping_group_range",	"net.ipv4.ip_local_reserved_ports",
		"net.ipv4.tcp_keepalive_time",	"net.ipv4.tcp_fin_timeout",	"net.ipv4.tcp_keepalive_intvl",
		"net.ipv4.tcp_keepalive_probes"
	};
	const struct node *it;

	node_each(it, node_at(pod, "spec.securityContext.sysctls"))
		if (!in(name_of(it), allowed, sizeof allowed / sizeof *allowed))
			str_addf(out, "%s%s", out->n ? ", " : "", name_of(it));
}

static void host_process(const struct node *pod, struct str *out)
{
	bool of_pod = node_bool_at(pod, "spec.securityContext.windowsOptions.hostProcess", false);
	AUTO(names) bad = { 0 };

	EACH_CONTAINER(c, pod)
	if (node_bool_at(c, "securityContext.windowsOptions.hostProcess", false))
		add(&bad, name_of(c));
	if (!of_pod && !bad.n)
		return;
	write_setters(out, of_pod, &bad);
	str_addc(out, " must not set securityContext.windowsOptions.hostProcess=true");
}

static void privilege_escalation(const struct node *pod, struct str *out)
{
	AUTO(names) bad = { 0 };

	EACH_CONTAINER(c, pod)
	if (node_bool_at(c, "securityContext.allowPrivilegeEscalation", true))
		add(&bad, name_of(c));
	if (!bad.n)
		return;
	write_many(out, "container", &bad);
	str_addc(out, " must set securityContext.allowPrivilegeEscalation=false");
}

static void volume_types(const struct node *pod, struct str *out)
{
	static const char *const allowed[] = {
		"name",	     "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
		"projected", "secret"
	};
	AUTO(names) bad = { 0 }, which = { 0 };
	const struct node *it;
	const struct member *m;

	node_each(it, node_at(pod, "spec.volumes"))
		node_members(m, it)
			if (!in(m->key, allowed, sizeof allowed / sizeof *allowed)) {
				add(&bad, name_of(it));
				add(&which, m->key);
			}
	if (!bad.n)
		return;
	sort(&which);
	write_many(out, "volume", &bad);
	str_addf(out, " %s restricted volume type%s ", bad.n == 1 ? "uses" : "use", which.n == 1 ? "" : "s");
	write_names(out, &which);
}

static void run_as_non_root(const struct node *pod, struct str *out)
{
	const struct node *of_pod = node_at(pod, "spec.securityContext.runAsNonRoot");
	bool pod_is_bad = node_is(of_pod, NODE_BOOL) && !of_pod->b;
	AUTO(names) bad = { 0 }, unset = { 0 };

	EACH_CONTAINER(c, pod)
	{
		const struct node *own = node_at(c, "securityContext.runAsNonRoot");

		if (node_is(own, NODE_BOOL) && !own->b)
			add(&bad, name_of(c));
		else if (!own && !of_pod)
			add(&unset, name_of(c));
	}
	if (pod_is_bad || bad.n) {
		write_setters(out, pod_is_bad, &bad);
		str_addc(out, " must not set securityContext.runAsNonRoot=false");
	} else if (unset.n) {
		str_addc(out, "pod or ");
		write_many(out, "container", &unset);
		str_addc(out, " must set securityContext.runAsNonRoot=true");
	}
}

static void run_as_user(const struct node *pod, struct str *out)
{
	bool of_pod = node_int_at(pod, "spec.securityContext.runAsUser", 1) == 0;
	AUTO(names) bad = { 0 };

	EACH_CONTAINER(c, pod)
	if (node_int_at(c, "securityContext.runAsUser", 1) == 0)
		add(&bad, name_of(c));
	if (!of_pod && !bad.n)
		return;
	write_setters(out, of_pod, &bad);
	str_addc(out, " must not set runAsUser=0");
}

/* ---- the table: those of baseline come first; what only baseline has, restricted says in a stricter way ---- */

static const struct {
	const char *reason;
	void (*check)(const struct node *pod, struct str *out);
	enum security_level least, most;
} checks[] = {
	{ "forbidden AppArmor profile", app_armor, SECURITY_BASELINE, SECURITY_RESTRICTED },
	{ "non-default capabilities", default_capabilities, SECURITY_BASELINE, SECURITY_BASELINE },
	{ "host namespaces", host_namespaces, SECURITY_BASELINE, SECURITY_RESTRICTED },
	{ "hostPath volumes", host_path_volumes, SECURITY_BASELINE, SECURITY_BASELINE },
	{ "hostPort", host_ports, SECURITY_BASELINE, SECURITY_RESTRICTED },
	{ "privileged", privileged, SECURITY_BASELINE, SECURITY_RESTRICTED },
	{ "procMount", proc_mount, SECURITY_BASELINE, SECURITY_RESTRICTED },
	{ "seLinuxOptions", se_linux, SECURITY_BASELINE, SECURITY_RESTRICTED },
	{ "seccompProfile", seccomp_baseline, SECURITY_BASELINE, SECURITY_BASELINE },
	{ "forbidden sysctls", sysctls, SECURITY_BASELINE, SECURITY_RESTRICTED },
	{ "hostProcess", host_process, SECURITY_BASELINE, SECURITY_RESTRICTED },
	{ "allowPrivilegeEscalation != false", privilege_escalation, SECURITY_RESTRICTED, SECURITY_RESTRICTED },
	{ "unrestricted capabilities", restricted_capabilities, SECURITY_RESTRICTED, SECURITY_RESTRICTED },
	{ "restricted volume types", volume_types, SECURITY_RESTRICTED, SECURITY_RESTRICTED },
	{ "runAsNonRoot != true", run_as_non_root, SECURITY_RESTRICTED, SECURITY_RESTRICTED },
	{ "runAsUser=0", run_as_user, SECURITY_RESTRICTED, SECURITY_RESTRICTED },
	{ "seccompProfile", seccomp_restricted, SECURITY_RESTRICTED, SECURITY_RESTRICTED },
};

void pod_security_check(const struct node *pod, enum security_level level, struct str *out)
{
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		AUTO(str) detail = { 0 };

		if (level < checks[i].least || level > checks[i].most)
			continue;
		checks[i].check(pod, &detail);
		if (detail.n)
			str_addf(out, "%s%s (%s)", out->n ? ", " : "", checks[i].reason, str_c(&detail));
	}
}

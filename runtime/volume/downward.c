#include "runtime/volume/downward.h"

#include <ctype.h>
#include "kube/quantity.h"

const struct node *pod_container(const struct node *pod, const char *name)
{
	static const char *const lists[] = { "spec.containers", "spec.initContainers" };
	const struct node *it;

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const struct node *list = node_at(pod, lists[i]);

		node_each(it, list)
			if (str_eq(node_str_at(it, "name"), name))
				return it;
	}
	return NULL;
}

/* "metadata.labels['app.kubernetes.io/name']": one value; "metadata.labels": all, as key="value" lines. */
static int map_field(const struct node *pod, const char *map, const char *rest, struct str *out, struct err *err)
{
	const struct node *m = node_at(pod, map);
	struct sv key = sv_c(rest);
	struct member *it;

	if (key.n > 4 && sv_starts(key, SV("['")) && sv_ends(key, SV("']"))) {
		str_add(out, node_sv(node_getn(m, (struct sv){ key.p + 2, key.n - 4 })));
		return 0;
	}
	if (*rest)
		return err_set(err, ERR_INVALID, "fieldPath '%s%s' is not offered: want %s['KEY']", map, rest, map);
	node_members(it, m) {
		if (out->n)
			str_add1(out, '\n');
		str_addf(out, "%s=\"", it->key);
		for (const char *c = node_text(it->value); c && *c; c++) {
			if (*c == '"' || *c == '\\')
				str_add1(out, '\\');
			if (*c == '\n')
				str_addc(out, "\\n");
			else
				str_add1(out, *c);
		}
		str_add1(out, '"');
	}
	return 0;
}

int downward_field(const struct pod_facts *f, const char *path, struct str *out, struct err *err)
{
	static const char *const plain[] = { "metadata.name", "metadata.namespace", "metadata.uid",
		"spec.serviceAccountName" };
	static const char *const maps[] = { "metadata.labels", "metadata.annotations" };
	const struct { const char *path, *value; } known[] = {
		{ "spec.nodeName", f->node_name }, { "status.hostIP", f->host_ip }, { "status.hostIPs", f->host_ip },
		{ "status.podIP", f->pod_ip }, { "status.podIPs", f->pod_ip },
	};

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (str_eq(path, plain[i])) {
			str_addc(out, node_str_at(f->pod, path));
			return 0;
		}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq(path, known[i].path)) {
			str_addc(out, known[i].value);
			return 0;
		}
	for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
		if (sv_starts(sv_c(path), sv_c(maps[i])))
			return map_field(f->pod, maps[i], path + strlen(maps[i]), out, err);
	return err_set(err, ERR_INVALID,
		       "fieldPath '%s' is not offered: want metadata.name, .namespace, .uid, .labels, .annotations, "
		       "spec.nodeName, spec.serviceAccountName, status.podIP or status.hostIP",
		       path);
}

/* Name of a resource -> its default divisor in thousandths and what a container without a limit gets. */
static bool resource_row(const struct pod_facts *f, const char *name, int64_t *fallback)
{
	if (str_eq(name, "cpu"))
		*fallback = f->cpu_milli;
	else if (str_eq(name, "memory"))
		*fallback = f->memory_bytes > INT64_MAX / 1000 ? INT64_MAX : f->memory_bytes * 1000;
	else if (str_eq(name, "ephemeral-storage") || sv_starts(sv_c(name), SV("hugepages-")))
		*fallback = 0;
	else
		return false;
	return true;
}

int downward_resource(const struct pod_facts *f, const struct node *ref, const char *container, struct str *out,
		      struct err *err)
{
	const char *resource = node_str_or(ref, "resource", ""), *name = node_str_or(ref, "containerName", container);
	const struct node *c = pod_container(f->pod, name ? name : "");
	struct sv kind, what, divisor_text = node_sv(node_get(ref, "divisor"));
	int64_t milli = 0, divisor = 1000, fallback;

	if (!c)
		return err_set(err, ERR_INVALID, "resourceFieldRef: the pod has no container '%s'", name ? name : "");
	if (!sv_cut(sv_c(resource), '.', &kind, &what) || (!sv_eq_c(kind, "limits") && !sv_eq_c(kind, "requests")) ||
	    !resource_row(f, what.p, &fallback))
		return err_set(err, ERR_INVALID,
			       "resourceFieldRef '%s' is not offered: want limits or requests of cpu, memory",
			       resource);

	const struct node *all = node_get(c, "resources");
	const struct node *v = node_getn(node_getn(all, kind), what);

	if (!v && sv_eq_c(kind, "requests"))            /* the API's default: what is limited is requested */
		v = node_getn(node_get(all, "limits"), what);
	if (!v || !quantity_milli(node_sv(v), &milli))
		milli = sv_eq_c(kind, "limits") ? fallback : 0;
	if (divisor_text.n && quantity_milli(divisor_text, &divisor) && divisor <= 0)
		divisor = 1000;
	str_addf(out, "%lld", (long long)(milli / divisor + (milli % divisor > 0)));
	return 0;
}

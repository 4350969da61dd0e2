#include "render/chart/manifest.h"

#include <ctype.h>
#include <stdlib.h>

static const char *const install_order[] = {
	"PriorityClass", "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget",
	"ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim",
	"CustomResourceDefinition", "ClusterRole", "ClusterRoleList", "ClusterRoleBinding", "ClusterRoleBindingList", "Role",
	"RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod", "ReplicationController", "ReplicaSet",
	"Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress", "APIService",
	"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
};
#define N_KINDS (sizeof install_order / sizeof *install_order)

static const char *kind_of(const struct manifest *m) { return m->doc ? node_str_or(doc_root(m->doc), "kind", "") : ""; }

static size_t rank(const char *kind)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (str_eq(kind, install_order[i]))
			return i;
	return N_KINDS;
}

enum hook { HOOK_UNKNOWN, HOOK_RUNS, HOOK_TEST };

static enum hook hook_named(struct sv name)
{
	static const char *const names[] = { "pre-install", "post-install", "pre-delete", "post-delete", "pre-upgrade", "post-upgrade",
					     "pre-rollback", "post-rollback" };
	AUTO(str) lower = { 0 };

	for (size_t i = 0; i < name.n; i++)
		str_add1(&lower, (char)tolower((unsigned char)name.p[i]));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(names[i], str_c(&lower)))
			return HOOK_RUNS;
	return str_eq(str_c(&lower), "test") || str_eq(str_c(&lower), "test-success") ? HOOK_TEST : HOOK_UNKNOWN;
}

/* What the annotation makes of an object. One name that is no hook's makes the object nothing, as in Helm. */
static enum hook hook_of(const char *names)
{
	struct sv rest = sv_c(names), one;
	enum hook all = HOOK_RUNS;
	bool more = true;

	while (more) {
		more = sv_cut(rest, ',', &one, &rest);
		enum hook hook = hook_named(sv_trim(one));
		if (hook == HOOK_UNKNOWN)
			return HOOK_UNKNOWN;
		if (hook == HOOK_TEST)
			all = HOOK_TEST;
	}
	return all;
}

static void add(struct manifests *all, const char *source, struct sv text, struct doc *take)
{
	AUTO_DOC d = take;
	const struct node *annotations = d ? node_at(doc_root(d), "metadata.annotations") : NULL;
	const char *hooks = node_text(node_get(annotations, "helm.sh/hook"));
	enum hook hook = hooks ? hook_of(hooks) : HOOK_RUNS;

	if (hook == HOOK_UNKNOWN)
		return;
	struct manifest m = { .source = sv_dup(sv_c(source)), .doc = TAKE(d), .order = all->n };
	str_add(&m.text, text);
	m.hook = hooks != NULL;
	m.test = hook == HOOK_TEST;
	vec_push(all, m);
}

/* The start of the next line that begins with "---"; the end of the text when there is none. */
static size_t find_marker(struct sv text, size_t from)
{
	for (size_t at = from; at < text.n;) {
		const char *end = memchr(text.p + at, '\n', text.n - at);

		if (sv_starts(sv_drop(text, at), SV("---")))
			return at;
		if (!end)
			break;
		at = (size_t)(end - text.p) + 1;
	}
	return text.n;
}

static struct sv trim_document(struct sv s)
{
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	for (;;) {                      /* empty lines at the start; the indentation of the first other line stays */
		const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;

		if (!end || sv_trim((struct sv){ s.p, (size_t)(end - s.p) }).n)
			return s;
		s = sv_drop(s, (size_t)(end - s.p) + 1);
	}
}

static int add_document(struct manifests *m, const char *source, struct sv text, struct err *err)
{
	AUTO_DOC d = NULL;

	text = trim_document(text);
	if (!text.n)
		return 0;
	int r = yaml_read(text, source, 0, &d, err);
	if (r < 0)
		return err_wrap(err, r, "YAML parse error on %s", source);
	if (!node_is(doc_root(d), NODE_MAP) && doc_root(d) && doc_root(d)->type != NODE_NULL)
		return err_set(err, ERR_INVALID, "YAML parse error on %s: want an object, got %s", source, node_type_name(doc_root(d)));
	if (node_is(doc_root(d), NODE_MAP) && doc_root(d)->n)
		add(m, source, text, TAKE(d));
	else
		add(m, source, text, NULL);
	return 0;
}

int manifests_add_text(struct manifests *m, const char *source, struct sv text, struct err *err)
{
	size_t at = 0;

	while (at < text.n) {
		size_t marker = find_marker(text, at);

		TRY(add_document(m, source, (struct sv){ text.p + at, marker - at }, err));
		at = marker + 3;        /* what follows on the line of the marker belongs to the document */
		if (at < text.n && text.p[at] == '-')
			while (at < text.n && text.p[at] == '-')
				at++;
	}
	return 0;
}

void manifests_add_doc(struct manifests *m, const char *source, struct doc *take)
{
	AUTO(str) text = { 0 };

	yaml_write(&text, doc_root(take), YAML_SORTED);
	add(m, source, sv_trim(str_sv(&text)), take);
}

static int by_install_order(const void *pa, const void *pb)
{
	const struct manifest *a = pa, *b = pb;
	const char *ka = kind_of(a), *kb = kind_of(b);
	size_t ra = rank(ka), rb = rank(kb);

	if (a->hook != b->hook)
		return a->hook ? 1 : -1;
	if (ra != rb)
		return ra < rb ? -1 : 1;
	if (ra == N_KINDS && strcmp(ka, kb))
		return strcmp(ka, kb);
	return a->order < b->order ? -1 : a->order > b->order;
}

void manifests_sort(struct manifests *m)
{
	if (m->n)
		qsort(m->v, m->n, sizeof *m->v, by_install_order);
}

void manifests_free(struct manifests *all)
{
	struct manifest *m;

	vec_each(m, all) {
		free(m->source);
		str_free(&m->text);
		doc_drop(&m->doc);
	}
	vec_free(all);
}

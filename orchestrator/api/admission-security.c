/* The plugin PodSecurity: the level that a namespace's labels ask for. */
#include "orchestrator/api/admission-internal.h"
#include "orchestrator/api/pod-security.h"

#include <string.h>

#define LABEL "pod-security.kubernetes.io/"

/* What is wrong with a pod by a label, and the level in words: `restricted:latest`. False: nothing. */
static bool violates(const struct node *labels, const char *mode, const struct node *pod, struct str *level_text,
		     struct str *what)
{
	AUTO(str) label = { 0 }, version = { 0 };
	enum security_level level;
	const char *text;

	str_addf(&label, LABEL "%s", mode);
	str_addf(&version, LABEL "%s-version", mode);
	text = node_text(node_getn(labels, str_sv(&label)));
	if (!text || !security_level_parse(text, &level))
		return false;
	const char *of = node_text(node_getn(labels, str_sv(&version)));
	str_addf(level_text, "%s:%s", text, of ? of : "latest");
	pod_security_check(pod, level, what);
	return what->n > 0;
}

static const struct node *labels_of(const struct admission *a)
{
	return node_at(admission_namespace(a), "metadata.labels");
}

static void warn(const struct admission *a, const struct node *pod)
{
	AUTO(str) level = { 0 }, what = { 0 };

	if (a->rq->warnings && violates(labels_of(a), "warn", pod, &level, &what))
		str_addf(a->rq->warnings, "would violate PodSecurity \"%s\": %s\n", str_c(&level), str_c(&what));
}

int security_of_pod(struct admission *a, struct err *err)
{
	AUTO(str) level = { 0 }, what = { 0 };

	if (a->before || !a->root || *a->rq->subresource)
		return 0;
	if (violates(labels_of(a), "enforce", a->root, &level, &what))
		return admission_forbidden(a, err, "violates PodSecurity \"%s\": %s", str_c(&level), str_c(&what));
	warn(a, a->root);
	return 0;
}

/* What makes pods is only warned of: its pods are refused when they come. */
int security_of_template(struct admission *a, struct err *err)
{
	const struct node *template = node_at(a->root, "spec.template");

	(void)err;
	if (!template)
		template = node_at(a->root, "spec.jobTemplate.spec.template");
	if (!template || *a->rq->subresource ||
	    (a->before && node_eq(node_get(a->root, "spec"), node_get(a->before, "spec"))))
		return 0;
	warn(a, template);
	return 0;
}

static int check_labels(struct admission *a, struct err *err)
{
	const struct node *labels = node_at(a->root, "metadata.labels");
	static const char *const modes[] = { "enforce", "audit", "warn" };
	enum security_level level;

	for (size_t i = 0; i < 3; i++) {
		AUTO(str) label = { 0 }, field = { 0 };

		str_addf(&label, LABEL "%s", modes[i]);
		const char *text = node_text(node_getn(labels, str_sv(&label)));
		if (!text || security_level_parse(text, &level))
			continue;
		str_addf(&field, "metadata.labels[%s]", str_c(&label));
		return invalid_field(a->rq, admission_name(a), str_c(&field), err,
				     "Invalid value: \"%s\": must be one of privileged, baseline, restricted", text);
	}
	return 0;
}

/* A level that is raised: what is there already and would not be let in stays, and is told. */
int security_of_namespace(struct admission *a, struct err *err)
{
	const struct kind *k = kinds_find(a->rq->api->kinds, "v1", "Pod");
	struct resource *r = k ? cache_resource(&a->rq->api->cache, k) : NULL;
	const struct node *labels = node_at(a->root, "metadata.labels");
	const char *ns = admission_name(a);
	AUTO(str) told = { 0 }, level = { 0 };

	TRY(check_labels(a, err));
	if (!a->before || !r || !a->rq->warnings ||
	    node_eq(node_get(labels, LABEL "enforce"),
		    node_get(node_at(a->before, "metadata.labels"), LABEL "enforce")))
		return 0;
	for (size_t i = resource_seek(r, ns, ""); i < r->items.n && !strcmp(r->items.v[i]->ns, ns); i++) {
		struct object *pod = item_object(r->items.v[i]);
		AUTO(str) what = { 0 };

		str_cut(&level, 0);
		if (pod && violates(labels, "enforce", pod->root, &level, &what))
			str_addf(&told, "%s: %s\n", pod->name, str_c(&what));
	}
	if (told.n)
		str_addf(a->rq->warnings,
			 "existing pods in namespace \"%s\" violate the new PodSecurity enforce level \"%s\"\n%s", ns,
			 str_c(&level), str_c(&told));
	return 0;
}

/* operator/app/spec.c - a typed view of an Application. */
#include "operator/app/spec.h"

#include "base/opt.h"
#include "operator/app/tracking.h"

#define HISTORY 10
#define REF_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

static const char *const local_servers[] = { "https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local" };

static void add_source(struct app_spec *s, const struct node *n)
{
	struct app_source it = {
		.node = n, .repo_url = node_str_or(n, "repoURL", ""), .path = node_str_or(n, "path", ""),
		.revision = node_str_or(n, "targetRevision", ""), .tag_prefix = node_str_or(n, "tagPrefix", ""),
		.chart = node_str_or(n, "chart", ""), .ref = node_str_or(n, "ref", ""),
	};

	if (!*it.chart && sv_starts(sv_c(it.repo_url), SV("oci://")))
		it.chart = it.repo_url;         /* the registry's address has the chart's name in it */

	while (it.path[0] == '.' && it.path[1] == '/')
		it.path += 2;
	if (str_eq(it.path, ".") || *it.chart)
		it.path = "";
	vec_push(&s->sources, it);
}

static int check_sources(const struct app_spec *s, struct err *err)
{
	static const char *const tools[] = { "helm", "kustomize", "directory", "plugin" };

	if (!s->sources.n)
		return err_set(err, ERR_INVALID, "spec.source is missing: an application needs a repoURL and a path");
	for (size_t i = 0; i < s->sources.n; i++) {
		const struct app_source *it = &s->sources.v[i];
		const char *first = NULL;

		if (!*it->repo_url)
			return err_set(err, ERR_INVALID, "spec.source.repoURL is missing");
		if (it->path[0] == '/')
			return err_set(err, ERR_INVALID, "spec.source.path '%s' must be relative to the repository's root", it->path);
		if (*it->chart && !node_is_empty(node_get(it->node, "path")) && !str_eq(node_str_at(it->node, "path"), "."))
			return err_set(err, ERR_INVALID, "spec.source has both chart '%s' and path '%s': a chart of a repository has no path",
				       it->chart, node_str_or(it->node, "path", ""));
		if (*it->ref && it->ref[strspn(it->ref, REF_CHARACTERS)])
			return err_set(err, ERR_INVALID, "spec.sources[%zu].ref '%s': letters, digits, '_' and '-'", i, it->ref);
		for (size_t k = 0; *it->ref && k < i; k++)
			if (str_eq(it->ref, s->sources.v[k].ref))
				return err_set(err, ERR_INVALID, "spec.sources[%zu].ref '%s': another source has it already", i, it->ref);
		if (node_get(it->node, "plugin"))
			return err_set(err, ERR_INVALID, "spec.source.plugin: plugins are not run");
		for (size_t t = 0; t < sizeof tools / sizeof *tools; t++) {
			if (node_is_empty(node_get(it->node, tools[t])))
				continue;
			if (first)
				return err_set(err, ERR_INVALID, "spec.source has both %s and %s: only one tool renders a source", first,
					       tools[t]);
			first = tools[t];
		}
	}
	return 0;
}

static int check_destination(const struct node *dest, struct err *err)
{
	const char *server = node_str_or(dest, "server", ""), *name = node_str_or(dest, "name", "");

	if (*server && *name)
		return err_set(err, ERR_INVALID, "spec.destination has both server and name: give one of them");
	if (!*server && !*name)
		return err_set(err, ERR_INVALID, "spec.destination needs a server or a name; this cluster is name: in-cluster");
	if (str_eq(name, "in-cluster"))
		return 0;
	for (size_t i = 0; *server && i < sizeof local_servers / sizeof *local_servers; i++)
		if (str_eq(server, local_servers[i]))
			return 0;
	return err_set(err, ERR_INVALID, "spec.destination names the cluster '%s', which is not known; this one is "
		       "https://kubernetes.default.svc", *server ? server : name);
}

static int64_t duration(const struct node *n, int64_t def)
{
	int64_t ms, seconds;
	const char *text = node_text(n);

	if (node_to_i64(n, &seconds) || (text && sv_to_i64(sv_c(text), &seconds)))
		return seconds * 1000;
	return text && duration_parse(text, &ms, NULL) >= 0 ? ms : def;
}

void app_retry_read(struct app_retry *r, const struct node *retry, bool automated)
{
	const struct node *backoff = node_get(retry, "backoff");

	r->limit = node_int_at(retry, "limit", !retry && automated ? 5 : 0);
	r->duration_ms = duration(node_get(backoff, "duration"), 5000);
	r->factor = node_int_at(backoff, "factor", 2);
	r->max_ms = duration(node_get(backoff, "maxDuration"), 180000);
}

int64_t app_retry_wait_ms(const struct app_retry *r, int64_t attempt)
{
	int64_t ms = r->duration_ms;

	for (int64_t i = 1; i < attempt && ms < r->max_ms; i++)
		ms *= r->factor > 0 ? r->factor : 1;
	return ms < r->max_ms ? ms : r->max_ms;
}

void app_spec_use_sources(struct app_spec *s, const struct node *source, const struct node *sources)
{
	const struct node *it;

	if (!node_is(source, NODE_MAP) && !node_n(sources))
		return;
	vec_free(&s->sources);
	s->multi = node_n(sources) > 0;
	node_each(it, sources)
		add_source(s, it);
	if (!s->multi)
		add_source(s, source);
}

int app_spec_read(struct app_spec *s, const struct object *o, const char *control_ns, struct err *err)
{
	const struct node *spec = node_get(o->root, "spec"), *automated = node_at(spec, "syncPolicy.automated");

	*s = (struct app_spec){ .root = o->root, .ns = o->ns, .name = o->name };
	instance_name(&s->instance, control_ns, o->ns, o->name);
	s->project = node_str_or(spec, "project", "");
	if (!*s->project)
		s->project = "default";
	app_spec_use_sources(s, node_get(spec, "source"), node_get(spec, "sources"));
	s->dest_ns = node_str_or(spec, "destination.namespace", "");
	s->automated = node_is(automated, NODE_MAP) && node_bool_at(automated, "enabled", true);
	s->prune = node_bool_at(automated, "prune", false);
	s->self_heal = node_bool_at(automated, "selfHeal", false);
	s->allow_empty = node_bool_at(automated, "allowEmpty", false);
	app_retry_read(&s->retry, node_at(spec, "syncPolicy.retry"), s->automated);
	s->history_limit = node_int_at(spec, "revisionHistoryLimit", HISTORY);
	TRY(check_sources(s, err));
	return check_destination(node_get(spec, "destination"), err);
}

void app_spec_free(struct app_spec *s)
{
	str_free(&s->instance);
	vec_free(&s->sources);
}

bool app_option(const struct app_spec *s, const char *option)
{
	const struct node *it;

	node_each(it, node_at(s->root, "spec.syncPolicy.syncOptions"))
		if (str_eq(node_text(it), option))
			return true;
	return false;
}

/* operator/app/project.c - what an AppProject allows. */
#include "operator/app/project.h"

#include "base/glob.h"

#define LOCAL_SERVER "https://kubernetes.default.svc"
#define LOCAL_NAME "in-cluster"

static bool matches(const char *pattern, struct sv text)
{
	return str_eq(pattern, "*") || glob_match(sv_c(pattern), text);
}

/* In lower case, without .git: how URLs and their patterns are compared. */
static void url_form(struct str *out, const char *url)
{
	struct sv s = sv_c(url);

	if (sv_ends(s, SV(".git")))
		s.n -= 4;
	for (size_t i = 0; i < s.n; i++)
		str_add1(out, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i]);
}

/* At least one pattern matches, and none of those that begin with `!`. */
static bool repo_allowed(const struct node *patterns, const char *url)
{
	const struct node *it;
	AUTO(str) form = { 0 };
	bool in = false;

	url_form(&form, url);
	node_each(it, patterns) {
		const char *p = node_text(it) ? node_text(it) : "";
		AUTO(str) pattern = { 0 };
		url_form(&pattern, p[0] == '!' ? p + 1 : p);
		if (!matches(str_c(&pattern), str_sv(&form)))
			continue;
		if (p[0] == '!')
			return false;
		in = true;
	}
	return in;
}

/* `!` in front of a namespace or a server makes the entry a veto. */
static bool destination_allowed(const struct node *entries, const char *ns)
{
	const struct node *it;
	bool in = false;

	node_each(it, entries) {
		const char *server = node_str_or(it, "server", ""), *name = node_str_or(it, "name", ""), *n = node_str_or(it, "namespace", "");
		bool no_server = server[0] == '!', no_ns = n[0] == '!';
		bool here = (*server && matches(server + no_server, sv_c(LOCAL_SERVER))) || (*name && matches(name, sv_c(LOCAL_NAME)));
		bool there = matches(n + no_ns, sv_c(ns));

		if (!here || !there)
			continue;
		if (no_server || no_ns)
			return false;
		in = true;
	}
	return in;
}

static bool kind_listed(const struct node *list, const struct ref *r)
{
	const struct node *it;

	node_each(it, list)
		if (matches(node_str_or(it, "group", ""), sv_c(r->group)) && matches(node_str_or(it, "kind", ""), sv_c(r->kind)) &&
		    (!node_str_at(it, "name") || matches(node_str_at(it, "name"), sv_c(r->name))))
			return true;
	return false;
}

static bool kind_allowed(const struct node *rules, const struct ref *r, bool cluster_scoped)
{
	const struct node *white = node_get(rules, cluster_scoped ? "clusterResourceWhitelist" : "namespaceResourceWhitelist");
	const struct node *black = node_get(rules, cluster_scoped ? "clusterResourceBlacklist" : "namespaceResourceBlacklist");

	/* without a list every namespaced kind is allowed, and no other; an empty list allows nothing */
	if (white || cluster_scoped)
		return kind_listed(white, r) && !kind_listed(black, r);
	return !kind_listed(black, r);
}

int project_check(const struct node *rules, const struct app_spec *s, struct err *err)
{
	for (size_t i = 0; rules && i < s->sources.n; i++)
		if (!repo_allowed(node_get(rules, "sourceRepos"), s->sources.v[i].repo_url))
			return err_set(err, ERR_INVALID, "application repo %s is not permitted in project '%s'", s->sources.v[i].repo_url,
				       s->project);
	if (rules && !destination_allowed(node_get(rules, "destinations"), s->dest_ns))
		return err_set(err, ERR_INVALID, "application destination server '%s' and namespace '%s' do not match any of the allowed "
			       "destinations in project '%s'", LOCAL_SERVER, s->dest_ns, s->project);
	return 0;
}

int project_check_object(const struct node *rules, const struct app_spec *s, const struct ref *r, bool cluster_scoped, struct err *err)
{
	if (!rules)
		return 0;
	if (!kind_allowed(rules, r, cluster_scoped))
		return err_set(err, ERR_FORBIDDEN, "resource %s:%s is not permitted in project %s", r->group, r->kind, s->project);
	if (!cluster_scoped && !destination_allowed(node_get(rules, "destinations"), r->ns))
		return err_set(err, ERR_FORBIDDEN, "namespace %s is not permitted in project '%s'", r->ns, s->project);
	return 0;
}

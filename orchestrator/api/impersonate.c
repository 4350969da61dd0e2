/* Acting for somebody else: Impersonate-User, -Group, -Uid and -Extra-KEY, each of which is a right of its own. */
#include "orchestrator/api/auth-internal.h"
#include "orchestrator/api/rbac-internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EXTRA "impersonate-extra-"

static int may_act_for(struct api *a, const struct caller *c, const struct action *what, struct err *err)
{
	struct action asked = *what;

	asked.verb = "impersonate";
	if (rbac_allows(a, c, &asked, NULL))
		return 0;
	return err_set(err, ERR_FORBIDDEN,
		       "%s%s%s \"%s\" is forbidden: User \"%s\" cannot impersonate resource \"%s%s%s\" in API group \"%s\" %s%s%s",
		       what->resource, *what->group ? "." : "", what->group, what->name, c->user, what->resource,
		       *what->subresource ? "/" : "", what->subresource, what->group,
		       *what->ns ? "in the namespace \"" : "at the cluster scope", what->ns, *what->ns ? "\"" : "");
}

/* A service account is one, and no user of that name. */
static int act_as_user(struct api *a, const struct caller *c, struct sv name, struct err *err)
{
	struct sv ns, rest;
	bool account = sv_starts(name, SV("system:serviceaccount:")) && sv_cut(sv_drop(name, 22), ':', &ns, &rest);
	char *text = sv_dup(account ? rest : name), *space = sv_dup(account ? ns : SV(""));
	int r = may_act_for(a, c, &(struct action){ .group = "", .resource = account ? "serviceaccounts" : "users",
						    .subresource = "", .name = text, .ns = space, .path = "", .verb = "" }, err);

	free(text);
	free(space);
	return r;
}

static int act_as(struct api *a, const struct caller *c, const char *group, const char *resource, const char *sub, struct sv name,
		  struct err *err)
{
	char *text = sv_dup(name);
	int r = may_act_for(a, c, &(struct action){ .group = group, .resource = resource, .subresource = sub, .name = text,
						    .ns = "", .path = "", .verb = "" }, err);

	free(text);
	return r;
}

/* The rest of the header's name: a key in lower case, percent-encoded. */
static void extra_key(struct sv name, struct str *out)
{
	AUTO(str) query = { 0 };

	str_addc(&query, "k=");
	for (size_t i = 0; i < name.n; i++)
		str_addf(&query, name.p[i] == '+' || name.p[i] == '&' ? "%%%02x" : "%c", tolower((unsigned char)name.p[i]));
	(void)http_query_get(str_c(&query), "k", out);
}

static void put_extra(struct login *l, const char *key, struct sv value)
{
	struct node *list;

	if (!l->extra) {
		l->extra = doc_new();
		doc_set_root(l->extra, node_map(l->extra));
	}
	if (!(list = node_get(doc_root(l->extra), key)))
		node_set(l->extra, doc_root(l->extra), key, list = node_seq(l->extra));
	node_add(l->extra, list, node_strn(l->extra, value));
}

static int act_with_extra(struct api *a, struct http_request *rq, const struct caller *c, struct login *as, struct err *err)
{
	struct sv name, value;

	for (size_t i = 0; http_header_field(rq, i, &name, &value); i++) {
		AUTO(str) key = { 0 };

		if (name.n <= sizeof EXTRA - 1 || strncasecmp(name.p, EXTRA, sizeof EXTRA - 1))
			continue;
		extra_key(sv_drop(name, sizeof EXTRA - 1), &key);
		TRY(act_as(a, c, "authentication.k8s.io", "userextras", str_c(&key), value, err));
		put_extra(as, str_c(&key), value);
	}
	return 0;
}

static bool asks_to_act(struct http_request *rq)
{
	struct sv name, value;

	for (size_t i = 0; http_header_field(rq, i, &name, &value); i++)
		if (name.n > 12 && !strncasecmp(name.p, "impersonate-", 12))
			return true;
	return false;
}

static int act_for(struct api *a, struct http_request *rq, const struct caller *c, struct login *as, struct err *err)
{
	struct sv user = http_header(rq, "impersonate-user"), uid = http_header(rq, "impersonate-uid"), group;

	TRY(act_as_user(a, c, user, err));
	str_add(&as->user, user);
	for (size_t i = 0; (group = http_header_at(rq, "impersonate-group", i)).n; i++) {
		TRY(act_as(a, c, "", "groups", "", group, err));
		login_add_group(as, group);
	}
	if (uid.n)
		TRY(act_as(a, c, "authentication.k8s.io", "uids", "", uid, err));
	str_add(&as->uid, uid);
	TRY(act_with_extra(a, rq, c, as, err));
	login_finish(as);
	return 0;
}

int impersonate(struct api *a, struct http_request *rq, struct login *l, struct err *err)
{
	struct login as = { 0 };
	int r;

	if (!asks_to_act(rq))
		return 0;
	if (!http_header(rq, "impersonate-user").n)
		return err_set(err, ERR_BAD_REQUEST, "requested groups, a uid or extra without impersonating a user");
	if ((r = act_for(a, rq, &l->caller, &as, err)) < 0) {
		login_free(&as);
		return r;
	}
	if (!(as.acting = malloc(sizeof *l)))
		abort();
	*as.acting = *l;
	*l = as;
	return 0;
}

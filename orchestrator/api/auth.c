#include "orchestrator/api/account-internal.h"
#include "orchestrator/api/auth-internal.h"
#include "orchestrator/api/oidc-internal.h"
#include "orchestrator/api/rbac-internal.h"

#include "base/encode.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- bearer tokens ---- */

struct user { char *text; struct caller caller; const char **groups; };

static void user_free(struct user *u)
{
	free(u->text);
	free(u->groups);
	free(u);
}

/* line: "TOKEN,USER[,UID[,GROUP...]]" */
static int read_token(struct map *tokens, struct sv line, int number, struct err *err)
{
	struct user *u = calloc(1, sizeof *u);
	char *save = NULL, *token, *name;
	size_t n = 1;

	if (!u)
		abort();
	u->text = sv_dup(line);
	for (const char *p = u->text; *p; p++)
		n += *p == ',' || *p == '"';
	u->groups = calloc(n + 1, sizeof *u->groups);
	save = u->text;
	token = strsep(&save, ",");
	name = strsep(&save, ",");
	if (!u->groups || !token || !name) {
		user_free(u);
		return err_set(err, ERR_INVALID, "token file, line %d: want TOKEN,USER[,UID[,GROUP...]]", number);
	}
	u->caller.uid = strsep(&save, ",");     /* groups stand in quotes when there are several */
	for (char *g; (g = strsep(&save, ",\""));)
		if (*g)
			u->groups[u->caller.n_groups++] = g;
	u->caller.user = name;
	u->caller.groups = u->groups;
	char digest[32];
	sha256((unsigned char *)digest, sv_c(token));
	struct user *old = map_put(tokens, (struct sv){ digest, sizeof digest }, u);
	if (old)
		user_free(old);
	return 0;
}

int tokens_read(struct map *tokens, const char *text, struct err *err)
{
	struct sv rest = sv_c(text), line;

	for (int number = 1; rest.n; number++) {
		(void)sv_cut(rest, '\n', &line, &rest);
		if (line.p + line.n == rest.p + rest.n)
			rest = SV("");
		line = sv_trim(line);
		if (line.n && *line.p != '#')
			TRY(read_token(tokens, line, number, err));
	}
	return 0;
}

void tokens_add_admin(struct map *tokens, struct sv token)
{
	char *line = str_fmt(SV_FMT ",admin,,system:masters", SV_ARG(sv_trim(token)));

	(void)read_token(tokens, sv_c(line), 0, NULL);
	free(line);
}

void tokens_free(struct map *tokens)
{
	struct map_slot *s;

	map_each(s, tokens)
		user_free(s->value);
	map_free(tokens);
}

/* ---- who ---- */

void login_free(struct login *l)
{
	for (size_t i = 0; i < l->groups.n; i++)
		free((char *)l->groups.v[i]);
	vec_free(&l->groups);
	str_free(&l->user);
	str_free(&l->uid);
	doc_drop(&l->extra);
	if (l->acting)
		login_free(l->acting);
	free(l->acting);
	*l = (struct login){ 0 };
}

void login_add_group(struct login *l, struct sv name)
{
	for (size_t i = 0; i < l->groups.n; i++)
		if (sv_eq_c(name, l->groups.v[i]))
			return;
	vec_push(&l->groups, sv_dup(name));
}

/* What follows from the name: everybody but the anonymous is authenticated, and service accounts are of their
 * namespace. */
void login_finish(struct login *l)
{
	struct sv user = str_sv(&l->user), ns, name;

	if (sv_starts(user, SV("system:serviceaccount:")) && sv_cut(sv_drop(user, 22), ':', &ns, &name)) {
		char *group = str_fmt("system:serviceaccounts:" SV_FMT, SV_ARG(ns));

		login_add_group(l, SV("system:serviceaccounts"));
		login_add_group(l, sv_c(group));
		free(group);
	}
	login_add_group(l, sv_eq_c(user, "system:anonymous") ? SV("system:unauthenticated") : SV("system:authenticated"));
	l->caller = (struct caller){ str_c(&l->user), l->groups.v, l->groups.n, l->uid.n ? str_c(&l->uid) : NULL,
				     l->extra ? doc_root(l->extra) : NULL };
}

static void become(struct login *l, const struct caller *c)
{
	str_set(&l->user, c->user);
	str_set(&l->uid, c->uid);
	for (size_t i = 0; i < c->n_groups; i++)
		login_add_group(l, sv_c(c->groups[i]));
	login_finish(l);
}

/* ---- bearer tokens of all sorts ---- */

/* The audiences that both lists have; ours when none are asked for. */
static bool is_for(struct api *a, const struct jwt *t, struct token_for *what)
{
	const struct node *claims = t ? doc_root(t->claims) : NULL, *it;
	const char *ours = a->accounts.issuer;

	if (!what->d || !what->audiences)
		return !claims || jwt_is_for(claims, ours);
	what->matched = node_seq(what->d);
	node_each(it, what->audiences) {
		const char *audience = node_text(it);

		if (audience && (claims ? jwt_is_for(claims, audience) : str_eq(audience, ours)))
			node_add(what->d, what->matched, node_str(what->d, audience));
	}
	return what->matched->n;
}

/* By its digest: how long the search takes says nothing about the tokens that there are. */
static const struct user *static_user(struct api *a, struct sv token)
{
	char digest[32];

	sha256((unsigned char *)digest, token);
	return map_get(&a->tokens, (struct sv){ digest, sizeof digest });
}

/* *aware: it names audiences of its own. */
static int signed_login(struct api *a, const struct jwt *t, bool *aware, struct login *out, struct err *err)
{
	*aware = account_issued(a, t) && !account_is_legacy(t);
	if (account_issued(a, t))
		return account_login(a, t, out, err);
	if (oidc_issued(a->oidc, t))
		return oidc_login(a->oidc, t, out, err);
	return err_set(err, ERR_UNAUTHORIZED, "the token is nobody's");
}

int token_login(struct api *a, struct sv token, struct token_for *what, struct login *out, struct err *err)
{
	const struct user *u = static_user(a, token);
	AUTO(jwt) t = { 0 };
	bool aware = false;
	int r = 0;

	if (u)
		become(out, &u->caller);
	else if (bootstrap_shaped(token))
		r = bootstrap_login(a, token, out, err);
	else if (jwt_read(token, &t, NULL) >= 0)
		r = signed_login(a, &t, &aware, out, err);
	else
		r = err_set(err, ERR_UNAUTHORIZED, "the token is nobody's");
	if (r >= 0 && !is_for(a, aware ? &t : NULL, what))
		r = err_set(err, ERR_UNAUTHORIZED, "the token is not for this audience");
	if (r < 0)
		login_free(out);
	return r;
}

static int identify(struct api *a, struct http_request *rq, struct login *out, struct err *err)
{
	const struct tls_peer *peer = http_peer(rq);
	struct sv header = http_header(rq, "authorization");

	if (peer && peer->name && *peer->name) {
		become(out, &(struct caller){ peer->name, peer->groups, peer->n_groups });
		return 0;
	}
	if (header.n > 7 && !strncasecmp(header.p, "Bearer ", 7)) {
		struct token_for us = { 0 };

		/* Which of the reasons it is, is not for those who guess. */
		if (token_login(a, sv_trim(sv_drop(header, 7)), &us, out, NULL) < 0)
			return err_set(err, ERR_UNAUTHORIZED, "Unauthorized");
		return 0;
	}
	become(out, &(struct caller){ "system:anonymous", NULL, 0 });
	return 0;
}

int authenticate(struct api *a, struct http_request *rq, struct login *out, struct err *err)
{
	*out = (struct login){ 0 };
	TRY(identify(a, rq, out, err));
	return impersonate(a, rq, out, err);
}

bool caller_in(const struct caller *c, const char *group)
{
	for (size_t i = 0; i < c->n_groups; i++)
		if (!strcmp(c->groups[i], group))
			return true;
	return false;
}

/* ---- whether ---- */

int authorize(const struct request *rq, const char *verb, struct err *err)
{
	bool is_namespace = !*rq->kind->group && !strcmp(rq->kind->plural, "namespaces");
	struct action action = { verb, rq->kind->group, rq->kind->plural, rq->subresource, rq->name,
				 is_namespace ? rq->name : rq->ns, "" };       /* a namespace is in itself */
	AUTO(str) what = { 0 };

	if (rbac_allows(rq->api, rq->caller, &action, NULL))
		return 0;
	str_addf(&what, "%s%s%s", rq->kind->plural, *rq->subresource ? "/" : "", rq->subresource);
	char resource[192];
	return err_set(err, ERR_FORBIDDEN,
		       "%s%s%s%s is forbidden: User \"%s\" cannot %s resource \"%s\" in API group \"%s\"%s%s%s",
		       kind_resource(rq->kind, resource), *rq->name ? " \"" : "", rq->name, *rq->name ? "\"" : "",
		       rq->caller->user, verb, str_c(&what), rq->kind->group,
		       *rq->ns ? " in the namespace \"" : " at the cluster scope", rq->ns, *rq->ns ? "\"" : "");
}

static bool starts(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(path, prefix, n) && (!path[n] || path[n] == '/');
}

int authorize_path(struct api *a, const struct caller *c, const char *method, const char *path, struct err *err)
{
	static const char *const for_all[] = { "/livez", "/readyz", "/version" };
	static const char *const for_users[] = { "/healthz", "/api", "/apis", "/openapi" };
	bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");
	bool known = !caller_in(c, "system:unauthenticated");
	char verb[16] = "";

	for (size_t i = 0; reads && i < sizeof for_all / sizeof *for_all; i++)
		if (starts(path, for_all[i]))
			return 0;
	for (size_t i = 0; reads && known && i < sizeof for_users / sizeof *for_users; i++)
		if (starts(path, for_users[i]))
			return 0;
	for (size_t i = 0; method[i] && i < sizeof verb - 1; i++)
		verb[i] = (char)(method[i] | 0x20);
	struct action action = { verb, "", "", "", "", "", path };
	if (rbac_allows(a, c, &action, NULL))
		return 0;
	return err_set(err, ERR_FORBIDDEN, "forbidden: User \"%s\" cannot %s path \"%s\"", c->user, verb, path);
}

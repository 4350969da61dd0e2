#include "orchestrator/api/auth-internal.h"

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
	(void)strsep(&save, ",");       /* the uid; groups stand in quotes when there are several */
	for (char *g; (g = strsep(&save, ",\""));)
		if (*g)
			u->groups[u->caller.n_groups++] = g;
	u->groups[u->caller.n_groups++] = "system:authenticated";
	u->caller.user = name;
	u->caller.groups = u->groups;
	struct user *old = map_put(tokens, sv_c(token), u);
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

int authenticate(struct api *a, struct http_request *rq, struct caller *out, struct err *err)
{
	static const char *const unauthenticated[] = { "system:unauthenticated" };
	const struct tls_peer *peer = http_peer(rq);
	struct sv header = http_header(rq, "authorization");

	if (peer && peer->name && *peer->name) {
		*out = (struct caller){ peer->name, peer->groups, peer->n_groups };
		return 0;
	}
	if (header.n > 7 && !strncasecmp(header.p, "Bearer ", 7)) {
		const struct user *u = map_get(&a->tokens, sv_trim(sv_drop(header, 7)));

		if (!u)
			return err_set(err, ERR_UNAUTHORIZED, "Unauthorized");
		*out = u->caller;
		return 0;
	}
	*out = (struct caller){ "system:anonymous", unauthenticated, 1 };
	return 0;
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
	AUTO(str) what = { 0 };

	if (caller_in(rq->caller, "system:masters"))
		return 0;
	str_addf(&what, "%s%s%s", rq->kind->plural, *rq->subresource ? "/" : "", rq->subresource);
	char resource[192];
	return err_set(err, ERR_FORBIDDEN, "%s%s%s%s is forbidden: User \"%s\" cannot %s resource \"%s\" in API group \"%s\"%s%s%s",
		       kind_resource(rq->kind, resource), *rq->name ? " \"" : "", rq->name, *rq->name ? "\"" : "", rq->caller->user, verb,
		       str_c(&what), rq->kind->group, *rq->ns ? " in the namespace \"" : " at the cluster scope", rq->ns,
		       *rq->ns ? "\"" : "");
}

static bool starts(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(path, prefix, n) && (!path[n] || path[n] == '/');
}

int authorize_path(const struct caller *c, const char *method, const char *path, struct err *err)
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
	if (caller_in(c, "system:masters"))
		return 0;
	for (size_t i = 0; method[i] && i < sizeof verb - 1; i++)
		verb[i] = (char)(method[i] | 0x20);
	return err_set(err, ERR_FORBIDDEN, "forbidden: User \"%s\" cannot %s path \"%s\"", c->user, verb, path);
}

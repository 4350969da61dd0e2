#include "orchestrator/api/http-internal.h"

#include <stdlib.h>
#include <string.h>

enum { SEGMENTS = 9 };

struct segments { char *v[SEGMENTS]; size_t n; };

static void segments_free(struct segments *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Percent-decoded; NULL for a bad escape, and for a name that would be a path of its own. */
static char *segment(struct sv s)
{
	char *out = malloc(s.n + 1), *p = out;

	if (!out)
		abort();
	for (size_t i = 0; i < s.n; i++) {
		int hi = s.p[i] == '%' && i + 2 < s.n + 0 ? hex(s.p[i + 1]) : -1;
		int lo = hi >= 0 ? hex(s.p[i + 2]) : -1;

		if (s.p[i] != '%') {
			*p++ = s.p[i];
		} else if (lo >= 0 && (hi || lo)) {
			*p++ = (char)(hi << 4 | lo);
			i += 2;
		} else {
			free(out);
			return NULL;
		}
	}
	*p = '\0';
	if (strchr(out, '/') || !strcmp(out, ".") || !strcmp(out, "..")) {
		free(out);
		return NULL;
	}
	return out;
}

static bool split(const char *path, struct segments *out)
{
	struct sv rest = sv_drop(sv_c(path), 1), head;

	while (rest.n) {
		struct sv tail = SV("");

		if (!sv_cut(rest, '/', &head, &tail))
			tail = SV("");
		rest = tail;
		if (!head.n && !rest.n)
			break;
		if (out->n == SEGMENTS || !head.n || !(out->v[out->n] = segment(head)))
			return false;
		out->n++;
	}
	return true;
}

static char *take(struct segments *s, size_t i)
{
	return i < s->n ? sv_dup(sv_c(s->v[i])) : sv_dup(SV(""));
}

/* segments from `at`: [namespaces NS] PLURAL [NAME [SUBRESOURCE]] */
static void fill(struct route *r, struct segments *s, size_t at)
{
	static const char *const of_namespace[] = { "status", "finalize" };
	bool scoped = s->n >= at + 3 && !strcmp(s->v[at], "namespaces");

	for (size_t i = 0; scoped && i < 2; i++)
		scoped = strcmp(s->v[at + 2], of_namespace[i]) != 0;
	r->ns = scoped ? take(s, at + 1) : sv_dup(SV(""));
	at += scoped ? 2 : 0;
	r->plural = take(s, at);
	r->name = take(s, at + 1);
	r->subresource = take(s, at + 2);
}

static int no_route(const char *path, struct err *err)
{
	(void)path;
	return err_set(err, ERR_NOT_FOUND, "the server could not find the requested resource");
}

void route_free(struct route *r)
{
	free(r->group);
	free(r->version);
	free(r->plural);
	free(r->ns);
	free(r->name);
	free(r->subresource);
	*r = (struct route){ 0 };
}

const struct sub_row sub_rows[] = {
	{ SUB_STATUS, "status", NULL, NULL, NULL, "get,patch,update" },
	{ SUB_SCALE, "scale", "autoscaling", "v1", "Scale", "get,patch,update" },
	{ SUB_LOG, "log", NULL, NULL, NULL, "get" },
	{ SUB_EXEC, "exec", NULL, NULL, "PodExecOptions", "create,get" },
	{ SUB_ATTACH, "attach", NULL, NULL, "PodAttachOptions", "create,get" },
	{ SUB_PORTFORWARD, "portforward", NULL, NULL, "PodPortForwardOptions", "create,get" },
	{ SUB_EVICTION, "eviction", "policy", "v1", "Eviction", "create" },
	{ SUB_BINDING, "binding", NULL, NULL, "Binding", "create" },
	{ SUB_TOKEN, "token", "authentication.k8s.io", "v1", "TokenRequest", "create" },
	{ SUB_APPROVAL, "approval", NULL, NULL, NULL, "get,patch,update" },
	{ SUB_FINALIZE, "finalize", NULL, NULL, NULL, "update" },
};
const size_t sub_rows_n = sizeof sub_rows / sizeof *sub_rows;

static const struct sub_row *sub_row(const struct kind *k, const char *name)
{
	for (size_t i = 0; i < sub_rows_n; i++)
		if (!strcmp(sub_rows[i].name, name) && (k->subresources & sub_rows[i].bit))
			return &sub_rows[i];
	return NULL;
}

bool route_allows(const struct route *r, const char *verb)
{
	const struct sub_row *row = sub_row(r->kind, r->subresource);
	struct sv rest = row ? sv_c(row->verbs) : SV(""), head;

	while (rest.n) {
		struct sv all = rest;

		if (!sv_cut(all, ',', &head, &rest))
			rest = SV("");
		if (sv_eq_c(head, verb))
			return true;
	}
	return !row;
}

static int resolve(const struct kinds *kinds, struct route *r, const char *path, struct err *err)
{
	r->kind = kinds_find_plural(kinds, r->group, r->version, r->plural);
	if (!r->kind)
		r->kind = review_find(r->group, r->version, r->plural);
	if (!r->kind || (*r->subresource && !sub_row(r->kind, r->subresource)))
		return no_route(path, err);
	if (!r->kind->namespaced && *r->ns)
		return no_route(path, err);
	if (r->kind->namespaced && *r->name && !*r->ns)
		return no_route(path, err);
	return 1;
}

int route_parse(const struct kinds *kinds, const char *path, struct route *out, struct err *err)
{
	__attribute__((cleanup(segments_free))) struct segments s = { 0 };
	size_t at;

	*out = (struct route){ 0 };
	if (strncmp(path, "/api/", 5) && strncmp(path, "/apis/", 6))
		return 0;
	if (!split(path, &s))
		return no_route(path, err);
	at = strcmp(s.v[0], "api") ? 3 : 2;
	if (s.n <= at)
		return 0;
	out->group = at == 3 ? take(&s, 1) : sv_dup(SV(""));
	out->version = take(&s, at - 1);
	out->watch = s.n > at + 1 && !strcmp(s.v[at], "watch");
	at += out->watch;
	if (s.n > at + 5)
		return no_route(path, err);
	fill(out, &s, at);
	return resolve(kinds, out, path, err);
}

#include "orchestrator/api/account-internal.h"
#include "orchestrator/api/exchange-internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool query_flag(const char *query, const char *name)
{
	AUTO(str) v = { 0 };

	return http_query_get(query, name, &v) && strcmp(str_c(&v), "false") && strcmp(str_c(&v), "0");
}

bool query_int(const char *query, const char *name, int64_t *out)
{
	AUTO(str) v = { 0 };

	return http_query_get(query, name, &v) && sv_to_i64(str_sv(&v), out);
}

/* ---- objects ---- */

static const struct {
	const char *name, *verb;        /* verb: of an object by its name */
	int (*run)(struct exchange *, struct err *);
} methods[] = {
	{ "GET", "get", do_get }, { "HEAD", "get", do_get }, { "POST", "create", do_post },
	{ "PUT", "update", do_put }, { "PATCH", "patch", do_patch }, { "DELETE", "delete", do_delete },
};

static int read_options(struct exchange *x, struct err *err)
{
	AUTO(str) dry = { 0 }, validation = { 0 };

	if (http_query_get(x->query, "dryRun", &dry)) {
		if (strcmp(str_c(&dry), "All"))
			return err_set(err, ERR_BAD_REQUEST,
				       "dryRun: Unsupported value: \"%s\": supported values: \"All\"", str_c(&dry));
		x->request.dry_run = true;
	}
	x->request.unknown = UNKNOWN_WARN;
	if (http_query_get(x->query, "fieldValidation", &validation)) {
		if (!strcasecmp(str_c(&validation), "Strict"))
			x->request.unknown = UNKNOWN_STRICT;
		else if (!strcasecmp(str_c(&validation), "Ignore"))
			x->request.unknown = UNKNOWN_IGNORE;
	}
	x->request.force = query_flag(x->query, "force");
	if (!http_query_get(x->query, "fieldManager", &x->manager)) {
		struct sv agent = http_header(x->http, "user-agent"), head, rest;

		(void)sv_cut(agent, '/', &head, &rest);
		str_add(&x->manager, head);
	}
	x->request.manager = str_c(&x->manager);
	TRY(wanted_parse(http_header(x->http, "accept"), x->query, &x->wanted, err));
	const char *sub = x->route.subresource;         /* these answer with objects of another kind */
	x->wanted.kind = strcmp(sub, "scale") && strcmp(sub, "token") ? x->route.kind : NULL;
	return 0;
}

/* ---- subresources that are no objects ---- */

static const struct { const char *name; int (*serve)(struct http_request *, const struct request *, struct err *); } streams[] = {
	{ "log", serve_log }, { "exec", serve_exec }, { "attach", serve_exec }, { "portforward", serve_forward },
};

/* 1: it was one, and is answered. */
static int serve_stream(struct exchange *x, struct err *err)
{
	const char *method = http_method(x->http), *sub = x->route.subresource;

	for (size_t i = 0; *sub && i < sizeof streams / sizeof *streams; i++)
		for (size_t m = 0; !strcmp(streams[i].name, sub) && m < sizeof methods / sizeof *methods; m++)
			if (!strcmp(methods[m].name, method) && route_allows(&x->route, methods[m].verb)) {
				TRY(authorize(&x->request, methods[m].verb, err));
				TRY(streams[i].serve(x->http, &x->request, err));
				return 1;
			}
	return 0;
}

static int run_method(struct exchange *x, struct err *err)
{
	const char *method = http_method(x->http);
	int served = serve_stream(x, err);

	if (served)
		return served;
	TRY(read_options(x, err));
	if (review_find(x->route.group, x->route.version, x->route.plural) && strcmp(method, "POST"))
		return no_method(err);
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (!strcmp(methods[i].name, method) && route_allows(&x->route, methods[i].verb))
			return methods[i].run(x, err);
	return no_method(err);
}

void exchange_free(struct exchange *x)
{
	route_free(&x->route);
	str_free(&x->manager);
	str_free(&x->warnings);
	str_free(&x->created);
}

/* The error of a creation is about the object that was sent, which the path does not name. */
static void reply_failure(struct exchange *x, const struct err *err)
{
	struct route about = x->route;

	if (x->created.n)
		about.name = x->created.p;
	reply_error(x->http, err, &about);
}

static void serve_object(struct exchange *x, struct api *a, const struct caller *caller)
{
	AUTO(err) err = { 0 };

	x->query = http_query(x->http);
	x->request = (struct request){ .api = a,
				       .caller = caller,
				       .kind = x->route.kind,
				       .ns = x->route.ns,
				       .name = x->route.name,
				       .subresource = x->route.subresource,
				       .warnings = &x->warnings };
	if (run_method(x, &err) < 0)
		reply_failure(x, &err);
}

static void serve_health(struct api *a, struct http_request *rq)
{
	(void)a;
	http_reply(rq, 200, "text/plain; charset=utf-8", SV("ok"));
}

static void serve_version(struct api *a, struct http_request *rq)
{
	AUTO(str) out = { 0 };

	str_addf(&out,
		 "{\n  \"major\": \"1\",\n  \"minor\": \"30\",\n  \"gitVersion\": \"v1.30.0+cd-%s\",\n  \"gitCommit\": "
		 "\"\",\n"
		 "  \"gitTreeState\": \"clean\",\n  \"buildDate\": \"1970-01-01T00:00:00Z\",\n  \"goVersion\": \"\",\n"
		 "  \"compiler\": \"\",\n  \"platform\": \"linux/amd64\"\n}\n",
		 a->version);
	reply_json(rq, 200, &out);
}

static const struct { const char *path; void (*serve)(struct api *, struct http_request *);
} plain_paths[] = {
	{ "/version", serve_version },
	{ "/metrics", serve_metrics },
	{ "/livez", serve_health },
	{ "/readyz", serve_health },
	{ "/healthz", serve_health },
};

static bool path_is(const char *path, const char *want)
{
	size_t n = strlen(want);

	return !strncmp(path, want, n) && (!path[n] || path[n] == '/');
}

static void serve_path(struct api *a, struct http_request *rq, const char *path, const struct caller *caller)
{
	AUTO(err) err = { 0 };

	if (authorize_path(a, caller, http_method(rq), path, &err) < 0) {
		reply_error(rq, &err, NULL);
		return;
	}
	for (size_t i = 0; i < sizeof plain_paths / sizeof *plain_paths; i++)
		if (path_is(path, plain_paths[i].path)) {
			plain_paths[i].serve(a, rq);
			return;
		}
	if (serve_discovery(a, rq, path) || serve_issuer(a, rq, path) || serve_openapi(a, rq, path))
		return;
	(void)err_set(&err, ERR_NOT_FOUND, "the server could not find the requested resource");
	reply_error(rq, &err, NULL);
}

/* A resource that does not exist: those who may see nothing are not told so. */
static void reply_unknown(struct api *a, struct http_request *rq, const struct caller *caller, struct err *why)
{
	AUTO(err) refused = { 0 };

	reply_error(rq, caller_in(caller, "system:unauthenticated") &&
		    authorize_path(a, caller, http_method(rq), http_path(rq), &refused) < 0 ? &refused : why, NULL);
}

void exchange_serve(struct exchange *x, struct api *a, int parsed, struct login *who, struct err *err)
{
	if (parsed < 0)
		reply_unknown(a, x->http, &who->caller, err);
	else if (parsed)
		serve_object(x, a, &who->caller);
	else
		serve_path(a, x->http, http_path(x->http), &who->caller);
}

#include "orchestrator/api/http-internal.h"

#include "base/json.h"
#include "base/yaml.h"
#include "kube/status.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHUNK = 256 << 10 };     /* a longer list is sent in pieces of this size */

/* One request of an object path, on its way. */
struct exchange {
	struct http_request *http;
	struct route route;
	struct request request;
	struct wanted wanted;
	struct str manager, warnings;
	const char *query;
};

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

/* ---- bodies ---- */

static bool type_is(struct http_request *rq, const char *want)
{
	struct sv type = http_header(rq, "content-type"), head, rest;

	(void)sv_cut(type, ';', &head, &rest);
	head = sv_trim(head);
	return head.n == strlen(want) && !strncasecmp(head.p, want, head.n);
}

static int read_body(struct http_request *rq, struct doc **out, struct err *err)
{
	struct sv body = http_body(rq);

	if (type_is(rq, "application/yaml") || type_is(rq, "application/apply-patch+yaml"))
		return yaml_read(body, "body", 0, out, err);
	if (http_header(rq, "content-type").n && !type_is(rq, "application/json") && !type_is(rq, "application/json-patch+json") &&
	    !type_is(rq, "application/merge-patch+json") && !type_is(rq, "application/strategic-merge-patch+json"))
		return err_set(err, ERR_UNSUPPORTED, "the body of the request was in an unknown format - accepted media types include: "
			       "application/json, application/yaml");
	return json_read(body, "body", 0, out, err);
}

/* ---- answers ---- */

static void add_warnings(struct exchange *x)
{
	struct sv rest = str_sv(&x->warnings), line;

	while (rest.n) {
		AUTO(str) value = { 0 }, quoted = { 0 };

		struct sv all = rest;
		if (!sv_cut(all, '\n', &line, &rest))
			rest = SV("");
		if (!line.n)
			continue;
		json_write_string(&quoted, line, 0);    /* a quoted string of HTTP looks the same */
		str_addf(&value, "299 - %s", str_c(&quoted));
		http_add_header(x->http, "Warning", str_c(&value));
	}
}

static void reply_item(struct exchange *x, int status, struct item *i)
{
	add_warnings(x);
	if (form_is_stored(i, &x->wanted)) {
		http_reply(x->http, status, "application/json", item_sv(i));
		return;
	}
	AUTO(str) out = { 0 };
	form_item(&out, i, &x->wanted);
	reply_json(x->http, status, &out);
}

static void stream_list(struct exchange *x, const struct list_result *found, struct str *out, size_t from)
{
	struct http_stream *s = http_stream_start(x->http, 200, "application/json");
	int r = 0;

	for (size_t i = from; i < found->items.n && r >= 0; i++) {
		form_list_item(out, found->items.v[i], i, &x->wanted);
		if (out->n < CHUNK)
			continue;
		if ((r = http_stream_write(s, str_sv(out))) >= 0)
			r = http_stream_drain(s);
		str_cut(out, 0);
	}
	form_list_tail(out, &x->wanted);
	if (r >= 0)
		(void)http_stream_write(s, str_sv(out));
	http_stream_end(s);
}

static void reply_list(struct exchange *x, const struct list_result *found)
{
	AUTO(str) out = { 0 };

	form_list_head(&out, x->route.kind, found, &x->wanted);
	for (size_t i = 0; i < found->items.n; i++) {
		form_list_item(&out, found->items.v[i], i, &x->wanted);
		if (out.n >= CHUNK) {
			stream_list(x, found, &out, i + 1);
			return;
		}
	}
	form_list_tail(&out, &x->wanted);
	reply_json(x->http, 200, &out);
}

/* ---- methods ---- */

static int list_query(struct exchange *x, struct str v[3], struct list_query *q, struct err *err)
{
	*q = (struct list_query){ 0 };
	q->labels = http_query_get(x->query, "labelSelector", &v[0]) ? str_c(&v[0]) : NULL;
	q->fields = http_query_get(x->query, "fieldSelector", &v[1]) ? str_c(&v[1]) : NULL;
	q->token = http_query_get(x->query, "continue", &v[2]) ? str_c(&v[2]) : NULL;
	AUTO(str) limit = { 0 };
	if (http_query_get(x->query, "limit", &limit) && limit.n && !sv_to_i64(str_sv(&limit), &q->limit))
		return err_set(err, ERR_BAD_REQUEST, "limit: Invalid value: \"%s\": must be a number", str_c(&limit));
	return 0;
}

static void strings_free(struct str (*v)[3])
{
	for (size_t i = 0; i < 3; i++)
		str_free(&(*v)[i]);
}
#define AUTO_STRINGS __attribute__((cleanup(strings_free))) struct str

static int get_list(struct exchange *x, struct err *err)
{
	AUTO_STRINGS v[3] = { 0 };
	AUTO(list_result) found = { 0 };
	struct list_query q;

	TRY(list_query(x, v, &q, err));
	TRY(verb_list(&x->request, &q, &found, err));
	reply_list(x, &found);
	return 0;
}

static int get_item(struct exchange *x, struct err *err)
{
	AUTO_ITEM i = NULL;

	TRY(verb_get(&x->request, &i, err));
	reply_item(x, 200, i);
	return 0;
}

static int do_get(struct exchange *x, struct err *err)
{
	bool watch = x->route.watch || query_flag(x->query, "watch");

	if (!strcmp(x->route.subresource, "log")) {
		TRY(authorize(&x->request, "get", err));
		serve_log(x->http, &x->request, &x->route);
		return 0;
	}
	if (watch && (!*x->route.name || x->route.watch)) {
		TRY(authorize(&x->request, "watch", err));
		serve_watch(x->http, &x->request, &x->wanted);
		return 0;
	}
	TRY(authorize(&x->request, *x->route.name ? "get" : "list", err));
	return *x->route.name ? get_item(x, err) : get_list(x, err);
}

/* A question, answered in its status; nothing is stored. */
static int do_review(struct exchange *x, struct doc *d, struct err *err)
{
	AUTO(str) out = { 0 };
	struct node *answer;

	TRY(review_answer(&x->request, d, doc_root(d), &answer, err));
	json_write(&out, answer, 0);
	reply_json(x->http, 201, &out);
	return 0;
}

/* The error of a creation is about the object that was sent, which the path does not name. */
static int name_failure(struct exchange *x, const struct node *root, int r)
{
	if (!*x->route.name) {
		free(x->route.name);
		x->route.name = sv_dup(sv_c(node_str_or(root, "metadata.name", "")));
	}
	return r;
}

static int do_post(struct exchange *x, struct err *err)
{
	AUTO_DOC d = NULL;
	AUTO_ITEM i = NULL;

	if (*x->route.name && !*x->route.subresource)
		return err_set(err, ERR_NOT_ALLOWED, "the server does not allow this method on the requested resource");
	TRY(authorize(&x->request, "create", err));
	TRY(read_body(x->http, &d, err));
	if (review_find(x->route.group, x->route.version, x->route.plural))
		return do_review(x, d, err);
	int r = verb_create(&x->request, doc_root(d), &i, err);
	if (r < 0)
		return name_failure(x, doc_root(d), r);
	if (i && *x->route.subresource != 'b' && *x->route.subresource != 'e') {
		reply_item(x, 201, i);
		return 0;
	}
	AUTO(str) out = { 0 };          /* a binding, an eviction: done */
	str_addc(&out, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"code\":201}\n");
	reply_json(x->http, 201, &out);
	return 0;
}

static int no_name(struct exchange *x, struct err *err)
{
	return *x->route.name ? 0 :
	       err_set(err, ERR_NOT_ALLOWED, "the server does not allow this method on the requested resource");
}

static int do_put(struct exchange *x, struct err *err)
{
	AUTO_DOC d = NULL;
	AUTO_ITEM i = NULL;

	TRY(no_name(x, err));
	TRY(authorize(&x->request, "update", err));
	TRY(read_body(x->http, &d, err));
	TRY(verb_update(&x->request, doc_root(d), &i, err));
	reply_item(x, 200, i);
	return 0;
}

static const struct { const char *media; enum patch_type type; } patches[] = {
	{ "application/json-patch+json", PATCH_JSON },
	{ "application/merge-patch+json", PATCH_MERGE },
	{ "application/strategic-merge-patch+json", PATCH_STRATEGIC },
	{ "application/apply-patch+yaml", PATCH_APPLY },
};

static int patch_type(struct exchange *x, enum patch_type *out, struct err *err)
{
	for (size_t i = 0; i < sizeof patches / sizeof *patches; i++)
		if (type_is(x->http, patches[i].media)) {
			*out = patches[i].type;
			if (*out == PATCH_STRATEGIC && !x->route.kind->type)
				break;
			return 0;
		}
	return err_set(err, ERR_UNSUPPORTED, "the body of the request was in an unknown format - accepted media types include: "
		       "application/json-patch+json, application/merge-patch+json%s, application/apply-patch+yaml",
		       x->route.kind->type ? ", application/strategic-merge-patch+json" : "");
}

static int do_patch(struct exchange *x, struct err *err)
{
	AUTO_DOC d = NULL;
	AUTO_ITEM i = NULL;
	enum patch_type type;

	TRY(no_name(x, err));
	TRY(authorize(&x->request, "patch", err));
	TRY(patch_type(x, &type, err));
	TRY(read_body(x->http, &d, err));
	bool exists = resource_find(request_resource(&x->request), x->request.ns, x->request.name);
	TRY(verb_patch(&x->request, type, doc_root(d), &i, err));
	reply_item(x, exists ? 200 : 201, i);
	return 0;
}

/* ---- deletion ---- */

static int delete_options(struct exchange *x, struct doc **body, struct str *propagation, struct deletion *how, struct err *err)
{
	const struct node *root = NULL, *orphans;

	*how = (struct deletion){ .grace_seconds = -1 };
	if (http_body(x->http).n) {
		TRY(read_body(x->http, body, err));
		root = doc_root(*body);
	}
	(void)query_int(x->query, "gracePeriodSeconds", &how->grace_seconds);
	how->grace_seconds = node_int_at(root, "gracePeriodSeconds", how->grace_seconds);
	how->uid = node_str_at(root, "preconditions.uid");
	const char *revision = node_str_at(root, "preconditions.resourceVersion");
	if (revision && !sv_to_i64(sv_c(revision), &how->revision))
		return err_set(err, ERR_BAD_REQUEST, "preconditions.resourceVersion: Invalid value: \"%s\"", revision);
	if ((how->propagation = node_str_at(root, "propagationPolicy")) || !propagation)
		return 0;
	if (http_query_get(x->query, "propagationPolicy", propagation))
		how->propagation = str_c(propagation);
	else if (node_is(orphans = node_get(root, "orphanDependents"), NODE_BOOL))
		how->propagation = orphans->b ? "Orphan" : "Background";
	if (node_n(node_get(root, "dryRun")))
		x->request.dry_run = true;
	return 0;
}

static void reply_deleted(struct exchange *x, struct item *last)
{
	struct object *o = item_object(last);
	AUTO_DOC d = doc_new();
	AUTO(str) out = { 0 };

	json_write(&out, status_success(d, x->route.kind, last->name, o ? o->uid : NULL), 0);
	str_add1(&out, '\n');
	reply_json(x->http, 200, &out);
}

static int delete_all(struct exchange *x, const struct deletion *how, struct err *err)
{
	AUTO_STRINGS v[3] = { 0 };
	AUTO(list_result) found = { 0 };
	struct list_query q;

	TRY(authorize(&x->request, "deletecollection", err));
	TRY(list_query(x, v, &q, err));
	TRY(verb_delete_collection(&x->request, &q, how, &found, err));
	reply_list(x, &found);
	return 0;
}

static int do_delete(struct exchange *x, struct err *err)
{
	AUTO(str) propagation = { 0 };
	AUTO_ITEM left = NULL;
	AUTO_ITEM last = NULL;
	AUTO_DOC body = NULL;
	struct deletion how;

	if (*x->route.name)
		TRY(authorize(&x->request, "delete", err));
	TRY(delete_options(x, &body, &propagation, &how, err));
	if (!*x->route.name)
		return delete_all(x, &how, err);
	TRY(verb_delete(&x->request, &how, &left, &last, err));
	if (left)
		reply_item(x, 200, left);
	else
		reply_deleted(x, last);
	return 0;
}

/* ---- dispatch ---- */

static const struct { const char *name; int (*run)(struct exchange *, struct err *); } methods[] = {
	{ "GET", do_get }, { "HEAD", do_get }, { "POST", do_post }, { "PUT", do_put }, { "PATCH", do_patch }, { "DELETE", do_delete },
};

static int read_options(struct exchange *x, struct err *err)
{
	AUTO(str) dry = { 0 }, validation = { 0 };

	if (http_query_get(x->query, "dryRun", &dry)) {
		if (strcmp(str_c(&dry), "All"))
			return err_set(err, ERR_BAD_REQUEST, "dryRun: Unsupported value: \"%s\": supported values: \"All\"", str_c(&dry));
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
	x->wanted.kind = strcmp(x->route.subresource, "scale") ? x->route.kind : NULL;
	return 0;
}

static int run_method(struct exchange *x, struct err *err)
{
	const char *method = http_method(x->http);

	TRY(read_options(x, err));
	if (review_find(x->route.group, x->route.version, x->route.plural) && strcmp(method, "POST"))
		return err_set(err, ERR_NOT_ALLOWED, "the server does not allow this method on the requested resource");
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (!strcmp(methods[i].name, method))
			return methods[i].run(x, err);
	return err_set(err, ERR_NOT_ALLOWED, "the server does not allow this method on the requested resource");
}

static void exchange_free(struct exchange *x)
{
	route_free(&x->route);
	str_free(&x->manager);
	str_free(&x->warnings);
}

static void serve_object(struct exchange *x, struct api *a, const struct caller *caller)
{
	AUTO(err) err = { 0 };

	x->query = http_query(x->http);
	x->request = (struct request){ .api = a, .caller = caller, .kind = x->route.kind, .ns = x->route.ns, .name = x->route.name,
				       .subresource = x->route.subresource, .warnings = &x->warnings };
	if (run_method(x, &err) < 0)
		reply_error(x->http, &err, &x->route);
}

static void serve_health(struct api *a, struct http_request *rq)
{
	(void)a;
	http_reply(rq, 200, "text/plain; charset=utf-8", SV("ok"));
}

static void serve_version(struct api *a, struct http_request *rq)
{
	AUTO(str) out = { 0 };

	str_addf(&out, "{\n  \"major\": \"1\",\n  \"minor\": \"30\",\n  \"gitVersion\": \"v1.30.0+cd-%s\",\n  \"gitCommit\": \"\",\n"
		 "  \"gitTreeState\": \"clean\",\n  \"buildDate\": \"1970-01-01T00:00:00Z\",\n  \"goVersion\": \"\",\n"
		 "  \"compiler\": \"\",\n  \"platform\": \"linux/amd64\"\n}\n", a->version);
	reply_json(rq, 200, &out);
}

static const struct { const char *path; void (*serve)(struct api *, struct http_request *); } plain_paths[] = {
	{ "/version", serve_version }, { "/livez", serve_health }, { "/readyz", serve_health }, { "/healthz", serve_health },
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
	if (serve_discovery(a, rq, path) || serve_openapi(a, rq, path))
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

void api_handle(struct http_request *rq, void *arg)
{
	__attribute__((cleanup(exchange_free))) struct exchange x = { .http = rq };
	struct api *a = arg;
	AUTO(login) who = { 0 };
	AUTO(err) err = { 0 };

	if (authenticate(a, rq, &who, &err) < 0) {
		reply_error(rq, &err, NULL);
		return;
	}
	int r = route_parse(a->kinds, http_path(rq), &x.route, &err);
	if (r < 0)
		reply_unknown(a, rq, &who.caller, &err);
	else if (r)
		serve_object(&x, a, &who.caller);
	else
		serve_path(a, rq, http_path(rq), &who.caller);
}

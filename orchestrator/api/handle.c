/* What goes around every request: who asks, the audit log, a seat, a time limit, numbers. */
#include "orchestrator/api/audit-internal.h"
#include "orchestrator/api/exchange-internal.h"
#include "orchestrator/api/flow-internal.h"
#include "orchestrator/api/metrics-internal.h"
#include "orchestrator/api/rbac-internal.h"

#include "base/opt.h"

#include <ctype.h>
#include <string.h>

struct around { struct audit_entry audit; struct fiber *fiber; struct timer *timer; };

/* What is asked, as roles and policies name it. */
static struct action action_of(const struct exchange *x, char verb[static 24])
{
	const struct route *rt = &x->route;
	const char *method = http_method(x->http);
	bool watch = rt->watch || query_flag(http_query(x->http), "watch"), get = !strcmp(method, "GET") || !strcmp(method, "HEAD");

	if (!rt->kind) {
		for (size_t i = 0; method[i] && i < 23; i++)
			verb[i] = (char)tolower((unsigned char)method[i]);
		return (struct action){ verb, "", "", "", "", "", http_path(x->http) };
	}
	const char *name = get ? watch && (!*rt->name || rt->watch) ? "watch" : *rt->name ? "get" : "list" :
		!strcmp(method, "POST") ? "create" : !strcmp(method, "PUT") ? "update" : !strcmp(method, "PATCH") ? "patch" :
		*rt->name ? "delete" : "deletecollection";
	return (struct action){ name, rt->group, rt->plural, rt->subresource, rt->name, rt->ns, "" };
}

/* Answers that last as long as somebody listens. */
static bool is_long(const struct action *what)
{
	static const char *const subs[] = { "log", "exec", "attach", "portforward", "proxy" };

	for (size_t i = 0; i < sizeof subs / sizeof *subs; i++)
		if (!strcmp(what->subresource, subs[i]))
			return true;
	return !strcmp(what->verb, "watch");
}

/* ---- a time limit ---- */

static void on_late(void *arg)
{
	struct around *r = arg;

	r->timer = NULL;
	fiber_cancel(r->fiber);         /* whatever it waits for ends; the error is answered as a timeout */
}

/* The client may want less than the server allows: "10s", or seconds alone. */
static int64_t limit_of(struct api *a, struct http_request *rq)
{
	int64_t limit = a->request_timeout_ms, asked;
	AUTO(str) text = { 0 };

	if (!http_query_get(http_query(rq), "timeout", &text))
		return limit;
	if (sv_to_i64(str_sv(&text), &asked))
		asked *= 1000;
	else if (duration_parse(str_c(&text), &asked, NULL) < 0)
		return limit;
	return asked > 0 && (!limit || asked < limit) ? asked : limit;
}

/* ---- one request ---- */

static void on_answer(void *arg, int status, struct sv body) { audit_answered(arg, status, body); }

static void serve(struct exchange *x, struct api *a, struct around *r, const struct action *what, int parsed, struct login *who,
		  struct err *err)
{
	AUTO(err) busy = { 0 };
	int64_t limit = limit_of(a, x->http);
	bool is_health = !x->route.kind && (!strncmp(what->path, "/livez", 6) || !strncmp(what->path, "/readyz", 7));
	int seat = is_long(what) || is_health ? 1 : flow_enter(&a->flows, &who->caller, &busy);

	if (seat < 0) {
		reply_error(x->http, &busy, NULL);
		return;
	}
	if (limit && !is_long(what))
		r->timer = timer_after(a->loop, limit, on_late, r);
	metrics_begin(a, what);
	exchange_serve(x, a, parsed, who, err);
	metrics_end(a, what);
	timer_stop(&r->timer);
	if (!seat)
		flow_leave(&a->flows);
}

void api_handle(struct http_request *rq, void *arg)
{
	__attribute__((cleanup(exchange_free))) struct exchange x = { .http = rq };
	struct around r = { .fiber = fiber_self() };
	struct api *a = arg;
	AUTO(login) who = { 0 };
	AUTO(err) refused = { 0 }, err = { 0 };
	char verb[24] = "";
	int64_t began = metrics_now();

	bool known = authenticate(a, rq, &who, &refused) >= 0;
	int parsed = route_parse(a->kinds, http_path(rq), &x.route, &err);
	struct action what = action_of(&x, verb);
	audit_begin(&r.audit, a, rq, known ? &who : NULL, &what, x.route.kind ? x.route.version : NULL);
	http_on_answer(rq, on_answer, &r.audit);
	if (known)
		serve(&x, a, &r, &what, parsed, &who, &err);
	else
		reply_error(rq, &refused, NULL);
	http_on_answer(rq, NULL, NULL);
	metrics_request(a, &what, &x.route, known, r.audit.status, is_long(&what) ? -1 : metrics_now() - began);
	audit_end(&r.audit, !strcmp(what.verb, "watch") && r.audit.status == 200);
}

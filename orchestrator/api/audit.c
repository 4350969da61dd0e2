#include "orchestrator/api/audit-internal.h"

#include "base/json.h"
#include "base/loop.h"
#include "base/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 3 << 20 };

/* ---- open and close ---- */

int audit_open(struct api *a, const struct api_opts *o, struct err *err)
{
	if (!o->audit_path && o->audit_policy)
		return err_set(err, ERR_BAD_REQUEST, "an audit policy needs --audit-log-path: where events are written");
	if (!o->audit_path)
		return 0;
	a->audit.policy = o->audit_policy ? audit_policy_read(o->audit_policy, err) : audit_policy_default();
	if (!a->audit.policy)
		return -(int)(err ? err->code : ERR_INVALID);
	a->audit.log = audit_log_open(a->loop, o->audit_path, o->audit_max_bytes, o->audit_backups, err);
	return a->audit.log ? 0 : -(int)(err ? err->code : ERR_IO);
}

void audit_close(struct api *a)
{
	audit_log_close(&a->audit.log);
	audit_policy_free(&a->audit.policy);
}

/* ---- an event ---- */

static struct node *micro_now(struct doc *d)
{
	AUTO(str) text = { 0 };

	clock_text(&text, 6);
	return node_str(d, str_c(&text));
}

static struct node *user_of(struct doc *d, const struct caller *c)
{
	struct node *user = node_map(d), *groups = node_seq(d);

	node_set(d, user, "username", node_str(d, c->user));
	if (c->uid)
		node_set(d, user, "uid", node_str(d, c->uid));
	for (size_t i = 0; i < c->n_groups; i++)
		node_add(d, groups, node_str(d, c->groups[i]));
	node_set(d, user, "groups", groups);
	if (c->extra)
		node_set(d, user, "extra", node_copy(d, c->extra));
	return user;
}

static void put_text(struct doc *d, struct node *n, const char *key, const char *value)
{
	if (value && *value)
		node_set(d, n, key, node_str(d, value));
}

static struct node *object_of(struct doc *d, const struct action *what, const char *version)
{
	struct node *ref = node_map(d);

	put_text(d, ref, "resource", what->resource);
	put_text(d, ref, "namespace", what->ns);
	put_text(d, ref, "name", what->name);
	put_text(d, ref, "apiGroup", what->group);
	put_text(d, ref, "apiVersion", version);
	put_text(d, ref, "subresource", what->subresource);
	return ref;
}

static void start(struct audit_entry *e, const char *uri, const struct action *what, const char *version)
{
	struct doc *d = e->d = doc_new();
	struct node *n = e->event = node_map(d);

	node_set(d, n, "kind", node_str(d, "Event"));
	node_set(d, n, "apiVersion", node_str(d, "audit.k8s.io/v1"));
	node_set(d, n, "level", node_str(d, audit_level_name(e->choice.level)));
	node_set(d, n, "auditID", random_uid(d));
	node_set(d, n, "stage", node_str(d, ""));
	node_set(d, n, "requestURI", node_str(d, uri));
	node_set(d, n, "verb", node_str(d, what->verb));
	if (*what->resource)
		node_set(d, n, "objectRef", object_of(d, what, version));
	node_set(d, n, "requestReceivedTimestamp", micro_now(d));
}

static void write_stage(struct audit_entry *e, enum audit_stage stage, const char *name)
{
	AUTO(str) line = { 0 };

	if (e->choice.omitted & stage)
		return;
	node_set(e->d, e->event, "stage", node_str(e->d, name));
	node_set(e->d, e->event, "stageTimestamp", micro_now(e->d));
	json_write(&line, e->event, 0);
	audit_log_add(e->api->audit.log, str_sv(&line));
}

/* ---- a request ---- */

static void note_request(struct audit_entry *e, struct http_request *rq, const struct login *who)
{
	struct doc *d = e->d;
	struct node *addresses = node_seq(d);
	struct sv remote, port, agent = http_header(rq, "user-agent");
	const struct login *real = who && who->acting ? who->acting : who;

	node_set(d, e->event, "user", real ? user_of(d, &real->caller) : node_map(d));
	if (real != who)
		node_set(d, e->event, "impersonatedUser", user_of(d, &who->caller));
	(void)sv_cut_last(sv_c(http_remote(rq)), ':', &remote, &port);
	node_add(d, addresses, node_strn(d, remote));
	node_set(d, e->event, "sourceIPs", addresses);
	if (agent.n)
		node_set(d, e->event, "userAgent", node_strn(d, agent));
}

static void note_body(struct audit_entry *e, const char *key, struct sv body, bool yaml)
{
	AUTO_DOC read = NULL;
	int r = yaml ? yaml_read(body, "body", 0, &read, NULL) : json_read(body, "body", 0, &read, NULL);

	if (r >= 0 && doc_root(read))
		node_set(e->d, e->event, key, node_import(e->d, read, doc_root(read)));
}

void audit_begin(struct audit_entry *e, struct api *a, struct http_request *rq, const struct login *who, const struct action *what,
		 const char *version)
{
	static const struct caller nobody = { .user = "" };
	struct sv type = http_header(rq, "content-type");
	AUTO(str) uri = { 0 };

	*e = (struct audit_entry){ .api = a };
	if (!a->audit.log || !(e->choice = audit_choose(a->audit.policy, who ? &who->caller : &nobody, what)).level)
		return;
	str_addf(&uri, "%s%s%s", http_path(rq), *http_query(rq) ? "?" : "", http_query(rq));
	start(e, str_c(&uri), what, version);
	note_request(e, rq, who);
	write_stage(e, STAGE_RECEIVED, "RequestReceived");
	if (e->choice.level >= AUDIT_REQUEST && http_body(rq).n)
		note_body(e, "requestObject", http_body(rq), sv_ends(type, SV("yaml")));
}

void audit_answered(struct audit_entry *e, int status, struct sv body)
{
	e->status = status;
	if (e->event && e->choice.level == AUDIT_BOTH && body.n <= BODY_MAX)
		str_add(&e->body, body);
}

static void note_status(struct audit_entry *e, int code, const char *message)
{
	struct node *status = node_map(e->d);

	node_set(e->d, status, "metadata", node_map(e->d));
	if (message) {
		node_set(e->d, status, "status", node_str(e->d, "Failure"));
		put_text(e->d, status, "message", message);
	}
	node_set(e->d, status, "code", node_int(e->d, code));
	node_set(e->d, e->event, "responseStatus", status);
}

void audit_end(struct audit_entry *e, bool streams)
{
	if (e->event) {
		note_status(e, e->status, NULL);
		if (e->body.n)
			note_body(e, "responseObject", str_sv(&e->body), false);
		if (streams)
			write_stage(e, STAGE_STARTED, "ResponseStarted");
		else
			write_stage(e, STAGE_COMPLETE, "ResponseComplete");
	}
	str_free(&e->body);
	doc_drop(&e->d);
}

/* ---- a call in this process ---- */

/* Of another document, whose sources mean nothing here. */
static struct node *plain_copy(struct doc *d, const struct node *n)
{
	AUTO_DOC own = doc_of(n);

	return node_import(d, own, doc_root(own));
}

static void path_of(const struct request *rq, struct str *out)
{
	bool spaced = rq->kind->namespaced && *rq->ns;

	str_addf(out, "/%s%s%s/%s", *rq->kind->group ? "apis/" : "api", rq->kind->group, "", rq->kind->version);
	str_addf(out, "%s%s/%s", spaced ? "/namespaces/" : "", spaced ? rq->ns : "", rq->kind->plural);
	str_addf(out, "%s%s", *rq->name ? "/" : "", rq->name);
	str_addf(out, "%s%s", *rq->subresource ? "/" : "", rq->subresource);
}

void audit_call(const struct request *rq, const char *verb, const struct node *obj, int r, const struct err *why)
{
	struct action what = { verb, rq->kind->group, rq->kind->plural, rq->subresource, rq->name, rq->ns, "" };
	struct audit_entry e = { .api = rq->api };
	AUTO(str) uri = { 0 };

	if (!rq->api->audit.log || !(e.choice = audit_choose(rq->api->audit.policy, rq->caller, &what)).level)
		return;
	path_of(rq, &uri);
	start(&e, str_c(&uri), &what, rq->kind->version);
	node_set(e.d, e.event, "user", user_of(e.d, rq->caller));
	if (obj && e.choice.level >= AUDIT_REQUEST)
		node_set(e.d, e.event, "requestObject", plain_copy(e.d, obj));
	note_status(&e, r < 0 ? err_http((enum err_code)-r) : str_eq(verb, "create") ? 201 : 200, r < 0 && why ? err_msg(why) : r < 0 ? "" : NULL);
	write_stage(&e, STAGE_COMPLETE, "ResponseComplete");
	doc_drop(&e.d);
}

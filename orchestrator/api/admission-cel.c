/* What expressions of webhooks and policies know: the objects, the request, the namespace, and what the user may do. */
#include "orchestrator/api/admission-internal.h"
#include "orchestrator/api/rbac-internal.h"

#include <string.h>

/* ---- authorizer ---- */

static const char *const hosts[] = { "kubernetes.authorization.Authorizer", "kubernetes.authorization.PathCheck",
				     "kubernetes.authorization.GroupCheck", "kubernetes.authorization.ResourceCheck",
				     "kubernetes.authorization.Decision" };
enum { AUTHORIZER, PATH_CHECK, GROUP_CHECK, RESOURCE_CHECK, DECISION };

struct asking { /* all of them are made of this: a question that grows */
	struct api *api;
	struct caller caller;
	struct action what;
	bool allowed;
	const char *why;
};

static struct cel_value host(int which, struct asking *q)
{
	return (struct cel_value){ .kind = CEL_HOST, .host = q, .host_name = hosts[which] };
}

static struct asking *grown(struct cel_eval *e, const struct cel_value *from)
{
	struct asking *q = doc_alloc(cel_memory(e), sizeof *q);

	*q = *(const struct asking *)from->host;
	return q;
}

static const char *text(struct cel_eval *e, const struct cel_value *v) { return doc_text(cel_memory(e), v->s); }

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)

#define GROWS(name, part, becomes)                                                                                     \
	FN(name)                                                                                                       \
	{                                                                                                              \
		struct asking *q = grown(e, a);                                                                        \
                                                                                                                       \
		(void)n;                                                                                               \
		q->what.part = text(e, &a[1]);                                                                         \
		return host(becomes, q);                                                                               \
	}

GROWS(path, path, PATH_CHECK)
GROWS(group, group, GROUP_CHECK)
GROWS(resource, resource, RESOURCE_CHECK)
GROWS(subresource, subresource, RESOURCE_CHECK)
GROWS(namespace, ns, RESOURCE_CHECK)
GROWS(name, name, RESOURCE_CHECK)

FN(check)
{
	struct asking *q = grown(e, a);
	AUTO(str) why = { 0 };

	(void)n;
	q->what.verb = text(e, &a[1]);
	q->allowed = rbac_allows(q->api, &q->caller, &q->what, &why);
	q->why = doc_text(cel_memory(e), str_sv(&why));
	return host(DECISION, q);
}

FN(allowed)
{
	(void)e;
	(void)n;
	return cel_bool(((const struct asking *)a->host)->allowed);
}

FN(reason)
{
	(void)e;
	(void)n;
	return cel_string(sv_c(((const struct asking *)a->host)->why));
}

FN(errored)
{
	(void)e;
	(void)a;
	(void)n;
	return cel_bool(false);
}

FN(error)
{
	(void)e;
	(void)a;
	(void)n;
	return cel_string(SV(""));
}

FN(service_account)
{
	struct asking *q = grown(e, a);
	AUTO(str) user = { 0 }, in = { 0 };
	const char **groups = doc_alloc(cel_memory(e), 3 * sizeof *groups);

	(void)n;
	str_addf(&user, "system:serviceaccount:" SV_FMT ":" SV_FMT, SV_ARG(a[1].s), SV_ARG(a[2].s));
	str_addf(&in, "system:serviceaccounts:" SV_FMT, SV_ARG(a[1].s));
	groups[0] = "system:serviceaccounts";
	groups[1] = doc_text(cel_memory(e), str_sv(&in));
	groups[2] = "system:authenticated";
	q->caller = (struct caller){ .user = doc_text(cel_memory(e), str_sv(&user)), .groups = groups, .n_groups = 3 };
	return host(AUTHORIZER, q);
}

static const struct cel_overload rows[] = {
	{ "path", "H0.s>H1", path },
	{ "group", "H0.s>H2", group },
	{ "serviceAccount", "H0.ss>H0", service_account },
	{ "resource", "H2.s>H3", resource },
	{ "subresource", "H3.s>H3", subresource },
	{ "namespace", "H3.s>H3", namespace },
	{ "name", "H3.s>H3", name },
	{ "check", "H1.s>H4", check },
	{ "check", "H3.s>H4", check },
	{ "allowed", "H4.>b", allowed },
	{ "reason", "H4.>s", reason },
	{ "errored", "H4.>b", errored },
	{ "error", "H4.>s", error },
};

static const struct cel_library library = { rows, sizeof rows / sizeof *rows, hosts };

static struct cel_value authorizer(const struct admission *a, struct doc *d, bool of_request)
{
	struct asking *q = doc_alloc(d, sizeof *q);
	const struct request *rq = a->rq;

	q->api = rq->api;
	if (rq->caller)
		q->caller = *rq->caller;
	q->what = (struct action){ "", "", "", "", "", "", "" };
	if (of_request)
		q->what = (struct action){
			"", rq->kind->group, rq->kind->plural, rq->subresource, admission_name(a), rq->ns, ""
		};
	return host(of_request ? RESOURCE_CHECK : AUTHORIZER, q);
}

/* ---- variables ---- */

struct cel_env admission_env(struct doc *d, const struct cel_type *variables)
{
	static const struct cel_type authorizer_type = { .kind = CEL_HOST,
							 .name = "kubernetes.authorization.Authorizer" };
	static const struct cel_type check_type = { .kind = CEL_HOST,
						    .name = "kubernetes.authorization.ResourceCheck" };
	static const struct cel_variable known[ADMISSION_VALUES] = {
		[ADMISSION_OBJECT] = { "object", NULL },
		[ADMISSION_OLD] = { "oldObject", NULL },
		[ADMISSION_REQUEST] = { "request", NULL },
		[ADMISSION_NAMESPACE] = { "namespaceObject", NULL },
		[ADMISSION_AUTHORIZER] = { "authorizer", &authorizer_type },
		[ADMISSION_RESOURCE_CHECK] = { "authorizer.requestResource", &check_type },
		[ADMISSION_PARAMS] = { "params", NULL },
		[ADMISSION_VARIABLES] = { "variables", NULL },
	};

	struct cel_variable *all = doc_alloc(d, sizeof known);

	memcpy(all, known, sizeof known);
	all[ADMISSION_VARIABLES].type = variables;
	return (struct cel_env){ all, variables ? ADMISSION_VALUES : ADMISSION_PARAMS, &library };
}

void admission_values(struct admission *a, struct doc *d, struct cel_value out[static ADMISSION_VALUES])
{
	out[ADMISSION_OBJECT] = cel_of_node(d, a->root, NULL);
	out[ADMISSION_OLD] = cel_of_node(d, a->before, NULL);
	out[ADMISSION_REQUEST] = cel_of_node(d, admission_request(a), NULL);
	out[ADMISSION_NAMESPACE] = cel_of_node(d, admission_namespace(a), NULL);
	out[ADMISSION_AUTHORIZER] = authorizer(a, d, false);
	out[ADMISSION_RESOURCE_CHECK] = authorizer(a, d, true);
	out[ADMISSION_PARAMS] = out[ADMISSION_VARIABLES] = cel_null();
}

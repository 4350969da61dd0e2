/* CertificateSigningRequests: who asked is written down, an approval is a right of its own, and what is approved for a
 * signer of this cluster is signed in the same write. */
#include "orchestrator/api/rbac-internal.h"

#include "base/encode.h"
#include "base/tls.h"

#include <stdlib.h>
#include <string.h>

enum { SECONDS_MIN = 600, SECONDS_DEFAULT = 365 * 24 * 3600 };

#define SIGNERS "kubernetes.io/"
#define NODES "system:nodes"

/* ---- the signers of this cluster ---- */

static bool is_node(const struct csr *q)
{
	return q->organizations.n == 1 && str_eq(q->organizations.v[0], NODES) && sv_starts(sv_c(q->common_name), SV("system:node:")) &&
	       strlen(q->common_name) > 12;
}

static const char *check_client(const struct csr *q)
{
	for (size_t i = 0; i < q->organizations.n; i++)
		if (str_eq(q->organizations.v[i], "system:masters"))
			return "no certificate of the group system:masters is given away";
	return NULL;
}

static const char *check_node_client(const struct csr *q)
{
	if (!is_node(q))
		return "subject organization is not system:nodes, or subject common name does not begin with system:node:";
	return q->names.n || q->others ? "subject alternative names are not allowed" : NULL;
}

static const char *check_node_server(const struct csr *q)
{
	if (!is_node(q))
		return "subject organization is not system:nodes, or subject common name does not begin with system:node:";
	return !q->names.n || q->others ? "subject alternative names of DNS and IP are wanted, and no others" : NULL;
}

static const struct signer {
	const char *name, *usage, *usages;
	bool server;
	const char *(*check)(const struct csr *q);      /* why not; NULL: it may be signed */
} signers[] = {
	{ SIGNERS "kube-apiserver-client", "client auth", "digital signature,key encipherment,client auth", false, check_client },
	{ SIGNERS "kube-apiserver-client-kubelet", "client auth", "digital signature,key encipherment,client auth", false,
	  check_node_client },
	{ SIGNERS "kubelet-serving", "server auth", "digital signature,key encipherment,server auth", true, check_node_server },
};

static const struct signer *signer_of(const struct node *root)
{
	for (size_t i = 0; i < sizeof signers / sizeof *signers; i++)
		if (str_eq(node_str_at(root, "spec.signerName"), signers[i].name))
			return &signers[i];
	return NULL;
}

static bool listed(const char *list, const char *word)
{
	struct sv rest = sv_c(list), one;

	for (bool more = true; more;) {
		more = sv_cut(rest, ',', &one, &rest);
		if (sv_eq_c(one, word))
			return true;
	}
	return false;
}

static const char *check_usages(const struct signer *s, const struct node *usages)
{
	const struct node *it;
	bool has = false;

	node_each(it, usages) {
		if (!node_text(it) || !listed(s->usages, node_text(it)))
			return "usages that this signer does not sign for";
		has |= str_eq(node_text(it), s->usage);
	}
	return has ? NULL : s->server ? "usages must hold \"server auth\"" : "usages must hold \"client auth\"";
}

/* ---- conditions ---- */

static bool has_condition(const struct node *root, const char *type)
{
	return condition_get(node_get(root, "status"), type) != NULL;
}

static void stamp_conditions(struct doc *d, struct node *root)
{
	static const char *const times[] = { "lastUpdateTime", "lastTransitionTime" };
	struct node *it;
	char text[32];

	time_format(clock_ms(), text);
	node_each(it, node_at(root, "status.conditions")) {
		if (!node_get(it, "status"))
			node_set(d, it, "status", node_str(d, "True"));
		for (size_t i = 0; i < 2; i++)
			if (node_is_empty(node_get(it, times[i])))
				node_set(d, it, times[i], node_str(d, text));
	}
}

static void add_condition(struct doc *d, struct node *root, const char *type, const char *reason, const char *message)
{
	struct node *c = node_map(d);

	node_set(d, c, "type", node_str(d, type));
	node_set(d, c, "status", node_str(d, "True"));
	node_set(d, c, "reason", node_str(d, reason));
	node_set(d, c, "message", node_str(d, message));
	node_add(d, node_seq_at(d, root, "status.conditions"), c);
	stamp_conditions(d, root);
}

/* What was decided stays decided. */
static int check_conditions(const struct request *rq, const struct node *root, const struct node *before, bool approval,
			    struct err *err)
{
	static const char *const kept[] = { "Approved", "Denied", "Failed" };

	for (size_t i = 0; i < 3; i++) {
		bool was = has_condition(before, kept[i]), is = has_condition(root, kept[i]);

		if (was && !is)
			return invalid_field(rq, rq->name, "status.conditions", err,
					     "Forbidden: updates may not remove a condition of type \"%s\"", kept[i]);
		if (!was && is && !approval && i < 2)
			return invalid_field(rq, rq->name, "status.conditions", err,
					     "Forbidden: updates may not add a condition of type \"%s\"", kept[i]);
	}
	if (has_condition(root, "Approved") && has_condition(root, "Denied"))
		return invalid_field(rq, rq->name, "status.conditions", err,
				     "Invalid value: \"Denied\": Approved and Denied conditions are mutually exclusive");
	return 0;
}

/* ---- signing ---- */

static void sign(const struct request *rq, struct doc *d, struct node *root)
{
	const struct signer *s = signer_of(root);
	int64_t seconds = node_int_at(root, "spec.expirationSeconds", SECONDS_DEFAULT);
	AUTO(str) pem = { 0 }, cert = { 0 }, text = { 0 };
	AUTO(csr) q = { 0 };
	AUTO(err) err = { 0 };
	const char *why = NULL;
	int r;

	if (!s || !rq->api->ca_key.n || !has_condition(root, "Approved") || has_condition(root, "Denied") ||
	    has_condition(root, "Failed") || node_sv(node_at(root, "status.certificate")).n)
		return;
	r = base64_decode(&pem, node_sv(node_at(root, "spec.request")), &err);
	if (r >= 0)
		r = csr_read(str_sv(&pem), &q, &err);
	if (r >= 0 && !(why = check_usages(s, node_at(root, "spec.usages"))) && !(why = s->check(&q)))
		r = ca_sign_csr(sv_c(rq->api->accounts.ca), str_sv(&rq->api->ca_key), str_sv(&pem), s->server,
				seconds < SECONDS_DEFAULT ? seconds : SECONDS_DEFAULT, &cert, &err);
	if (why || r < 0) {
		add_condition(d, root, "Failed", "SignerValidationFailure", why ? why : err_msg(&err));
		return;
	}
	base64_encode(&text, str_sv(&cert));
	node_put(d, root, "status.certificate", node_strn(d, str_sv(&text)));
}

/* ---- create ---- */

static void note_caller(const struct request *rq, struct doc *d, struct node *spec)
{
	static const char *const theirs[] = { "username", "uid", "groups", "extra" };
	const struct caller *c = rq->caller;
	struct node *groups = node_seq(d);

	for (size_t i = 0; i < 4; i++)
		(void)node_del(spec, theirs[i]);
	node_set(d, spec, "username", node_str(d, c->user));
	if (c->uid)
		node_set(d, spec, "uid", node_str(d, c->uid));
	for (size_t i = 0; i < c->n_groups; i++)
		node_add(d, groups, node_str(d, c->groups[i]));
	node_set(d, spec, "groups", groups);
	if (c->extra)
		node_set(d, spec, "extra", node_copy(d, c->extra));
}

static int check_spec(const struct request *rq, const struct node *root, struct csr *q, struct err *err)
{
	const char *name = node_str_or(root, "metadata.name", ""), *signer = node_str_or(root, "spec.signerName", "");
	const struct node *seconds = node_at(root, "spec.expirationSeconds");
	AUTO(str) pem = { 0 };
	AUTO(err) why = { 0 };
	char resource[192];

	if (!strchr(signer, '/') || str_eq(signer, SIGNERS "legacy-unknown"))
		return invalid_field(rq, name, "spec.signerName", err, "Invalid value: \"%s\": must be a domain-prefixed path, as in "
				     "\"kubernetes.io/kube-apiserver-client\", and not legacy-unknown", signer);
	if (!node_n(node_at(root, "spec.usages")))
		return invalid_field(rq, name, "spec.usages", err, "Required value: usages must be provided");
	if (seconds && node_int_at(root, "spec.expirationSeconds", 0) < SECONDS_MIN)
		return invalid_field(rq, name, "spec.expirationSeconds", err,
				     "Invalid value: may not specify a duration less than 600 seconds (10 minutes)");
	if (base64_decode(&pem, node_sv(node_at(root, "spec.request")), &why) < 0 || csr_read(str_sv(&pem), q, &why) < 0)
		return invalid_field(rq, name, "spec.request", err, "Invalid value: %s", err_msg(&why));
	if (str_eq(signer, SIGNERS "kube-apiserver-client") && check_client(q))
		return err_set(err, ERR_FORBIDDEN, "%s \"%s\" is forbidden: use of kubernetes.io/kube-apiserver-client signer with "
			       "system:masters group is not allowed", kind_resource(rq->kind, resource), name);
	return 0;
}

/* A machine that joins, or renews its own certificate, waits for nobody, when a role says so. */
static void approve_node(const struct request *rq, struct doc *d, struct node *root, const struct csr *q)
{
	struct action any = { "create", rq->kind->group, rq->kind->plural, "nodeclient", "", "", "" }, own = any;
	const struct signer *s = signer_of(root);

	own.subresource = "selfnodeclient";
	if (!s || s->check != check_node_client || s->check(q) || check_usages(s, node_at(root, "spec.usages")))
		return;
	if (rbac_allows(rq->api, rq->caller, &any, NULL) ||
	    (str_eq(rq->caller->user, q->common_name) && rbac_allows(rq->api, rq->caller, &own, NULL)))
		add_condition(d, root, "Approved", "AutoApproved", "A role of the requesting user approves certificates of nodes.");
}

static int create(const struct request *rq, struct doc *d, struct node *root, struct err *err)
{
	AUTO(csr) q = { 0 };

	note_caller(rq, d, node_map_at(d, root, "spec"));
	TRY(check_spec(rq, root, &q, err));
	approve_node(rq, d, root, &q);
	sign(rq, d, root);
	return 0;
}

/* ---- update ---- */

/* "approve" or "sign", of the signer by its name or of all of its domain. */
static int check_signer(const struct request *rq, const char *verb, const struct node *before, struct err *err)
{
	const char *name = node_str_or(before, "spec.signerName", ""), *slash = strchr(name, '/');
	struct action what = { verb, rq->kind->group, "signers", "", name, "", "" };
	char *domain = str_fmt("%.*s/*", slash ? (int)(slash - name) : 0, name), resource[192];
	bool may = rbac_allows(rq->api, rq->caller, &what, NULL);

	what.name = domain;
	may = may || rbac_allows(rq->api, rq->caller, &what, NULL);
	free(domain);
	return may ? 0 : err_set(err, ERR_FORBIDDEN, "%s \"%s\" is forbidden: user not permitted to %s requests with signerName \"%s\"",
				 kind_resource(rq->kind, resource), rq->name, verb, name);
}

static void keep_certificate(struct doc *d, struct node *root, const struct node *before)
{
	const struct node *was = node_at(before, "status.certificate");

	if (was)
		node_put(d, root, "status.certificate", node_copy(d, was));
	else
		(void)node_del(node_get(root, "status"), "certificate");
}

static int update(const struct request *rq, struct doc *d, struct node *root, const struct node *before, struct err *err)
{
	bool approval = str_eq(rq->subresource, "approval"), status = str_eq(rq->subresource, "status");
	const struct node *was = node_at(before, "status.certificate");

	node_set(d, root, "spec", node_copy(d, node_get(before, "spec")));
	if (!approval && !status)
		return 0;
	TRY(check_signer(rq, approval ? "approve" : "sign", before, err));
	TRY(check_conditions(rq, root, before, approval, err));
	if (approval)
		keep_certificate(d, root, before);
	else if (node_sv(was).n && !node_eq(was, node_at(root, "status.certificate")))
		return invalid_field(rq, rq->name, "status.certificate", err, "Forbidden: updates may not modify the certificate");
	stamp_conditions(d, root);
	sign(rq, d, root);
	return 0;
}

int csr_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before, struct err *err)
{
	return before ? update(rq, d, root, before, err) : create(rq, d, root, err);
}

/* ValidatingAdmissionPolicies: what their expressions say of a write, where a binding makes them count. */
#include "orchestrator/api/admission-internal.h"
#include "orchestrator/api/problems-internal.h"

#include "base/json.h"
#include "base/log.h"

#include <string.h>

static const char group[] = "admissionregistration.k8s.io/v1";

/* ---- variables: each is made when it is first asked for ---- */

struct made {
	const char *name;
	struct cel_program *program;
	struct cel_value value;
	bool done, busy;
};

struct policy_run {	      /* a policy with one parameter */
	struct cel_lazy lazy; /* first: variables */
	struct admission *a;
	const struct node *policy;
	struct doc *d;
	struct made *made;
	size_t n;
	struct cel_type *variables; /* their type: it grows as they are compiled */
	struct cel_value values[ADMISSION_VALUES];
	int64_t cost;
};

static void make(struct policy_run *p, struct made *m, struct doc *d)
{
	AUTO(err) err = { 0 };

	m->busy = true;
	if (!m->program)
		m->value = cel_errorf(d, "composited variable \"%s\" fails to compile", m->name);
	else if (cel_run(m->program, p->d, p->values, &p->cost, &m->value, &err) < 0)
		m->value = cel_errorf(p->d, "composited variable \"%s\" fails to evaluate: %s", m->name, err_msg(&err));
	m->busy = false;
	m->done = true;
}

static void get_variable(struct cel_lazy *self, struct doc *d, struct sv name, struct cel_value *out)
{
	struct policy_run *p = (struct policy_run *)self;

	for (size_t i = 0; i < p->n; i++) {
		struct made *m = &p->made[i];

		if (!sv_eq_c(name, m->name) || m->busy)
			continue;
		if (!m->done)
			make(p, m, d);
		*out = m->value;
		return;
	}
}

/* A variable sees those before it. */
static void compile_variables(struct policy_run *p, struct problems *problems)
{
	const struct node *rows = node_at(p->policy, "spec.variables"), *it;
	struct cel_type *t = doc_alloc(p->d, sizeof *t);
	struct cel_field *fields = doc_alloc(p->d, (node_n(rows) + 1) * sizeof *fields);

	t->kind = CEL_OBJECT;
	t->name = "variables";
	t->fields = fields;
	p->variables = t;
	p->made = doc_alloc(p->d, (node_n(rows) + 1) * sizeof *p->made);
	node_each(it, rows) {
		struct made *m = &p->made[p->n++];
		struct cel_env env = admission_env(p->d, t);
		AUTO(err) err = { 0 };
		AUTO(str) path = { 0 };

		m->name = node_str_or(it, "name", "");
		if (cel_compile(p->d, &env, node_str_or(it, "expression", ""), &m->program, &err) < 0) {
			m->program = NULL;
			str_addf(&path, "spec.variables[%zu].expression", i_);
			if (problems)
				problem_below(problems, str_c(&path), "FieldValueInvalid",
					      "Invalid value: \"%s\": compilation failed: %s",
					      node_str_or(it, "expression", ""), err_msg(&err));
		}
		fields[t->n_fields++] =
			(struct cel_field){ sv_c(m->name), sv_c(m->name),
					    m->program && m->program->type ? m->program->type : &cel_types[CEL_DYN] };
	}
}

static void start(struct policy_run *p, const struct node *params)
{
	admission_values(p->a, p->d, p->values);
	p->values[ADMISSION_PARAMS] = cel_of_node(p->d, params, NULL);
	p->values[ADMISSION_VARIABLES] = (struct cel_value){ .kind = CEL_MAP, .form = CEL_LAZY, .lazy = &p->lazy };
	p->lazy.get = get_variable;
	p->cost = CEL_TOTAL_COST;
}

/* ---- one policy ---- */

static bool must_hold(const struct node *policy)
{
	return strcmp(node_str_or(policy, "spec.failurePolicy", "Fail"), "Ignore") != 0;
}

static int evaluate(struct policy_run *p, const char *text, struct cel_value *out, struct err *err)
{
	struct cel_env env = admission_env(p->d, p->variables);
	struct cel_program *program;

	TRY(cel_compile(p->d, &env, text, &program, err));
	return cel_run(program, p->d, p->values, &p->cost, out, err);
}

static void message_of(struct policy_run *p, const struct node *row, struct str *out)
{
	const char *expression = node_str_or(row, "messageExpression", ""), *message = node_str_or(row, "message", "");
	struct cel_value text;

	if (*expression && evaluate(p, expression, &text, NULL) >= 0 && text.kind == CEL_STRING && sv_trim(text.s).n)
		str_add(out, sv_trim(text.s));
	else if (*message)
		str_add(out, sv_trim(sv_c(message)));
	else
		str_addf(out, "failed expression: " SV_FMT, SV_ARG(sv_trim(sv_c(node_str_or(row, "expression", "")))));
}

/* True: it holds; else *why says why not, and *reason of what kind that is. */
static bool holds(struct policy_run *p, const struct node *row, struct str *why, const char **reason)
{
	const char *text = node_str_or(row, "expression", "");
	struct cel_value out;
	AUTO(err) err = { 0 };

	*reason = "Invalid";
	if (evaluate(p, text, &out, &err) < 0) {
		if (must_hold(p->policy))
			str_addf(why, "expression '%s' resulted in error: %s", text, err_msg(&err));
		return !why->n;
	}
	if (out.kind == CEL_BOOL && out.b)
		return true;
	*reason = node_str_or(row, "reason", "Invalid");
	message_of(p, row, why);
	return false;
}

static bool has_action(const struct node *binding, const char *action)
{
	const struct node *it;

	node_each(it, node_at(binding, "spec.validationActions"))
		if (str_eq(node_text(it), action))
			return true;
	return false;
}

static int refuse(const struct admission *a, const struct node *policy, const struct node *binding, const char *reason,
		  const char *why, struct err *err)
{
	static const struct {
		const char *reason;
		enum err_code code;
	} codes[] = {
		{ "Unauthorized", ERR_UNAUTHORIZED },
		{ "Forbidden", ERR_FORBIDDEN },
		{ "RequestEntityTooLarge", ERR_TOO_LARGE },
		{ "Invalid", ERR_INVALID },
	};
	AUTO(str) text = { 0 };
	int r;

	str_addf(&text, "ValidatingAdmissionPolicy '%s' with binding '%s' denied request: %s",
		 node_str_or(policy, "metadata.name", ""), node_str_or(binding, "metadata.name", ""), why);
	r = admission_forbidden(a, err, "%s", str_c(&text));
	for (size_t i = 0; err && i < sizeof codes / sizeof *codes; i++)
		if (!strcmp(reason, codes[i].reason)) {
			err->code = codes[i].code;
			r = -(int)codes[i].code;
		}
	err_cause(err, "", reason, "%s", str_c(&text));
	return r;
}

static int act(const struct admission *a, const struct node *policy, const struct node *binding, const char *reason,
	       const char *why, struct err *err)
{
	if (has_action(binding, "Warn") && a->rq->warnings)
		str_addf(a->rq->warnings,
			 "Validation failed for ValidatingAdmissionPolicy '%s' with binding '%s': %s\n",
			 node_str_or(policy, "metadata.name", ""), node_str_or(binding, "metadata.name", ""), why);
	if (has_action(binding, "Audit"))
		log_event(LOG_INFO, "admission policy does not hold", "policy",
			  node_str_or(policy, "metadata.name", ""), "object", admission_name(a), "why", why, NULL);
	return has_action(binding, "Deny") ? refuse(a, policy, binding, reason, why, err) : 0;
}

static int run(struct admission *a, const struct node *policy, const struct node *binding, const struct node *params,
	       struct err *err)
{
	AUTO_DOC d = doc_new();
	struct policy_run p = { .a = a, .policy = policy, .d = d };
	const struct node *it;

	compile_variables(&p, NULL);
	start(&p, params);
	node_each(it, node_at(policy, "spec.validations")) {
		AUTO(str) why = { 0 };
		const char *reason;

		if (!holds(&p, it, &why, &reason))
			TRY(act(a, policy, binding, reason, str_c(&why), err));
	}
	return 0;
}

/* ---- parameters ---- */

static const struct kind *param_kind(const struct admission *a, const struct node *policy)
{
	const struct node *k = node_at(policy, "spec.paramKind");

	return k ? kinds_find(a->rq->api->kinds, node_str_or(k, "apiVersion", ""), node_str_or(k, "kind", "")) : NULL;
}

static int run_selected(struct admission *a, const struct node *policy, const struct node *binding, struct resource *r,
			const char *ns, size_t *found, struct err *err)
{
	const struct node *ref = node_at(binding, "spec.paramRef");
	const char *name = node_str_or(ref, "name", "");
	struct selector *s = NULL;
	int result = *name ? 0 : selector_of(node_get(ref, "selector"), &s, err);

	for (size_t i = resource_seek(r, ns, ""); result >= 0 && i < r->items.n; i++) {
		struct object *o = item_object(r->items.v[i]);

		if (*ns && strcmp(r->items.v[i]->ns, ns) != 0)
			break;
		if (!o ||
		    (*name ? strcmp(o->name, name) != 0 : !selector_matches(s, node_at(o->root, "metadata.labels"))))
			continue;
		++*found;
		result = run(a, policy, binding, o->root, err);
	}
	selector_free(&s);
	return result;
}

static int run_with_params(struct admission *a, const struct node *policy, const struct node *binding, struct err *err)
{
	const struct node *ref = node_at(binding, "spec.paramRef");
	const struct kind *k = param_kind(a, policy);
	size_t found = 0;

	if (!node_at(policy, "spec.paramKind"))
		return run(a, policy, binding, NULL, err);
	if (k && ref)
		TRY(run_selected(a, policy, binding, cache_resource(&a->rq->api->cache, k),
				 k->namespaced ? node_str_or(ref, "namespace", a->rq->ns) : "", &found, err));
	if (found || !ref || !strcmp(node_str_or(ref, "parameterNotFoundAction", "Deny"), "Allow"))
		return found || ref ? 0 : run(a, policy, binding, NULL, err);
	if (!must_hold(policy))
		return 0;
	return refuse(
		a, policy, binding, "Invalid",
		"failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
		err);
}

/* ---- all of them ---- */

static struct resource *all(const struct admission *a, const char *kind)
{
	const struct kind *k = kinds_find(a->rq->api->kinds, group, kind);

	return k ? cache_resource(&a->rq->api->cache, k) : NULL;
}

static bool concerns(const struct admission *a, const struct node *match)
{
	const struct node *rules = node_get(match, "resourceRules");

	if (admission_matches_rules(a, node_get(match, "excludeResourceRules"),
				    node_str_or(match, "matchPolicy", "Equivalent")))
		return false;
	return admission_matches(a, rules, match);
}

/* A binding's own rules may be none: then they are the policy's. */
static bool binds(const struct admission *a, const struct node *policy, const struct node *binding)
{
	const struct node *own = node_at(binding, "spec.matchResources"),
			  *of_policy = node_at(policy, "spec.matchConstraints");

	if (!own)
		return true;
	if (admission_matches_rules(a, node_get(own, "excludeResourceRules"), "Equivalent"))
		return false;
	return admission_matches(a,
				 node_n(node_get(own, "resourceRules")) ? node_get(own, "resourceRules")
									: node_get(of_policy, "resourceRules"),
				 own);
}

static int check(struct admission *a, const struct node *policy, const struct node *binding, struct err *err)
{
	AUTO(err) why = { 0 };
	int r;

	if (!concerns(a, node_at(policy, "spec.matchConstraints")) || !binds(a, policy, binding))
		return 0;
	r = admission_conditions(a, node_at(policy, "spec.matchConditions"), &why);
	if (r < 0)
		return must_hold(policy) ? refuse(a, policy, binding, "Invalid", err_msg(&why), err) : 0;
	return r ? run_with_params(a, policy, binding, err) : 0;
}

int policies_validate(struct admission *a, struct err *err)
{
	struct resource *policies = all(a, "ValidatingAdmissionPolicy"),
			*bindings = all(a, "ValidatingAdmissionPolicyBinding");

	for (size_t i = 0; policies && bindings && i < bindings->items.n; i++) {
		AUTO_OBJECT binding = object_ref(item_object(bindings->items.v[i]));
		struct item *found =
			resource_find(policies, "", node_str_or(binding ? binding->root : NULL, "spec.policyName", ""));
		AUTO_OBJECT policy = found ? object_ref(item_object(found)) : NULL;

		if (binding && policy)
			TRY(check(a, policy->root, binding->root, err));
	}
	return 0;
}

/* ---- the policy itself ---- */

struct place {
	const char *list, *field;
	enum cel_kind kind;
	const char *must;
};

static void check_rows(struct policy_run *p, struct problems *problems, const struct place *place)
{
	AUTO(str) at = { 0 };
	const struct node *it;

	str_addf(&at, "spec.%s", place->list);
	node_each(it, node_at(p->policy, str_c(&at))) {
		const char *text = node_str_or(it, place->field, "");
		struct cel_env env = admission_env(p->d, p->variables);
		struct cel_program *program;
		AUTO(err) err = { 0 };
		AUTO(str) path = { 0 };

		str_addf(&path, "%s[%zu].%s", str_c(&at), i_, place->field);
		if (!*text)
			continue;
		if (cel_compile(p->d, &env, text, &program, &err) < 0)
			problem_below(problems, str_c(&path), "FieldValueInvalid",
				      "Invalid value: \"%s\": compilation failed: %s", text, err_msg(&err));
		else if (program->type && program->type->kind != CEL_DYN && program->type->kind != place->kind)
			problem_below(problems, str_c(&path), "FieldValueInvalid", "Invalid value: \"%s\": %s", text,
				      place->must);
	}
}

int policy_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		   struct err *err)
{
	static const struct place places[] = {
		{ "matchConditions", "expression", CEL_BOOL, "must evaluate to bool" },
		{ "validations", "expression", CEL_BOOL, "must evaluate to bool" },
		{ "validations", "messageExpression", CEL_STRING, "must evaluate to string" },
		{ "auditAnnotations", "valueExpression", CEL_STRING, "must evaluate to one of: string, null_type" },
	};
	AUTO(problems) problems = { 0 };
	struct policy_run p = { .policy = root, .d = d };

	if (before && node_eq(node_get(root, "spec"), node_get(before, "spec")))
		return 0;
	compile_variables(&p, &problems);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		check_rows(&p, &problems, &places[i]);
	if (!node_n(node_at(root, "spec.matchConstraints.resourceRules")))
		problem_below(&problems, "spec.matchConstraints.resourceRules", "FieldValueRequired", "Required value");
	return problems_error(&problems, rq->kind, node_str_or(root, "metadata.name", ""), err);
}

int policy_binding_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
			   struct err *err)
{
	const struct node *actions = node_at(root, "spec.validationActions"), *it;
	AUTO(problems) p = { 0 };
	AUTO(str) json = { 0 };

	(void)d;
	(void)before;
	node_each(it, actions) {
		const char *action = node_text(it) ? node_text(it) : "";
		AUTO(str) path = { 0 };

		str_addf(&path, "spec.validationActions[%zu]", i_);
		if (strcmp(action, "Deny") != 0 && strcmp(action, "Warn") != 0 && strcmp(action, "Audit") != 0)
			problem_below(&p, str_c(&path), "FieldValueNotSupported",
				      "Unsupported value: \"%s\": supported values: \"Audit\", \"Deny\", \"Warn\"",
				      action);
	}
	str_addc(&p.path, "spec.validationActions");
	if (!node_n(actions))
		problem(&p, "FieldValueRequired", "Required value: at least one validation action is required");
	if (actions)
		json_write(&json, actions, 0);
	if (has_action(root, "Deny") && has_action(root, "Warn"))
		problem(&p, "FieldValueInvalid",
			"Invalid value: %s: must not contain both Deny and Warn (repeating the same validation failure "
			"information "
			"in the API response and headers serves no purpose)",
			str_c(&json));
	return problems_error(&p, rq->kind, node_str_or(root, "metadata.name", ""), err);
}

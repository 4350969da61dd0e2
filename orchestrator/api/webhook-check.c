/* What a configuration of webhooks may say. */
#include "orchestrator/api/admission-internal.h"
#include "orchestrator/api/problems-internal.h"

#include "base/json.h"

#include <inttypes.h>
#include <string.h>

static void check_client(struct problems *p, const struct node *client)
{
	if ((node_get(client, "url") != NULL) == (node_get(client, "service") != NULL))
		problem_below(p, ".clientConfig", "FieldValueRequired",
			      "Required value: exactly one of url or service is required");
}

static void check_versions(struct problems *p, const struct node *row)
{
	const struct node *versions = node_get(row, "admissionReviewVersions"), *it;
	AUTO(str) json = { 0 };

	node_each(it, versions)
		if (str_eq(node_text(it), "v1"))
			return;
	if (!versions)
		return; /* the schema says that they are required */
	json_write(&json, versions, 0);
	problem_below(p, ".admissionReviewVersions", "FieldValueInvalid", "Invalid value: %s: must include v1",
		      str_c(&json));
}

static void check_conditions(struct problems *p, const struct node *row)
{
	AUTO_DOC d = doc_new();
	struct cel_env env = admission_env(d, NULL);
	const struct node *it;

	node_each(it, node_get(row, "matchConditions")) {
		const char *text = node_str_or(it, "expression", "");
		struct cel_program *program;
		AUTO(err) err = { 0 };
		AUTO(str) path = { 0 };

		str_addf(&path, ".matchConditions[%zu].expression", i_);
		if (cel_compile(d, &env, text, &program, &err) < 0)
			problem_below(p, str_c(&path), "FieldValueInvalid",
				      "Invalid value: \"%s\": compilation failed: %s", text, err_msg(&err));
		else if (program->type && program->type->kind != CEL_DYN && program->type->kind != CEL_BOOL)
			problem_below(p, str_c(&path), "FieldValueInvalid",
				      "Invalid value: \"%s\": must evaluate to bool", text);
	}
}

static void check_row(struct problems *p, const struct node *row)
{
	int64_t seconds = node_int_at(row, "timeoutSeconds", 10);
	const char *effects = node_str_or(row, "sideEffects", "None");

	check_client(p, node_get(row, "clientConfig"));
	check_versions(p, row);
	check_conditions(p, row);
	if (seconds < 1 || seconds > 30)
		problem_below(p, ".timeoutSeconds", "FieldValueInvalid",
			      "Invalid value: %" PRId64 ": the timeout value must be between 1 and 30 seconds",
			      seconds);
	if (strcmp(effects, "None") != 0 && strcmp(effects, "NoneOnDryRun") != 0)
		problem_below(p, ".sideEffects", "FieldValueNotSupported",
			      "Unsupported value: \"%s\": supported values: \"None\", \"NoneOnDryRun\"", effects);
}

int webhooks_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		     struct err *err)
{
	AUTO(problems) p = { 0 };
	const struct node *it;

	(void)d;
	if (before && node_eq(node_get(root, "webhooks"), node_get(before, "webhooks")))
		return 0;
	node_each(it, node_get(root, "webhooks")) {
		str_addf(&p.path, "webhooks[%zu]", i_);
		check_row(&p, it);
		str_cut(&p.path, 0);
	}
	return problems_error(&p, rq->kind, node_str_or(root, "metadata.name", ""), err);
}

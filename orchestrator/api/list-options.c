/* Which revision a list or a watch is to begin with: what of it goes together.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions */
#include "orchestrator/api/http-internal.h"

#include <string.h>

static int invalid(struct err *err, const char *field, const char *reason, const char *what)
{
	int r = err_set(err, ERR_INVALID, "ListOptions.meta.k8s.io \"\" is invalid: %s: %s", field, what);

	err_cause(err, field, reason, "%s", what);
	return r;
}

static int forbidden(struct err *err, const char *field, const char *why)
{
	AUTO(str) what = { 0 };

	str_addf(&what, "Forbidden: %s", why);
	return invalid(err, field, "FieldValueForbidden", str_c(&what));
}

static int check_watch(bool initial, const char *match, struct err *err)
{
	if (!initial && *match)
		return forbidden(err, "resourceVersionMatch",
				 "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
	if (initial && strcmp(match, "NotOlderThan") != 0)
		return forbidden(err, "resourceVersionMatch",
				 "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
	return 0;
}

static int check_list(const char *query, const char *match, const struct str *revision, struct err *err)
{
	AUTO(str) token = { 0 }, what = { 0 };

	if (query_flag(query, "sendInitialEvents"))
		return forbidden(err, "sendInitialEvents", "sendInitialEvents is forbidden for list");
	if (!*match)
		return 0;
	if (http_query_get(query, "continue", &token) && token.n)
		return forbidden(err, "resourceVersionMatch",
				 "resourceVersionMatch is forbidden when continue is provided");
	if (!revision->n)
		return forbidden(err, "resourceVersionMatch",
				 "resourceVersionMatch is forbidden unless resourceVersion is provided");
	if (strcmp(match, "Exact") != 0 && strcmp(match, "NotOlderThan") != 0) {
		str_addf(&what, "Unsupported value: \"%s\": supported values: \"Exact\", \"NotOlderThan\"", match);
		return invalid(err, "resourceVersionMatch", "FieldValueNotSupported", str_c(&what));
	}
	if (!strcmp(match, "Exact") && !strcmp(str_c(revision), "0"))
		return forbidden(err, "resourceVersionMatch",
				 "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
	return 0;
}

int check_list_options(const char *query, bool watch, int64_t *revision, struct err *err)
{
	AUTO(str) text = { 0 }, match = { 0 }, what = { 0 };

	*revision = 0;
	(void)http_query_get(query, "resourceVersion", &text);
	(void)http_query_get(query, "resourceVersionMatch", &match);
	TRY(watch ? check_watch(query_flag(query, "sendInitialEvents"), str_c(&match), err)
		  : check_list(query, str_c(&match), &text, err));
	if (text.n && (!sv_to_i64(str_sv(&text), revision) || *revision < 0)) {
		str_addf(&what, "Invalid value: \"%s\": strconv.ParseUint: parsing \"%s\": invalid syntax",
			 str_c(&text), str_c(&text));
		return invalid(err, "resourceVersion", "FieldValueInvalid", str_c(&what));
	}
	return 0;
}

#include "orchestrator/analysis/rules.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static bool name_matches(const char *pattern, const char *name)
{
	int code;
	PCRE2_SIZE at;
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &at, NULL);
	pcre2_match_data *data = re ? pcre2_match_data_create(1, NULL) : NULL;
	bool yes = data && pcre2_match(re, (PCRE2_SPTR)name, strlen(name), 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, data,
				       NULL) >= 0;

	pcre2_match_data_free(data);
	pcre2_code_free(re);
	return yes || str_eq(pattern, name);
}

const struct node *rule_for(const struct node *list, const char *metric)
{
	const struct node *it;

	node_each(it, list)
		if (name_matches(node_str_or(it, "metricName", ""), metric))
			return it;
	return NULL;
}

static bool matches_one(const char *pattern, const struct node *metrics)
{
	const struct node *it;

	node_each(it, metrics)
		if (name_matches(pattern, node_str_or(it, "name", "")))
			return true;
	return false;
}

int rules_check(const struct node *spec, const char *list, const struct node *metrics, struct err *err)
{
	const struct node *it, *all = node_get(spec, list);

	for (size_t i = 0; (it = node_item(all, i)); i++)
		if (!matches_one(node_str_or(it, "metricName", ""), metrics))
			return err_set(err, ERR_INVALID, "%s[%zu]: no metric is named like '%s'", list, i,
				       node_str_or(it, "metricName", ""));
	return 0;
}

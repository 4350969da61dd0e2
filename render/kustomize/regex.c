#include "render/kustomize/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#define MATCH_STEPS 200000u
#define HEAP_KIB 4096u
#define PATTERN_MAX 4096

void regex_free(struct regex *r)
{
	free(r->literal);
	pcre2_code_free(r->code);
	*r = (struct regex){ 0 };
}

static bool is_literal(const char *p) { return !p[strcspn(p, "\\^$.|?*+()[]{}")]; }

/* What Go's engine does not have, as it cannot be run in linear time. */
static const char *beyond_go(const char *p)
{
	for (; *p; p++) {
		if (p[0] == '\\' && p[1]) {
			if (p[1] >= '1' && p[1] <= '9')
				return "a back reference";
			p++;
		} else if (!strncmp(p, "(?=", 3) || !strncmp(p, "(?!", 3) || !strncmp(p, "(?<=", 4) || !strncmp(p, "(?<!", 4)) {
			return "look-around";
		} else if (!strncmp(p, "(?>", 3) || !strncmp(p, "(?R", 3) || !strncmp(p, "(*", 2)) {
			return "an extension of Perl";
		}
	}
	return NULL;
}

int regex_init(struct regex *r, const char *pattern, bool whole, struct err *err)
{
	const char *beyond = beyond_go(pattern);
	AUTO(str) text = { 0 };
	unsigned char why[128];
	PCRE2_SIZE at;
	int code;

	*r = (struct regex){ 0 };
	if (beyond)
		return err_set(err, ERR_INVALID, "regular expression '%s': %s is not supported", pattern, beyond);
	if (strlen(pattern) > PATTERN_MAX)
		return err_set(err, ERR_TOO_LARGE, "a regular expression has more than %d bytes", PATTERN_MAX);
	if (whole && is_literal(pattern)) {
		r->literal = sv_dup(sv_c(pattern));
		return 0;
	}
	str_addf(&text, whole ? "^(?:%s)$" : "%s", pattern);
	r->code = pcre2_compile((PCRE2_SPTR)str_c(&text), text.n, PCRE2_UTF | PCRE2_DOLLAR_ENDONLY, &code, &at, NULL);
	if (r->code)
		return 0;
	pcre2_get_error_message(code, why, sizeof(why));
	return err_set(err, ERR_INVALID, "regular expression '%s': %s", pattern, (const char *)why);
}

int regex_matches(const struct regex *r, struct sv text, struct err *err)
{
	pcre2_match_data *data;
	pcre2_match_context *limits;
	int n;

	if (r->literal)
		return sv_eq_c(text, r->literal);
	if (!r->code)
		return 1;
	data = pcre2_match_data_create(1, NULL);
	limits = pcre2_match_context_create(NULL);
	if (!data || !limits)
		abort();
	pcre2_set_match_limit(limits, MATCH_STEPS);
	pcre2_set_heap_limit(limits, HEAP_KIB);
	n = pcre2_match(r->code, (PCRE2_SPTR)text.p, text.n, 0, 0, data, limits);
	pcre2_match_context_free(limits);
	pcre2_match_data_free(data);
	if (n >= 0 || n == PCRE2_ERROR_NOMATCH || (n <= PCRE2_ERROR_UTF8_ERR1 && n >= PCRE2_ERROR_UTF8_ERR21))
		return n >= 0;
	return err_set(err, ERR_TOO_LARGE, "a regular expression takes more than %u steps to match a text of %zu bytes; make it simpler",
		       MATCH_STEPS, text.n);
}

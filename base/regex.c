#include "base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#define MATCH_STEPS 200000u
#define HEAP_KIB 4096u
#define PATTERN_MAX 4096
#define REPEAT_MAX 1000

void regex_free(struct regex *r)
{
	free(r->literal);
	pcre2_code_free(r->code);
	*r = (struct regex){ 0 };
}

static bool is_literal(const char *p) { return !p[strcspn(p, "\\^$.|?*+()[]{}")]; }

/* Behind a class of characters, where signs mean themselves. */
static const char *class_end(const char *p)
{
	for (p += 1 + (p[1] == '^'), p += *p == ']'; *p && *p != ']'; p++) {
		const char *name = !strncmp(p, "[:", 2) ? strstr(p, ":]") : NULL;

		p = name ? name + 1 : p + (*p == '\\' && p[1]);
	}
	return p;
}

/* What Go's engine does not have, as it cannot be run in linear time. */
static const char *beyond_go(const char *p)
{
	for (; *p; p++) {
		if (p[0] == '\\' && p[1]) {
			if (p[1] >= '1' && p[1] <= '9')
				return "a back reference";
			p++;
		} else if (*p == '[') {
			p = class_end(p);
			if (!*p)
				break;
		} else if (!strncmp(p, "(?=", 3) || !strncmp(p, "(?!", 3) || !strncmp(p, "(?<=", 4) || !strncmp(p, "(?<!", 4)) {
			return "look-around";
		} else if (*p == '{' && strtol(p + 1, NULL, 10) > REPEAT_MAX) {
			return "a repetition of more than 1000";
		} else if (strchr("*+?}", *p) && p[1] == '+') {
			return "a possessive repetition";
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
	r->code = pcre2_compile((PCRE2_SPTR)str_c(&text), text.n, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY, &code, &at, NULL);
	if (r->code)
		return 0;
	pcre2_get_error_message(code, why, sizeof(why));
	return err_set(err, ERR_INVALID, "regular expression '%s': %s", pattern, (const char *)why);
}

static int run(const struct regex *r, struct sv text, size_t from, pcre2_match_data *data, struct err *err)
{
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	int n;

	if (!limits)
		abort();
	pcre2_set_match_limit(limits, MATCH_STEPS);
	pcre2_set_heap_limit(limits, HEAP_KIB);
	n = pcre2_match(r->code, (PCRE2_SPTR)text.p, text.n, from, 0, data, limits);
	pcre2_match_context_free(limits);
	if (n >= 0)
		return 1;
	if (n == PCRE2_ERROR_NOMATCH || n == PCRE2_ERROR_BADUTFOFFSET || (n <= PCRE2_ERROR_UTF8_ERR1 && n >= PCRE2_ERROR_UTF8_ERR21))
		return 0;
	return err_set(err, ERR_TOO_LARGE, "a regular expression takes too many steps");
}

int regex_matches(const struct regex *r, struct sv text, struct err *err)
{
	pcre2_match_data *data;

	if (r->literal)
		return sv_eq_c(text, r->literal);
	if (!r->code)
		return 1;
	if (!(data = pcre2_match_data_create(1, NULL)))
		abort();
	int n = run(r, text, 0, data, err);
	pcre2_match_data_free(data);
	return n;
}

int regex_find(const struct regex *r, struct sv text, size_t from, struct sv *spans, size_t n, struct err *err)
{
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(r->code, NULL);

	if (!data)
		abort();
	int found = run(r, text, from, data, err);
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);
	size_t groups = pcre2_get_ovector_count(data);
	for (size_t i = 0; found == 1 && i < n; i++) {
		bool set = i < groups && at[2 * i] != PCRE2_UNSET;

		spans[i] = set ? (struct sv){ text.p + at[2 * i], at[2 * i + 1] - at[2 * i] } : (struct sv){ NULL, 0 };
	}
	pcre2_match_data_free(data);
	return found;
}

size_t regex_groups(const struct regex *r)
{
	uint32_t n = 0;

	(void)pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &n);
	return n;
}

int regex_group_named(const struct regex *r, struct sv name)
{
	AUTO(str) text = { 0 };

	str_add(&text, name);
	int n = pcre2_substring_number_from_name(r->code, (PCRE2_SPTR)str_c(&text));
	return n > 0 ? n : -1;
}

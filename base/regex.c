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

/* ---- Go's syntax as PCRE2's ---- */

struct pattern { const char *p; struct str out; const char *beyond; };

static void copy(struct pattern *t, size_t n)
{
	str_add(&t->out, (struct sv){ t->p, n });
	t->p += n;
}

/* Escapes that mean something else in Go, or nothing. Returns whether it stands for a class of characters. */
static bool take_escape(struct pattern *t, bool in_class)
{
	char c = t->p[1];

	if (c >= '1' && c <= '9')
		t->beyond = "a back reference";
	else if (c && strchr("hHRKXGZeNgkoUuLlEc", c))
		t->beyond = "an escape of Perl";
	if (c == 'v' || (c == 's' && !in_class)) {
		str_addc(&t->out, c == 'v' ? "\\x0b" : "[\\t\\n\\f\\r ]");
		t->p += 2;
		return false;
	}
	if ((c == 'p' || c == 'P') && t->p[2] == '{') {
		copy(t, strcspn(t->p, "}") + 1 <= strlen(t->p) ? strcspn(t->p, "}") + 1 : strlen(t->p));
		return true;
	}
	copy(t, c ? 2 : 1);
	return c && strchr("dDsSwWpP", c);
}

/* \Q...\E: all of it literal. */
static bool take_quoted(struct pattern *t)
{
	const char *end;

	if (strncmp(t->p, "\\Q", 2) != 0)
		return false;
	end = strstr(t->p, "\\E");
	copy(t, end ? (size_t)(end + 2 - t->p) : strlen(t->p));
	return true;
}

/* From "[" to its "]". A hyphen after a class like \w is one character: PCRE2 would see a range that cannot be. */
static void take_class(struct pattern *t)
{
	bool first = true, after_class = false;

	copy(t, t->p[1] == '^' ? 2 : 1);
	while (*t->p && (*t->p != ']' || first) && !t->beyond) {
		first = false;
		if (*t->p == '-' && after_class && t->p[1] != ']')
			str_add1(&t->out, '\\');
		const char *end = !strncmp(t->p, "[:", 2) ? strstr(t->p, ":]") : NULL;
		after_class = end || *t->p == '\\';
		if (end)
			copy(t, (size_t)(end + 2 - t->p));
		else if (*t->p == '\\')
			after_class = take_escape(t, true);
		else
			copy(t, 1);
	}
	if (*t->p)
		copy(t, 1);
}

/* One or more of * + ? {n,m}: Go has no possessive ones, and repeats no repetition. */
static void take_repetition(struct pattern *t)
{
	size_t n = 1;

	if (*t->p == '{') {
		char *end;

		if (strtol(t->p + 1, &end, 10) > REPEAT_MAX || (*end == ',' && strtol(end + 1, &end, 10) > REPEAT_MAX))
			t->beyond = "a repetition of more than 1000";
		n = end > t->p + 1 && *end == '}' ? (size_t)(end + 1 - t->p) : 1;
		if (n == 1) {                   /* no repetition: the brace is a character */
			copy(t, 1);
			return;
		}
	}
	copy(t, n);
	if (*t->p == '?')
		copy(t, 1);
	if (*t->p == '+')
		t->beyond = "a possessive repetition";
	else if (*t->p == '*')
		t->beyond = "a repetition of a repetition";
}

static void take_group(struct pattern *t)
{
	const char *p = t->p;

	if (!strncmp(p, "(?=", 3) || !strncmp(p, "(?!", 3) || !strncmp(p, "(?<=", 4) || !strncmp(p, "(?<!", 4))
		t->beyond = "look-around";
	else if (!strncmp(p, "(?", 2) && strchr(">R#|&'", p[2]))
		t->beyond = "an extension of Perl";
	else if (!strncmp(p, "(*", 2))
		t->beyond = "an extension of Perl";
	copy(t, 1);
	if (*t->p == '?')
		copy(t, 1);
}

/* The pattern in PCRE2's syntax; returns what Go's engine does not have in it, as it cannot be run in linear time. */
static const char *translate(const char *pattern, struct str *out)
{
	struct pattern t = { .p = pattern };

	while (*t.p && !t.beyond) {
		if (*t.p == '[')
			take_class(&t);
		else if (*t.p == '\\')
			(void)(take_quoted(&t) || take_escape(&t, false));
		else if (*t.p == '(')
			take_group(&t);
		else if (strchr("*+?{", *t.p))
			take_repetition(&t);
		else
			copy(&t, 1);
	}
	str_move(out, &t.out);
	return t.beyond;
}

int regex_init(struct regex *r, const char *pattern, bool whole, struct err *err)
{
	AUTO(str) text = { 0 };
	AUTO(str) translated = { 0 };
	const char *beyond = translate(pattern, &translated);
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
	str_addf(&text, whole ? "^(?:%s)$" : "%s", str_c(&translated));
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

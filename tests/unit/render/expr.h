/* tests/unit/render/expr.h - one template, one value as JSON: what it prints, or the error. */
#pragma once

#include "check.h"

#include "base/json.h"
#include "render/chart/expr.h"

static inline int expr(const char *text, const char *json, struct str *out, struct err *err)
{
	AUTO_DOC d = NULL;
	struct chart_expr e = { .text = sv_c(text) };

	TRY(json_read(sv_c(json), "data", 0, &d, err));
	e.data = doc_root(d);
	return chart_expr(&e, out, err);
}

static inline void expect(const char *text, const char *json, const char *want)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(expr(text, json, &out, &err), &err);
	assert_string_equal(str_c(&out), want);
}

static inline void expect_error(const char *text, const char *json, const char *says)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_true(expr(text, json, &out, &err) < 0);
	if (!strstr(err_msg(&err), says))
		fail_msg("'%s' does not say '%s'", err_msg(&err), says);
}

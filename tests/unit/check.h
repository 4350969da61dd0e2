/* tests/unit/check.h - what every unit test includes: cmocka, and the questions that tests ask most. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"

/* cmocka's assertions jump out of the running stack, so they are not used inside a fiber: a fiber stores what it
 * found, and the test asserts after fiber_main() returned. */

#define TEST(fn) cmocka_unit_test(fn)

/* Fails the test with the error's text when r is negative. */
#define assert_ok(r, e) do { if ((r) < 0) fail_msg("%s", err_msg(e)); } while (0)
#define assert_err(r, e, want_code, want_text) do { \
	assert_int_equal((r), -(int)(want_code)); \
	if (!strstr(err_msg(e), (want_text))) \
		fail_msg("want '%s' in '%s'", (want_text), err_msg(e)); \
} while (0)

/* tests/unit/cli/test_unified.c - the way from one text to the other is shown, and leads there. */
#include "check.h"

#include <stdlib.h>
#include "base/str.h"
#include "cli/unified.h"

static void expect_diff(const char *a, const char *b, const char *want)
{
	AUTO(str) out = { 0 };

	unified_diff(&out, "a", sv_c(a), "b", sv_c(b));
	assert_string_equal(str_c(&out), want);
}

static void diff_of_equal_texts_is_empty(void **state)
{
	(void)state;
	expect_diff("x\n", "x\n", "");
	expect_diff("", "", "");
}

static void diff_shows_changes_with_their_context(void **state)
{
	(void)state;
	expect_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
		    "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
	expect_diff("", "new\n", "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+new\n");
	expect_diff("gone\n", "", "--- a\n+++ b\n@@ -1,1 +0,0 @@\n-gone\n");
}

static void diff_of_far_changes_has_two_hunks(void **state)
{
	(void)state;
	expect_diff("a\n2\n3\n4\n5\n6\n7\n8\n9\nb\n", "A\n2\n3\n4\n5\n6\n7\n8\n9\nB\n",
		    "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-a\n+A\n 2\n 3\n 4\n@@ -7,4 +7,4 @@\n 7\n 8\n 9\n-b\n+B\n");
}

/* Context and minus are lines of a, context and plus lines of b, each in order. */
static void diff_of_random_texts_leads_from_one_to_the_other(void **state)
{
	(void)state;
	unsigned seed = 7;

	for (int round = 0; round < 500; round++) {
		AUTO(str) a = { 0 };
		AUTO(str) b = { 0 };
		AUTO(str) out = { 0 };
		AUTO(str) left = { 0 };
		AUTO(str) right = { 0 };
		for (int i = rand_r(&seed) % 7; i >= 0; i--)
			str_addf(&a, "%d\n", rand_r(&seed) % 3);
		for (int i = rand_r(&seed) % 7; i >= 0; i--)
			str_addf(&b, "%d\n", rand_r(&seed) % 3);
		unified_diff(&out, "a", str_sv(&a), "b", str_sv(&b));
		for (struct sv rest = str_sv(&out); rest.n;) {
			struct sv line, tail = { "", 0 };
			(void)sv_cut(rest, '\n', &line, &tail);
			rest = tail;
			if (sv_starts(line, SV("---")) || sv_starts(line, SV("+++")) || line.p[0] == '@')
				continue;
			if (line.p[0] != '+')
				str_addf(&left, SV_FMT "\n", SV_ARG(sv_drop(line, 1)));
			if (line.p[0] != '-')
				str_addf(&right, SV_FMT "\n", SV_ARG(sv_drop(line, 1)));
		}
		if (!out.n)
			assert_string_equal(str_c(&a), str_c(&b));
		/* at most seven lines: one hunk, which leaves out only equal lines at both ends */
		assert_non_null(strstr(str_c(&a), str_c(&left)));
		assert_non_null(strstr(str_c(&b), str_c(&right)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(diff_of_equal_texts_is_empty),
		TEST(diff_shows_changes_with_their_context),
		TEST(diff_of_far_changes_has_two_hunks),
		TEST(diff_of_random_texts_leads_from_one_to_the_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "check.h"
#include "lab-box.h"

#include <string.h>

static void container_exit_code_is_the_programs(void **state)
{
	struct run r = { .script = "echo hello; exit 7" };

	lab_run(*state, &r);
	assert_ok(r.result, &r.err);
	assert_int_equal(r.status.exit_code, 7);
	assert_string_equal(str_c(&r.out), "hello\n");
	run_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(container_exit_code_is_the_programs),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}

/* Libraries that are loaded when first called: curl's own printf takes arguments of every kind. */
#include "check.h"

#include "base/lazy.h"

#include <curl/curl.h>
#include <curl/mprintf.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_loaded(const char *soname)
{
	void *handle = dlopen(soname, RTLD_LAZY | RTLD_NOLOAD);

	return handle && !dlclose(handle);
}

static void lazy_first_call_loads_the_library_and_keeps_every_argument(void **state)
{
	const char *wanted = "1 2 3 4 5 6 7 8|1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5";

	(void)state;
	assert_false(is_loaded("libcurl.so.4"));
	for (int i = 0; i < 2; i++) {           /* bound by the first, bound before the second */
		char *text = curl_maprintf("%d %d %d %d %d %d %d %d|%.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f", 1, 2, 3, 4, 5, 6, 7, 8,
					   1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5);

		assert_string_equal(text, wanted);
		curl_free(text);
		assert_true(is_loaded("libcurl.so.4"));
	}
}

/* How a process ends that does this. */
static int ends(void (*what)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		if (freopen("/dev/null", "w", stderr))
			what();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void bind_absent(void)
{
	struct lazy_library absent = { "libabsent.so.0", NULL };
	struct lazy_function f = { NULL, &absent, "absent" };

	(void)lazy_bind(&f);
}

static void lazy_bind_of_what_is_not_installed_ends_the_program(void **state)
{
	(void)state;
	assert_int_equal(ends(bind_absent), 127);
}

static void load_all(void)
{
	bool before = is_loaded("libcurl.so.4");

	lazy_load_all();
	_exit(!before && is_loaded("libcurl.so.4") ? 3 : 4);
}

static void lazy_load_all_loads_what_nobody_called_yet(void **state)
{
	(void)state;
	assert_int_equal(ends(load_all), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {             /* the last one leaves the library loaded */
		cmocka_unit_test(lazy_bind_of_what_is_not_installed_ends_the_program),
		cmocka_unit_test(lazy_load_all_loads_what_nobody_called_yet),
		cmocka_unit_test(lazy_first_call_loads_the_library_and_keeps_every_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

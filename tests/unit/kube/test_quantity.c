#include "check.h"

#include <string.h>
#include "kube/quantity.h"

static void expect(const char *text, int64_t milli, int64_t value)
{
	int64_t m, v;

	if (!quantity_milli(sv_c(text), &m) || !quantity_value(sv_c(text), &v))
		fail_msg("'%s' was refused", text);
	if (m != milli || v != value)
		fail_msg("'%s': %lld thousandths, %lld whole", text, (long long)m, (long long)v);
}

static void quantities_are_read_as_kubernetes_does(void **state)
{
	(void)state;
	expect("0", 0, 0);
	expect("100m", 100, 1);
	expect("1", 1000, 1);
	expect("1.5", 1500, 2);
	expect(".5", 500, 1);
	expect("2.", 2000, 2);
	expect("1n", 1, 1);
	expect("-1.5", -1500, -1);
	expect("128Mi", 134217728000, 134217728);
	expect("0.5Gi", 536870912000, 536870912);
	expect("1e3", 1000000, 1000);
	expect("1E", INT64_MAX, 1000000000000000000);
	expect("12E2", 1200000, 1200);
	expect("8Ei", INT64_MAX, INT64_MAX);
	expect("99999999999999999999999999", INT64_MAX, INT64_MAX);
	expect("0.00000000000000000000001", 1, 1);
	expect("1.000000000000000000000000", 1000, 1);
}

static void what_is_no_quantity_is_refused(void **state)
{
	static const char *const bad[] = { "", ".", "-", "1.2.3", "1x", "Mi", "1 Mi", "1mi", "1e", "e3", "0x10", "1K" };
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (quantity_milli(sv_c(bad[i]), &v))
			fail_msg("'%s' was taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(quantities_are_read_as_kubernetes_does), TEST(what_is_no_quantity_is_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "check.h"

#include "base/fiber.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct result { struct proc_opts opts; struct sv input; size_t max; int r; struct str out, errors; struct err err; };

static int main_runs(void *arg)
{
	struct result *x = arg;

	x->r = proc_run(&x->opts, x->input, x->max, &x->out, &x->errors, &x->err);
	return 0;
}

static struct result run(struct sv input, size_t max, const char *const *argv)
{
	struct result x = { .opts = { .argv = argv, .in = -1, .out = -1, .err = -1 }, .input = input, .max = max };

	fiber_main(main_runs, &x);
	return x;
}

static void result_free(struct result *x)
{
	str_free(&x->out);
	str_free(&x->errors);
	err_free(&x->err);
}

#define SH(text) (const char *const[]){ "sh", "-c", text, NULL }

static void proc_run_collects_both_outputs_and_the_status(void **state)
{
	AUTO(result) x = run(SV(""), 100, SH("echo out; echo err >&2; exit 3"));

	(void)state;
	assert_int_equal(x.r, 3);
	assert_string_equal(str_c(&x.out), "out\n");
	assert_string_equal(str_c(&x.errors), "err\n");
}

static void proc_run_passes_input_larger_than_a_pipe(void **state)
{
	AUTO(str) big = { 0 };

	(void)state;
	for (int i = 0; i < 100000; i++)
		str_addc(&big, "abcdefghij");
	AUTO(result) x = run(str_sv(&big), 2 << 20, SH("cat"));
	assert_int_equal(x.r, 0);
	assert_true(sv_eq(str_sv(&x.out), str_sv(&big)));
}

static void proc_run_input_that_is_not_read_is_fine(void **state)
{
	AUTO(str) big = { 0 };

	(void)state;
	memset(str_room(&big, 1 << 20), 'x', 1 << 20);
	big.n = 1 << 20;
	AUTO(result) x = run(str_sv(&big), 100, SH("exec <&-; exit 0"));
	assert_int_equal(x.r, 0);
}

static void proc_run_output_above_the_bound_is_too_large(void **state)
{
	AUTO(result) x = run(SV(""), 1000, SH("yes"));

	(void)state;
	assert_err(x.r, &x.err, ERR_TOO_LARGE, "printed more than 1000 bytes");
}

static void proc_run_of_no_program_is_not_found(void **state)
{
	AUTO(result) x = run(SV(""), 1000, (const char *const[]){ "no-such-program-here", NULL });

	(void)state;
	assert_err(x.r, &x.err, ERR_NOT_FOUND, "start 'no-such-program-here'");
}

static void proc_run_death_by_signal_is_128_and_more(void **state)
{
	AUTO(result) x = run(SV(""), 1000, SH("kill -TERM $$"));

	(void)state;
	assert_int_equal(x.r, 128 + SIGTERM);
}

static void proc_run_child_has_no_descriptors_of_ours(void **state)
{
	int leaked = open("/dev/null", O_RDONLY);       /* not close-on-exec */
	AUTO(result) x = run(SV("x"), 1000, SH("ls /proc/self/fd | wc -l"));

	(void)state;
	assert_true(leaked >= 0);
	assert_string_equal(str_c(&x.out), "4\n");      /* 0, 1, 2 and the one of ls */
	assert_int_equal(close(leaked), 0);
}

static int main_kills(void *arg)
{
	struct str *out = arg;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return 1;
	struct proc_opts o = { .argv = SH("sleep 1000 & echo $!; wait"), .in = -1, .out = fds[1], .err = -1 };
	struct proc *p = proc_start(&o, NULL);
	fd_close(&fds[1]);
	out->n = (size_t)read(fds[0], str_room(out, 32), 31);
	out->p[out->n] = '\0';
	proc_kill(p, SIGTERM);
	int status = proc_wait(p);
	proc_free(&p);
	ssize_t rest = read(fds[0], out->p + out->n, 1);        /* 0 once the grandchild is dead too */
	fd_close(&fds[0]);
	return rest ? -1 : status;
}

static void proc_kill_reaches_the_whole_group(void **state)
{
	AUTO(str) pid = { 0 };

	(void)state;
	assert_int_equal(fiber_main(main_kills, &pid), 128 + SIGTERM);
	assert_true(atoi(pid.p) > 0);
}

static int main_frees(void *arg)
{
	struct proc_opts o = { .argv = SH("sleep 1000"), .in = -1, .out = -1, .err = -1 };
	struct proc *p = proc_start(&o, NULL);

	*(pid_t *)arg = proc_pid(p);
	proc_free(&p);
	return 0;
}

static void proc_free_kills_and_reaps(void **state)
{
	pid_t pid = 0;

	(void)state;
	fiber_main(main_frees, &pid);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void waits(void *arg)
{
	struct proc_opts o = { .argv = SH("sleep 1000"), .in = -1, .out = -1, .err = -1 };
	struct proc *p = proc_start(&o, NULL);

	*(int *)arg = proc_wait(p);
	proc_free(&p);
}

static int main_cancels(void *arg)
{
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	fiber_group_start(&g, "waiter", waits, arg);
	(void)fiber_yield();
	fiber_group_cancel(&g);
	fiber_group_join(&g);
	return 0;
}

static void proc_wait_ends_when_canceled(void **state)
{
	int r = 0;

	(void)state;
	fiber_main(main_cancels, &r);
	assert_int_equal(r, -ERR_CANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(proc_run_collects_both_outputs_and_the_status),
		TEST(proc_run_passes_input_larger_than_a_pipe),
		TEST(proc_run_input_that_is_not_read_is_fine),
		TEST(proc_run_output_above_the_bound_is_too_large),
		TEST(proc_run_of_no_program_is_not_found),
		TEST(proc_run_death_by_signal_is_128_and_more),
		TEST(proc_run_child_has_no_descriptors_of_ours),
		TEST(proc_kill_reaches_the_whole_group),
		TEST(proc_free_kills_and_reaps),
		TEST(proc_wait_ends_when_canceled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

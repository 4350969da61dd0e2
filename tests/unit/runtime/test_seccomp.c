#include "check.h"
#include "runtime/container/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifdef __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif
#define ALLOWED SECCOMP_RET_ALLOW
#define FAILS(e) (SECCOMP_RET_ERRNO | (e))

/* The kernel's interpreter, as far as filters go: what the program answers to a call. */
static uint32_t answer(const struct str *bpf, const struct seccomp_data *call)
{
	const struct sock_filter *v = (const struct sock_filter *)(const void *)bpf->p;
	size_t n = bpf->n / sizeof *v;
	uint32_t a = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *in = &v[pc];
		bool yes;

		switch (in->code) {
		case BPF_LD | BPF_W | BPF_ABS: memcpy(&a, (const char *)call + in->k, 4); continue;
		case BPF_ALU | BPF_AND | BPF_K: a &= in->k; continue;
		case BPF_RET | BPF_K: return in->k;
		case BPF_JMP | BPF_JA: pc += in->k; continue;
		case BPF_JMP | BPF_JEQ | BPF_K: yes = a == in->k; break;
		case BPF_JMP | BPF_JGT | BPF_K: yes = a > in->k; break;
		case BPF_JMP | BPF_JGE | BPF_K: yes = a >= in->k; break;
		case BPF_JMP | BPF_JSET | BPF_K: yes = a & in->k; break;
		default: fail_msg("an instruction that is not expected: %x", in->code); return 0;
		}
		pc += yes ? in->jt : in->jf;
	}
	fail_msg("the program has no end");
	return 0;
}

static void expect(uint64_t caps, int nr, uint64_t arg, uint32_t want)
{
	struct str bpf = { 0 };
	struct err err = { 0 };
	const struct seccomp_data call = { .nr = nr, .arch = ARCH, .args = { arg } };

	assert_ok(seccomp_build(caps, &bpf, &err), &err);
	assert_int_equal(bpf.n % sizeof(struct sock_filter), 0);
	if (answer(&bpf, &call) != want)
		fail_msg("call %d(%llx): %x, want %x", nr, (unsigned long long)arg, answer(&bpf, &call), want);
	str_free(&bpf);
}

#define ADMIN (UINT64_C(1) << CAP_SYS_ADMIN)

static void filter_allows_what_programs_need(void **state)
{
	static const int calls[] = { SYS_read,	    SYS_openat,	       SYS_execve,     SYS_futex,
				     SYS_mmap,	    SYS_clock_gettime, SYS_accept4,    SYS_epoll_pwait,
				     SYS_setresuid, SYS_capset,	       SYS_prctl,      SYS_seccomp,
				     SYS_statx,	    SYS_rseq,	       SYS_pidfd_open, SYS_close_range };

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		expect(0, calls[i], 0, ALLOWED);
}

static void filter_refuses_what_leaves_a_container(void **state)
{
	static const int calls[] = {
		SYS_mount,	  SYS_umount2,		 SYS_unshare,	      SYS_setns,	  SYS_bpf,
		SYS_kexec_load,	  SYS_init_module,	 SYS_reboot,	      SYS_keyctl,	  SYS_add_key,
		SYS_request_key,  SYS_open_by_handle_at, SYS_perf_event_open, SYS_userfaultfd,	  SYS_swapon,
		SYS_settimeofday, SYS_pivot_root,	 SYS_move_mount,      SYS_io_uring_setup, SYS_syslog
	};

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		expect(0, calls[i], 0, FAILS(EPERM));
}

static void filter_looks_at_arguments(void **state)
{
	(void)state;
	expect(0, SYS_clone, 0x11, ALLOWED);
	expect(0, SYS_clone, CLONE_NEWUSER, FAILS(EPERM));
	expect(0, SYS_clone, CLONE_NEWNET | 0x11, FAILS(EPERM));
	expect(0, SYS_socket, AF_INET, ALLOWED);
	expect(0, SYS_socket, AF_VSOCK, FAILS(EPERM));
	expect(0, SYS_personality, 0xffffffff, ALLOWED);
	expect(0, SYS_personality, 0x0040000, FAILS(EPERM));    /* ADDR_NO_RANDOMIZE */
}

static void filter_answers_new_calls_as_an_older_kernel(void **state)
{
	(void)state;
	expect(0, SYS_clone3, 0, FAILS(ENOSYS));
	expect(0, 452, 0, ALLOWED);             /* fchmodat2 */
	expect(0, 466, 0, ALLOWED);             /* the last of the list */
	expect(0, 457, 0, FAILS(ENOSYS));       /* statmount */
	expect(0, 999, 0, FAILS(ENOSYS));
	expect(0, 450, 0, FAILS(EPERM));        /* set_mempolicy_home_node */
}

static void filter_follows_capabilities(void **state)
{
	(void)state;
	expect(ADMIN, SYS_mount, 0, ALLOWED);
	expect(ADMIN, SYS_clone, CLONE_NEWUSER, ALLOWED);
	expect(ADMIN, SYS_clone3, 0, ALLOWED);
	expect(ADMIN, SYS_kexec_load, 0, FAILS(EPERM));
	expect(UINT64_C(1) << CAP_SYS_TIME, SYS_settimeofday, 0, ALLOWED);
	expect(UINT64_C(1) << CAP_SYS_CHROOT, SYS_chroot, 0, ALLOWED);
	expect(0, SYS_chroot, 0, FAILS(EPERM));
	assert_true(seccomp_key(ADMIN) != seccomp_key(0));
	assert_true(seccomp_key(UINT64_C(1) << CAP_CHOWN) == seccomp_key(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(filter_allows_what_programs_need),
		TEST(filter_refuses_what_leaves_a_container),
		TEST(filter_looks_at_arguments),
		TEST(filter_answers_new_calls_as_an_older_kernel),
		TEST(filter_follows_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

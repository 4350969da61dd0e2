/* The start of the supervisor: its stack, its plan, its mode. */
#include "supervisor.h"
#include "sys.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/* The compiler may call these for copies and zeroed structures; there is no libc to have them. */
void *memset(void *p, int c, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);

void *memset(void *p, int c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)p)[i] = (char)c;
	return p;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

void report(const struct report *r) { sys(write, FD_STATUS, r, sizeof *r); }

static void relocate(struct plan *p, struct plan_array a)
{
	plan_slot *slots = PLAN_AT(p, a, plan_slot);

	for (uint32_t i = 0; i < a.n; i++)
		slots[i].text = (char *)p + slots[i].offset;
}

/* The file is private to us and our daemon: its magic and size are checked against mistakes, not against malice. */
static struct plan *plan_load(void)
{
	struct statx st = { 0 };
	long r = sys(statx, FD_PLAN, "", AT_EMPTY_PATH, STATX_SIZE, &st);
	struct plan *p;

	if (r < 0 || st.stx_size < sizeof *p || st.stx_size > PLAN_MAX)
		return 0;
	r = sys(mmap, 0, st.stx_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, FD_PLAN, 0);
	p = (struct plan *)r;   /* NOLINT: an address */
	if ((r < 0 && r > -4096) || p->magic != PLAN_MAGIC || p->size != st.stx_size)
		return 0;
	relocate(p, p->layers);
	relocate(p, p->argv);
	relocate(p, p->env);
	relocate(p, p->cgroups);
	return p;
}

static int64_t number(const char *s)
{
	int64_t v = 0;

	while (*s >= '0' && *s <= '9')
		v = v * 10 + (*s++ - '0');
	return v;
}

/* argv: [name, container id], or [name, "exec" or "terminal", timeout in ms, program, arguments...]. */
_Noreturn void start(long *stack);

_Noreturn void start(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1);
	struct plan *p = plan_load();
	int status = 1;


	sys(close_range, FD_N, ~0u, 0);
	sys(chdir, "/");                /* the daemon's directory is not ours to hold */
	sys(prctl, PR_SET_NAME, "cd-supervisor", 0, 0, 0);
	sys(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);        /* until the program is executed, nobody looks into its set-up */
	if (!p)
		report(&(struct report){ .stage = STAGE_PLAN });
	else if (argc > 3)
		status = exec_help(p, argv[1][0] == 't', number(argv[2]), argv + 3);
	else
		status = supervise(p);
	for (;;)
		sys(exit_group, status);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl start\n");
#endif

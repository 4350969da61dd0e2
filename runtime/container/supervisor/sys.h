/* runtime/container/supervisor/sys.h - system calls and the little text work of a program without a C library.
 *
 * The supervisor stays resident once per container: without libc it needs some 20 kB instead of some hundred. All calls
 * return what the kernel returns: 0 or more, or -errno. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <asm/unistd.h>

#if defined(__x86_64__)
static inline long sys6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
static inline long sys6(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#else
#error "no system calls for this processor yet"
#endif

#define SYS_PICK(a, b, c, d, e, f, g, name, ...) name
#define SYS_0(n) sys6(n, 0, 0, 0, 0, 0, 0)
#define SYS_1(n, a) sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define SYS_2(n, a, b) sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS_3(n, a, b, c) sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS_4(n, a, b, c, d) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS_5(n, a, b, c, d, e) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SYS_6(n, a, b, c, d, e, f) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* sys(mkdirat, fd, path, mode) */
#define sys(name, ...)                                                                                                 \
	SYS_PICK(0, ##__VA_ARGS__, SYS_6, SYS_5, SYS_4, SYS_3, SYS_2, SYS_1, SYS_0)(__NR_##name, ##__VA_ARGS__)

static inline size_t text_n(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* Text in a fixed buffer: what does not fit is cut, which every user's buffer is sized to prevent. */
struct text { char *p; size_t n, cap; };

static inline void text_add(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n && t->n < t->cap; i++)
		t->p[t->n++] = s[i];
}

static inline void text_addc(struct text *t, const char *s) { text_add(t, s, text_n(s)); }

static inline void text_addu(struct text *t, uint64_t v, int width)
{
	char digits[20];
	int n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) || n < width);
	while (n)
		text_add(t, &digits[--n], 1);
}

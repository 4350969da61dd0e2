#include "lab-net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	_exit(1);
}

void lab_enter(void)
{
	if (unshare(CLONE_NEWNET) < 0) {
		printf("a network namespace cannot be made here: %s\n", strerror(errno));
		exit(77);
	}
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		die("lo up");
	close(fd);
}

static int own_ns(void) { return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }

struct lab_ns lab_ns_new(void)
{
	int home = own_ns(), fd;

	if (home < 0 || unshare(CLONE_NEWNET) < 0)
		die("unshare");
	fd = own_ns();
	if (fd < 0 || setns(home, CLONE_NEWNET) < 0)
		die("setns");
	close(home);
	return (struct lab_ns){ fd };
}

void lab_ns_free(struct lab_ns *ns)
{
	close(ns->fd);
	ns->fd = -1;
}

static struct sockaddr_in address(const char *ip, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, ip, &a.sin_addr) != 1)
		die(ip);
	return a;
}

static void answer_once(int c, char answer) { (void)!write(c, &answer, 1); }

static void answer_all(int c, char unused)
{
	char byte;

	(void)unused;
	while (read(c, &byte, 1) == 1 && write(c, &byte, 1) == 1)
		;
}

static void serve(int fd, void (*talk)(int, char), char answer)
{
	int one = 1;

	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c < 0)
			continue;
		setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		talk(c, answer);
		close(c);
	}
}

/* Runs body in a child that stands in ns and dies with its parent. */
static int child(int ns_fd)
{
	int pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ns_fd >= 0 && setns(ns_fd, CLONE_NEWNET) < 0)
		die("setns");
	return 0;
}

static int start_server(int ns_fd, const char *ip, uint16_t port, void (*talk)(int, char), char answer)
{
	struct sockaddr_in a = address(ip, port);
	int ready[2], pid, one = 1, fd;
	char c;

	if (pipe(ready) < 0)
		die("pipe");
	if ((pid = child(ns_fd)) == 0) {
		if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
		    bind(fd, (void *)&a, sizeof a) < 0 || listen(fd, 1024) < 0)
			die("listen");
		(void)!write(ready[1], "", 1);
		serve(fd, talk, answer);
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &c, 1) != 1)
		die("server");
	close(ready[0]);
	return pid;
}

int lab_serve(int ns_fd, const char *ip, uint16_t port, char answer) { return start_server(ns_fd, ip, port, answer_once, answer); }
int lab_echo(int ns_fd, const char *ip, uint16_t port) { return start_server(ns_fd, ip, port, answer_all, 0); }

int lab_serve_udp(int ns_fd, const char *ip, uint16_t port, char answer)
{
	struct sockaddr_in a = address(ip, port), from;
	int ready[2], pid, fd;
	char c;

	if (pipe(ready) < 0)
		die("pipe");
	if ((pid = child(ns_fd)) == 0) {
		if ((fd = socket(AF_INET, SOCK_DGRAM, 0)) < 0 || bind(fd, (void *)&a, sizeof a) < 0)
			die("bind");
		(void)!write(ready[1], "", 1);
		for (socklen_t n = sizeof from;; n = sizeof from)
			if (recvfrom(fd, &c, 1, 0, (void *)&from, &n) >= 0)
				(void)!sendto(fd, &answer, 1, 0, (void *)&from, n);
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &c, 1) != 1)
		die("server");
	close(ready[0]);
	return pid;
}

static int ask_udp(uint16_t own_port, const struct sockaddr_in *to)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(own_port) };
	struct timeval limit = { .tv_sec = 1 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned char c = 'x';

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (bind(fd, (void *)&own, sizeof own) < 0 || connect(fd, (const void *)to, sizeof *to) < 0 || send(fd, &c, 1, 0) != 1 ||
	    recv(fd, &c, 1, 0) != 1)
		return -errno;
	return c;
}

int lab_ask_udp(int ns_fd, uint16_t own_port, const char *ip, uint16_t port)
{
	struct sockaddr_in to = address(ip, port);
	int result[2], pid, r = -EIO;

	if (pipe(result) < 0)
		die("pipe");
	if ((pid = child(ns_fd)) == 0) {
		r = ask_udp(own_port, &to);
		_exit(write(result[1], &r, sizeof r) != sizeof r);
	}
	close(result[1]);
	(void)!read(result[0], &r, sizeof r);
	close(result[0]);
	waitpid(pid, NULL, 0);
	return r;
}

void lab_stop(int pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int ask(const struct sockaddr_in *a)
{
	struct timeval limit = { .tv_sec = 2 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;
	unsigned char c;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (const void *)a, sizeof *a) < 0)
		r = -errno;
	else if ((n = read(fd, &c, 1)) == 1)
		r = c;
	else
		r = n ? -errno : -ECONNRESET;
	close(fd);
	return r;
}

void lab_ask_many(int ns_fd, const char *ip, uint16_t port, unsigned n, struct lab_count *out)
{
	struct sockaddr_in a = address(ip, port);
	int result[2], pid;
	size_t got = 0;

	if (pipe(result) < 0)
		die("pipe");
	if ((pid = child(ns_fd)) == 0) {
		struct lab_count c = { .failed = 0 };

		for (unsigned i = 0; i < n; i++) {
			int r = ask(&a);

			if (r >= 0)
				c.of[r]++;
			else
				c.failed++, c.error = -r;
		}
		_exit(write(result[1], &c, sizeof c) != sizeof c);
	}
	close(result[1]);
	for (ssize_t r; got < sizeof *out && (r = read(result[0], (char *)out + got, sizeof *out - got)) > 0;)
		got += (size_t)r;
	close(result[0]);
	waitpid(pid, NULL, 0);
	if (got != sizeof *out)
		die("client");
}

static double ping(const struct sockaddr_in *a, unsigned n)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct timespec from, to;
	char byte = 'x';

	if (fd < 0 || connect(fd, (const void *)a, sizeof *a) < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (unsigned i = 0; i < n; i++)
		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
			return -1;
	clock_gettime(CLOCK_MONOTONIC, &to);
	close(fd);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

double lab_pings(int ns_fd, const char *ip, uint16_t port, unsigned n)
{
	struct sockaddr_in a = address(ip, port);
	double seconds = -1;
	int result[2], pid;

	if (pipe(result) < 0)
		die("pipe");
	if ((pid = child(ns_fd)) == 0) {
		seconds = ping(&a, n);
		_exit(write(result[1], &seconds, sizeof seconds) != sizeof seconds);
	}
	close(result[1]);
	if (read(result[0], &seconds, sizeof seconds) != sizeof seconds)
		seconds = -1;
	close(result[0]);
	waitpid(pid, NULL, 0);
	return seconds;
}

int lab_ask(int ns_fd, const char *ip, uint16_t port)
{
	struct lab_count c;

	lab_ask_many(ns_fd, ip, port, 1, &c);
	for (int i = 0; i < 256; i++)
		if (c.of[i])
			return i;
	return -c.error;
}

char *lab_output(const char *const *argv)
{
	char *text = calloc(1, 1 << 20);
	int out[2], pid;
	size_t got = 0;

	if (!text || pipe(out) < 0)
		die("pipe");
	if ((pid = fork()) == 0) {
		dup2(out[1], 1);
		dup2(out[1], 2);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		die(argv[0]);
	}
	close(out[1]);
	for (ssize_t r; got < (1 << 20) - 1 && (r = read(out[0], text + got, (1 << 20) - 1 - got)) > 0;)
		got += (size_t)r;
	close(out[0]);
	waitpid(pid, NULL, 0);
	return text;
}

/* Finding the program and executing it. */
#include "supervisor.h"
#include "sys.h"

#include <errno.h>
#include <linux/limits.h>
#include <linux/close_range.h>
#include <signal.h>

static bool has_slash(const char *s)
{
	while (*s && *s != '/')
		s++;
	return *s == '/';
}

/* Tries every directory of the search path as a shell does; a file that may not be executed is remembered. */
static long search(struct context *c, char **argv, char **env)
{
	const char *dirs = PLAN_TEXT(c->plan, c->plan->path);
	char path[PATH_MAX];
	long found = -ENOENT;

	while (dirs && *dirs) {
		struct text t = { path, 0, sizeof path - 1 };
		size_t n = 0;

		while (dirs[n] && dirs[n] != ':')
			n++;
		text_add(&t, n ? dirs : ".", n ? n : 1);
		text_addc(&t, "/");
		text_addc(&t, argv[0]);
		path[t.n] = 0;
		long r = sys(execve, path, argv, env);
		if (r != -ENOENT && r != -ENOTDIR && (r != -EACCES || found == -ENOENT))
			found = r;
		if (r != -ENOENT && r != -ENOTDIR && r != -EACCES)
			break;
		dirs += n + (dirs[n] == ':');
	}
	return found;
}

_Noreturn void init_program(struct context *c, char **argv)
{
	char **env = c->env ? c->env : PLAN_AT(c->plan, c->plan->env, char *);
	uint64_t none = 0;
	long r;

	sys(rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);        /* the supervisor blocks all */
	sys(close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
	if (!has_slash(argv[0])) {
		r = search(c, argv, env);
		init_fail(c, r == -ENOENT ? STAGE_NOT_FOUND : STAGE_EXEC, 0, r);
	}
	r = sys(execve, argv[0], argv, env);
	init_fail(c, STAGE_EXEC, 0, r);
}

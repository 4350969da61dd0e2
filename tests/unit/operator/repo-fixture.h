/* tests/unit/operator/repo-fixture.h - real repositories in a directory of the test's own, made with the git command. */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fiber.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/vec.h"

struct place { char dir[64]; };

static inline void place_make(struct place *p)
{
	signal(SIGPIPE, SIG_IGN);
	snprintf(p->dir, sizeof p->dir, "/tmp/cd-test-repo-XXXXXX");
	if (!mkdtemp(p->dir))
		abort();
	setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("GIT_AUTHOR_NAME", "Ada", 1);
	setenv("GIT_AUTHOR_EMAIL", "ada@example.org", 1);
	setenv("GIT_COMMITTER_NAME", "Ada", 1);
	setenv("GIT_COMMITTER_EMAIL", "ada@example.org", 1);
}

static inline void place_remove(struct place *p)
{
	if (tree_remove(p->dir, NULL) < 0)
		abort();
}

struct script { const char *dir, *text; struct str out, errors; int r; };

static inline int script_fiber(void *arg)
{
	struct script *s = arg;
	const char *const argv[] = { "sh", "-ec", s->text, NULL };
	struct proc_opts o = { .argv = argv, .dir = s->dir, .in = -1, .out = -1, .err = -1 };

	s->r = proc_run(&o, (struct sv){ "", 0 }, 1 << 20, &s->out, &s->errors, NULL);
	return 0;
}

/* Runs a script of the test in the place; its trimmed output in out. Ends the test program when it fails. In a fiber or not. */
static inline void place_run(struct place *p, const char *text, struct str *out)
{
	struct script s = { .dir = p->dir, .text = text };

	if (fiber_self())
		(void)script_fiber(&s);
	else
		(void)fiber_main(script_fiber, &s);
	if (s.r != 0) {
		fprintf(stderr, "%s\n%s%s\n", text, str_c(&s.out), str_c(&s.errors));
		abort();
	}
	while (s.out.n && s.out.p[s.out.n - 1] == '\n')
		str_cut(&s.out, s.out.n - 1);
	if (out)
		str_move(out, &s.out);
	str_free(&s.out);
	str_free(&s.errors);
}

/* cli/cd-main.c - the program: finds the command in the table and runs it. */
#include "cli/verbs.h"

#include "base/str.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static int dispatch(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";
	const struct verb *v = verb_find(verbs, name);
	const char *nearest;

	if (str_eq(name, "--help") || str_eq(name, "-h"))
		return cmd_help(1, argv);
	if (str_eq(name, "--version"))
		return cmd_version(1, argv);
	if (str_eq(name, "__complete"))
		return help_complete(argc - 1, argv + 1);
	if (v)
		return argc > 1 ? v->run(argc - 1, argv + 1) : v->run(1, argv);
	nearest = verb_nearest(verbs, name);
	fprintf(stderr, "cd: there is no command '%s'%s%s%s; `cd help` lists them\n", name, nearest ? " (did you mean '" : "",
		nearest ? nearest : "", nearest ? "'?)" : "");
	return EXIT_USAGE;
}

/* A pipe whose other end is closed: `cd get pods | head`. */
static bool reader_left(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) == 1 && out.revents & POLLERR;
}

/* What was printed must have arrived: a full disk behind stdout is a failure. */
int main(int argc, char **argv)
{
	int code = dispatch(argc, argv);
	bool lost = fflush(stdout) || ferror(stdout);

	if (!lost || reader_left())
		return code;
	fprintf(stderr, "cd: the output could not be written\n");
	return code ? code : EXIT_FAILED;
}

/* cli/cd-main.c - the program: finds the command in the table and runs it. */
#include "cli/verbs.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

/* What was printed must have arrived: a full disk behind stdout is a failure. A reader that left is not ours. */
int main(int argc, char **argv)
{
	int code = dispatch(argc, argv);

	errno = 0;
	if ((fflush(stdout) || ferror(stdout)) && errno != EPIPE) {
		fprintf(stderr, "cd: cannot write the output: %s\n", strerror(errno ? errno : EIO));
		return code ? code : EXIT_FAILED;
	}
	return code;
}

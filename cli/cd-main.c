/* cli/cd-main.c - the program: finds the command in the table and runs it. */
#include "cli/verbs.h"

#include "base/str.h"

#include <stdio.h>

static void print_help(FILE *to)
{
	const char *group = "";

	fputs("usage: cd COMMAND [OPTIONS] [ARGUMENTS]\n\nFrom a git push to running software.\n", to);
	for (const struct verb *v = verbs; v->name; v++) {
		if (!str_eq(group, v->group))
			fprintf(to, "\n%s:\n", v->group);
		group = v->group;
		fprintf(to, "  %-12s %s\n", v->name, v->help);
	}
	fputs("\n`cd COMMAND --help` tells more about one.\n", to);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";
	const struct verb *v = verb_find(name);
	char help[] = "--help";

	if (v)
		return v->run(argc - 1, argv + 1);
	if (str_eq(name, "help") || str_eq(name, "--help") || str_eq(name, "-h")) {
		if (argc > 2 && (v = verb_find(argv[2])))
			return v->run(2, (char *[]){ argv[2], help, NULL });
		print_help(stdout);
		return EXIT_OK;
	}
	fprintf(stderr, "cd: there is no command '%s'; `cd help` lists them\n", name);
	return EXIT_USAGE;
}

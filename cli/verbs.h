/* cli/verbs.h - the table of commands. To add one: a file cli/NAME.c with cmd_NAME(), a row in verbs.c.
 *
 * A command gets its own argv (argv[0] is its name) and returns an exit code. It parses with cli_options(), prints what
 * was asked for on stdout and everything else on stderr, and reports a failure with cli_fail(). */
#pragma once

#include "base/err.h"
#include "base/opt.h"

enum exit_code {                        /* docs/reference/exit-codes.md */
	EXIT_OK = 0,
	EXIT_FAILED = 1,                /* also: `diff` found differences */
	EXIT_USAGE = 2,                 /* wrong options or arguments; nothing was done */
	EXIT_NOT_FOUND = 3,
	EXIT_TIMED_OUT = 4,
	EXIT_UNHEALTHY = 5,             /* what was waited for ended badly */
};

struct verb { const char *name, *group, *help; int (*run)(int argc, char **argv); };
extern const struct verb verbs[];       /* ended by a NULL name; groups stand together */
const struct verb *verb_find(const char *name);         /* NULL: none */

struct usage {
	const char *name;               /* "app sync" */
	const char *synopsis;           /* "[OPTIONS] NAME" */
	const char *about;              /* a paragraph */
	const char *examples;           /* lines */
};

/* Parses options (table may be NULL) and collects the rest in args. Returns -1 to go on, else the exit code to return:
 * --help was asked for, or the usage was wrong, and was answered. */
int cli_options(const struct usage *u, const struct opt *table, int argc, char **argv, struct opt_list *args);
int cli_usage_error(const struct usage *u, const char *fmt, ...) PRINTF(2, 3);  /* prints; EXIT_USAGE */
int cli_fail(const char *command, struct err *err);     /* prints "cd COMMAND: message" and causes, frees; the exit code for it */

int cmd_image(int argc, char **argv);
int cmd_reset(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_version(int argc, char **argv);

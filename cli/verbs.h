/* cli/verbs.h - the table of commands. To add one: a file cli/NAME.c with cmd_NAME(), a row in verbs.c.
 *
 * A command gets its own argv (argv[0] is its name) and returns an exit code. It parses with cli_options(), prints what
 * was asked for on stdout and everything else on stderr, and reports a failure with cli_fail(). */
#pragma once

#include <stdio.h>
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
const struct verb *verb_find(const struct verb *table, const char *name);       /* NULL: none */
const char *verb_nearest(const struct verb *table, const char *name);           /* "did you mean"; NULL: none is near */

struct usage {
	const char *name;               /* "app sync" */
	const char *synopsis;           /* "[OPTIONS] NAME" */
	const char *about;              /* a paragraph */
	const char *examples;           /* lines */
};

/* A command that has commands of its own (`cd app sync`): a table like the one above; group may be NULL in it. Finds the
 * one that argv[1] names, runs it with argv + 1, and answers --help and mistakes. Each one's usage.name has both words. */
int cli_group(const struct usage *u, const struct verb *table, int argc, char **argv);

/* Parses options (table may be NULL) and collects the rest in args. Returns -1 to go on, else the exit code to return:
 * --help was asked for, or the usage was wrong, and was answered. */
int cli_options(const struct usage *u, const struct opt *table, int argc, char **argv, struct opt_list *args);
int cli_usage_error(const struct usage *u, const char *fmt, ...) PRINTF(2, 3);  /* prints; EXIT_USAGE */
int cli_fail(const char *command, struct err *err);     /* prints "cd COMMAND: message" and causes, frees; the exit code for it */

/* As argv[1] of any command, instead of options: `help --markdown` and the completion of shells ask every command so,
 * and cli_options() and cli_group() answer. */
#define HELP_AS_MARKDOWN "--help-as=markdown"
#define HELP_AS_WORDS "--help-as=words" /* then the words typed after the command, the last one unfinished */
bool help_as(const struct usage *u, const struct opt *table, int argc, char **argv);    /* false: was not asked */
int help_complete(int argc, char **argv);               /* `cd __complete WORD...`, for the scripts of `cd completion` */
void complete_words(const struct usage *u, const struct opt *table, int n, char **words);       /* of a command */
void help_print_verbs(const struct verb *table, FILE *to);      /* by group, one a line */

int cmd_annotate(int argc, char **argv);
int cmd_api_resources(int argc, char **argv);
int cmd_app(int argc, char **argv);
int cmd_apply(int argc, char **argv);
int cmd_attach(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_chart(int argc, char **argv);
int cmd_completion(int argc, char **argv);
int cmd_create(int argc, char **argv);
int cmd_delete(int argc, char **argv);
int cmd_describe(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_health(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_image(int argc, char **argv);
int cmd_kubeconfig(int argc, char **argv);
int cmd_label(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_patch(int argc, char **argv);
int cmd_port_forward(int argc, char **argv);
int cmd_preview(int argc, char **argv);
int cmd_render(int argc, char **argv);
int cmd_reset(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_rollout(int argc, char **argv);
int cmd_scale(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_shell_init(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_wait(int argc, char **argv);

/* base/opt.h - command line options by table: --name VALUE, --name=VALUE, -n VALUE, flags, repeated options; --help for free. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

enum opt_type { OPT_FLAG, OPT_STR, OPT_INT, OPT_DURATION, OPT_LIST };   /* bool, const char *, int64_t, int64_t ms, struct opt_list */

struct opt_list { const char **v; size_t n, cap; };     /* VEC(const char *), in order of appearance */

struct opt {
	const char *name;               /* "data-dir"; NULL ends the table */
	char short_name;                /* 'f', or 0 */
	enum opt_type type;
	void *to;                       /* where the value goes; what it holds before is the default */
	const char *arg;                /* "DIR" in the help text; for OPT_STR with `|`, the choices, which are checked: "json|yaml", "name|path=" (and more) */
	const char *help;
};

/* Parses argv[1..]; what is not an option is collected in args (texts borrowed; vec_free(args)). `--` ends options, "-"
 * is an argument. 1: --help or -h was asked for. ERR_BAD_REQUEST: "unknown option --foo (did you mean --for?)". */
MUST_CHECK int opt_parse(const struct opt *table, int argc, char **argv, struct opt_list *args, struct err *err);
void opt_help(const struct opt *table, struct str *out);        /* the options block of a --help text */
MUST_CHECK int duration_parse(const char *text, int64_t *ms, struct err *err);  /* Go's: "1h15m30.5s", "250ms" */

#include "cli/verbs.h"

#include <stdarg.h>
#include <stdio.h>

int cli_usage_error(const struct usage *u, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "cd %s: ", u->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nusage: cd %s %s\n`cd %s --help` says more\n", u->name, u->synopsis, u->name);
	return EXIT_USAGE;
}

int cli_options(const struct usage *u, const struct opt *table, int argc, char **argv, struct opt_list *args)
{
	static const struct opt none[] = { { 0 } };
	AUTO(err) err = { 0 };

	if (help_as(u, table, argc, argv))
		return EXIT_OK;
	if (opt_parse(table ? table : none, argc, argv, args, &err) < 0)
		return cli_usage_error(u, "%s", err_msg(&err));
	return -1;
}

static int exit_code_of(enum err_code code)
{
	switch (code) {
	case ERR_NOT_FOUND: return EXIT_NOT_FOUND;
	case ERR_TIMEOUT:   return EXIT_TIMED_OUT;
	default:            return EXIT_FAILED;
	}
}

int cli_fail(const char *command, struct err *err)
{
	int code = exit_code_of(err->code);

	fprintf(stderr, "cd %s: %s\n", command, err_msg(err));
	for (size_t i = 0; err->n_causes > 1 && i < err->n_causes; i++)
		fprintf(stderr, "  %s: %s\n", err->causes[i].field, err->causes[i].msg);
	err_free(err);
	return code;
}

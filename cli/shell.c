#include "cli/shell.h"

#include <stdlib.h>

void shell_program(struct str *out)
{
	char *path = realpath("/proc/self/exe", NULL);

	str_add1(out, '\'');
	for (const char *c = path ? path : "timonier"; *c; c++) {
		if (*c == '\'')
			str_addc(out, "'\\''");
		else
			str_add1(out, *c);
	}
	str_add1(out, '\'');
	free(path);
}

static void add_verbs(const char *sep, struct str *out)
{
	for (const struct verb *v = verbs; v->name; v++)
		str_addf(out, "%s%s", v == verbs ? "" : sep, v->name);
}

void shell_fill(const char *script, const char *sep, struct str *out)
{
	static const char program[] = "@PROGRAM@", names[] = "@VERBS@";

	while (*script) {
		if (sv_starts(sv_c(script), SV("@PROGRAM@"))) {
			shell_program(out);
			script += sizeof program - 1;
		} else if (sv_starts(sv_c(script), SV("@VERBS@"))) {
			add_verbs(sep, out);
			script += sizeof names - 1;
		} else {
			str_add1(out, *script++);
		}
	}
}

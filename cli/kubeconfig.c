/* cli/kubeconfig.c - `cd kubeconfig`. */
#include "base/fs.h"
#include "cli/data-dir.h"
#include "cli/verbs.h"

#include <limits.h>
#include <stdlib.h>

static void print_quoted(const char *s)
{
	putchar('\'');
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*s);
	}
	putchar('\'');
}

static int print_as(const char *format, const char *path, struct err *err)
{
	AUTO(str) text = { 0 };

	if (str_eq(format, "yaml")) {
		TRY(file_read(path, (size_t)1 << 20, &text, err));
		fputs(str_c(&text), stdout);
	} else if (str_eq(format, "path")) {
		puts(path);
	} else {
		fputs("export KUBECONFIG=", stdout);
		print_quoted(path);
		putchar('\n');
	}
	return EXIT_OK;
}

static const struct usage usage = {
	"kubeconfig", "[OPTIONS]",
	"Prints how to reach the server whose data directory is given, as its administrator: for the shell, as a path, or whole.",
	"  eval \"$(cd kubeconfig)\"\n"
	"  cd kubeconfig --data-dir /var/lib/cd -o yaml > ~/.kube/config"
};

int cmd_kubeconfig(int argc, char **argv)
{
	const char *dir = DATA_DIR_DEFAULT, *format = "env";
	struct opt_list args = { 0 };
	struct err err = { 0 };
	const struct opt opts[] = {
		{ "data-dir", 0, OPT_STR, &dir, "DIR", "where the server keeps everything" },
		{ "output", 'o', OPT_STR, &format, "env|path|yaml", "how to print it" },
		{ 0 }
	};
	int r = cli_options(&usage, opts, argc, argv, &args);

	if (r < 0 && args.n)
		r = cli_usage_error(&usage, "takes no arguments");
	vec_free(&args);
	if (r >= 0)
		return r;
	char *path = str_fmt("%s/admin.kubeconfig", dir), *whole = realpath(path, NULL);
	if (!whole)
		r = err_errno(&err, "no server has run in '%s': '%s'", dir, path);
	else
		r = print_as(format, whole, &err);
	free(path);
	free(whole);
	return r < 0 ? cli_fail("kubeconfig", &err) : r;
}

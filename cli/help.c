/* cli/help.c - help as text, as Markdown, and as words for shells; all from the tables of commands and options. */
#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>

/* ---- text ---- */

void help_print_verbs(const struct verb *table, FILE *to)
{
	const char *group = NULL;

	for (const struct verb *v = table; v->name; v++) {
		if (v->group && !str_eq(group, v->group))
			fprintf(to, "\n%s:\n", v->group);
		group = v->group;
		fprintf(to, "  %-14s %s\n", v->name, v->help);
	}
}

static void print_text(const struct usage *u, const struct opt *table)
{
	AUTO(str) options = { 0 };

	printf("usage: cd %s %s\n\n%s\n", u->name, u->synopsis, u->about);
	if (table)
		opt_help(table, &options);
	if (options.n)
		printf("\noptions:\n%s", str_c(&options));
	if (u->examples)
		printf("\nexamples:\n%s\n", u->examples);
}

/* ---- Markdown ---- */

static void print_markdown(const struct usage *u, const struct opt *table)
{
	printf("\n## cd %s\n\n```\ncd %s %s\n```\n\n%s\n", u->name, u->name, u->synopsis, u->about);
	if (table && table->name)
		printf("\n| option | |\n|---|---|\n");
	for (; table && table->name; table++) {
		AUTO(str) arg = { 0 };

		for (const char *c = table->arg; c && *c; c++) {        /* a bar would end the cell */
			if (*c == '|')
				str_add1(&arg, '\\');
			str_add1(&arg, *c);
		}
		printf("| ");
		if (table->short_name)
			printf("`-%c`, ", table->short_name);
		printf("`--%s%s%s` | %s |\n", table->name, arg.n ? " " : "", str_c(&arg), table->help);
	}
	if (u->examples)
		printf("\n```\n%s\n```\n", u->examples);
}

/* ---- who asks ---- */

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && !str_eq(argv[i], "--"); i++)
		if (str_eq(argv[i], "--help") || str_eq(argv[i], "-h"))
			return true;
	return false;
}

bool help_as(const struct usage *u, const struct opt *table, int argc, char **argv)
{
	if (argc > 1 && str_eq(argv[1], HELP_AS_MARKDOWN))
		print_markdown(u, table);
	else if (argc > 1 && str_eq(argv[1], HELP_AS_WORDS))
		complete_words(u, table, argc - 2, argv + 2);
	else if (wants_help(argc, argv))
		print_text(u, table);
	else
		return false;
	return true;
}

static void print_group_markdown(const struct usage *u, const struct verb *table)
{
	printf("\n## cd %s\n\n%s\n", u->name, u->about);
	for (const struct verb *v = table; v->name; v++)
		(void)v->run(2, (char *[]){ (char *)v->name, (char *)HELP_AS_MARKDOWN, NULL });
}

static int complete_in(const struct verb *table, int n, char **words)
{
	const struct verb *v = n > 1 ? verb_find(table, words[0]) : NULL;
	char *argv[64] = { 0 };

	if (n < 2)
		for (v = table; v->name; v++)
			printf("%s\t%s\n", v->name, v->help);
	else if (v && n < 60) {
		argv[0] = words[0];
		argv[1] = (char *)HELP_AS_WORDS;
		memcpy(argv + 2, words + 1, (size_t)(n - 1) * sizeof *words);
		return v->run(n + 1, argv);
	}
	return EXIT_OK;
}

int help_complete(int argc, char **argv) { return complete_in(verbs, argc - 1, argv + 1); }

int cli_group(const struct usage *u, const struct verb *table, int argc, char **argv)
{
	const struct verb *v = argc > 1 ? verb_find(table, argv[1]) : NULL;
	const char *nearest;

	if (v)
		return v->run(argc - 1, argv + 1);
	if (argc > 1 && str_eq(argv[1], HELP_AS_MARKDOWN)) {
		print_group_markdown(u, table);
		return EXIT_OK;
	}
	if (argc > 1 && str_eq(argv[1], HELP_AS_WORDS))
		return complete_in(table, argc - 2, argv + 2);
	if (argc > 1 && (str_eq(argv[1], "--help") || str_eq(argv[1], "-h"))) {
		printf("usage: cd %s %s\n\n%s\n\ncommands:\n", u->name, u->synopsis, u->about);
		help_print_verbs(table, stdout);
		if (u->examples)
			printf("\nexamples:\n%s\n", u->examples);
		return EXIT_OK;
	}
	if (argc < 2)
		return cli_usage_error(u, "which command?");
	nearest = verb_nearest(table, argv[1]);
	return cli_usage_error(u, "there is no command '%s'%s%s%s", argv[1], nearest ? " (did you mean '" : "", nearest ? nearest : "",
			       nearest ? "'?)" : "");
}

/* ---- cd help ---- */

static void print_overview(void)
{
	puts("usage: cd COMMAND [OPTIONS] [ARGUMENTS]\n\nFrom a git push to running software.");
	help_print_verbs(verbs, stdout);
	puts("\n`cd COMMAND --help` tells more about one.");
}

static void print_reference(void)
{
	puts("# Commands\n\nThis page is what `cd help --markdown` prints. `cd COMMAND --help` prints the same for one command.\n"
	     "Exit codes are in [exit-codes.md](exit-codes.md).");
	for (const struct verb *v = verbs; v->name; v++)
		(void)v->run(2, (char *[]){ (char *)v->name, (char *)HELP_AS_MARKDOWN, NULL });
}

/* `cd help app sync`: asks the command itself. */
static int help_about(const struct opt_list *args)
{
	const struct verb *v = verb_find(verbs, args->v[0]);
	char *argv[8] = { 0 };
	size_t n = 0;

	if (!v) {
		fprintf(stderr, "cd help: there is no command '%s'\n", args->v[0]);
		return EXIT_USAGE;
	}
	for (; n < args->n && n < 6; n++)
		argv[n] = (char *)args->v[n];
	argv[n] = (char *)"--help";
	return v->run((int)n + 1, argv);
}

static const struct usage usage = {
	"help", "[COMMAND]", "Lists the commands, or tells about one.",
	"  cd help\n"
	"  cd help get"
};

int cmd_help(int argc, char **argv)
{
	bool markdown = false;
	struct opt_list args = { 0 };
	const struct opt opts[] = { { "markdown", 0, OPT_FLAG, &markdown, NULL, "all commands, as docs/reference/cli.md has them" }, { 0 } };
	int r = cli_options(&usage, opts, argc, argv, &args);

	if (r < 0 && args.n)
		r = help_about(&args);
	else if (r < 0 && markdown)
		print_reference();
	else if (r < 0)
		print_overview();
	vec_free(&args);
	return r < 0 ? EXIT_OK : r;
}

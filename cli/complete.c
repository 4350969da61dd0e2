/* cli/complete.c - words for the completion of shells: a line each, with what it is behind a tab; ":files" and ":dirs" ask the
 * shell itself. Names of resources come from the server. */
#include "cli/cluster.h"
#include "cli/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_S 3    /* who pressed a key does not wait longer for a server */

static const struct opt *find_option(const struct opt *table, const char *word)
{
	for (; table && table->name; table++) {
		if (word[0] == '-' && word[1] == '-' && str_eq(word + 2, table->name))
			return table;
		if (word[0] == '-' && table->short_name && word[1] == table->short_name && !word[2])
			return table;
	}
	return NULL;
}

static void print_choices(const char *choices)
{
	struct sv rest = sv_c(choices), one;

	for (bool more = true; more;) {
		more = sv_cut(rest, '|', &one, &rest);
		printf(SV_FMT "\n", SV_ARG(one));
	}
}

static void print_kinds(void)
{
	struct kinds *kinds = kinds_new();

	for (size_t i = 0; i < kinds_n(kinds); i++)
		printf("%s\t%s\n", kinds_at(kinds, i)->plural, kinds_at(kinds, i)->kind);
	kinds_free(&kinds);
}

/* ---- names that live in the cluster ---- */

static int list_names(struct cluster *c, void *arg, struct err *err)
{
	const struct kind *k = client_kind_named(c->client, arg, err);
	struct object_list found = { 0 };

	if (!k)
		return -(int)err->code;
	const struct list_opts o = { .ns = resource_ns(c, k) };
	TRY(client_list(c->client, k, &o, &found, err));
	for (size_t i = 0; i < found.n; i++)
		printf("%s\n", found.v[i]->name);
	object_list_free(&found);
	return EXIT_OK;
}

static const char *option_value(const struct opt *table, const char *option)
{
	const struct opt *o = find_option(table, option);

	return o && o->type == OPT_STR ? *(const char **)o->to : NULL;
}

/* The command's own table has taken the options that were typed already: -n, --context. */
static void print_names(const struct opt *table, const char *type)
{
	const struct cluster_opts o = { .kubeconfig = option_value(table, "--kubeconfig"), .context = option_value(table, "--context"),
					.ns = option_value(table, "--namespace"), .all = str_eq(type, "applications") };

	alarm(PATIENCE_S);
	(void)cluster_run("complete", &o, list_names, (void *)type);
}

/* What the words before the unfinished one name, when names come next: "pods" of `get pods`. */
static const char *named_type(const struct usage *u, const struct opt_list *args)
{
	struct sv synopsis = sv_c(u->synopsis);

	if (sv_starts(synopsis, SV("TYPE")))
		return args->n && !strchr(args->v[0], '/') ? args->v[0] : NULL;
	if (sv_starts(synopsis, SV("POD")) && !args->n)
		return "pods";
	return sv_starts(sv_c(u->name), SV("app ")) && strstr(u->synopsis, "NAME") && !args->n ? "applications" : NULL;
}

static bool complete_name(const struct usage *u, const struct opt *table, int n, char **words)
{
	struct opt_list args = { 0 };
	char *argv[64] = { (char *)u->name };
	const char *type = NULL;

	if (!table || n < 1 || n > 60)
		return false;
	memcpy(argv + 1, words, (size_t)(n - 1) * sizeof *words);
	if (opt_parse(table, n, argv, &args, NULL) == 0)
		type = named_type(u, &args);
	if (type)
		print_names(table, type);
	vec_free(&args);
	return type != NULL;
}

/* ---- anything ---- */

/* By the word that a help text uses for an argument. */
static const struct { const char *word; void (*print)(void); const char *text; } arguments[] = {
	{ "TYPE", print_kinds, NULL }, { "FILE", NULL, ":files" }, { "DIR", NULL, ":dirs" }, { "PATH", NULL, ":files" },
	{ "CHART", NULL, ":files" }, { "PACKAGE", NULL, ":files" },
	{ "SHELL", NULL, "bash\nzsh\nfish" },
};

static void print_argument(const char *synopsis)
{
	for (size_t i = 0; synopsis && i < sizeof arguments / sizeof *arguments; i++) {
		if (!strstr(synopsis, arguments[i].word))
			continue;
		if (arguments[i].print)
			arguments[i].print();
		else
			puts(arguments[i].text);
		return;
	}
}

void complete_words(const struct usage *u, const struct opt *table, int n, char **words)
{
	const char *word = n ? words[n - 1] : "", *before = n > 1 ? words[n - 2] : "";
	const struct opt *o = find_option(table, before);

	if (o && o->type != OPT_FLAG) {
		if (o->arg && strchr(o->arg, '|'))
			print_choices(o->arg);
		else
			print_argument(o->arg);
		return;
	}
	if (*word != '-') {
		if (!complete_name(u, table, n, words))
			print_argument(u->synopsis);
		return;
	}
	for (; table && table->name; table++)
		printf("--%s\t%s\n", table->name, table->help);
	printf("--help\ttell about this command\n");
}

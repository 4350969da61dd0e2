#include "cli/print.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define GAP 3

bool print_is_colored(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && isatty(STDOUT_FILENO) && !(term && str_eq(term, "dumb"));
}

static const struct { const char *word, *color; } words[] = {
	{ "Running", "32" }, { "Healthy", "32" }, { "Synced", "32" }, { "Ready", "32" }, { "Active", "32" }, { "Bound", "32" },
	{ "Succeeded", "32" }, { "Completed", "32" }, { "True", "32" }, { "Normal", "32" },
	{ "Pending", "33" }, { "Progressing", "33" }, { "OutOfSync", "33" }, { "ContainerCreating", "33" }, { "Terminating", "33" },
	{ "Suspended", "33" }, { "Missing", "33" }, { "Unknown", "33" }, { "PodInitializing", "33" }, { "NotReady", "33" },
	{ "Paused", "33" },
	{ "Failed", "31" }, { "Degraded", "31" }, { "Error", "31" }, { "CrashLoopBackOff", "31" }, { "ImagePullBackOff", "31" },
	{ "ErrImagePull", "31" }, { "ErrImageNeverPull", "31" }, { "OOMKilled", "31" }, { "Evicted", "31" }, { "Warning", "31" },
	{ "CreateContainerConfigError", "31" }, { "CreateContainerError", "31" }, { "RunContainerError", "31" },
};

static const char *color_of(const char *cell)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_eq(cell, words[i].word))
			return words[i].color;
	return NULL;
}

/* Characters, not bytes: continuation bytes of UTF-8 take no room. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_add(struct table *t, const char *cell)
{
	char *copy = sv_dup(sv_c(cell ? cell : ""));

	for (char *c = copy; *c; c++)           /* a cell is one line, and says nothing to the terminal */
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	vec_push(t, copy);
}

void table_addf(struct table *t, const char *fmt, ...)
{
	AUTO(str) s = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	table_add(t, str_c(&s));
}

static void measure(const struct table *t, struct widths *w)
{
	while (w->n < t->columns)
		vec_push(w, 0);
	for (size_t i = 0; i < t->n; i++) {
		size_t n = width_of(t->v[i]);

		if (n > w->v[i % t->columns])
			w->v[i % t->columns] = n;
	}
}

static void print_cell(const char *cell, size_t pad, FILE *to)
{
	const char *color = to == stdout && print_is_colored() ? color_of(cell) : NULL;

	if (color)
		fprintf(to, "\033[%sm%s\033[0m%*s", color, cell, (int)pad, "");
	else
		fprintf(to, "%s%*s", cell, (int)pad, "");
}

void table_print(const struct table *t, struct widths *widths, FILE *to)
{
	struct widths own = { 0 }, *w = widths ? widths : &own;

	measure(t, w);
	for (size_t i = 0; i < t->n; i++) {
		bool last = i % t->columns == t->columns - 1;

		print_cell(t->v[i], last ? 0 : w->v[i % t->columns] - width_of(t->v[i]) + GAP, to);
		if (last)
			fputc('\n', to);
	}
	vec_free(&own);
}

void table_clear(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i]);
	t->n = 0;
}

void table_free(struct table *t)
{
	table_clear(t);
	vec_free(t);
}

/* cli/template.c - output as its reader wants it: JSON path templates and columns of one's own, with kubectl's syntax. */
#include "cli/print.h"

#include "base/json.h"
#include "kube/jsonpath.h"

#define NESTING_MAX 16

struct template { const struct node *root; struct str *out; struct err *err; int depth, result; };

/* ---- {.path}, {"text"}, {range .path} ... {end} ---- */

struct values { struct str *out; size_t n; };

static void add_value(void *arg, const struct node *n)
{
	struct values *v = arg;

	if (v->n++)
		str_add1(v->out, ' ');
	if (n->type == NODE_SEQ || n->type == NODE_MAP)
		json_write(v->out, n, 0);
	else
		str_add(v->out, node_sv(n));
}

/* `$` is the whole object, `@` (or nothing) what a range stands at. */
static struct sv path_from(const struct template *t, struct sv path, const struct node **from)
{
	if (sv_starts(path, SV("$")))
		*from = t->root;
	return path.n && (*path.p == '$' || *path.p == '@') ? sv_drop(path, 1) : path;
}

static void add_literal(struct str *out, struct sv text)
{
	for (size_t i = 0; i < text.n; i++) {
		char next = i + 1 < text.n ? text.p[i + 1] : '\0';

		if (text.p[i] != '\\' || !next) {
			str_add1(out, text.p[i]);
			continue;
		}
		str_add1(out, next == 'n' ? '\n' : next == 't' ? '\t' : next == 'r' ? '\r' : next);
		i++;
	}
}

static int check_path(struct sv path, struct err *err)
{
	char *copy = sv_dup(path);
	int r = jsonpath_check(copy, err);

	free(copy);
	return r;
}

/* The text between braces, which may hold braces in quotes. */
static bool cut_braces(struct sv *rest, struct sv *inside)
{
	char quote = '\0';

	for (size_t i = 1; i < rest->n; i++) {
		char c = rest->p[i];

		if (quote && c == '\\')
			i++;
		else if (quote)
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '}') {
			*inside = sv_trim((struct sv){ rest->p + 1, i - 1 });
			*rest = sv_drop(*rest, i + 1);
			return true;
		}
	}
	return false;
}

static int run(struct template *t, struct sv *rest, const struct node *at, bool in_range);

struct turn { struct template *t; struct sv body; };

static void run_turn(void *arg, const struct node *n)
{
	struct turn *turn = arg;
	struct sv body = turn->body;

	if (turn->t->result >= 0)
		turn->t->result = run(turn->t, &body, n, true);
}

static int run_range(struct template *t, struct sv path, struct sv *rest, const struct node *at)
{
	struct turn turn = { t, *rest };
	AUTO(str) nowhere = { 0 };
	struct str *out = t->out;
	const struct node *from = at;

	path = path_from(t, path, &from);
	TRY(check_path(path, t->err));
	if (++t->depth > NESTING_MAX)
		return err_set(t->err, ERR_BAD_REQUEST, "jsonpath: ranges are nested too deeply");
	jsonpath_each(from, path, run_turn, &turn);
	t->out = &nowhere;              /* once more, to find the end */
	int r = t->result < 0 ? t->result : run(t, rest, NULL, true);
	t->out = out;
	t->depth--;
	return r;
}

static int run_path(struct template *t, struct sv path, const struct node *at)
{
	struct values v = { .out = t->out };

	path = path_from(t, path, &at);
	TRY(check_path(path, t->err));
	jsonpath_each(at, path, add_value, &v);
	return 0;
}

static int run(struct template *t, struct sv *rest, const struct node *at, bool in_range)
{
	while (rest->n) {
		struct sv inside;

		if (*rest->p != '{') {
			str_add1(t->out, *rest->p);
			*rest = sv_drop(*rest, 1);
			continue;
		}
		if (!cut_braces(rest, &inside))
			return err_set(t->err, ERR_BAD_REQUEST, "jsonpath: a brace is not closed");
		if (sv_eq_c(inside, "end"))
			return in_range ? 0 : err_set(t->err, ERR_BAD_REQUEST, "jsonpath: {end} without {range}");
		if (sv_starts(inside, SV("range ")))
			TRY(run_range(t, sv_trim(sv_drop(inside, 6)), rest, at));
		else if (inside.n > 1 && (*inside.p == '"' || *inside.p == '\''))
			add_literal(t->out, (struct sv){ inside.p + 1, inside.n - 2 });
		else
			TRY(run_path(t, inside, at));
	}
	return in_range ? err_set(t->err, ERR_BAD_REQUEST, "jsonpath: {range} without {end}") : 0;
}

int template_write(const char *output, const struct node *root, struct str *out, struct err *err)
{
	struct template t = { .root = root, .out = out, .err = err };
	struct sv rest = sv_drop(sv_c(output), strlen("jsonpath="));

	if (rest.n && !memchr(rest.p, '{', rest.n)) {   /* a bare path is one expression */
		TRY(run_path(&t, rest, root));
		return 0;
	}
	return run(&t, &rest, root, false);
}

/* ---- NAME:.path,... ---- */

int template_columns(const char *output, const struct node *root, struct table *t, struct err *err)
{
	struct sv rest = sv_drop(sv_c(output), strlen("custom-columns=")), one, name, path;
	size_t n = 0;

	for (bool more = true; more; n++) {
		AUTO(str) cell = { 0 };

		more = sv_cut(rest, ',', &one, &rest);
		if (!sv_cut(one, ':', &name, &path) || !name.n || !path.n)
			return err_set(err, ERR_BAD_REQUEST, "custom-columns: want NAME:.PATH,..., got '" SV_FMT "'", SV_ARG(one));
		TRY(check_path(path, err));
		char *copy = sv_dup(path);
		if (!root)
			str_add(&cell, name);
		else if (!jsonpath_text(root, copy, &cell))
			str_addc(&cell, "<none>");
		free(copy);
		table_add(t, str_c(&cell));
	}
	t->columns = n;
	return 0;
}

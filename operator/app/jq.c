#include "operator/app/jq.h"

#include <ctype.h>
#include <jq.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/vec.h"

enum { EXPRESSION_MAX = 4096, PATHS_MAX = 10000 };

/* ---- what is taken of the language ---- */

static const char *const words[] = {
	"all",	 "and",	  "any",	"ascii_downcase", "ascii_upcase", "contains", "elif",	  "else",
	"empty", "end",	  "endswith",	"false",	  "first",	  "getpath",  "has",	  "if",
	"in",	 "index", "inside",	"keys",		  "last",	  "length",   "ltrimstr", "map_values",
	"not",	 "null",  "or",		"path",		  "recurse",	  "rtrimstr", "select",	  "startswith",
	"test",	 "then",  "to_entries", "tonumber",	  "tostring",	  "true",     "type",
};

static bool is_known(struct sv word)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (sv_eq_c(word, words[i]))
			return true;
	return false;
}

static int refused(const char *expression, struct sv what, struct err *err)
{
	return err_set(err, ERR_INVALID, "jq path expression '%s': " SV_FMT " is not offered here", expression,
		       SV_ARG(what));
}

/* Behind a text; NULL: it has no end, or an expression in it. */
static const char *text_end(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && (*++p == '(' || !*p))
			return NULL;
	return *p ? p + 1 : NULL;
}

/* A word that is no field: a function or a keyword. recurse(f) may never end. */
static int check_word(const char *expression, const char **p, struct err *err)
{
	const char *start = *p;

	while (isalnum((unsigned char)**p) || **p == '_')
		++*p;
	struct sv word = { start, (size_t)(*p - start) };
	if (start > expression && start[-1] == '.')
		return 0;
	if (!is_known(word) || (sv_eq_c(word, "recurse") && **p == '('))
		return refused(expression, word, err);
	return 0;
}

int jq_check(const char *expression, struct err *err)
{
	const char *p = expression;

	if (strlen(expression) > EXPRESSION_MAX)
		return err_set(err, ERR_INVALID, "a jq path expression has more than %d bytes", EXPRESSION_MAX);
	while (*p) {
		if (*p == '"') {
			const char *end = text_end(p);

			if (!end)
				return refused(expression, SV("such a text"), err);
			p = end;
		} else if (isalpha((unsigned char)*p) || *p == '_') {
			TRY(check_word(expression, &p, err));
		} else if ((*p == '=' && p[1] != '=' && (p == expression || !strchr("=!<>", p[-1]))) ||
			   (*p == '/' && p[1] != '/' && (p == expression || p[-1] != '/')) ||
			   (*p == '|' && p[1] == '=')) {
			return refused(expression, (struct sv){ p, 1 }, err);
		} else if (!isdigit((unsigned char)*p) && !strchr(" \t\n.[]()|,?<>=!:/-", *p)) {
			return refused(expression, (struct sv){ p, 1 }, err);
		} else {
			p++;
		}
	}
	return 0;
}

/* ---- paths ---- */

static struct node *step(struct node *at, jv key)
{
	if (jv_get_kind(key) == JV_KIND_STRING)
		return node_getn(at, (struct sv){ jv_string_value(key), (size_t)jv_string_length_bytes(jv_copy(key)) });
	return jv_get_kind(key) == JV_KIND_NUMBER ? node_item(at, (size_t)jv_number_value(key)) : NULL;
}

static size_t length(jv path) { return (size_t)jv_array_length(jv_copy(path)); }

static void remove_last(struct node *at, jv key)
{
	if (jv_get_kind(key) == JV_KIND_STRING) {
		(void)node_deln(at, (struct sv){ jv_string_value(key), (size_t)jv_string_length_bytes(jv_copy(key)) });
	} else if (jv_get_kind(key) == JV_KIND_NUMBER && node_is(at, NODE_SEQ)) {
		double index = jv_number_value(key);

		if (index < 0)
			index += at->n;
		if (index >= 0 && index < at->n)
			node_remove(at, (size_t)index);
	}
}

static void remove_path(struct node *root, jv path)
{
	struct node *at = root;
	size_t n = length(path);

	for (size_t i = 0; i < n; i++) {
		jv key = jv_array_get(jv_copy(path), (int)i);

		if (i + 1 == n)
			remove_last(at, key);
		else
			at = step(at, key);
		jv_free(key);
	}
}

struct paths {
	jv *v;
	size_t n, cap;
};

static void paths_free(struct paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		jv_free(p->v[i]);
	vec_free(p);
}

/* In jq's order of values, a path comes before those below it, and items before later ones: from the end nothing moves.
 */
static int by_order(const void *a, const void *b) { return jv_cmp(jv_copy(*(const jv *)b), jv_copy(*(const jv *)a)); }

static void run(jq_state *jq, struct node *object)
{
	struct paths paths = { 0 };
	AUTO(str) text = { 0 };
	jv one;

	json_write(&text, object, 0);
	jv input = jv_parse_sized(str_c(&text), (int)text.n);
	if (!jv_is_valid(input)) {
		jv_free(input);
		return;
	}
	jq_start(jq, input, 0);
	while (jv_is_valid(one = jq_next(jq)) && paths.n < PATHS_MAX)
		vec_push(&paths, one);
	bool failed = jv_invalid_has_msg(one); /* consumes it */
	if (!failed && paths.n) {
		qsort(paths.v, paths.n, sizeof *paths.v, by_order);
		for (size_t i = 0; i < paths.n; i++)
			remove_path(object, paths.v[i]);
	}
	paths_free(&paths);
}

static void keep_message(void *arg, jv message)
{
	struct str *out = arg;
	jv text = jq_format_error(message);

	if (!out->n && jv_get_kind(text) == JV_KIND_STRING)
		str_addc(out, jv_string_value(text));
	jv_free(text);
}

int jq_remove(const char *expression, struct node *const *objects, size_t n, struct err *err)
{
	AUTO(str) program = { 0 }, message = { 0 };

	TRY(jq_check(expression, err));
	jq_state *jq = jq_init();
	if (!jq)
		return err_set(err, ERR_IO, "jq does not start");
	jq_set_error_cb(jq, keep_message, &message);
	str_addf(&program, "path(%s)", expression);
	bool compiled = jq_compile(jq, str_c(&program)) != 0;
	for (size_t i = 0; compiled && i < n; i++)
		if (objects[i])
			run(jq, objects[i]);
	jq_teardown(&jq);
	if (!compiled)
		return err_set(err, ERR_INVALID, "jq path expression '%s': %s", expression, str_c(&message));
	return 0;
}

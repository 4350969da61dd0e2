#include "render/chart/toml.h"

#include "base/utf8.h"
#include "base/vec.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#define DEPTH_MAX 100

/* How a table came to be: what may be added to it later depends on that. */
enum origin { BY_PATH = 1, BY_HEADER, BY_DOTS, FIXED };         /* FIXED: inline tables, and arrays that are values */

struct reader {
	struct doc *d;
	struct sv rest;
	uint32_t line;
	int depth;
	struct err *err;
};

struct path { struct sv *v; size_t n, cap; };           /* keys, in the document's arena */

static int failed(struct reader *r, const char *what) { return err_set(r->err, ERR_INVALID, "toml: line %u: %s", r->line, what); }

/* A table's origin is kept in its line, which nothing else here uses. */
static struct node *table_new(struct reader *r, enum origin origin)
{
	struct node *n = node_map(r->d);

	n->line = origin;
	return n;
}

/* ---- characters ---- */

static char peek(const struct reader *r) { return r->rest.n ? *r->rest.p : '\0'; }
static bool at(const struct reader *r, const char *text) { return sv_starts(r->rest, sv_c(text)); }

static void skip(struct reader *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r->line += r->rest.p[i] == '\n';
	r->rest = sv_drop(r->rest, n);
}

static bool take(struct reader *r, char c)
{
	if (!r->rest.n || *r->rest.p != c)
		return false;
	skip(r, 1);
	return true;
}

static void skip_blanks(struct reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t')
		skip(r, 1);
}

static int skip_comment(struct reader *r)
{
	if (peek(r) != '#')
		return 0;
	for (; r->rest.n && *r->rest.p != '\n'; skip(r, 1))
		if (((unsigned char)*r->rest.p < 0x20 && *r->rest.p != '\t' && *r->rest.p != '\r') || *r->rest.p == 0x7f)
			return failed(r, "a comment holds a control character");
	return 0;
}

/* Blanks, line ends and comments. */
static int skip_space(struct reader *r)
{
	for (;;) {
		skip_blanks(r);
		TRY(skip_comment(r));
		if (at(r, "\r\n"))
			skip(r, 2);
		else if (!take(r, '\n'))
			return 0;
	}
}

/* After a value or a header: nothing more on the line. */
static int end_line(struct reader *r)
{
	skip_blanks(r);
	TRY(skip_comment(r));
	if (!r->rest.n || take(r, '\n'))
		return 0;
	if (at(r, "\r\n")) {
		skip(r, 2);
		return 0;
	}
	return failed(r, "want the end of the line");
}

/* ---- strings ---- */

static int unicode(struct reader *r, size_t digits, struct str *out)
{
	char hex[9] = "";

	for (size_t i = 0; i < digits; i++) {
		if (!isxdigit((unsigned char)peek(r)))
			return failed(r, "want a hexadecimal digit");
		hex[i] = peek(r);
		skip(r, 1);
	}
	unsigned long c = strtoul(hex, NULL, 16);
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return failed(r, "an escape is no character");
	utf8_add(out, (uint32_t)c);
	return 0;
}

/* After a backslash. In text of several lines one at the end of a line takes all white space that follows. */
static int escape(struct reader *r, bool lines, struct str *out)
{
	static const char letters[] = "btnfre\"\\", values[] = "\b\t\n\f\r\x1b\"\\";
	char c = peek(r);
	const char *known = c ? strchr(letters, c) : NULL;
	struct reader blank = *r;

	if (known) {
		skip(r, 1);
		str_add1(out, values[known - letters]);
		return 0;
	}
	if (c == 'u' || c == 'U') {
		skip(r, 1);
		return unicode(r, c == 'u' ? 4 : 8, out);
	}
	skip_blanks(&blank);
	if (!lines || (peek(&blank) != '\n' && !at(&blank, "\r\n")))
		return failed(r, "an escape that there is not");
	while (r->rest.n && strchr(" \t\r\n", peek(r)))
		skip(r, 1);
	return 0;
}

/* Up to its closing quotes, of which two may belong to a text of several lines. */
static int string(struct reader *r, struct str *out)
{
	char quote = peek(r);
	const char *three = quote == '"' ? "\"\"\"" : "'''";
	bool lines = at(r, three);

	skip(r, lines ? 3 : 1);
	if (lines)
		skip(r, at(r, "\r\n") ? 2 : peek(r) == '\n');
	while (r->rest.n) {
		char c = peek(r);

		if (c == quote && (!lines || at(r, three))) {
			skip(r, lines ? 3 : 1);
			for (int extra = 0; lines && extra < 2 && take(r, quote); extra++)
				str_add1(out, quote);
			return 0;
		}
		if ((c == '\n' && !lines) || ((unsigned char)c < 0x20 && !strchr("\t\r\n", c)) || c == 0x7f)
			return failed(r, "a string holds a control character");
		skip(r, 1);
		if (c == '\\' && quote == '"')
			TRY(escape(r, lines, out));
		else
			str_add1(out, c);
	}
	return failed(r, "a string has no end");
}

/* ---- keys ---- */

static int key(struct reader *r, struct path *out)
{
	AUTO(str) text = { 0 };

	if (peek(r) == '"' || peek(r) == '\'') {
		if (at(r, "\"\"\"") || at(r, "'''"))
			return failed(r, "a key is no text of several lines");
		TRY(string(r, &text));
	} else {
		for (; isalnum((unsigned char)peek(r)) || peek(r) == '_' || peek(r) == '-'; skip(r, 1))
			str_add1(&text, peek(r));
		if (!text.n)
			return failed(r, "want a key");
	}
	vec_push(out, ((struct sv){ doc_text(r->d, str_sv(&text)), text.n }));
	return 0;
}

static int dotted_key(struct reader *r, struct path *out)
{
	do {
		skip_blanks(r);
		TRY(key(r, out));
		skip_blanks(r);
	} while (take(r, '.'));
	return 0;
}

/* ---- values ---- */

static int value(struct reader *r, struct node **out);
static int pair(struct reader *r, struct node *table);

static int array(struct reader *r, struct node **out)
{
	*out = node_seq(r->d);
	(*out)->line = FIXED;
	skip(r, 1);
	for (;;) {
		struct node *item;

		TRY(skip_space(r));
		if (take(r, ']'))
			return 0;
		TRY(value(r, &item));
		node_add(r->d, *out, item);
		TRY(skip_space(r));
		if (!take(r, ',') && peek(r) != ']')
			return failed(r, "want ',' or ']' in an array");
	}
}

static int inline_table(struct reader *r, struct node **out)
{
	*out = table_new(r, BY_DOTS);
	skip(r, 1);
	skip_blanks(r);
	while (peek(r) != '}') {
		TRY(pair(r, *out));
		skip_blanks(r);
		if (!take(r, ','))
			break;
		skip_blanks(r);
		if (peek(r) == '}')
			return failed(r, "an inline table ends in a comma");
	}
	(*out)->line = FIXED;
	return take(r, '}') ? 0 : failed(r, "want '}'");
}

static bool all_digits(struct sv s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (i >= s.n || !isdigit((unsigned char)s.p[i]))
			return false;
	return true;
}

static bool is_date(struct sv s) { return all_digits(s, 4) && s.n >= 10 && s.p[4] == '-' && s.p[7] == '-'; }
static bool is_time(struct sv s) { return all_digits(s, 2) && s.n >= 5 && s.p[2] == ':'; }

/* As a time.Time is written; what has no zone, no time or no date gets Go's zeros. */
static int timestamp(struct reader *r, struct sv s, struct node **out)
{
	AUTO(str) text = { 0 };
	struct sv clock = is_date(s) ? sv_drop(s, 10) : s;

	str_add(&text, is_date(s) ? (struct sv){ s.p, 10 } : SV("0000-01-01"));
	if (is_date(s) && clock.n)
		clock = sv_drop(clock, 1);
	if (clock.n && (!is_time(clock) || clock.n < 8 || !all_digits(sv_drop(clock, 6), 2)))
		return failed(r, "a time that there is not");
	str_add1(&text, 'T');
	str_add(&text, clock.n ? clock : SV("00:00:00"));
	bool zone = false;
	for (size_t i = 0; i < clock.n; i++)
		zone = zone || strchr("Zz+-", clock.p[i]);
	if (!zone)
		str_add1(&text, 'Z');
	*out = node_strn(r->d, str_sv(&text));
	return 0;
}

/* Digits with single underscores between them, which `out` has not; false: not so. */
static bool clean_digits(struct sv s, struct str *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '_')
			str_add1(out, s.p[i]);
		else if (!i || i + 1 == s.n || !isxdigit((unsigned char)s.p[i - 1]) || !isxdigit((unsigned char)s.p[i + 1]))
			return false;
	}
	return true;
}

static int number(struct reader *r, struct sv s, struct node **out)
{
	static const struct { const char *prefix; int base; } bases[] = { { "0x", 16 }, { "0o", 8 }, { "0b", 2 } };
	AUTO(str) digits = { 0 };
	int base = 10;
	char *end;

	for (size_t i = 0; i < 3; i++)
		if (sv_starts(s, sv_c(bases[i].prefix))) {
			base = bases[i].base;
			s = sv_drop(s, 2);
		}
	if (!clean_digits(s, &digits))
		return failed(r, "a value that there is not");
	const char *p = str_c(&digits), *first = p + (base == 10 && (*p == '-' || *p == '+'));
	if (!isxdigit((unsigned char)*first) || (base == 10 && (!isdigit((unsigned char)*first) || (first[0] == '0' && isdigit((unsigned char)first[1])))))
		return failed(r, "a value that there is not");
	if (base == 10 && strpbrk(p, ".eE")) {
		const char *dot = strchr(p, '.');
		double v = strtod(p, &end);

		if (*end || (dot && (!isdigit((unsigned char)dot[-1]) || !isdigit((unsigned char)dot[1]))) || strpbrk(p, "xX"))
			return failed(r, "a value that there is not");
		*out = node_float(r->d, v);
		return 0;
	}
	errno = 0;
	int64_t v = strtoll(p, &end, base);
	if (*end || errno)
		return failed(r, errno ? "a number that is too large" : "a value that there is not");
	*out = node_int(r->d, v);
	(*out)->flags |= NODE_TYPED;
	return 0;
}

static int plain(struct reader *r, struct node **out)
{
	size_t n = 0;

	while (n < r->rest.n && (isalnum((unsigned char)r->rest.p[n]) || strchr("+-_.:", r->rest.p[n])))
		n++;
	if (n == 10 && is_date(r->rest) && n + 2 < r->rest.n && r->rest.p[n] == ' ' && all_digits(sv_drop(r->rest, n + 1), 2))
		for (n++; n < r->rest.n && (isalnum((unsigned char)r->rest.p[n]) || strchr("+-.:", r->rest.p[n]));)
			n++;                    /* a blank stands between date and time */
	struct sv s = { r->rest.p, n };
	skip(r, n);
	if (sv_eq_c(s, "true") || sv_eq_c(s, "false")) {
		*out = node_bool(r->d, sv_eq_c(s, "true"));
		return 0;
	}
	return is_date(s) || is_time(s) ? timestamp(r, s, out) : number(r, s, out);
}

static int value(struct reader *r, struct node **out)
{
	AUTO(str) text = { 0 };
	int code;

	if (++r->depth > DEPTH_MAX)
		return failed(r, "nested too deeply");
	if (peek(r) == '"' || peek(r) == '\'') {
		code = string(r, &text);
		*out = node_strn(r->d, str_sv(&text));
	} else if (peek(r) == '[') {
		code = array(r, out);
	} else if (peek(r) == '{') {
		code = inline_table(r, out);
	} else {
		code = plain(r, out);
	}
	r->depth--;
	return code;
}

/* ---- tables ---- */

/* The table under a key, made when there is none; of an array of tables the last one. */
static int enter(struct reader *r, struct node **table, struct sv name, enum origin origin)
{
	struct node *next = node_getn(*table, name);

	if (!next) {
		next = table_new(r, origin);
		node_setn(r->d, *table, name, next);
	} else if (node_is(next, NODE_SEQ) && next->line != FIXED && origin == BY_PATH) {
		next = next->items[next->n - 1];
	}
	if (!node_is(next, NODE_MAP) || next->line == FIXED || (origin == BY_DOTS && next->line == BY_HEADER))
		return failed(r, "a key is defined twice");
	*table = next;
	return 0;
}

/* key = value */
static int pair(struct reader *r, struct node *table)
{
	struct path path = { 0 };
	struct node *v;
	int code = dotted_key(r, &path);

	for (size_t i = 0; code >= 0 && i + 1 < path.n; i++)
		code = enter(r, &table, path.v[i], BY_DOTS);
	if (code >= 0 && !take(r, '='))
		code = failed(r, "want '=' after a key");
	skip_blanks(r);
	if (code >= 0)
		code = value(r, &v);
	if (code >= 0 && node_getn(table, path.v[path.n - 1]))
		code = failed(r, "a key is defined twice");
	if (code >= 0)
		node_setn(r->d, table, path.v[path.n - 1], v);
	vec_free(&path);
	return code;
}

static int open_table(struct reader *r, struct node *table, struct sv name, struct node **out)
{
	TRY(enter(r, &table, name, BY_PATH));
	if (table->line != BY_PATH)
		return failed(r, "a table is defined twice");
	table->line = BY_HEADER;
	*out = table;
	return 0;
}

static int open_item(struct reader *r, struct node *table, struct sv name, struct node **out)
{
	struct node *list = node_getn(table, name);

	if (!list) {
		list = node_seq(r->d);
		node_setn(r->d, table, name, list);
	}
	if (!node_is(list, NODE_SEQ) || list->line == FIXED)
		return failed(r, "a key is defined twice");
	*out = table_new(r, BY_HEADER);
	node_add(r->d, list, *out);
	return 0;
}

/* [a.b] or [[a.b]]: the table that what follows belongs to. */
static int header(struct reader *r, struct node *root, struct node **out)
{
	struct path path = { 0 };
	struct node *table = root;

	skip(r, 1);
	bool item = take(r, '[');
	int code = dotted_key(r, &path);
	for (size_t i = 0; code >= 0 && i + 1 < path.n; i++)
		code = enter(r, &table, path.v[i], BY_PATH);
	if (code >= 0)
		code = (item ? open_item : open_table)(r, table, path.v[path.n - 1], out);
	if (code >= 0 && (!take(r, ']') || (item && !take(r, ']'))))
		code = failed(r, "want ']' after the name of a table");
	vec_free(&path);
	return code;
}

static int document(struct reader *r, struct node *root)
{
	struct node *table = root;

	for (;;) {
		TRY(skip_space(r));
		if (!r->rest.n)
			return 0;
		TRY(peek(r) == '[' ? header(r, root, &table) : pair(r, table));
		TRY(end_line(r));
	}
}

static void clear_lines(struct node *n)
{
	struct member *m;
	struct node *it;

	n->line = 0;
	node_each(it, n)
		clear_lines(it);
	node_members(m, n)
		clear_lines(m->value);
}

int toml_read(struct sv text, struct doc **out, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct reader r = { .d = d, .rest = text, .line = 1, .err = err };

	if (!utf8_valid(text))
		return failed(&r, "the text is not UTF-8");
	struct node *root = table_new(&r, BY_HEADER);
	TRY(document(&r, root));
	clear_lines(root);
	doc_set_root(d, root);
	*out = TAKE(d);
	return 0;
}

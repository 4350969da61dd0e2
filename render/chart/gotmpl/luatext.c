#include "render/chart/gotmpl/luatext.h"

#include "base/vec.h"

/* A piece of a template: text, or what stands between the marks. */
enum piece_type { TEXT, EXPRESSION, STATEMENT };
struct piece { enum piece_type type; struct sv text; bool trim_before, trim_after; uint32_t line; };

/* Reads pieces; line is where the next one begins. */
struct reader { struct sv rest; uint32_t line; };

static const char *find_open(struct sv text) { return text.n ? memmem(text.p, text.n, "{{", 2) : NULL; }

bool lua_text_is(struct sv text)
{
	const char *at = find_open(text);

	return at && at + 2 < text.p + text.n && (at[2] == '=' || at[2] == '%');
}

static uint32_t lines_in(struct sv s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

/* How many bytes a string of Lua has that begins here; 0: none begins. */
static size_t string_length(struct sv s)
{
	size_t i = 1;

	if (sv_starts(s, SV("[["))) {
		const char *end = memmem(s.p, s.n, "]]", 2);

		return end ? (size_t)(end + 2 - s.p) : s.n;
	}
	if (!s.n || (s.p[0] != '"' && s.p[0] != '\''))
		return 0;
	while (i < s.n && s.p[i] != s.p[0])
		i += s.p[i] == '\\' ? 2 : 1;
	return i < s.n ? i + 1 : s.n;
}

/* Where the expression ends: at `}}` outside of strings and tables. */
static size_t expression_end(struct sv s)
{
	int depth = 0;

	for (size_t i = 0; i < s.n;) {
		size_t n = string_length(sv_drop(s, i));

		if (n) {
			i += n;
			continue;
		}
		if (!depth && sv_starts(sv_drop(s, i), SV("}}")))
			return i;
		depth += s.p[i] == '{' ? 1 : s.p[i] == '}' && depth ? -1 : 0;
		i++;
	}
	return s.n;
}

static size_t statement_end(struct sv s)
{
	const char *at = s.n ? memmem(s.p, s.n, "%}}", 3) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static struct sv trimmed(struct sv s, bool start, bool end)
{
	while (start && s.n && is_space(s.p[0]))
		s = sv_drop(s, 1);
	while (end && s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* `- ` at the start, ` -` (or `-` before %}}) at the end. */
static void take_trims(struct piece *p)
{
	if (p->text.n > 1 && p->text.p[0] == '-' && is_space(p->text.p[1])) {
		p->trim_before = true;
		p->text = sv_drop(p->text, 1);
	}
	if (p->text.n > 1 && p->text.p[p->text.n - 1] == '-' && is_space(p->text.p[p->text.n - 2])) {
		p->trim_after = true;
		p->text.n--;
	}
}

/* The next piece; false at the end. *closed: whether its mark was. */
static bool next(struct reader *r, struct piece *out, bool *closed)
{
	const char *open = find_open(r->rest);
	size_t n, mark;

	*closed = true;
	if (!r->rest.n)
		return false;
	*out = (struct piece){ .type = TEXT, .line = r->line };
	if (open == r->rest.p && r->rest.n > 2 && (open[2] == '=' || open[2] == '%')) {
		struct sv inside = sv_drop(r->rest, 3);

		out->type = open[2] == '=' ? EXPRESSION : STATEMENT;
		mark = out->type == EXPRESSION ? 2 : 3;
		n = out->type == EXPRESSION ? expression_end(inside) : statement_end(inside);
		*closed = n < inside.n;
		out->text = (struct sv){ inside.p, n };
		take_trims(out);
		n = *closed ? 3 + n + mark : r->rest.n;
	} else {                        /* `{{` with anything else is text */
		const char *from = open == r->rest.p ? find_open(sv_drop(r->rest, 2)) : open;

		while (from && from + 2 < r->rest.p + r->rest.n && from[2] != '=' && from[2] != '%')
			from = find_open(sv_drop(r->rest, (size_t)(from + 2 - r->rest.p)));
		n = from ? (size_t)(from - r->rest.p) : r->rest.n;
		out->text = (struct sv){ r->rest.p, n };
	}
	r->line += lines_in((struct sv){ r->rest.p, n });
	r->rest = sv_drop(r->rest, n);
	return true;
}

/* ---- definitions ---- */

/* The name in `define "name"`; empty: it is no definition. */
static struct sv defined_name(const struct piece *p)
{
	struct sv s = sv_trim(p->text), name, rest;

	if (p->type != STATEMENT || !sv_starts(s, SV("define")))
		return (struct sv){ "", 0 };
	s = sv_trim(sv_drop(s, 6));
	if (!sv_starts(s, SV("\"")) || !sv_cut(sv_drop(s, 1), '"', &name, &rest) || sv_trim(rest).n)
		return (struct sv){ "", 0 };
	return name;
}

static bool ends_definition(const struct piece *p) { return p->type == STATEMENT && sv_eq_c(sv_trim(p->text), "enddefine"); }

static void put(struct tmpl_set *s, struct sv name, const char *file, const char *text, struct sv body, uint32_t line)
{
	struct tmpl_def *def = doc_alloc(s->arena, sizeof *def);

	*def = (struct tmpl_def){ .name = doc_text(s->arena, name), .file = file, .text = text, .lua = body, .line = line };
	(void)map_put(&s->defs, name, def);
}

static int add_definition(struct tmpl_set *s, struct reader *r, const struct piece *define, const char *file, const char *text,
			  struct err *err)
{
	const char *from = r->rest.p;
	struct sv name = defined_name(define);
	uint32_t line = r->line;
	struct piece p;
	bool closed;

	for (const char *before = from; next(r, &p, &closed); before = r->rest.p) {
		if (!closed)
			return err_set(err, ERR_INVALID, "%s:%u: this mark is not closed", file, p.line);
		if (defined_name(&p).n)
			return err_set(err, ERR_INVALID, "%s:%u: a definition inside of another one", file, p.line);
		if (!ends_definition(&p))
			continue;
		struct sv body = { from, (size_t)(before - from) };
		struct sv cut = trimmed(body, define->trim_after, p.trim_before);
		put(s, name, file, text, cut, line + lines_in((struct sv){ from, (size_t)(cut.p - from) }));
		return 0;
	}
	return err_set(err, ERR_INVALID, "%s:%u: define \"" SV_FMT "\" has no enddefine", file, line, SV_ARG(name));
}

int lua_text_add(struct tmpl_set *s, const char *name, struct sv text, struct err *err)
{
	const char *file = doc_text(s->arena, sv_c(name)), *copy = doc_text(s->arena, text);
	struct reader r = { { copy, text.n }, 1 };
	struct piece p;
	bool closed;

	while (next(&r, &p, &closed)) {
		struct sv defined = defined_name(&p);

		if (!closed)
			return err_set(err, ERR_INVALID, "%s:%u: this mark is not closed", name, p.line);
		if (ends_definition(&p))
			return err_set(err, ERR_INVALID, "%s:%u: enddefine without define", name, p.line);
		if (defined.n)
			TRY(add_definition(s, &r, &p, file, copy, err));
	}
	put(s, sv_c(name), file, copy, (struct sv){ copy, text.n }, 1);
	return 0;
}

/* ---- Lua ---- */

struct writer { struct tmpl_code *out; const char *file; uint32_t line; };

static void place(struct writer *w, struct sv source)
{
	vec_push(&w->out->lines, ((struct tmpl_place){ w->line, 1, source }));
	str_add1(&w->out->text, '\n');
}

/* Lines of Lua until the one of the template that comes. */
static void go_to(struct writer *w, uint32_t line)
{
	for (; w->line < line; w->line++)
		place(w, (struct sv){ "", 0 });
}

static void write_text(struct writer *w, struct sv text)
{
	struct str *out = &w->out->text;

	if (!text.n)
		return;
	vec_push(&w->out->texts, text);
	str_addf(out, "W(%zu) ", w->out->texts.n);
}

/* What stands between marks keeps its lines. */
static void write_code(struct writer *w, const struct piece *p)
{
	struct sv rest = p->text, line;

	if (p->type == EXPRESSION)
		str_addc(&w->out->text, "P(");
	for (bool more = true; more;) {
		more = sv_cut(rest, '\n', &line, &rest);
		str_add(&w->out->text, line);
		if (more) {
			place(w, sv_trim(line));
			w->line++;
		}
	}
	if (memmem(p->text.p, p->text.n, "--", 2))
		place(w, sv_trim(line));        /* a comment ends here */
	str_addc(&w->out->text, p->type == EXPRESSION ? ") " : " ");
}

/* Whether its end takes the white space after it away. */
static bool skip_definition(struct reader *r)
{
	struct piece p = { 0 };
	bool closed;

	while (next(r, &p, &closed) && !ends_definition(&p))
		;
	return p.trim_after;
}

static void write_body(struct writer *w, struct sv body)
{
	struct reader r = { body, w->line };
	struct piece p, following;
	bool closed, trim = false;

	while (next(&r, &p, &closed)) {
		struct reader ahead = r;

		if (defined_name(&p).n) {
			trim = skip_definition(&r);
			continue;
		}
		go_to(w, p.line);
		if (p.type == TEXT) {
			bool cut = next(&ahead, &following, &closed) && following.trim_before;

			write_text(w, trimmed(p.text, trim, cut));
			trim = false;
		} else {
			write_code(w, &p);
			trim = p.trim_after;
		}
	}
}

void lua_text_compile(const struct tmpl_def *def, struct tmpl_code *out)
{
	struct writer w = { out, def->file, 1 };

	/* The names that a template may use; all of it on the line before the first. */
	str_addc(&out->text, "local W, P, truth, get, method, range, C, N, U, D, B, X, helm = ... local include = helm.include "
			     "return function(dot) local root = dot ");
	go_to(&w, def->line);
	w.line = def->line;
	write_body(&w, def->lua);
	str_addc(&out->text, "end");
	place(&w, (struct sv){ "", 0 });
}

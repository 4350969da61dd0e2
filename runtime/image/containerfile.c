#include "runtime/image/containerfile.h"
#include "base/json.h"
#include "base/vec.h"

#include <ctype.h>
#include <stdlib.h>

#define INSTRUCTIONS_MAX 10000

static const struct { const char *name; bool list, flags, heredoc; } keywords[KW_N] = {
	[KW_FROM] = { "FROM", .flags = true },
	[KW_RUN] = { "RUN", .list = true, .flags = true, .heredoc = true },
	[KW_CMD] = { "CMD", .list = true },
	[KW_LABEL] = { "LABEL" },
	[KW_EXPOSE] = { "EXPOSE" },
	[KW_ENV] = { "ENV" },
	[KW_ADD] = { "ADD", .list = true, .flags = true, .heredoc = true },
	[KW_COPY] = { "COPY", .list = true, .flags = true, .heredoc = true },
	[KW_ENTRYPOINT] = { "ENTRYPOINT", .list = true },
	[KW_VOLUME] = { "VOLUME", .list = true },
	[KW_USER] = { "USER" },
	[KW_WORKDIR] = { "WORKDIR" },
	[KW_ARG] = { "ARG" },
	[KW_STOPSIGNAL] = { "STOPSIGNAL" },
	[KW_SHELL] = { "SHELL", .list = true },
	[KW_MAINTAINER] = { "MAINTAINER" },
	[KW_HEALTHCHECK] = { "HEALTHCHECK", .flags = true },
	[KW_ONBUILD] = { "ONBUILD" },
};

const char *keyword_name(enum keyword k) { return keywords[k].name; }

struct parser { struct sv rest; const char *file; unsigned line; struct containerfile *out; struct err *err; };

static int wrong(struct parser *p, unsigned line, const char *what)
{
	return err_set(p->err, ERR_INVALID, "%s:%u: %s", p->file, line, what);
}

/* ---- lines ---- */

static bool next_line(struct parser *p, struct sv *line)
{
	if (!p->rest.n)
		return false;
	p->line++;
	(void)sv_cut(p->rest, '\n', line, &p->rest);
	if (line->n && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

static bool is_comment(struct sv line)
{
	struct sv t = sv_trim(line);

	return t.n && t.p[0] == '#';
}

/* Cuts a continuation mark (and white space after it) off the end. */
static bool continues(struct sv *line, char escape)
{
	size_t n = line->n;

	while (n && isspace((unsigned char)line->p[n - 1]))
		n--;
	if (!n || line->p[n - 1] != escape)
		return false;
	line->n = n - 1;
	return true;
}

/* One instruction's lines joined. Comments and, as ever, empty lines inside a continuation are passed over. */
static bool logical_line(struct parser *p, struct str *out, unsigned *first)
{
	struct sv line;
	bool open = false;

	while (next_line(p, &line)) {
		if (is_comment(line) || !sv_trim(line).n)
			continue;
		if (!open)
			*first = p->line;
		open = continues(&line, p->out->escape);
		str_add(out, line);
		if (!open)
			return true;
	}
	return out->n > 0;
}

/* `# escape=X` in the first lines. */
static int directives(struct parser *p)
{
	struct parser ahead = *p;
	struct sv line, key, value;

	while (next_line(&ahead, &line) && is_comment(line)) {
		struct sv body = sv_trim(sv_drop(sv_trim(line), 1));

		if (!sv_cut(body, '=', &key, &value))
			break;
		if (!sv_eq_c(sv_trim(key), "escape"))
			continue;
		value = sv_trim(value);
		if (value.n != 1 || (value.p[0] != '\\' && value.p[0] != '`'))
			return wrong(p, ahead.line, "escape must be \\ or `");
		p->out->escape = value.p[0];
	}
	return 0;
}

/* ---- parts of an instruction ---- */

static struct sv first_word(struct sv s, struct sv *rest)
{
	size_t n = 0;

	while (n < s.n && !isspace((unsigned char)s.p[n]))
		n++;
	*rest = sv_trim(sv_drop(s, n));
	return (struct sv){ s.p, n };
}

static int find_keyword(struct parser *p, struct instruction *in, struct sv word)
{
	AUTO(str) upper = { 0 };
	const char *near = NULL;
	size_t best = 3;

	for (size_t i = 0; i < word.n; i++)
		str_add1(&upper, (char)toupper((unsigned char)word.p[i]));
	for (size_t k = 0; k < KW_N; k++) {
		size_t d = sv_distance(str_sv(&upper), sv_c(keywords[k].name));

		if (!d) {
			in->keyword = (enum keyword)k;
			return 0;
		}
		if (d < best) {
			best = d;
			near = keywords[k].name;
		}
	}
	return err_set(p->err, ERR_INVALID, "%s:%u: unknown instruction \"%.40s\"%s%s%s", p->file, in->line,
		       str_c(&upper), near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

static struct sv take_flags(struct instruction *in, struct sv rest)
{
	while (sv_starts(rest, SV("--"))) {
		struct sv tail, flag = first_word(rest, &tail);

		if (flag.n == 2)
			return tail;
		vec_push(&in->flags, sv_dup(flag));
		rest = tail;
	}
	return rest;
}

/* A list that is not JSON is text: that is how `[ -f x ] && y` works. */
static void take_list(struct instruction *in)
{
	AUTO_DOC d = NULL;
	struct node *item;

	if (!in->text.n || in->text.p[0] != '[' || json_read(str_sv(&in->text), "list", 0, &d, NULL) < 0)
		return;
	const struct node *root = doc_root(d);
	if (!node_is(root, NODE_SEQ))
		return;
	node_each(item, root)
		if (!node_text(item))
			return;
	in->exec_form = true;
	node_each(item, root)
		strings_add(&in->list, node_text(item));
}

/* ---- here-documents ---- */

static int read_heredoc(struct parser *p, struct instruction *in, struct sv mark, bool strip)
{
	struct heredoc h = { .expand = true };
	struct sv line;

	if (mark.n > 1 && (mark.p[0] == '"' || mark.p[0] == '\'') && mark.p[mark.n - 1] == mark.p[0]) {
		mark = (struct sv){ mark.p + 1, mark.n - 2 };
		h.expand = false;
	}
	str_add(&h.name, mark);
	vec_push(&in->heredocs, h);
	struct heredoc *to = &in->heredocs.v[in->heredocs.n - 1];
	while (next_line(p, &line)) {
		while (strip && line.n && line.p[0] == '\t')
			line = sv_drop(line, 1);
		if (sv_eq(line, str_sv(&to->name)))
			return 0;
		str_add(&to->text, line);
		str_add1(&to->text, '\n');
	}
	return err_set(p->err, ERR_INVALID, "%s:%u: the here-document \"%s\" has no end", p->file, in->line,
		       str_c(&to->name));
}

/* Words of the form <<NAME, <<-NAME, <<"NAME". */
static int read_heredocs(struct parser *p, struct instruction *in)
{
	struct sv rest = str_sv(&in->text), word;

	while (rest.n) {
		word = first_word(rest, &rest);
		if (!sv_starts(word, SV("<<")) || word.n < 3 || word.p[2] == '<')
			continue;
		bool strip = word.p[2] == '-';
		struct sv mark = sv_drop(word, strip ? 3 : 2);
		if (!mark.n ||
		    !(isalpha((unsigned char)mark.p[0]) || mark.p[0] == '_' || mark.p[0] == '"' || mark.p[0] == '\''))
			continue;
		TRY(read_heredoc(p, in, mark, strip));
	}
	return 0;
}

/* ---- all of it ---- */

void heredocs_free(struct heredocs *h)
{
	for (size_t i = 0; i < h->n; i++) {
		str_free(&h->v[i].name);
		str_free(&h->v[i].text);
	}
	vec_free(h);
}

static void instruction_free(struct instruction *in)
{
	str_free(&in->text);
	strings_free(&in->flags);
	strings_free(&in->list);
	heredocs_free(&in->heredocs);
}

void containerfile_free(struct containerfile *c)
{
	for (size_t i = 0; i < c->n; i++)
		instruction_free(&c->v[i]);
	vec_free(c);
}

static int parse_instruction(struct parser *p, struct sv line, unsigned at)
{
	vec_push(p->out, ((struct instruction){ .line = at }));
	struct instruction *in = &p->out->v[p->out->n - 1];
	struct sv rest, word = first_word(sv_trim(line), &rest);

	TRY(find_keyword(p, in, word));
	if (keywords[in->keyword].flags)
		rest = take_flags(in, rest);
	str_add(&in->text, rest);
	if (!rest.n)
		return err_set(p->err, ERR_INVALID, "%s:%u: %s needs an argument", p->file, at,
			       keywords[in->keyword].name);
	if (keywords[in->keyword].list)
		take_list(in);
	return keywords[in->keyword].heredoc && !in->exec_form ? read_heredocs(p, in) : 0;
}

static int parse(struct parser *p)
{
	unsigned at = 0;

	TRY(directives(p));
	for (;;) {
		AUTO(str) line = { 0 };

		if (!logical_line(p, &line, &at))
			break;
		if (memchr(str_c(&line), '\0', line.n))
			return wrong(p, at, "a NUL byte");
		if (p->out->n == INSTRUCTIONS_MAX)
			return wrong(p, at, "too many instructions");
		TRY(parse_instruction(p, str_sv(&line), at));
	}
	return p->out->n ? 0 : err_set(p->err, ERR_INVALID, "%s: no instructions: it must begin with FROM", p->file);
}

int containerfile_parse(struct sv text, const char *file, struct containerfile *out, struct err *err)
{
	struct parser p = { .rest = text, .file = file, .out = out, .err = err };

	*out = (struct containerfile){ .escape = '\\' };
	int r = parse(&p);
	if (r < 0)
		containerfile_free(out);
	return r;
}

/* render/chart/gotmpl/parse.h - Go templates as trees. Go's text/template/parse is the contract. */
#pragma once

#include "base/doc.h"
#include "base/map.h"

enum tmpl_type {
	/* statements */
	TMPL_LIST, TMPL_TEXT, TMPL_ACTION, TMPL_IF, TMPL_RANGE, TMPL_WITH, TMPL_TEMPLATE, TMPL_BREAK, TMPL_CONTINUE,
	/* expressions */
	TMPL_PIPE, TMPL_COMMAND,
	TMPL_DOT, TMPL_NIL, TMPL_BOOL, TMPL_INT, TMPL_FLOAT, TMPL_STRING,
	TMPL_FIELD,             /* .a.b: names */
	TMPL_VAR,               /* $x.a.b: text is "$x", names follow */
	TMPL_CHAIN,             /* (operand).a.b: kids[0], names */
	TMPL_FUNC,              /* a function's name: text */
};

struct tmpl {
	enum tmpl_type type;
	uint32_t line, column;
	struct sv text;                 /* TEXT, STRING (unquoted), VAR, FUNC, TEMPLATE (name); an action's source for errors */
	struct tmpl **kids;             /* LIST: statements; PIPE: commands; COMMAND: operands; CHAIN: the operand */
	size_t n_kids;
	struct sv *names;               /* FIELD, VAR, CHAIN: fields without dots; PIPE: variables that it declares or sets */
	size_t n_names;
	bool assign;                    /* PIPE: `=` and not `:=` */
	bool b;
	int64_t i;
	double f;
	struct tmpl *pipe, *body, *other;       /* ACTION, IF, RANGE, WITH, TEMPLATE: pipe (may be NULL for TEMPLATE); else part */
};

/* Named templates of a chart: name -> struct tmpl * (a LIST), with the file that defined it. */
struct tmpl_def {
	const char *name, *file, *text;         /* text: where the file's text is, to tell texts apart */
	struct tmpl *body;                      /* NULL: of a text with Lua (luatext.h): */
	struct sv lua;
	uint32_t line;                          /* on which it begins */
};
struct tmpl_text;                               /* a text that was parsed */
struct tmpl_set { struct doc *arena; struct map defs; struct tmpl_text *texts; };      /* defs: struct tmpl_def * in the arena */

void tmpl_set_init(struct tmpl_set *s);
void tmpl_set_free(struct tmpl_set *s);

/* Parses text as the template `name` and adds it and those that it defines. A later definition replaces one of
 * an earlier text unless it is empty; two in one text are an error. has_function tells which functions exist.
 * The same text under another name, as library charts are in many charts, is not parsed again.
 * Errors are ERR_INVALID "NAME:LINE:COLUMN: what". */
MUST_CHECK int tmpl_parse(struct tmpl_set *s, const char *name, struct sv text, bool (*has_function)(struct sv name),
			  struct err *err);

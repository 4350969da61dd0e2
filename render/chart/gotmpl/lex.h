/* render/chart/gotmpl/lex.h - the text of a Go template as tokens (Go's text/template/parse is the contract). */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum token_type {
	TOKEN_EOF, TOKEN_TEXT,          /* outside actions, trimmed as the markers beside it say; never empty */
	TOKEN_LEFT, TOKEN_RIGHT,        /* {{ and }} with their trim markers */
	TOKEN_SPACE,                    /* inside actions: it separates arguments */
	TOKEN_IDENT, TOKEN_FIELD, TOKEN_VAR, TOKEN_DOT,        /* name, ".name", "$name", "." */
	TOKEN_NUMBER, TOKEN_CHAR, TOKEN_STRING, TOKEN_RAW,      /* still with their quotes */
	TOKEN_BOOL, TOKEN_NIL,
	TOKEN_PIPE, TOKEN_DECLARE, TOKEN_ASSIGN, TOKEN_COMMA, TOKEN_OPEN, TOKEN_CLOSE,
	TOKEN_KEYWORDS,                 /* everything from here is a keyword */
	TOKEN_BLOCK, TOKEN_BREAK, TOKEN_CONTINUE, TOKEN_DEFINE, TOKEN_ELSE, TOKEN_END, TOKEN_IF, TOKEN_RANGE, TOKEN_TEMPLATE,
	TOKEN_WITH,
};

struct token { enum token_type type; struct sv text; uint32_t line, column; };  /* text borrows from the template */

struct lexer {
	const char *name;               /* of the template, for errors */
	struct sv all;
	size_t at, line_start;
	uint32_t line;
	bool in_action, trim_next;      /* trim_next: the last action ended in " -}}" */
	int parens;
};

void lex_init(struct lexer *l, const char *name, struct sv text);
/* Errors are ERR_INVALID "NAME:LINE:COLUMN: what". */
MUST_CHECK int lex_next(struct lexer *l, struct token *out, struct err *err);

/* runtime/image/containerfile.h - a Containerfile's text as instructions. Pure.
 *
 * Understood: comments, parser directive `escape`, line continuations (comments between them too), flags
 * (--name=value), exec form (a JSON list), here-documents of RUN, COPY and ADD. Variables: see words.h. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "runtime/image/image.h"

enum keyword {
	KW_FROM, KW_RUN, KW_CMD, KW_LABEL, KW_EXPOSE, KW_ENV, KW_ADD, KW_COPY, KW_ENTRYPOINT, KW_VOLUME, KW_USER,
	KW_WORKDIR, KW_ARG, KW_STOPSIGNAL, KW_SHELL, KW_MAINTAINER, KW_HEALTHCHECK, KW_ONBUILD, KW_N
};

struct heredoc { struct str name, text; bool expand; };         /* expand: its delimiter was not quoted */
struct heredocs { struct heredoc *v; size_t n, cap; };
void heredocs_free(struct heredocs *h);

struct instruction {
	enum keyword keyword;
	unsigned line;                  /* 1-based, where it starts */
	struct str text;                /* after the keyword and flags, continuations joined, trimmed */
	struct strings flags;           /* "--chown=1:1" */
	bool exec_form;
	struct strings list;            /* of the exec form */
	struct heredocs heredocs;
};
struct containerfile { struct instruction *v; size_t n, cap; char escape; };

/* Errors are ERR_INVALID "FILE:LINE: what". */
MUST_CHECK int containerfile_parse(struct sv text, const char *file, struct containerfile *out, struct err *err);
void containerfile_free(struct containerfile *c);
const char *keyword_name(enum keyword k);

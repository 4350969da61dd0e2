/* base/str.h - owned strings and borrowed views. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/scope.h"

struct sv  { const char *p; size_t n; };       /* borrowed bytes: never freed, not NUL-terminated */
struct str { char *p; size_t n, cap; };        /* owned, NUL-terminated; { 0 } is the empty string */

#define SV(lit)   ((struct sv){ "" lit, sizeof(lit) - 1 })
#define SV_FMT    "%.*s"
#define SV_ARG(v) (int)(v).n, (v).p

static inline const char *str_c(const struct str *s) { return s->p ? s->p : ""; }
static inline struct sv str_sv(const struct str *s) { return (struct sv){ str_c(s), s->n }; }
static inline struct sv sv_c(const char *s) { return s ? (struct sv){ s, strlen(s) } : (struct sv){ "", 0 }; }
static inline bool sv_eq(struct sv a, struct sv b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }
static inline bool sv_eq_c(struct sv a, const char *b) { return sv_eq(a, sv_c(b)); }
static inline bool str_eq(const char *a, const char *b) { return a == b || (a && b && !strcmp(a, b)); }  /* NULLs are equal */

int sv_cmp(struct sv a, struct sv b);                   /* byte order, as strcmp */
bool sv_starts(struct sv s, struct sv prefix);
bool sv_ends(struct sv s, struct sv suffix);
struct sv sv_trim(struct sv s);                         /* ASCII white space off both ends */
struct sv sv_drop(struct sv s, size_t n);               /* without the first n bytes; empty when shorter */
bool sv_cut(struct sv in, char sep, struct sv *head, struct sv *tail);  /* at the first sep; false: no sep, head = in */
bool sv_cut_last(struct sv in, char sep, struct sv *head, struct sv *tail);  /* at the last sep; false: head = in */
size_t sv_distance(struct sv a, struct sv b);           /* edits from a to b, case ignored: for "did you mean"; texts above 64 bytes are far */
bool sv_to_i64(struct sv s, int64_t *out);              /* whole decimal number, sign allowed; false: not one, or too big */
char *sv_dup(struct sv s);                              /* heap copy with a NUL; free() it */

void str_add(struct str *s, struct sv v);
void str_addc(struct str *s, const char *c);            /* NULL adds nothing */
void str_add1(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) PRINTF(2, 3);
void str_addv(struct str *s, const char *fmt, va_list ap) PRINTF(2, 0);
void str_set(struct str *s, const char *c);
char *str_room(struct str *s, size_t n);                /* at least n writable bytes after the text; then s->n += used */
void str_cut(struct str *s, size_t n);                  /* shorten to n bytes */
void str_move(struct str *to, struct str *from);        /* frees *to, empties *from */
char *str_take(struct str *s);                          /* the heap text, never NULL; *s is empty afterwards */
void str_free(struct str *s);

char *str_fmt(const char *fmt, ...) PRINTF(1, 2);       /* heap text; free() it */

#include "base/json.h"
#include "base/doc-internal.h"
#include "base/utf8.h"

#include <stdlib.h>


/* Keys that were read lately: the same key again shares its text. */
#define RECENT_KEYS 64
struct key { const char *text; uint32_t n; };

struct reader {
	const char *p, *end, *line_start;
	uint32_t line;
	uint16_t source;
	unsigned flags, depth;
	struct doc *d;
	const char *start, *file;
	struct err *err;
	struct doc_stack open;
	struct str text;                        /* a string with escapes, decoded */
	struct key recent[RECENT_KEYS];         /* by a hash of length, first and last byte */
};

static int value(struct reader *r, struct node **out);

/* "FILE:LINE:COLUMN: what"; the column counts bytes from 1. */
static int fail_at(struct reader *r, const char *at, const char *what)
{
	return err_set(r->err, ERR_BAD_REQUEST, "%s:%u:%u: %s", r->file, r->line, (unsigned)(at - r->line_start) + 1, what);
}

static int fail(struct reader *r, const char *what) { return fail_at(r, r->p, what); }

static inline void space(struct reader *r)
{
	while (r->p < r->end && (unsigned char)*r->p <= ' ') {
		if (*r->p == '\n') {
			r->line++;
			r->line_start = r->p + 1;
		} else if (*r->p != ' ' && *r->p != '\t' && *r->p != '\r') {
			return;
		}
		r->p++;
	}
}

static inline struct node *node_make(struct reader *r, enum node_type type)
{
	struct node *n = doc_raw(r->d, sizeof *n);

	*n = (struct node){ .type = (uint8_t)type, .source = r->source, .line = r->line };
	return n;
}

/* ---- strings ---- */

/* The first byte from p on that is a quote, a backslash, a control character, or not ASCII. Eight bytes at a time. */
static const char *plain_end(const char *p, const char *end)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;

	for (; end - p >= 8; p += 8) {
		uint64_t w, quote, slash;

		memcpy(&w, p, 8);
		quote = w ^ (ones * '"');
		slash = w ^ (ones * '\\');
		if (((w - ones * 0x20) | w | (quote - ones) | (slash - ones)) & high)
			break;
	}
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

static int hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int c = (unsigned char)p[i], lower = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v * 16 + c - '0';
		else if (lower >= 'a' && lower <= 'f')
			v = v * 16 + lower - 'a' + 10;
		else
			return -1;
	}
	return v;
}

/* After "\u": a surrogate without its partner becomes U+FFFD, as in Go. */
static int escape_unicode(struct reader *r)
{
	int c = hex4(r->p, r->end), low;

	if (c < 0)
		return fail(r, "\\u wants four hexadecimal digits");
	r->p += 4;
	if (c >= 0xd800 && c < 0xe000) {
		low = c < 0xdc00 && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u' ? hex4(r->p + 2, r->end) : -1;
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			r->p += 6;
		} else {
			c = UTF8_REPLACEMENT;
		}
	}
	utf8_add(&r->text, (uint32_t)c);
	return 0;
}

static int escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int c = r->p < r->end ? *r->p : 0;
	const char *at = c ? strchr(from, c) : NULL;

	if (c == 'u') {
		r->p++;
		return escape_unicode(r);
	}
	if (!at)
		return fail(r, "unknown escape in string");
	str_add1(&r->text, to[at - from]);
	r->p++;
	return 0;
}

/* The rest of a string that has escapes or more than ASCII; what is before r->p since `from` is plain. */
static int string_slow(struct reader *r, const char *from, struct sv *out)
{
	str_cut(&r->text, 0);
	for (;;) {
		str_add(&r->text, (struct sv){ from, (size_t)(r->p - from) });
		if (r->p >= r->end)
			return fail(r, "string is not closed");
		if (*r->p == '"')
			break;
		if ((unsigned char)*r->p < 0x20)
			return fail(r, "control character in string: write it as \\u escape");
		if (*r->p == '\\') {
			r->p++;
			TRY(escape(r));
		} else {
			utf8_add(&r->text, utf8_next(&r->p, r->end));
		}
		from = r->p;
		r->p = plain_end(r->p, r->end);
	}
	r->p++;
	*out = str_sv(&r->text);
	return 0;
}

/* At the opening quote. *out is in the source when nothing had to be decoded. */
static inline int string(struct reader *r, struct sv *out)
{
	const char *from = ++r->p;

	r->p = plain_end(from, r->end);
	if (r->p >= r->end || *r->p != '"')
		return string_slow(r, from, out);
	*out = (struct sv){ from, (size_t)(r->p++ - from) };
	return 0;
}

/* NUL-terminated, in the arena. */
static inline const char *keep(struct reader *r, struct sv s)
{
	char *t = doc_chars(r->d, s.n + 1);

	memcpy(t, s.p, s.n);
	t[s.n] = '\0';
	return t;
}

static inline const char *keep_key(struct reader *r, struct sv s)
{
	unsigned h = s.n ? (unsigned)s.n * 7 + (unsigned char)*s.p * 31u + (unsigned char)s.p[s.n - 1] : 0;
	struct key *k = &r->recent[h % RECENT_KEYS];

	if (!k->text || k->n != s.n || memcmp(k->text, s.p, s.n))
		*k = (struct key){ keep(r, s), (uint32_t)s.n };
	return k->text;
}

static int string_value(struct reader *r, struct node *n)
{
	struct sv s;

	TRY(string(r, &s));
	n->flags = NODE_QUOTED;
	n->text = keep(r, s);
	n->n = (uint32_t)s.n;
	return 0;
}

/* ---- the other values ---- */

static inline const char *digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static int number(struct reader *r, struct node **out)
{
	const char *from = r->p, *p = from, *at;
	enum node_type type = NODE_INT;

	p += p < r->end && *p == '-';
	at = p;
	p = digits(p, r->end);
	if (p == at || (*at == '0' && p - at > 1))
		return fail(r, p == at ? "value expected" : "number with a leading zero");
	if (p < r->end && *p == '.') {
		type = NODE_FLOAT;
		at = ++p;
		if ((p = digits(p, r->end)) == at)
			return fail(r, "digit expected after the decimal point");
	}
	if (p < r->end && (*p | 0x20) == 'e') {
		type = NODE_FLOAT;
		p++;
		p += p < r->end && (*p == '+' || *p == '-');
		at = p;
		if ((p = digits(p, r->end)) == at)
			return fail(r, "digit expected in the exponent");
	}
	r->p = p;
	*out = node_make(r, type);
	(*out)->n = (uint32_t)(p - from);
	(*out)->text = doc_text(r->d, (struct sv){ from, (size_t)(p - from) });
	return 0;
}

static int literal(struct reader *r, struct sv word, enum node_type type, struct node **out)
{
	if ((size_t)(r->end - r->p) < word.n || memcmp(r->p, word.p, word.n))
		return fail(r, "value expected");
	r->p += word.n;
	*out = node_make(r, type);
	(*out)->b = *word.p == 't';
	return 0;
}

static int duplicate(struct reader *r, const struct member *m)
{
	AUTO(str) s = { 0 };

	str_addf(&s, "duplicate key \"%s\"", m->key);
	return fail(r, str_c(&s));
}

static int member(struct reader *r, size_t from, struct map *seen)
{
	struct member m = { .line = r->line }, *old;
	struct sv key;

	if (r->p >= r->end || *r->p != '"')
		return fail(r, "object key expected, in double quotes");
	TRY(string(r, &key));
	m.key = keep_key(r, key);
	m.key_n = (uint32_t)key.n;
	old = stack_find(&r->open, from, key, seen);
	if (old && (r->flags & JSON_UNIQUE_KEYS))
		return duplicate(r, &m);
	size_t at = old ? (size_t)(old - r->open.members.v) : r->open.members.n;
	if (!old)
		vec_push(&r->open.members, m);
	space(r);
	if (r->p >= r->end || *r->p != ':')
		return fail(r, "':' expected after the object key");
	r->p++;
	TRY(value(r, &m.value));
	r->open.members.v[at].value = m.value;
	space(r);
	return 0;
}

static int object(struct reader *r, struct node **out)
{
	__attribute__((cleanup(map_free))) struct map seen = { 0 };
	size_t from = r->open.members.n;

	*out = node_make(r, NODE_MAP);
	r->p++;
	space(r);
	if (r->p < r->end && *r->p == '}') {
		r->p++;
		return 0;
	}
	for (;;) {
		TRY(member(r, from, &seen));
		if (r->p < r->end && *r->p == '}')
			break;
		if (r->p >= r->end || *r->p != ',')
			return fail(r, "',' or '}' expected");
		r->p++;
		space(r);
	}
	r->p++;
	stack_close_map(&r->open, r->d, *out, from);
	return 0;
}

static int array(struct reader *r, struct node **out)
{
	size_t from = r->open.items.n;
	struct node *it;

	*out = node_make(r, NODE_SEQ);
	r->p++;
	space(r);
	if (r->p < r->end && *r->p == ']') {
		r->p++;
		return 0;
	}
	for (;;) {
		TRY(value(r, &it));
		vec_push(&r->open.items, it);
		space(r);
		if (r->p < r->end && *r->p == ']')
			break;
		if (r->p >= r->end || *r->p != ',')
			return fail(r, "',' or ']' expected");
		r->p++;
	}
	r->p++;
	stack_close_seq(&r->open, r->d, *out, from);
	return 0;
}

static int nested(struct reader *r, struct node **out)
{
	if (++r->depth > DOC_DEPTH_MAX)
		return fail(r, "nested deeper than 256 levels");
	TRY(*r->p == '{' ? object(r, out) : array(r, out));
	r->depth--;
	return 0;
}

static int value(struct reader *r, struct node **out)
{
	space(r);
	if (r->p >= r->end)
		return fail(r, "value expected, and the text ends");
	switch (*r->p) {
	case '{':
	case '[':
		return nested(r, out);
	case '"':
		*out = node_make(r, NODE_STR);
		return string_value(r, *out);
	case 't':
		return literal(r, SV("true"), NODE_BOOL, out);
	case 'f':
		return literal(r, SV("false"), NODE_BOOL, out);
	case 'n':
		return literal(r, SV("null"), NODE_NULL, out);
	default:
		return number(r, out);
	}
}

/* A small object takes about three times its text; a large one may be a few long strings and grows as it needs. */
static size_t first_size(size_t text)
{
	size_t likely = text * 13 / 4 + 128, cautious = text + 16384;

	return likely < cautious ? likely : cautious;
}

static int read_all(struct reader *r)
{
	struct node *root;

	TRY(value(r, &root));
	space(r);
	if (r->p < r->end)
		return fail(r, "one value expected, and more text follows");
	doc_set_root(r->d, root);
	return 0;
}

int json_read(struct sv text, const char *file, unsigned flags, struct doc **out, struct err *err)
{
	AUTO_DOC d = NULL;
	struct reader r = { .p = text.p, .end = text.p + text.n, .line_start = text.p, .line = 1, .flags = flags,
			    .start = text.p, .file = file ? file : "", .err = err };

	if (text.n >= UINT32_MAX)
		return err_set(err, ERR_TOO_LARGE, "%s: larger than 4 GiB", r.file);
	r.d = d = doc_new_sized(first_size(text.n));
	r.source = doc_source(d, file);
	int rc = read_all(&r);

	stack_free(&r.open);
	str_free(&r.text);
	TRY(rc);
	*out = TAKE(d);
	return 0;
}

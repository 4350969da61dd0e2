#include "base/http/h1-parse.h"

#include <stdlib.h>
#include <strings.h>

#define METHOD_MAX 32
#define CHUNK_LINE_MAX 256      /* a chunk's size with its extensions */
#define TRAILER_MAX ((size_t)8 << 10)

/* What a byte may be part of: RFC 9110 5.6.2 (token), 5.5 (field value), RFC 3986 (request target, host). */
enum { TOKEN = 1, TARGET = 2, TEXT = 4, HEX = 8, HOST = 16, NAME = TOKEN | TARGET | TEXT | HOST };

static const uint8_t class_of[256] = {
	['\t'] = TEXT, [' '] = TEXT, ['!'] = NAME, ['"'] = TEXT, ['#'] = TOKEN | TEXT, ['$' ... '\''] = NAME,
	['(' ... ')'] = TARGET | TEXT | HOST, ['*' ... '+'] = NAME, [','] = TARGET | TEXT | HOST, ['-' ... '.'] = NAME,
	['/'] = TARGET | TEXT, ['0' ... '9'] = NAME | HEX, [':' ... ';'] = TARGET | TEXT | HOST, ['<'] = TEXT,
	['='] = TARGET | TEXT | HOST, ['>'] = TEXT, ['?' ... '@'] = TARGET | TEXT, ['A' ... 'F'] = NAME | HEX, ['G' ... 'Z'] = NAME,
	['['] = TARGET | TEXT | HOST, ['\\'] = TARGET | TEXT, [']'] = TARGET | TEXT | HOST, ['^'] = TOKEN | TARGET | TEXT,
	['_'] = NAME, ['`'] = TOKEN | TARGET | TEXT, ['a' ... 'f'] = NAME | HEX, ['g' ... 'z'] = NAME, ['{'] = TARGET | TEXT,
	['|'] = TOKEN | TARGET | TEXT, ['}'] = TARGET | TEXT, ['~'] = NAME, [0x80 ... 0xff] = TEXT,
};

static bool is(char c, unsigned k) { return class_of[(unsigned char)c] & k; }

static bool all(struct sv s, unsigned k)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is(s.p[i], k))
			return false;
	return true;
}

static bool same(struct sv a, const char *b) { return a.n == strlen(b) && !strncasecmp(a.p, b, a.n); }

static struct sv trim_blanks(struct sv s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t'))
		s = sv_drop(s, 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

int h1_head_end(struct sv in, size_t *scanned, const char **why)
{
	for (const char *lf; *scanned < in.n && (lf = memchr(in.p + *scanned, '\n', in.n - *scanned));) {
		size_t at = (size_t)(lf - in.p);
		bool empty = at - *scanned == 1 && *scanned;

		if (at == *scanned || in.p[at - 1] != '\r') {
			*why = "a line ends in LF without CR";
			return -400;
		}
		*scanned = at + 1;
		if (at >= H1_HEAD_MAX)
			break;
		if (empty)
			return (int)at + 1;
	}
	if (in.n > H1_HEAD_MAX) {
		*why = "the request head is larger than 32 KB";
		return -431;
	}
	return 0;
}

static int refuse(struct h1_head *h, int status, const char *why)
{
	h->why = why;
	return -status;
}

/* ---- the request line ---- */

/* "http://host:port/path": for proxies, and to be understood by every server. */
static int split_absolute(struct h1_head *h, struct sv *target)
{
	struct sv rest = sv_drop(*target, strlen("http://"));
	size_t n = 0;

	if (strncasecmp(target->p, "http://", 7))
		rest = sv_drop(*target, strlen("https://"));
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	h->host = (struct sv){ rest.p, n };
	*target = sv_drop(rest, n);
	if (!h->host.n)
		return refuse(h, 400, "the request target names no host");
	if (target->n && *target->p == '?')
		return refuse(h, 400, "the request target has no path");
	if (!target->n)
		*target = SV("/");
	return 0;
}

static int parse_target(struct h1_head *h, struct sv target)
{
	if (!target.n || !all(target, TARGET))
		return refuse(h, 400, "the request target is malformed");
	if (sv_eq_c(target, "*") && sv_eq_c(h->method, "OPTIONS")) {
		h->path = target;
		return 0;
	}
	if (target.n > 8 && (!strncasecmp(target.p, "http://", 7) || !strncasecmp(target.p, "https://", 8)))
		TRY(split_absolute(h, &target));
	if (*target.p != '/')
		return refuse(h, 400, "the request target is not a path");
	(void)sv_cut(target, '?', &h->path, &h->query);
	return 0;
}

static int parse_request_line(struct h1_head *h, struct sv line)
{
	struct sv rest, target, version;

	if (!sv_cut(line, ' ', &h->method, &rest) || !sv_cut(rest, ' ', &target, &version))
		return refuse(h, 400, "the request line is malformed");
	if (!h->method.n || h->method.n > METHOD_MAX || !all(h->method, TOKEN))
		return refuse(h, 400, "the method is malformed");
	if (version.n != 8 || memcmp(version.p, "HTTP/", 5) || version.p[6] != '.')
		return refuse(h, 400, "the protocol version is malformed");
	if (version.p[5] != '1' || (version.p[7] != '0' && version.p[7] != '1'))
		return refuse(h, 505, "this version of HTTP is not spoken");
	h->minor = version.p[7] - '0';
	if (sv_eq_c(h->method, "CONNECT"))
		return refuse(h, 501, "CONNECT is not offered");
	return parse_target(h, target);
}

/* ---- fields that decide how the message is framed ---- */

struct framing { unsigned lengths, encodings, hosts; };

static int on_content_length(struct h1_head *h, struct framing *f, struct sv value)
{
	if (f->lengths++)
		return refuse(h, 400, "Content-Length is given twice");
	h->content_length = 0;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < '0' || value.p[i] > '9' || __builtin_mul_overflow(h->content_length, 10, &h->content_length) ||
		    __builtin_add_overflow(h->content_length, value.p[i] - '0', &h->content_length))
			return refuse(h, 400, "Content-Length is not a number");
	return value.n ? 0 : refuse(h, 400, "Content-Length is empty");
}

static int on_transfer_encoding(struct h1_head *h, struct framing *f, struct sv value)
{
	if (f->encodings++)
		return refuse(h, 400, "Transfer-Encoding is given twice");
	if (!same(value, "chunked"))
		return refuse(h, 501, "the only transfer coding is chunked");
	h->chunked = true;
	return 0;
}

static int on_host(struct h1_head *h, struct framing *f, struct sv value)
{
	if (f->hosts++)
		return refuse(h, 400, "Host is given twice");
	if (!all(value, HOST))
		return refuse(h, 400, "Host is malformed");
	if (!h->host.n)                 /* an absolute target counts more (RFC 9112 3.2.2) */
		h->host = value;
	return 0;
}

static int on_connection(struct h1_head *h, struct framing *f, struct sv value)
{
	(void)f;
	for (bool more = true; more;) {
		struct sv one;

		more = sv_cut(value, ',', &one, &value);
		one = trim_blanks(one);
		if (same(one, "close"))
			h->keep_alive = false;
		else if (same(one, "keep-alive") && h->minor == 0)
			h->keep_alive = true;
	}
	return 0;
}

static int on_expect(struct h1_head *h, struct framing *f, struct sv value)
{
	(void)f;
	if (!same(value, "100-continue"))
		return refuse(h, 417, "the only expectation is 100-continue");
	h->expects_continue = h->minor > 0;
	return 0;
}

static const struct { const char *name; int (*take)(struct h1_head *, struct framing *, struct sv); } framers[] = {
	{ "content-length", on_content_length }, { "transfer-encoding", on_transfer_encoding }, { "host", on_host },
	{ "connection", on_connection }, { "expect", on_expect },
};

static int parse_field(struct h1_head *h, struct framing *f, struct sv line)
{
	struct h1_field field;

	if (*line.p == ' ' || *line.p == '\t')
		return refuse(h, 400, "a field is folded over lines");
	if (!sv_cut(line, ':', &field.name, &field.value) || !field.name.n || !all(field.name, TOKEN))
		return refuse(h, 400, "a field name is malformed");
	if (!all(field.value, TEXT))
		return refuse(h, 400, "a field value holds a control character");
	if (h->fields.n == H1_FIELDS_MAX)
		return refuse(h, 431, "the request has more than 128 fields");
	field.value = trim_blanks(field.value);
	vec_push(&h->fields, field);
	for (size_t i = 0; i < sizeof framers / sizeof *framers; i++)
		if (same(field.name, framers[i].name))
			return framers[i].take(h, f, field.value);
	return 0;
}

static int check_framing(struct h1_head *h, const struct framing *f)
{
	if (f->lengths && f->encodings)
		return refuse(h, 400, "Content-Length and Transfer-Encoding exclude each other");
	if (f->encodings && h->minor == 0)
		return refuse(h, 400, "HTTP/1.0 has no Transfer-Encoding");
	if (!f->hosts && h->minor > 0)
		return refuse(h, 400, "Host is missing");
	return 0;
}

/* One line off the front, without its CRLF. */
static bool cut_line(struct sv *in, struct sv *line)
{
	if (!sv_cut(*in, '\n', line, in) || !line->n || line->p[line->n - 1] != '\r')
		return false;
	line->n--;
	return !memchr(line->p, '\r', line->n);
}

int h1_head_parse(struct sv in, struct h1_head *h)
{
	struct framing f = { 0 };
	struct sv line;

	*h = (struct h1_head){ .content_length = -1 };
	if (!cut_line(&in, &line))
		return refuse(h, 400, "the request line is malformed");
	TRY(parse_request_line(h, line));
	h->keep_alive = h->minor > 0;
	for (;;) {
		if (!cut_line(&in, &line))
			return refuse(h, 400, "a field line is malformed");
		if (!line.n)
			return check_framing(h, &f);
		TRY(parse_field(h, &f, line));
	}
}

void h1_head_free(struct h1_head *h) { vec_free(&h->fields); }

/* ---- chunks ---- */

enum { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_NAME, TRAILER_LINE, TRAILER_LF, END_LF, ENDED };

static int on_size(struct h1_chunks *c, char b)
{
	if (is(b, HEX)) {
		if (c->left >> 56)              /* the next digit would leave 60 bits, far beyond any body */
			return -400;
		c->left = c->left << 4 | (unsigned)(b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10);
		return SIZE;
	}
	return c->line < 2 ? -400 : b == ';' ? EXTENSION : b == '\r' ? SIZE_LF : -400;
}

/* The state after one byte of framing, or -400. */
static int step(struct h1_chunks *c, char b)
{
	switch (c->state) {
	case SIZE:
		return ++c->line > CHUNK_LINE_MAX ? -400 : on_size(c, b);
	case EXTENSION:
		return ++c->line > CHUNK_LINE_MAX ? -400 : b == '\r' ? SIZE_LF : is(b, TEXT) ? EXTENSION : -400;
	case SIZE_LF:
		return b != '\n' ? -400 : c->left ? DATA : TRAILER;
	case DATA_CR:
		return b == '\r' ? DATA_LF : -400;
	case DATA_LF:
		c->line = 0;
		return b == '\n' ? SIZE : -400;
	case TRAILER:                           /* trailer fields are read over: nothing here uses one */
		return b == '\r' ? END_LF : is(b, TOKEN) ? TRAILER_NAME : -400;
	case TRAILER_NAME:
		return ++c->trailer > TRAILER_MAX ? -400 : b == ':' ? TRAILER_LINE : is(b, TOKEN) ? TRAILER_NAME : -400;
	case TRAILER_LINE:
		return ++c->trailer > TRAILER_MAX ? -400 : b == '\r' ? TRAILER_LF : is(b, TEXT) ? TRAILER_LINE : -400;
	case TRAILER_LF:
		return b == '\n' ? TRAILER : -400;
	case END_LF:
		return b == '\n' ? ENDED : -400;
	}
	return -400;
}

int h1_chunks_next(struct h1_chunks *c, struct sv *in, struct sv *data)
{
	while (in->n && c->state != ENDED) {
		if (c->state == DATA) {
			data->p = in->p;
			data->n = in->n < c->left ? in->n : (size_t)c->left;
			*in = sv_drop(*in, data->n);
			c->left -= data->n;
			if (!c->left)
				c->state = DATA_CR;
			return H1_CHUNK_DATA;
		}
		int next = step(c, *in->p);
		if (next < 0)
			return next;
		c->state = (unsigned)next;
		*in = sv_drop(*in, 1);
	}
	return c->state == ENDED ? H1_CHUNK_END : H1_CHUNK_MORE;
}

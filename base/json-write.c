#include "base/json.h"
#include "base/doc-internal.h"
#include "base/utf8.h"
#include "base/vec.h"

#include <stdlib.h>

struct writer {
	struct str *out;
	unsigned flags, depth;
	VEC(struct member) sorted;              /* members of the maps that are open, in order */
};

/* ---- strings ---- */

enum { PLAIN, ESCAPE, HTML, WIDE };

/* What a byte asks for; everything that is not named is plain. */
static const uint8_t class[256] = {
	[0 ... 0x1f] = ESCAPE, ['"'] = ESCAPE, ['\\'] = ESCAPE,
	['<'] = HTML, ['>'] = HTML, ['&'] = HTML, [0x80 ... 0xff] = WIDE,
};

static void unicode_escape(struct str *out, uint32_t c)
{
	static const char hex[] = "0123456789abcdef";
	char b[6] = { '\\', 'u', hex[c >> 12 & 15], hex[c >> 8 & 15], hex[c >> 4 & 15], hex[c & 15] };

	str_add(out, (struct sv){ b, 6 });
}

static void escape(struct str *out, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = c ? strchr(from, c) : NULL;

	if (!at) {
		unicode_escape(out, c);
		return;
	}
	str_add1(out, '\\');
	str_add1(out, to[at - from]);
}

/* U+2028 and U+2029 are escaped always: Go does, whatever is asked. */
static void wide(struct str *out, const char **p, const char *end)
{
	const char *from = *p;
	bool valid;
	uint32_t c = utf8_decode(p, end, &valid);

	if (!valid || c == 0x2028 || c == 0x2029)
		unicode_escape(out, c);
	else
		str_add(out, (struct sv){ from, (size_t)(*p - from) });
}

static void string_slow(struct str *out, const char *p, const char *end, unsigned flags)
{
	while (p < end) {
		const char *from = p;
		unsigned k = PLAIN;

		for (; p < end; p++) {
			k = class[(unsigned char)*p];
			if (k != PLAIN && (k != HTML || (flags & JSON_ESCAPE_HTML)))
				break;
		}
		str_add(out, (struct sv){ from, (size_t)(p - from) });
		if (p >= end)
			return;
		if (k == WIDE)
			wide(out, &p, end);
		else if (k == HTML)
			unicode_escape(out, (unsigned char)*p++);
		else
			escape(out, (unsigned char)*p++);
	}
}

void json_write_string(struct str *out, struct sv s, unsigned flags)
{
	char *o = str_room(out, s.n + 2), *start = o;
	const char *p = s.p, *end = s.p + s.n;

	*o++ = '"';
	while (p < end && class[(unsigned char)*p] == PLAIN)
		*o++ = *p++;
	if (p == end)
		*o++ = '"';
	out->n += (size_t)(o - start);
	if (p < end) {
		string_slow(out, p, end, flags);
		str_add1(out, '"');
	}
	out->p[out->n] = '\0';
}

/* ---- values ---- */

static void value(struct writer *w, const struct node *n);

static inline void byte(struct writer *w, char c)
{
	*str_room(w->out, 1) = c;
	w->out->n++;
}

static void line(struct writer *w)
{
	unsigned width = w->flags & JSON_INDENT4 ? 4 : w->flags & JSON_INDENT ? 2 : 0;

	if (!width)
		return;
	char *at = str_room(w->out, 1 + (size_t)width * w->depth);
	*at = '\n';
	memset(at + 1, ' ', (size_t)width * w->depth);
	w->out->n += 1 + (size_t)width * w->depth;
}

static bool in_order(const struct node *n)
{
	for (uint32_t i = 1; i < n->n; i++)
		if (member_cmp(&n->members[i - 1], &n->members[i]) > 0)
			return false;
	return true;
}

/* The members in the order asked for: the node's own, or a sorted copy on top of w->sorted, from there. */
static size_t sort(struct writer *w, const struct node *n)
{
	size_t from = w->sorted.n;

	w->sorted.v = vec_room(w->sorted.v, &w->sorted.cap, from + n->n, sizeof *w->sorted.v);
	memcpy(w->sorted.v + from, n->members, n->n * sizeof *n->members);
	qsort(w->sorted.v + from, n->n, sizeof *n->members, member_cmp);
	w->sorted.n += n->n;
	return from;
}

static void map(struct writer *w, const struct node *n)
{
	bool copied = (w->flags & JSON_SORTED) && !in_order(n);
	size_t from = copied ? sort(w, n) : 0;

	w->depth++;
	for (uint32_t i = 0; i < n->n; i++) {
		struct member m = copied ? w->sorted.v[from + i] : n->members[i];

		byte(w, i ? ',' : '{');
		line(w);
		json_write_string(w->out, (struct sv){ m.key, m.key_n }, w->flags);
		byte(w, ':');
		if (w->flags & (JSON_INDENT | JSON_INDENT4))
			byte(w, ' ');
		value(w, m.value);
	}
	w->depth--;
	line(w);
	byte(w, '}');
	if (copied)
		w->sorted.n = from;
}

static void seq(struct writer *w, const struct node *n)
{
	w->depth++;
	for (uint32_t i = 0; i < n->n; i++) {
		byte(w, i ? ',' : '[');
		line(w);
		value(w, n->items[i]);
	}
	w->depth--;
	line(w);
	byte(w, ']');
}

static void value(struct writer *w, const struct node *n)
{
	switch (n ? n->type : NODE_NULL) {
	case NODE_NULL:
		str_add(w->out, SV("null"));
		return;
	case NODE_BOOL:
	case NODE_INT:
	case NODE_FLOAT:
		str_add(w->out, node_sv(n));
		return;
	case NODE_STR:
		json_write_string(w->out, (struct sv){ n->text, n->n }, w->flags);
		return;
	case NODE_SEQ:
		if (n->n)
			seq(w, n);
		else
			str_add(w->out, SV("[]"));
		return;
	default:
		if (n->n)
			map(w, n);
		else
			str_add(w->out, SV("{}"));
	}
}

void json_write(struct str *out, const struct node *n, unsigned flags)
{
	struct writer w = { .out = out, .flags = flags };

	value(&w, n);
	out->p[out->n] = '\0';
	vec_free(&w.sorted);
}

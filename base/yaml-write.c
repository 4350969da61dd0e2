/* Writing YAML with libyaml's emitter, set up to give the bytes of go-yaml v2. */
#include "base/doc-internal.h"
#include "base/encode.h"
#include "base/utf8.h"
#include "base/yaml-internal.h"

#include <utf8proc.h>
#include <yaml.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct writer {
	yaml_emitter_t emitter;
	unsigned flags;
};

static void emit(struct writer *w, yaml_event_t *e)
{
	if (!yaml_emitter_emit(&w->emitter, e))         /* only memory can fail: the events are always well formed */
		abort();
}

static void scalar(struct writer *w, struct sv s, const char *tag, yaml_scalar_style_t style)
{
	yaml_event_t e;

	if (!yaml_scalar_event_initialize(&e, NULL, (const yaml_char_t *)tag, (const yaml_char_t *)s.p, (int)s.n, !tag, !tag, style))
		abort();
	emit(w, &e);
}

/* As go-yaml v2: literal when it has several lines, quoted when it would read as something else. "<<" does as a key only. */
static void string(struct writer *w, struct sv s, bool key)
{
	AUTO(str) packed = { 0 };
	enum yaml_tag tag = scalar_resolve(s, false).tag;
	bool plain = (tag == TAG_STR || (tag == TAG_MERGE && !key)) && !scalar_is_base60(s);

	if (!utf8_valid(s)) {
		base64_encode(&packed, s);
		scalar(w, str_sv(&packed), "tag:yaml.org,2002:binary", YAML_PLAIN_SCALAR_STYLE);
	} else if (s.n && memchr(s.p, '\n', s.n)) {
		scalar(w, s, NULL, YAML_LITERAL_SCALAR_STYLE);
	} else {
		scalar(w, s, NULL, plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
	}
}

/* With the quotes that it had, unless it could not be read back. */
static void styled_string(struct writer *w, const struct node *n)
{
	struct sv s = node_sv(n);
	bool lines = s.n && memchr(s.p, '\n', s.n);

	if ((n->flags & NODE_DOUBLE) || ((n->flags & NODE_SINGLE) && lines))
		scalar(w, s, NULL, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
	else if (n->flags & NODE_SINGLE)
		scalar(w, s, NULL, YAML_SINGLE_QUOTED_SCALAR_STYLE);
	else
		string(w, s, false);
}

/* Numbers pass through go-yaml: integers of 64 bits as they are, all others as floats in Go's %g. */
static void number(struct writer *w, const struct node *n)
{
	struct scalar v = scalar_resolve(node_sv(n), true);
	char buf[40];

	if (v.tag == TAG_FLOAT && isfinite(v.f))
		scalar(w, (struct sv){ buf, float_go_g(v.f, buf) }, NULL, YAML_PLAIN_SCALAR_STYLE);
	else
		scalar(w, node_sv(n), NULL, YAML_PLAIN_SCALAR_STYLE);
}

static void node(struct writer *w, const struct node *n);

static void sequence(struct writer *w, const struct node *n)
{
	yaml_event_t e;
	struct node *it;

	if (!yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, n->flags & NODE_FLOW ? YAML_FLOW_SEQUENCE_STYLE :
								      YAML_BLOCK_SEQUENCE_STYLE))
		abort();
	emit(w, &e);
	node_each(it, n)
		node(w, it);
	yaml_sequence_end_event_initialize(&e);
	emit(w, &e);
}

/* ---- the order of keys: go-yaml's, in which numbers count as numbers and letters come last ---- */

static bool is_letter(uint32_t c)
{
	if (c < 0x80)
		return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
	utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
	return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

static bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }

/* The value of the digits at p, on top of v, and where they end. */
static int64_t digits_value(const char *p, const char *end, int64_t v, const char **stop)
{
	for (; p < end && is_digit((unsigned char)*p); p++)
		v = (int64_t)((uint64_t)v * 10 + (uint64_t)(*p - '0'));
	*stop = p;
	return v;
}

/* Two characters, neither a letter, at the same place of two keys that are equal before it. */
static int number_cmp(struct sv a, struct sv b, size_t at, uint32_t ca, uint32_t cb)
{
	const char *enda, *endb;
	int64_t start = 0, x, y;

	if (ca == '0' || cb == '0')             /* inside a number that has begun, a zero counts */
		for (size_t j = at; j-- > 0 && is_digit((unsigned char)a.p[j]);)
			start |= a.p[j] != '0';
	x = digits_value(a.p + at, a.p + a.n, start, &enda);
	y = digits_value(b.p + at, b.p + b.n, start, &endb);
	if (x != y)
		return x < y ? -1 : 1;
	if (enda - a.p != endb - b.p)
		return enda - a.p < endb - b.p ? -1 : 1;
	return ca < cb ? -1 : 1;
}

int yaml_key_cmp(const void *pa, const void *pb)
{
	const struct member *x = pa, *y = pb;
	struct sv a = { x->key, x->key_n }, b = { y->key, y->key_n };
	size_t at = 0, n = a.n < b.n ? a.n : b.n;

	while (at < n && a.p[at] == b.p[at])
		at++;
	while (at && at < n && ((unsigned char)a.p[at] & 0xc0) == 0x80)
		at--;
	if (at == n)
		return a.n < b.n ? -1 : a.n > b.n;
	const char *pa_at = a.p + at, *pb_at = b.p + at;
	uint32_t ca = utf8_next(&pa_at, a.p + a.n), cb = utf8_next(&pb_at, b.p + b.n);
	bool la = is_letter(ca), lb = is_letter(cb);
	if (la && lb)
		return ca < cb ? -1 : ca > cb;
	if (la || lb)
		return lb ? -1 : 1;
	return number_cmp(a, b, at, ca, cb);
}

static struct member *sorted(const struct node *n)
{
	size_t cap = 0;
	struct member *v = vec_room(NULL, &cap, n->n + 1, sizeof *v);

	if (n->n)
		memcpy(v, n->members, n->n * sizeof *v);
	qsort(v, n->n, sizeof *v, yaml_key_cmp);
	return v;
}

static void mapping(struct writer *w, const struct node *n)
{
	struct member *own = w->flags & YAML_SORTED ? sorted(n) : NULL, *m = own ? own : n->members;
	yaml_event_t e;

	if (!yaml_mapping_start_event_initialize(&e, NULL, NULL, 1, n->flags & NODE_FLOW ? YAML_FLOW_MAPPING_STYLE :
								     YAML_BLOCK_MAPPING_STYLE))
		abort();
	emit(w, &e);
	for (uint32_t i = 0; i < n->n; i++) {
		string(w, (struct sv){ m[i].key, m[i].key_n }, true);
		node(w, m[i].value);
	}
	yaml_mapping_end_event_initialize(&e);
	emit(w, &e);
	free(own);
}

static void node(struct writer *w, const struct node *n)
{
	switch (n ? n->type : NODE_NULL) {
	case NODE_NULL:
		scalar(w, SV("null"), NULL, YAML_PLAIN_SCALAR_STYLE);
		return;
	case NODE_BOOL:
		scalar(w, node_sv(n), NULL, YAML_PLAIN_SCALAR_STYLE);
		return;
	case NODE_INT:
	case NODE_FLOAT:
		if (w->flags & YAML_STYLES)
			scalar(w, node_sv(n), NULL, YAML_PLAIN_SCALAR_STYLE);
		else
			number(w, n);
		return;
	case NODE_STR:
		if (w->flags & YAML_STYLES)
			styled_string(w, n);
		else
			string(w, node_sv(n), false);
		return;
	case NODE_SEQ:
		sequence(w, n);
		return;
	default:
		mapping(w, n);
	}
}

static int append(void *out, unsigned char *p, size_t n)
{
	str_add(out, (struct sv){ (const char *)p, n });
	return 1;
}

static void document(struct writer *w, const struct node *n)
{
	yaml_event_t e;

	yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING);
	emit(w, &e);
	yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1);
	emit(w, &e);
	node(w, n);
	yaml_document_end_event_initialize(&e, 1);
	emit(w, &e);
	yaml_stream_end_event_initialize(&e);
	emit(w, &e);
}

void yaml_write(struct str *out, const struct node *n, unsigned flags)
{
	struct writer w = { .flags = flags };

	if (!yaml_emitter_initialize(&w.emitter))
		abort();
	yaml_emitter_set_output(&w.emitter, append, out);
	yaml_emitter_set_unicode(&w.emitter, 1);
	if (flags & YAML_STYLES)
		yaml_emitter_set_width(&w.emitter, -1);
	document(&w, n);
	yaml_emitter_delete(&w.emitter);
	if (sv_ends(str_sv(out), SV("\n...\n")))        /* libyaml ends a kept block (|+) so; Go does not */
		str_cut(out, out->n - 4);
}

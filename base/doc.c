#include "base/doc-internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_MIN 1024
#define CHUNK_MAX (256 * 1024)

/* ---- arena ---- */

static void chunk_add(struct doc *d, struct doc_chunk *c, size_t size, size_t used)
{
	c->next = d->chunks;
	c->size = size;
	d->chunks = c;
	d->lo = (char *)c + ((used + 7) & ~(size_t)7);
	d->hi = (char *)c + size;
	d->bytes += size;
}

static void *get(size_t n)
{
	void *p = malloc(n);

	if (!p)
		abort();
	return p;
}

struct doc *doc_new_sized(size_t bytes)
{
	size_t head = sizeof(struct doc_chunk) + sizeof(struct doc);
	size_t size = (head + bytes + 63) & ~(size_t)63;
	struct doc_chunk *c = get(size);
	struct doc *d = (struct doc *)(c + 1);

	*d = (struct doc){ .refs = 1, .grow = size / 4 < CHUNK_MIN ? CHUNK_MIN : size / 4 };
	chunk_add(d, c, size, head);
	return d;
}

struct doc *doc_new(void)
{
	return doc_new_sized(CHUNK_MIN - sizeof(struct doc) - sizeof(struct doc_chunk));
}

/* A block that is larger than the next chunk would be gets a chunk of its own, behind the newest one. */
static char *own_chunk(struct doc *d, size_t n)
{
	struct doc_chunk *c = get(sizeof *c + n);

	c->size = sizeof *c + n;
	c->next = d->chunks->next;
	d->chunks->next = c;
	d->bytes += c->size;
	return (char *)(c + 1);
}

static bool grow(struct doc *d, size_t n)
{
	size_t size = d->grow;

	if (n > size / 4)
		return false;
	chunk_add(d, get(size), size, sizeof(struct doc_chunk));
	d->grow = size * 2 > CHUNK_MAX ? CHUNK_MAX : size * 2;
	return true;
}

void *doc_raw_slow(struct doc *d, size_t n)
{
	return grow(d, n) ? doc_raw(d, n) : own_chunk(d, n);
}

char *doc_chars_slow(struct doc *d, size_t n)
{
	return grow(d, n) ? doc_chars(d, n) : own_chunk(d, n);
}

void *doc_alloc(struct doc *d, size_t n)
{
	return memset(doc_raw(d, n ? n : 1), 0, n);
}

const char *doc_text(struct doc *d, struct sv s)
{
	char *p = doc_chars(d, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

/* ---- lifetime ---- */

struct doc *doc_ref(struct doc *d)
{
	if (d)
		d->refs++;
	return d;
}

void doc_drop(struct doc **dp)
{
	struct doc *d = TAKE(*dp);

	if (!d || --d->refs)
		return;
	for (struct doc_chunk *c = d->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
}

struct node *doc_root(const struct doc *d) { return d ? d->root : NULL; }
void doc_set_root(struct doc *d, struct node *root) { d->root = root; }
size_t doc_bytes(const struct doc *d) { return d->bytes; }

uint16_t doc_source(struct doc *d, const char *file)
{
	if (!file || !*file)
		return 0;
	for (uint16_t i = 0; i < d->n_sources; i++)
		if (!strcmp(d->sources[i], file))
			return (uint16_t)(i + 1);
	if (d->n_sources == UINT16_MAX)
		return 0;
	if (!(d->n_sources & (d->n_sources + 1))) {     /* full at 0, 1, 3, 7...: room for twice as many */
		const char **v = doc_raw(d, (size_t)(d->n_sources + 1) * 2 * sizeof *v);

		if (d->n_sources)
			memcpy(v, d->sources, d->n_sources * sizeof *v);
		d->sources = v;
	}
	d->sources[d->n_sources] = doc_text(d, sv_c(file));
	return ++d->n_sources;
}

const char *doc_source_name(const struct doc *d, uint16_t source)
{
	return d && source && source <= d->n_sources ? d->sources[source - 1] : "";
}

const char *node_where(const struct doc *d, const struct node *n, char buf[static 256])
{
	const char *file = n ? doc_source_name(d, n->source) : "";

	buf[0] = '\0';
	if (n && n->line)
		snprintf(buf, 256, "%s%s%u", file, *file ? ":" : "line ", n->line);
	else
		snprintf(buf, 256, "%s", file);
	return buf;
}

/* ---- building ---- */

static struct node *node_new(struct doc *d, enum node_type type)
{
	struct node *n = doc_alloc(d, sizeof *n);

	n->type = (uint8_t)type;
	return n;
}

struct node *node_null(struct doc *d) { return node_new(d, NODE_NULL); }
struct node *node_seq(struct doc *d) { return node_new(d, NODE_SEQ); }
struct node *node_map(struct doc *d) { return node_new(d, NODE_MAP); }

struct node *node_empty(struct doc *d, const struct node *like)
{
	struct node *n = node_new(d, (enum node_type)like->type);

	n->source = like->source;
	n->line = like->line;
	return n;
}

struct node *node_bool(struct doc *d, bool b)
{
	struct node *n = node_new(d, NODE_BOOL);

	n->b = b;
	return n;
}

struct node *node_strn(struct doc *d, struct sv s)
{
	struct node *n = node_new(d, NODE_STR);

	n->text = doc_text(d, s);
	n->n = (uint32_t)s.n;
	return n;
}

struct node *node_str(struct doc *d, const char *s)
{
	return s ? node_strn(d, sv_c(s)) : node_null(d);
}

struct node *node_strf(struct doc *d, const char *fmt, ...)
{
	AUTO(str) s = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	return node_strn(d, str_sv(&s));
}


/* How a copy numbers its sources: as they are, none, or by name from one document to the next. The last answer is
 * kept, as neighbours nearly always come from the same file. */
struct copier {
	struct doc *to;
	const struct doc *from;         /* NULL: numbers stay as they are */
	bool no_source;
	uint16_t last_from, last_to;
};

static uint16_t copy_source(struct copier *c, uint16_t source)
{
	if (c->no_source || !source)
		return 0;
	if (!c->from || c->from == c->to)
		return source;
	if (source != c->last_from) {
		c->last_from = source;
		c->last_to = doc_source(c->to, doc_source_name(c->from, source));
	}
	return c->last_to;
}

static struct node *copy(struct copier *c, const struct node *from)
{
	struct doc *d = c->to;
	struct node *to = doc_raw(d, sizeof *to);

	*to = *from;
	to->source = copy_source(c, from->source);
	to->cap = from->n;
	if (from->type == NODE_SEQ) {
		to->items = doc_raw(d, from->n * sizeof *to->items);
		for (uint32_t i = 0; i < from->n; i++)
			to->items[i] = copy(c, from->items[i]);
	} else if (from->type == NODE_MAP) {
		to->members = doc_raw(d, from->n * sizeof *to->members);
		for (uint32_t i = 0; i < from->n; i++) {
			struct member m = from->members[i];

			m.key = doc_text(d, (struct sv){ m.key, m.key_n });
			m.value = copy(c, m.value);
			to->members[i] = m;
		}
	} else if (from->type >= NODE_INT) {
		to->text = doc_text(d, (struct sv){ from->text, from->n });
	}
	return to;
}

struct node *node_copy(struct doc *d, const struct node *n)
{
	return n ? copy(&(struct copier){ .to = d }, n) : NULL;
}

struct node *node_import(struct doc *d, const struct doc *from, const struct node *n)
{
	return n ? copy(&(struct copier){ .to = d, .from = from }, n) : NULL;
}

struct doc *doc_of(const struct node *root)
{
	struct doc *d = doc_new();

	d->root = root ? copy(&(struct copier){ .to = d, .no_source = true }, root) : NULL;
	return d;
}

struct doc *doc_copy(const struct doc *from)
{
	struct doc *d = doc_new_sized(from->bytes);

	d->root = node_import(d, from, from->root);
	return d;
}

/* ---- changing ---- */

static void *more(struct doc *d, void *old, uint32_t n, uint32_t *cap, size_t size)
{
	if (n < *cap)
		return old;
	uint32_t want = *cap ? *cap * 2 : 4;
	void *v = doc_raw(d, want * size);

	if (n)
		memcpy(v, old, n * size);
	*cap = want;
	return v;
}

void node_insert(struct doc *d, struct node *seq, size_t at, struct node *item)
{
	if (!node_is(seq, NODE_SEQ))
		return;
	seq->items = more(d, seq->items, seq->n, &seq->cap, sizeof *seq->items);
	if (at > seq->n)
		at = seq->n;
	memmove(seq->items + at + 1, seq->items + at, (seq->n - at) * sizeof *seq->items);
	seq->items[at] = item;
	seq->n++;
}

void node_add(struct doc *d, struct node *seq, struct node *item) { node_insert(d, seq, seq->n, item); }

void node_remove(struct node *seq, size_t at)
{
	if (at >= node_n(seq) || seq->type != NODE_SEQ)
		return;
	seq->n--;
	memmove(seq->items + at, seq->items + at + 1, (seq->n - at) * sizeof *seq->items);
}

static struct member *find(const struct node *map, struct sv key)
{
	if (!node_is(map, NODE_MAP) || !map->n)
		return NULL;
	for (struct member *m = map->members, *end = m + map->n; m < end; m++)
		if (m->key_n == key.n && !memcmp(m->key, key.p, key.n))
			return m;
	return NULL;
}

void node_setn(struct doc *d, struct node *map, struct sv key, struct node *value)
{
	struct member *m = find(map, key);

	if (m)
		m->value = value;
	else
		node_append(d, map, key, value);
}

void node_append(struct doc *d, struct node *map, struct sv key, struct node *value)
{
	if (!node_is(map, NODE_MAP))
		return;
	map->members = more(d, map->members, map->n, &map->cap, sizeof *map->members);
	map->members[map->n++] = (struct member){ doc_text(d, key), (uint32_t)key.n, value->line, value };
}

void node_set(struct doc *d, struct node *map, const char *key, struct node *value)
{
	node_setn(d, map, sv_c(key), value);
}

bool node_deln(struct node *map, struct sv key)
{
	struct member *m = find(map, key);

	if (!m)
		return false;
	map->n--;
	memmove(m, m + 1, (size_t)(map->members + map->n - m) * sizeof *m);
	return true;
}

bool node_del(struct node *map, const char *key) { return node_deln(map, sv_c(key)); }

/* The child at key with the wanted type, made (or made anew) when it is something else. */
static struct node *child(struct doc *d, struct node *map, struct sv key, enum node_type type)
{
	struct node *v = node_getn(map, key);

	if (!node_is(v, type))
		node_setn(d, map, key, v = node_new(d, type));
	return v;
}

static struct node *parent_of(struct doc *d, struct node *map, struct sv path, struct sv *key)
{
	while (sv_cut(path, '.', key, &path))
		map = child(d, map, *key, NODE_MAP);
	return map;
}

void node_put(struct doc *d, struct node *map, const char *path, struct node *value)
{
	struct sv key;

	map = parent_of(d, map, sv_c(path), &key);
	node_setn(d, map, key, value);
}

struct node *node_map_at(struct doc *d, struct node *map, const char *path)
{
	struct sv key;

	map = parent_of(d, map, sv_c(path), &key);
	return child(d, map, key, NODE_MAP);
}

struct node *node_seq_at(struct doc *d, struct node *map, const char *path)
{
	struct sv key;

	map = parent_of(d, map, sv_c(path), &key);
	return child(d, map, key, NODE_SEQ);
}

int member_cmp(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return sv_cmp((struct sv){ x->key, x->key_n }, (struct sv){ y->key, y->key_n });
}

void node_sort_keys(struct node *n)
{
	struct node *it;
	struct member *m;

	if (node_is(n, NODE_MAP) && n->n > 1)
		qsort(n->members, n->n, sizeof *n->members, member_cmp);
	node_members(m, n)
		node_sort_keys(m->value);
	node_each(it, n)
		node_sort_keys(it);
}

/* ---- reading one level ---- */

struct node *node_getn(const struct node *map, struct sv key)
{
	struct member *m = find(map, key);

	return m ? m->value : NULL;
}

struct node *node_get(const struct node *map, const char *key) { return node_getn(map, sv_c(key)); }

struct node *node_item(const struct node *seq, size_t i)
{
	return node_is(seq, NODE_SEQ) && i < seq->n ? seq->items[i] : NULL;
}

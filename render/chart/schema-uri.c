#include "render/chart/schema-uri.h"

#include <ctype.h>
#include <stdlib.h>

#define WALK_MAX 120                    /* of schemas in one another */

/* ---- addresses ---- */

/* "https" of "https://x/y"; empty: there is none. */
static struct sv scheme_of(struct sv uri)
{
	for (size_t i = 0; i < uri.n; i++) {
		if (uri.p[i] == ':' && i)
			return (struct sv){ uri.p, i };
		if (!isalnum((unsigned char)uri.p[i]) && !strchr("+-.", uri.p[i]))
			break;
	}
	return (struct sv){ "", 0 };
}

/* "https://host" of "https://host/a/b". */
static struct sv authority_of(struct sv uri)
{
	struct sv scheme = scheme_of(uri), rest = sv_drop(uri, scheme.n + (scheme.n > 0));
	size_t n = 2;

	if (!sv_starts(rest, SV("//")))
		return (struct sv){ uri.p, (size_t)(rest.p - uri.p) };
	while (n < rest.n && !strchr("/?#", rest.p[n]))
		n++;
	return (struct sv){ uri.p, (size_t)(rest.p - uri.p) + n };
}

/* a/./b/../c is a/c; appends. */
static void add_clean(struct str *out, struct sv path)
{
	size_t start = out->n;
	struct sv part;

	for (bool more = true; more;) {
		more = sv_cut(path, '/', &part, &path);
		bool up = sv_eq_c(part, ".."), here = sv_eq_c(part, ".");

		if (up) {
			while (out->n > start + 1 && out->p[out->n - 1] != '/')
				str_cut(out, out->n - 1);
			if (out->n > start + 1)
				str_cut(out, out->n - 1);
			while (out->n > start && out->p[out->n - 1] != '/')
				str_cut(out, out->n - 1);
		} else if (!here) {
			str_add(out, part);
			if (more)
				str_add1(out, '/');
		}
	}
}

void uri_resolve(struct str *out, const char *base, struct sv ref)
{
	struct sv whole = sv_c(base), authority = authority_of(whole), path = sv_drop(whole, authority.n), dir, unused;

	if (scheme_of(ref).n) {
		str_add(out, ref);
	} else if (!ref.n) {
		str_add(out, whole);
	} else if (sv_starts(ref, SV("//"))) {
		struct sv scheme = scheme_of(whole);

		str_addf(out, SV_FMT ":" SV_FMT, SV_ARG(scheme), SV_ARG(ref));
	} else {
		AUTO(str) joined = { 0 };

		if (ref.p[0] != '/') {
			if (sv_cut_last(path, '/', &dir, &unused))
				str_addf(&joined, SV_FMT "/", SV_ARG(dir));
			else if (authority.n)
				str_add1(&joined, '/');
		}
		str_add(&joined, ref);
		str_add(out, authority);
		add_clean(out, str_sv(&joined));
	}
}

/* ---- where schemas are ---- */

enum holds { ONE = 1, LIST, MAP, ONE_OR_LIST };

static const struct { const char *keyword; enum holds holds; } places[] = {
	{ "additionalItems", ONE }, { "additionalProperties", ONE }, { "contains", ONE }, { "else", ONE }, { "if", ONE },
	{ "items", ONE_OR_LIST }, { "not", ONE }, { "propertyNames", ONE }, { "then", ONE }, { "unevaluatedItems", ONE },
	{ "unevaluatedProperties", ONE }, { "contentSchema", ONE }, { "allOf", LIST }, { "anyOf", LIST }, { "oneOf", LIST },
	{ "prefixItems", LIST }, { "$defs", MAP }, { "definitions", MAP }, { "dependencies", MAP }, { "dependentSchemas", MAP },
	{ "patternProperties", MAP }, { "properties", MAP },
};

static struct sv pointer_bytes(const struct node *const *n) { return (struct sv){ (const char *)n, sizeof *n }; }

static void put(struct map *m, const char *base, const char *fragment, const struct node *schema)
{
	AUTO(str) uri = { 0 };

	str_addf(&uri, "%s%s%s", base, *fragment ? "#" : "", fragment);
	if (!map_get(m, str_sv(&uri)))
		map_put(m, str_sv(&uri), (void *)(uintptr_t)schema);
}

static void walk(struct schema_index *x, const struct node *schema, const char *base, int depth);

static void walk_below(struct schema_index *x, const struct node *n, enum holds holds, const char *base, int depth)
{
	const struct node *it;
	struct member *m;

	if (holds == MAP) {
		node_members(m, n)
			walk(x, m->value, base, depth);
	} else if (node_is(n, NODE_SEQ)) {
		node_each(it, n)
			walk(x, it, base, depth);
	} else {
		walk(x, n, base, depth);
	}
}

/* An $id begins a new base; "#name" was the way to write an anchor until draft 7, where $ref hides what stands beside it. */
static char *take_id(struct schema_index *x, const struct node *schema, const char *base)
{
	const char *id = node_str_at(schema, "$id");
	struct sv address, fragment = { "", 0 };
	AUTO(str) whole = { 0 };
	AUTO(str) name = { 0 };

	if (!id)
		id = node_str_at(schema, "id");
	if (!id || (x->dialect == SCHEMA_DRAFT_7 && node_get(schema, "$ref")))
		return sv_dup(sv_c(base));
	(void)sv_cut(sv_c(id), '#', &address, &fragment);
	uri_resolve(&whole, base, address);
	str_add(&name, fragment);
	put(&x->by_uri, str_c(&whole), str_c(&name), schema);
	return str_take(&whole);
}

static void walk(struct schema_index *x, const struct node *schema, const char *base, int depth)
{
	const char *anchor = node_str_at(schema, "$anchor"), *dynamic = node_str_at(schema, "$dynamicAnchor");

	if (!node_is(schema, NODE_MAP) || depth > WALK_MAX || map_get(&x->bases, pointer_bytes(&schema)))
		return;
	char *own = take_id(x, schema, base);
	map_put(&x->bases, pointer_bytes(&schema), own);
	if (anchor)
		put(&x->by_uri, own, anchor, schema);
	if (dynamic) {
		put(&x->by_uri, own, dynamic, schema);
		put(&x->dynamic, own, dynamic, schema);
	}
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (node_get(schema, places[i].keyword))
			walk_below(x, node_get(schema, places[i].keyword), places[i].holds, own, depth + 1);
}

enum schema_dialect schema_dialect_of(const struct node *root)
{
	const char *said = node_str_at(root, "$schema");

	if (!said)
		return SCHEMA_UNSAID;
	return strstr(said, "/draft/20") ? SCHEMA_2019 : SCHEMA_DRAFT_7;
}

void schema_index_make(struct schema_index *x, const struct node *root)
{
	*x = (struct schema_index){ .dialect = schema_dialect_of(root) };
	map_put(&x->by_uri, SV(""), (void *)(uintptr_t)root);
	walk(x, root, "", 0);
	put(&x->by_uri, schema_base(x, root, ""), "", root);
}

void schema_index_free(struct schema_index *x)
{
	struct map_slot *s;

	map_each(s, &x->bases)
		free(s->value);
	map_free(&x->bases);
	map_free(&x->by_uri);
	map_free(&x->dynamic);
}

const char *schema_base(const struct schema_index *x, const struct node *schema, const char *otherwise)
{
	const char *base = map_get(&x->bases, pointer_bytes(&schema));

	return base ? base : otherwise;
}

/* ---- references ---- */

static void decode(struct str *out, struct sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && isxdigit((unsigned char)s.p[i + 1]) && isxdigit((unsigned char)s.p[i + 2])) {
			const char digits[] = { s.p[i + 1], s.p[i + 2], 0 };

			str_add1(out, (char)strtol(digits, NULL, 16));
			i += 2;
		} else {
			str_add1(out, s.p[i]);
		}
	}
}

/* "/definitions/a~1b" from a schema on; bases change on the way. */
static const struct node *follow(const struct schema_index *x, const struct node *at, struct sv pointer, const char **base)
{
	struct sv part;

	pointer = sv_drop(pointer, 1);
	for (bool more = true; at && more;) {
		AUTO(str) name = { 0 };
		int64_t i;

		more = sv_cut(pointer, '/', &part, &pointer);
		for (size_t k = 0; k < part.n; k++) {
			bool escaped = part.p[k] == '~' && k + 1 < part.n;

			str_add1(&name, !escaped ? part.p[k] : part.p[++k] == '1' ? '/' : '~');
		}
		at = node_is(at, NODE_SEQ) && sv_to_i64(str_sv(&name), &i) ? node_item(at, (size_t)i) : node_getn(at, str_sv(&name));
		if (at)
			*base = schema_base(x, at, *base);
	}
	return at;
}

const struct node *schema_resolve(const struct schema_index *x, const char *base, const char *reference, const char **new_base)
{
	struct sv address, fragment = { "", 0 };
	AUTO(str) whole = { 0 };
	AUTO(str) name = { 0 };
	const struct node *found;

	(void)sv_cut(sv_c(reference), '#', &address, &fragment);
	uri_resolve(&whole, base, address);
	decode(&name, fragment);
	if (name.n && name.p[0] != '/')
		str_addf(&whole, "#%s", str_c(&name));
	found = map_get(&x->by_uri, str_sv(&whole));
	if (!found)
		return NULL;
	*new_base = schema_base(x, found, base);
	return name.n && name.p[0] == '/' ? follow(x, found, str_sv(&name), new_base) : found;
}

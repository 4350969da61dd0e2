#include "render/chart/strvals.h"

#include "base/json.h"
#include "render/chart/values.h"

#include <strings.h>

#define INDEX_MAX 65536                 /* Helm's bound: --set a[9999999999]=x must not make a list of that length */
#define DEPTH_MAX 30                    /* of names and indexes in one key, as Helm's */

struct parser {
	struct doc *d;
	enum set_kind kind;
	const char *text;               /* all of it, for messages */
	struct sv rest;
	const struct render_files *files;
	struct err *err;
};

static int failed(struct parser *p, const char *what)
{
	return err_set(p->err, ERR_BAD_REQUEST, "--set '%s': %s at character %zu", p->text, what, (size_t)(p->rest.p - p->text) + 1);
}

static char take_char(struct parser *p)
{
	char c = *p->rest.p;

	p->rest = sv_drop(p->rest, 1);
	return c;
}

/* Text up to one of `stops`, which is returned and consumed; '\0' at the end. A backslash takes what follows as it is. */
static char take_until(struct parser *p, const char *stops, struct str *out)
{
	while (p->rest.n) {
		char c = take_char(p);

		if (c == '\\' && p->rest.n)
			str_add1(out, take_char(p));
		else if (strchr(stops, c))
			return c;
		else
			str_add1(out, c);
	}
	return '\0';
}

static bool same_word(struct sv v, const char *word) { return v.n == strlen(word) && !strncasecmp(v.p, word, v.n); }

/* How a plain value is read: booleans, null, and whole numbers without a leading zero; all else is a string. */
static struct node *typed(struct parser *p, const struct str *s)
{
	struct sv v = str_sv(s);
	int64_t number;

	if (p->kind == SET_STRING)
		return node_strn(p->d, v);
	if (same_word(v, "true") || same_word(v, "false"))
		return node_bool(p->d, same_word(v, "true"));
	if (same_word(v, "null"))
		return node_null(p->d);
	if (sv_eq_c(v, "0") || (v.n && *v.p != '0' && *v.p != '+' && sv_to_i64(v, &number))) {
		struct node *n = node_int(p->d, sv_eq_c(v, "0") ? 0 : number);

		n->flags |= NODE_TYPED;
		return n;
	}
	return node_strn(p->d, v);
}

/* After `{`: values up to `}`. */
static int take_list(struct parser *p, struct node **out)
{
	*out = node_seq(p->d);
	for (;;) {
		AUTO(str) item = { 0 };
		char stop = take_until(p, ",}", &item);

		if (!stop)
			return failed(p, "a list has no closing '}'");
		node_add(p->d, *out, typed(p, &item));
		if (stop == '}')
			break;
	}
	if (p->rest.n && *p->rest.p == ',')
		p->rest = sv_drop(p->rest, 1);
	else if (p->rest.n)
		return failed(p, "want ',' after a list");
	return 0;
}

/* One JSON value: as much text as makes one, up to a comma or the end. */
static int take_json(struct parser *p, struct node **out)
{
	if (!p->rest.n || *p->rest.p == ',') {
		*out = node_null(p->d);
		p->rest = sv_drop(p->rest, 1);
		return 0;
	}
	for (size_t n = 1; n <= p->rest.n; n++) {
		AUTO_DOC value = NULL;

		if (n < p->rest.n && p->rest.p[n] != ',')
			continue;
		if (json_read((struct sv){ p->rest.p, n }, "--set-json", 0, &value, NULL) < 0)
			continue;
		*out = node_copy(p->d, doc_root(value));
		p->rest = sv_drop(p->rest, n + 1);
		return 0;
	}
	return failed(p, "what follows is not JSON");
}

static int take_file(struct parser *p, const char *path, struct node **out)
{
	AUTO(str) content = { 0 };

	if (!p->files || !p->files->read)
		return failed(p, "files cannot be read here");
	TRY(p->files->read(p->files->arg, path, &content, p->err));
	*out = node_strn(p->d, str_sv(&content));
	return 0;
}

static int take_value(struct parser *p, struct node **out)
{
	AUTO(str) text = { 0 };

	if (p->kind == SET_JSON)
		return take_json(p, out);
	if (p->kind == SET_LITERAL) {
		*out = node_strn(p->d, p->rest);
		p->rest = sv_drop(p->rest, p->rest.n);
		return 0;
	}
	if (p->rest.n && *p->rest.p == '{') {
		p->rest = sv_drop(p->rest, 1);
		return take_list(p, out);
	}
	(void)take_until(p, ",", &text);
	if (p->kind == SET_FILE)
		return take_file(p, str_c(&text), out);
	*out = typed(p, &text);
	return 0;
}

#define NOTHING 1                       /* the text ends within a key: Helm takes it as if the key were not there */

static int take_index(struct parser *p, size_t *out)
{
	AUTO(str) digits = { 0 };
	int64_t i;

	if (take_until(p, "]", &digits) != ']')
		return NOTHING;
	if (!sv_to_i64(str_sv(&digits), &i) || i < 0)
		return failed(p, "an index is not a whole number");
	if (i > INDEX_MAX)
		return failed(p, "an index is greater than 65536");
	*out = (size_t)i;
	return 0;
}

static int set_in_list(struct parser *p, struct node *list, int depth);
static int set_in_map(struct parser *p, struct node *map, int depth);

/* What follows a name or an index: the value, a deeper name, or an index. *slot holds what is there now, or NULL. */
static int set_slot(struct parser *p, struct node **slot, char stop, int depth)
{
	if (depth > DEPTH_MAX)
		return failed(p, "names are nested too deeply");
	switch (stop) {
	case '=':
		return take_value(p, slot);
	case '.':
		if (*slot && !node_is(*slot, NODE_MAP) && !node_is(*slot, NODE_NULL))
			return failed(p, "what is there has no names in it");
		if (!node_is(*slot, NODE_MAP))
			*slot = node_map(p->d);
		TRY(set_in_map(p, *slot, depth + 1));
		return (*slot)->n ? 0 : failed(p, "a name that holds others has no value");
	case '[':
		if (*slot && !node_is(*slot, NODE_SEQ) && !node_is(*slot, NODE_NULL))
			return failed(p, "what is there is not a list");
		if (!node_is(*slot, NODE_SEQ))
			*slot = node_seq(p->d);
		return set_in_list(p, *slot, depth + 1);
	default:
		return failed(p, "a key has no value");
	}
}

static int set_in_list(struct parser *p, struct node *list, int depth)
{
	size_t i = 0;
	int r = take_index(p, &i);

	if (r)
		return r;
	char stop = p->rest.n ? take_char(p) : '\0';
	while (list->n <= i)
		node_add(p->d, list, node_null(p->d));
	return set_slot(p, &list->items[i], stop, depth);
}

static int set_in_map(struct parser *p, struct node *map, int depth)
{
	AUTO(str) key = { 0 };
	const char *stops = p->kind == SET_LITERAL ? "=[." : "=[,.";
	char stop = take_until(p, stops, &key);
	struct node *slot = node_getn(map, str_sv(&key));

	if (!key.n && !stop)
		return NOTHING;
	int r = set_slot(p, &slot, stop, depth);
	if (!r && key.n)                /* the value of an empty name is dropped, as in Helm */
		node_setn(p->d, map, str_sv(&key), slot);
	return r;
}

/* --set-json '{"a": {"b": 1}}': an object that is merged with what is there. */
static int set_whole(struct parser *p, struct node *root)
{
	AUTO_DOC value = NULL;
	struct member *m;

	if (json_read(p->rest, "--set-json", 0, &value, NULL) < 0)
		return failed(p, "what follows is not JSON");
	const struct node *merged = values_override(p->d, root, doc_root(value));
	node_members(m, merged)
		node_setn(p->d, root, (struct sv){ m->key, m->key_n }, m->value);
	return 0;
}

int strvals_apply(struct doc *d, struct node *root, enum set_kind kind, const char *text, const struct render_files *files,
		  struct err *err)
{
	struct parser p = { .d = d, .kind = kind, .text = text, .rest = sv_c(text), .files = files, .err = err };

	if (kind == SET_JSON && sv_starts(p.rest, SV("{")))
		return set_whole(&p, root);
	while (p.rest.n)
		TRY(set_in_map(&p, root, 0));
	return 0;
}

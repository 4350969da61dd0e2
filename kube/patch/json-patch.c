/* RFC 6902: JSON patch. */
#include "kube/patch/patch.h"

#include <stdlib.h>

#define OPS_MAX 10000
#define GROWTH_MAX ((size_t)64 << 20)   /* what one patch may add: copies can double a document again and again */

struct job {
	struct doc *d;
	struct node *root;
	const struct node *op;
	size_t number;
	struct err *err;
};

static int fail(struct job *j, enum err_code code, const char *why)
{
	return err_set(j->err, code, "operation %zu (%s %s): %s", j->number, node_str_or(j->op, "op", "?"),
		       node_str_or(j->op, "path", "?"), why);
}

/* ---- pointers ---- */

/* The next part of a pointer, ~1 and ~0 decoded into key; false: no more. */
static bool next_part(struct sv *pointer, struct str *key)
{
	if (!pointer->n)
		return false;
	*pointer = sv_drop(*pointer, 1);
	str_cut(key, 0);
	while (pointer->n && *pointer->p != '/') {
		bool escape = *pointer->p == '~' && pointer->n > 1 && (pointer->p[1] == '0' || pointer->p[1] == '1');

		str_add1(key, !escape ? *pointer->p : pointer->p[1] == '0' ? '~' : '/');
		*pointer = sv_drop(*pointer, escape ? 2 : 1);
	}
	return true;
}

static bool has_more(struct sv pointer) { return pointer.n > 0; }

/* An index from 0 to `most`: digits without leading zeros. -1 is `most`, as it is for the API server and for kustomize. */
static bool to_index(struct sv key, size_t most, size_t *out)
{
	struct sv digits = sv_drop(key, key.n && *key.p == '-');
	int64_t v;

	if (!digits.n || *digits.p < '0' || *digits.p > '9' || (*digits.p == '0' && digits.n > 1) || !sv_to_i64(key, &v))
		return false;
	if (v < 0)
		v += (int64_t)most + 1;
	if (v < 0 || (uint64_t)v > most)
		return false;
	*out = (size_t)v;
	return true;
}

static struct node *step(const struct node *n, struct sv key)
{
	size_t i;

	if (node_is(n, NODE_SEQ))
		return n->n && to_index(key, n->n - 1, &i) ? n->items[i] : NULL;
	return node_getn(n, key);
}

struct place { struct node *parent; struct str key; bool is_root; size_t depth; };

static void place_free(struct place *p) { str_free(&p->key); }

/* Finds the parent that a pointer leads to, and its last part. */
static int find(struct job *j, const char *pointer, struct place *p)
{
	struct sv rest = sv_c(pointer);

	if (!pointer || (rest.n && *rest.p != '/'))
		return fail(j, ERR_BAD_REQUEST, "a pointer starts with '/'");
	*p = (struct place){ .parent = j->root, .is_root = !rest.n };
	while (next_part(&rest, &p->key)) {
		p->depth++;
		if (!has_more(rest))
			break;
		p->parent = step(p->parent, str_sv(&p->key));
		if (!p->parent)
			return fail(j, ERR_INVALID, "path does not exist");
	}
	return 0;
}

static struct node *value_at(struct job *j, const struct place *p)
{
	return p->is_root ? j->root : step(p->parent, str_sv(&p->key));
}

/* ---- operations ---- */

static size_t depth(const struct node *n)
{
	struct node *it;
	struct member *m;
	size_t most = 0;

	node_each(it, n) {
		size_t k = depth(it);
		most = k > most ? k : most;
	}
	node_members(m, n) {
		size_t k = depth(m->value);
		most = k > most ? k : most;
	}
	return most + 1;
}

static int put(struct job *j, const struct place *p, struct node *value)
{
	size_t i;

	if (p->depth + depth(value) > DOC_DEPTH_MAX)
		return fail(j, ERR_INVALID, "the document would be nested too deeply");
	if (p->is_root) {
		j->root = value;
		return 0;
	}
	if (node_is(p->parent, NODE_MAP)) {
		node_setn(j->d, p->parent, str_sv(&p->key), value);
		return 0;
	}
	if (!node_is(p->parent, NODE_SEQ))
		return fail(j, ERR_INVALID, "the parent is neither an object nor an array");
	if (sv_eq_c(str_sv(&p->key), "-"))
		i = p->parent->n;
	else if (!to_index(str_sv(&p->key), p->parent->n, &i))
		return fail(j, ERR_INVALID, "array index is out of range");
	node_insert(j->d, p->parent, i, value);
	return 0;
}

static int take_out(struct job *j, const struct place *p)
{
	size_t i;

	if (p->is_root)
		return fail(j, ERR_INVALID, "the whole document cannot be removed");
	if (node_is(p->parent, NODE_MAP) && node_deln(p->parent, str_sv(&p->key)))
		return 0;
	if (!node_is(p->parent, NODE_SEQ) || !p->parent->n || !to_index(str_sv(&p->key), p->parent->n - 1, &i))
		return fail(j, ERR_INVALID, "path does not exist");
	node_remove(p->parent, i);
	return 0;
}

static int replace(struct job *j, const struct place *p, struct node *value)
{
	size_t i;

	if (p->is_root || node_is(p->parent, NODE_MAP))
		return put(j, p, value);
	if (p->depth + depth(value) > DOC_DEPTH_MAX)
		return fail(j, ERR_INVALID, "the document would be nested too deeply");
	if (!to_index(str_sv(&p->key), p->parent->n - 1, &i))
		return fail(j, ERR_INVALID, "array index is out of range");
	p->parent->items[i] = value;
	return 0;
}

#define AUTO_PLACE __attribute__((cleanup(place_free))) struct place

/* A value that is absent is null, as it is for the API server. */
static struct node *new_value(struct job *j)
{
	const struct node *v = node_get(j->op, "value");

	return v ? node_copy(j->d, v) : node_null(j->d);
}

static int op_add(struct job *j, struct place *p) { return put(j, p, new_value(j)); }

static int op_remove(struct job *j, struct place *p)
{
	return take_out(j, p);
}

/* A member that is absent is added, which the RFC does not say, and the API server and kustomize do. */
static int op_replace(struct job *j, struct place *p)
{
	if (!value_at(j, p) && !node_is(p->parent, NODE_MAP))
		return fail(j, ERR_INVALID, "path does not exist");
	return replace(j, p, new_value(j));
}

static int op_test(struct job *j, struct place *p)
{
	const struct node *v = node_get(j->op, "value"), *is = value_at(j, p);

	if (node_eq(v, is) || (node_is(v, NODE_NULL) && !is))
		return 0;
	return fail(j, ERR_INVALID, is ? "the value is another one" : "path does not exist");
}

static int source_of(struct job *j, struct place *from, struct node **value)
{
	const char *pointer = node_str_at(j->op, "from");

	if (!pointer)
		return fail(j, ERR_BAD_REQUEST, "from is missing");
	TRY(find(j, pointer, from));
	if (!(*value = value_at(j, from)))
		return fail(j, ERR_INVALID, "from does not exist");
	return 0;
}

static int op_copy(struct job *j, struct place *p)
{
	AUTO_PLACE from = { 0 };
	struct node *v;

	TRY(source_of(j, &from, &v));
	return put(j, p, node_copy(j->d, v));
}

static int op_move(struct job *j, struct place *p)
{
	const char *path = node_str_at(j->op, "path"), *source = node_str_or(j->op, "from", "");
	size_t n = strlen(source);
	AUTO_PLACE from = { 0 };
	AUTO_PLACE to = { 0 };
	struct node *v;

	(void)p;                                /* found again below: taking out moves indexes */
	TRY(source_of(j, &from, &v));
	if (!strncmp(path, source, n) && path[n] == '/')
		return fail(j, ERR_INVALID, "cannot move into itself");
	if (!strcmp(path, source))
		return 0;
	TRY(take_out(j, &from));
	TRY(find(j, path, &to));
	return put(j, &to, v);
}

static const struct { const char *name; int (*run)(struct job *j, struct place *p); } operations[] = {
	{ "add", op_add }, { "remove", op_remove }, { "replace", op_replace }, { "test", op_test }, { "copy", op_copy },
	{ "move", op_move },
};

static int run(struct job *j)
{
	const char *name = node_str_at(j->op, "op");
	AUTO_PLACE p = { 0 };

	for (size_t i = 0; name && i < sizeof operations / sizeof *operations; i++) {
		if (strcmp(operations[i].name, name) != 0)
			continue;
		TRY(find(j, node_str_at(j->op, "path"), &p));
		return operations[i].run(j, &p);
	}
	return fail(j, ERR_BAD_REQUEST, "op is one of add, remove, replace, move, copy, test");
}

int patch_json(struct doc *d, const struct node *target, const struct node *ops, struct node **out, struct err *err)
{
	struct job j = { .d = d, .root = node_copy(d, target), .err = err };
	size_t before = doc_bytes(d);
	struct node *op;

	if (!node_is(ops, NODE_SEQ))
		return err_set(err, ERR_BAD_REQUEST, "a JSON patch is an array of operations, not %s", node_type_name(ops));
	if (ops->n > OPS_MAX)
		return err_set(err, ERR_TOO_LARGE, "a JSON patch has at most %d operations, this one has %u", OPS_MAX, ops->n);
	node_each(op, ops) {
		j.op = op;
		j.number = i_ + 1;
		TRY(run(&j));
		if (doc_bytes(d) - before > GROWTH_MAX)
			return fail(&j, ERR_TOO_LARGE, "the document grows too large");
	}
	*out = j.root;
	return 0;
}

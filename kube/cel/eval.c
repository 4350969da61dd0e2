/* Evaluation: a walk over the tree. An error is a value, which && and || may leave out; what ends all is a spent cost.
 */
#include "kube/cel/cel-internal.h"

#include <stdlib.h>

struct frame {
	struct cel_value value;
	const struct frame *up;
};

static struct cel_value eval(struct cel_eval *e, const struct cel_expr *x, const struct frame *f);

struct doc *cel_memory(struct cel_eval *e) { return e->d; }

struct cel_value cel_fail(struct cel_eval *e, const char *fmt, ...)
{
	AUTO(str) text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	return cel_errorf(e->d, "%s", str_c(&text));
}

bool cel_spend(struct cel_eval *e, size_t cost)
{
	if (e->spent || cost > (size_t)e->cost || doc_bytes(e->d) > CEL_HEAP) {
		e->spent = true;
		return false;
	}
	e->cost -= (int64_t)cost;
	return true;
}

bool cel_spend_text(struct cel_eval *e, size_t bytes) { return cel_spend(e, bytes / 10 + 1); }

struct cel_value cel_text(struct cel_eval *e, const struct str *s)
{
	return cel_string((struct sv){ doc_text(e->d, str_sv(s)), s->n });
}

const struct regex *cel_regex(struct cel_eval *e, struct sv pattern, struct cel_value *error)
{
	unsigned n = e->n_patterns < 4 ? e->n_patterns : 4;
	AUTO(err) err = { 0 };

	for (unsigned i = 0; i < n; i++)
		if (sv_eq(e->patterns[i].pattern, pattern))
			return &e->patterns[i].regex;
	unsigned at = e->n_patterns++ % 4;
	regex_free(&e->patterns[at].regex);
	e->patterns[at].pattern = pattern;
	if (regex_init(&e->patterns[at].regex, doc_text(e->d, pattern), false, &err) >= 0)
		return &e->patterns[at].regex;
	e->patterns[at].pattern = (struct sv){ "\xff", 1 }; /* no text is */
	*error = cel_fail(e, "%s", err_msg(&err));
	return NULL;
}

static const struct cel_value spent = { .kind = CEL_ERROR, .s = { "cost", 4 } };

static bool stop(const struct cel_eval *e, const struct cel_value *v) { return v->kind == CEL_ERROR || e->spent; }

/* ---- logic ---- */

/* The first operand that decides; else the first error; a value that is no bool is one. */
static struct cel_value logic(struct cel_eval *e, const struct cel_expr *x, const struct frame *f)
{
	bool decides = x->op == CEL_OR;
	struct cel_value error = { .kind = CEL_NULL };

	for (const struct cel_expr *a = x->args; a; a = a->next) {
		struct cel_value v = eval(e, a, f);

		if (e->spent)
			return spent;
		if (v.kind == CEL_BOOL && v.b == decides)
			return v;
		if (v.kind != CEL_BOOL && error.kind == CEL_NULL)
			error = v.kind == CEL_ERROR ? v : cel_fail(e, "no such overload");
	}
	return error.kind == CEL_ERROR ? error : cel_bool(!decides);
}

static struct cel_value choose(struct cel_eval *e, const struct cel_expr *x, const struct frame *f)
{
	struct cel_value v = eval(e, x->args, f);

	if (stop(e, &v))
		return v;
	if (v.kind != CEL_BOOL)
		return cel_fail(e, "no such overload");
	return eval(e, v.b ? x->args->next : x->args->next->next, f);
}

/* ---- members ---- */

static struct cel_value no_key(struct cel_eval *e, struct sv name)
{
	return cel_fail(e, "no such key: " SV_FMT, SV_ARG(name));
}

static struct cel_value select_of(struct cel_eval *e, const struct cel_value *v, struct sv name, bool optional)
{
	struct cel_value out;

	if (v->kind == CEL_OPTIONAL)
		return v->some ? select_of(e, v->some, name, true) : cel_none();
	if (v->kind != CEL_MAP)
		return cel_fail(e, "no such overload");
	if (v->form == CEL_NATIVE && !cel_spend(e, v->map->n))
		return spent;
	if (!cel_member(e->d, v, name, &out))
		return optional ? cel_none() : no_key(e, name);
	return optional ? cel_some(e->d, out) : out;
}

static struct cel_value has(struct cel_eval *e, const struct cel_value *v, struct sv name)
{
	struct cel_value out;

	if (v->kind == CEL_OPTIONAL)
		return v->some ? has(e, v->some, name) : cel_bool(false);
	if (v->kind != CEL_MAP)
		return cel_fail(e, "no such overload");
	if (v->form == CEL_NATIVE && !cel_spend(e, v->map->n))
		return spent;
	bool found = cel_member(e->d, v, name, &out);
	/* a null that was declared as something else is as good as absent */
	return cel_bool(found &&
			!(v->form == CEL_TREE && v->shape && v->shape->kind == CEL_OBJECT && out.kind == CEL_NULL));
}

static struct cel_value list_at(struct cel_eval *e, const struct cel_value *v, const struct cel_value *key,
				bool optional)
{
	double whole = key->kind == CEL_DOUBLE ? key->d : 0;
	int64_t i = key->i;

	if (key->kind == CEL_DOUBLE) {
		if (!(whole >= 0 && whole < 0x1p53) || whole != (double)(int64_t)whole)
			return cel_fail(e, "invalid_argument");
		i = (int64_t)whole;
	} else if (key->kind == CEL_UINT) {
		i = key->u > INT64_MAX ? INT64_MAX : (int64_t)key->u;
	} else if (key->kind != CEL_INT) {
		return cel_fail(e, "no such overload");
	}
	if (i < 0 || (uint64_t)i >= cel_size(v))
		return optional ? cel_none() : cel_fail(e, "index out of bounds: %lld", (long long)i);
	struct cel_value out = cel_item(e->d, v, (size_t)i);
	return optional ? cel_some(e->d, out) : out;
}

static struct cel_value index_of(struct cel_eval *e, const struct cel_value *v, const struct cel_value *key,
				 bool optional)
{
	struct cel_value out;

	if (v->kind == CEL_OPTIONAL)
		return v->some ? index_of(e, v->some, key, true) : cel_none();
	if (v->kind == CEL_LIST)
		return list_at(e, v, key, optional);
	if (v->kind != CEL_MAP)
		return cel_fail(e, "no such overload");
	if (v->form == CEL_NATIVE && !cel_spend(e, v->map->n))
		return spent;
	if (cel_find(e->d, v, key, &out))
		return optional ? cel_some(e->d, out) : out;
	if (optional)
		return cel_none();
	if (key->kind == CEL_STRING)
		return no_key(e, key->s);
	return cel_fail(e, "no such key: %lld",
			key->kind == CEL_INT || key->kind == CEL_UINT ? (long long)key->i : 0LL);
}

static struct cel_value member(struct cel_eval *e, const struct cel_expr *x, const struct frame *f)
{
	struct cel_value v = eval(e, x->target, f);

	if (stop(e, &v))
		return v;
	return x->op == CEL_HAS ? has(e, &v, x->name) : select_of(e, &v, x->name, x->optional);
}

static struct cel_value index_by(struct cel_eval *e, const struct cel_expr *x, const struct frame *f)
{
	struct cel_value v = eval(e, x->args, f), key;

	if (stop(e, &v))
		return v;
	key = eval(e, x->args->next, f);
	return stop(e, &key) ? key : index_of(e, &v, &key, x->op == CEL_OPT_INDEX);
}

/* ---- calls ---- */

static bool accepts(const char *sig, const struct cel_value *args, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		enum cel_kind want = cel_sig_kind(*sig);

		if (want != CEL_DYN && want != (enum cel_kind)args[i].kind)
			return false;
		sig = cel_sig_skip(sig);
		sig += *sig == '.';
	}
	return *sig == '>';
}

static struct cel_value call(struct cel_eval *e, const struct cel_expr *x, const struct frame *f)
{
	struct cel_value args[CEL_ARGS];
	uint32_t n = 0;

	if (x->member) {
		args[n] = eval(e, x->target, f);
		if (stop(e, &args[n++]))
			return args[0];
	}
	for (const struct cel_expr *a = x->args; a; a = a->next) {
		args[n] = eval(e, a, f);
		if (stop(e, &args[n++]))
			return args[n - 1];
	}
	for (uint32_t i = 0; i < x->n_rows; i++)
		if (x->member == (strchr(x->rows[i].sig, '.') != NULL) && accepts(x->rows[i].sig, args, n))
			return x->rows[i].fn(e, args, n);
	return cel_fail(e, "no such overload");
}

/* ---- lists and maps ---- */

/* 1: it counts; 0: it is left out; -1: *v is an error */
static int element(struct cel_eval *e, const struct cel_expr *a, bool maybe, const struct frame *f, struct cel_value *v)
{
	*v = eval(e, a, f);
	if (stop(e, v))
		return -1;
	if (!maybe)
		return 1;
	if (v->kind != CEL_OPTIONAL) {
		*v = cel_fail(e, "no such overload");
		return -1;
	}
	if (!v->some)
		return 0;
	*v = *v->some;
	return 1;
}

static struct cel_value make_list(struct cel_eval *e, const struct cel_expr *x, const struct frame *f)
{
	struct cel_value out = cel_make_list(e->d, x->n_args), v;
	struct cel_list *l = (struct cel_list *)out.list;

	l->n = 0;
	for (const struct cel_expr *a = x->args; a; a = a->next) {
		int r = element(e, a, a->may_be_none, f, &v);

		if (r < 0)
			return v;
		if (r)
			l->items[l->n++] = v;
	}
	return out;
}

static struct cel_map *new_map(struct cel_eval *e, size_t n, struct cel_value *out)
{
	struct cel_map *m = doc_alloc(e->d, sizeof *m);

	m->entries = doc_alloc(e->d, (n ? n : 1) * sizeof *m->entries);
	*out = (struct cel_value){ .kind = CEL_MAP, .map = m };
	return m;
}

static bool put(struct cel_eval *e, struct cel_map *m, struct cel_value key, struct cel_value value,
		struct cel_value *error)
{
	struct cel_value map = { .kind = CEL_MAP, .map = m }, there;

	if (key.kind != CEL_STRING && key.kind != CEL_INT && key.kind != CEL_UINT && key.kind != CEL_BOOL)
		*error = cel_fail(e, "unsupported key type");
	else if (!cel_spend(e, m->n / 10))
		*error = spent;
	else if (cel_find(e->d, &map, &key, &there))
		*error = cel_fail(e, "Failed with repeated key");
	else
		m->entries[m->n++] = (struct cel_entry){ key, value };
	return error->kind != CEL_ERROR;
}

static struct cel_value make_map(struct cel_eval *e, const struct cel_expr *x, const struct frame *f)
{
	struct cel_value out, key, v, error = { .kind = CEL_NULL };
	struct cel_map *m = new_map(e, x->n_args / 2, &out);

	for (const struct cel_expr *a = x->args; a; a = a->next->next) {
		key = eval(e, a, f);
		if (stop(e, &key))
			return key;
		int r = element(e, a->next, a->next->may_be_none, f, &v);
		if (r < 0)
			return v;
		if (r && !put(e, m, key, v, &error))
			return error;
	}
	return out;
}

/* ---- folds ---- */

struct folding {
	const struct cel_expr *x;
	struct frame first, second;
	const struct frame *in;
	struct cel_value range, result, error;
	size_t found;
};

static void bind_element(struct cel_eval *e, struct folding *g, size_t i)
{
	bool list = g->range.kind == CEL_LIST, pair = g->x->second.n > 0;

	g->first.value = list && pair ? cel_int((int64_t)i)
			 : list	      ? cel_item(e->d, &g->range, i)
				      : cel_key(&g->range, i);
	if (pair)
		g->second.value = list ? cel_item(e->d, &g->range, i) : cel_value_at(e->d, &g->range, i);
}

static void add_entry(struct cel_eval *e, struct folding *g, const struct cel_value *v)
{
	struct cel_map *m = (struct cel_map *)g->result.map;

	if (g->x->fold == CEL_TRANSFORM_MAP) {
		(void)put(e, m, g->first.value, *v, &g->error);
	} else if (v->kind != CEL_MAP || cel_size(v) != 1) {
		g->error = cel_fail(e, "an entry of a map was expected");
	} else {
		(void)put(e, m, cel_key(v, 0), cel_value_at(e->d, v, 0), &g->error);
	}
}

/* What an element adds. True: there is no need for more. */
static bool fold_value(struct cel_eval *e, struct folding *g, const struct cel_value *v)
{
	struct cel_list *l = (struct cel_list *)g->result.list;

	switch ((enum cel_fold)g->x->fold) {
	case CEL_ALL:
	case CEL_EXISTS:
		if (v->kind == CEL_BOOL && v->b == (g->x->fold == CEL_EXISTS)) {
			g->result = *v;
			g->error.kind = CEL_NULL;
			return true;
		}
		if (v->kind != CEL_BOOL && g->error.kind == CEL_NULL)
			g->error = v->kind == CEL_ERROR ? *v : cel_fail(e, "no such overload");
		return false;
	case CEL_EXISTS_ONE:
		g->found += v->kind == CEL_BOOL && v->b;
		return false;
	case CEL_FILTER:
		if (v->kind == CEL_BOOL && v->b)
			l->items[l->n++] = g->first.value;
		return false;
	case CEL_MAP_EACH:
	case CEL_TRANSFORM_LIST:
		l->items[l->n++] = *v;
		return false;
	case CEL_TRANSFORM_MAP:
	case CEL_TRANSFORM_ENTRY:
		add_entry(e, g, v);
		return g->error.kind == CEL_ERROR;
	}
	return true;
}

static void start(struct cel_eval *e, struct folding *g)
{
	size_t n = cel_size(&g->range);

	if (g->x->fold == CEL_ALL || g->x->fold == CEL_EXISTS || g->x->fold == CEL_EXISTS_ONE) {
		g->result = cel_bool(g->x->fold == CEL_ALL);
	} else if (g->x->fold >= CEL_TRANSFORM_MAP) {
		(void)new_map(e, n, &g->result);
	} else {
		g->result = cel_make_list(e->d, n);
		((struct cel_list *)g->result.list)->n = 0;
	}
}

/* True: it is over, with g->error or without. */
static bool fold_element(struct cel_eval *e, struct folding *g)
{
	const struct cel_expr *last = g->x->args;
	bool absorbs = g->x->fold == CEL_ALL || g->x->fold == CEL_EXISTS;
	struct cel_value v;

	if (g->x->condition) {
		v = eval(e, last, g->in);
		if (v.kind == CEL_BOOL && !v.b)
			return false;
		if (v.kind != CEL_BOOL) {
			g->error = v.kind == CEL_ERROR ? v : cel_fail(e, "no such overload");
			return true;
		}
		last = last->next;
	}
	v = eval(e, last, g->in);
	if (!absorbs && (g->x->fold == CEL_FILTER || g->x->fold == CEL_EXISTS_ONE) && v.kind != CEL_BOOL &&
	    v.kind != CEL_ERROR)
		v = cel_fail(e, "no such overload");
	if (e->spent || (!absorbs && v.kind == CEL_ERROR)) {
		g->error = v;
		return true;
	}
	return fold_value(e, g, &v);
}

static struct cel_value fold(struct cel_eval *e, const struct cel_expr *x, const struct frame *f)
{
	struct folding g = { .x = x, .first.up = f, .second.up = &g.first, .error.kind = CEL_NULL };
	bool pair = x->second.n > 0, done = false;

	g.range = eval(e, x->target, f);
	if (stop(e, &g.range))
		return g.range;
	if ((g.range.kind != CEL_LIST && g.range.kind != CEL_MAP) || g.range.form == CEL_LAZY)
		return cel_fail(e, "got '%s', expected iterable type", cel_types[g.range.kind].name);
	g.in = pair ? &g.second : &g.first;
	start(e, &g);
	for (size_t i = 0; i < cel_size(&g.range) && !done; i++) {
		bind_element(e, &g, i);
		done = !cel_spend(e, 1) || fold_element(e, &g);
	}
	if (e->spent)
		return spent;
	if (g.error.kind == CEL_ERROR)
		return g.error;
	return x->fold == CEL_EXISTS_ONE ? cel_bool(g.found == 1) : g.result;
}

static struct cel_value opt_map(struct cel_eval *e, const struct cel_expr *x, const struct frame *f)
{
	struct cel_value v = eval(e, x->target, f);

	if (stop(e, &v) || (v.kind == CEL_OPTIONAL && !v.some))
		return v;
	if (v.kind != CEL_OPTIONAL)
		return cel_fail(e, "no such overload");
	struct frame in = { *v.some, f };
	v = eval(e, x->args, &in);
	return x->op == CEL_OPT_MAP ? cel_some(e->d, v) : v;
}

static struct cel_value bind(struct cel_eval *e, const struct cel_expr *x, const struct frame *f)
{
	struct frame in = { eval(e, x->args, f), f };

	return stop(e, &in.value) ? in.value : eval(e, x->args->next, &in);
}

static struct cel_value bound(const struct cel_expr *x, const struct frame *f)
{
	for (uint32_t up = x->slot; up; up--)
		f = f->up;
	return f->value;
}

static struct cel_value eval(struct cel_eval *e, const struct cel_expr *x, const struct frame *f)
{
	if (x->op != CEL_LITERAL && !cel_spend(e, 1))
		return spent;
	switch ((enum cel_op)x->op) {
	case CEL_LITERAL:
		return x->literal;
	case CEL_VARIABLE:
		return e->values[x->slot];
	case CEL_BOUND:
		return bound(x, f);
	case CEL_SELECT:
	case CEL_HAS:
		return member(e, x, f);
	case CEL_INDEX:
	case CEL_OPT_INDEX:
		return index_by(e, x, f);
	case CEL_CALL:
		return call(e, x, f);
	case CEL_AND:
	case CEL_OR:
		return logic(e, x, f);
	case CEL_IF:
		return choose(e, x, f);
	case CEL_MAKE_LIST:
		return make_list(e, x, f);
	case CEL_MAKE_MAP:
		return make_map(e, x, f);
	case CEL_FOLD:
		return fold(e, x, f);
	case CEL_BIND:
		return bind(e, x, f);
	case CEL_OPT_MAP:
	case CEL_OPT_FLAT_MAP:
		return opt_map(e, x, f);
	}
	return cel_fail(e, "no such overload");
}

/* ---- programs ---- */

int cel_compile(struct doc *d, const struct cel_env *env, const char *text, struct cel_program **out, struct err *err)
{
	struct cel_program *p = doc_alloc(d, sizeof *p);
	struct cel_expr *root;

	p->text = doc_text(d, sv_c(text));
	TRY(cel_parse(d, p->text, &root, err));
	TRY(cel_check(d, env, p->text, root, &p->type, err));
	p->root = root;
	*out = p;
	return 0;
}

static bool uses(const struct cel_expr *x, struct sv variable)
{
	if (!x)
		return false;
	if (x->op == CEL_VARIABLE && sv_eq(x->name, variable))
		return true;
	for (const struct cel_expr *a = x->args; a; a = a->next)
		if (uses(a, variable))
			return true;
	return uses(x->target, variable);
}

bool cel_uses(const struct cel_program *p, const char *variable) { return uses(p->root, sv_c(variable)); }

int cel_run(const struct cel_program *p, struct doc *d, const struct cel_value *values, int64_t *cost,
	    struct cel_value *out, struct err *err)
{
	struct cel_eval e = { .d = d, .values = values, .cost = *cost < CEL_CALL_COST ? *cost : CEL_CALL_COST };
	int64_t given = e.cost;

	*out = eval(&e, p->root, NULL);
	for (unsigned i = 0; i < 4; i++)
		regex_free(&e.patterns[i].regex);
	*cost -= given - e.cost;
	if (e.spent) {
		*cost -= e.cost;
		return err_set(err, ERR_TOO_LARGE, "operation cancelled: actual cost limit exceeded");
	}
	if (out->kind == CEL_ERROR)
		return err_set(err, ERR_INVALID, SV_FMT, SV_ARG(out->s));
	return 0;
}

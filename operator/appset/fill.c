/* operator/appset/fill.c - parameters into templates. */
#include "operator/appset/fill.h"

#include <stdlib.h>

#include "render/chart/gotmpl/engine.h"

#define DEPTH 64
#define TEMPLATE "template"

struct filler { bool go, strict; };

struct filler *filler_new(bool go_template, bool strict)
{
	struct filler *f = calloc(1, sizeof *f);

	*f = (struct filler){ go_template, strict };
	return f;
}

void filler_free(struct filler **f)
{
	free(TAKE(*f));
}

/* A sandbox a text: what one template defines is not seen by the next. */
static int fill_go(const struct filler *f, struct sv text, const struct node *params, struct str *out, struct err *err)
{
	static const struct sandbox_limits limits = { .memory = 16 << 20, .instructions = 2000000 };
	struct sandbox *s = sandbox_new(&limits);
	struct gotmpl *g = gotmpl_new(s);
	int r;

	if (f->strict)
		gotmpl_require_keys(g);
	r = gotmpl_add(g, TEMPLATE, text, err);
	if (r >= 0) {
		sandbox_push(sandbox_state(s), params);
		r = gotmpl_run(g, TEMPLATE, out, err);
	}
	gotmpl_free(&g);
	sandbox_free(&s);
	return r < 0 ? r : 0;
}

/* The flat key first ("path.basename" may be one), then a path into the parameters. */
static const struct node *find(const struct node *params, struct sv key)
{
	const struct node *n = node_getn(params, key);
	char *path;

	if (n)
		return n;
	path = sv_dup(key);
	n = node_at(params, path);
	free(path);
	return n;
}

static int fill_flat(const struct filler *f, struct sv text, const struct node *params, struct str *out, struct err *err)
{
	while (text.n) {
		const char *open = memmem(text.p, text.n, "{{", 2), *close;
		const struct node *value;

		if (!open || !(close = memmem(open, (size_t)(text.p + text.n - open), "}}", 2)))
			break;
		str_add(out, (struct sv){ text.p, (size_t)(open - text.p) });
		struct sv key = sv_trim((struct sv){ open + 2, (size_t)(close - open - 2) });
		value = find(params, key);
		if (!value && f->strict)
			return err_set(err, ERR_INVALID, "there is no parameter '" SV_FMT "'", SV_ARG(key));
		str_add(out, value ? node_sv(value) : (struct sv){ open, (size_t)(close + 2 - open) });
		text = sv_drop(text, (size_t)(close + 2 - text.p));
	}
	str_add(out, text);
	return 0;
}

int fill_text(struct filler *f, struct sv text, const struct node *params, struct str *out, struct err *err)
{
	if (!memmem(text.p, text.n, "{{", 2)) {
		str_add(out, text);
		return 0;
	}
	return f->go ? fill_go(f, text, params, out, err) : fill_flat(f, text, params, out, err);
}

static int fill_map(struct filler *f, struct doc *d, const struct node *n, const struct node *params, int depth, struct node **out,
		    struct err *err);

static int fill(struct filler *f, struct doc *d, const struct node *n, const struct node *params, int depth, struct node **out,
		struct err *err)
{
	AUTO(str) text = { 0 };

	if (depth > DEPTH)
		return err_set(err, ERR_INVALID, "the template is nested too deeply");
	if (node_is(n, NODE_MAP))
		return fill_map(f, d, n, params, depth, out, err);
	if (node_is(n, NODE_SEQ)) {
		*out = node_seq(d);
		for (size_t i = 0; i < n->n; i++) {
			struct node *item;
			TRY(fill(f, d, n->items[i], params, depth + 1, &item, err));
			node_add(d, *out, item);
		}
		return 0;
	}
	if (!node_is(n, NODE_STR)) {
		*out = node_copy(d, n);
		return 0;
	}
	TRY(fill_text(f, node_sv(n), params, &text, err));
	*out = node_strn(d, str_sv(&text));
	return 0;
}

static int fill_map(struct filler *f, struct doc *d, const struct node *n, const struct node *params, int depth, struct node **out,
		    struct err *err)
{
	const struct member *m;

	*out = node_map(d);
	node_members(m, n) {
		AUTO(str) key = { 0 };
		struct node *value;

		TRY(fill_text(f, (struct sv){ m->key, m->key_n }, params, &key, err));
		int r = fill(f, d, m->value, params, depth + 1, &value, err);
		if (r < 0)
			return depth < 3 ? err_wrap(err, r, "%s", m->key) : r;
		node_setn(d, *out, str_sv(&key), value);
	}
	return 0;
}

int fill_tree(struct filler *f, struct doc *d, const struct node *n, const struct node *params, struct node **out, struct err *err)
{
	return fill(f, d, n, params, 0, out, err);
}

void params_flatten(struct doc *d, const struct node *from, const char *prefix, struct node *to)
{
	const struct member *m;

	node_members(m, from) {
		AUTO(str) key = { 0 };
		str_addf(&key, "%s%s%s", prefix, *prefix ? "." : "", m->key);
		if (node_is(m->value, NODE_MAP))
			params_flatten(d, m->value, str_c(&key), to);
		else
			node_setn(d, to, str_sv(&key), node_strn(d, node_sv(m->value)));
	}
}

#include "render/chart/expr.h"

#include "base/json.h"
#include "render/chart/gotmpl/engine.h"
#include "render/chart/strvals.h"

static int apply(const struct chart_expr *e, struct doc *d, struct node **root, struct err *err)
{
	if (e->n_sets && !node_is(*root, NODE_MAP))
		*root = node_map(d);
	for (size_t i = 0; i < e->n_sets; i++)
		TRY(strvals_apply(d, *root, e->sets[i].kind, e->sets[i].text, &e->files, err));
	return 0;
}

static void seed(struct gotmpl *g, const struct node *data)
{
	AUTO(str) text = { 0 };

	json_write(&text, data, JSON_SORTED);
	gotmpl_seed(g, str_sv(&text));
}

int chart_expr(const struct chart_expr *e, struct str *out, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *root = e->data ? node_copy(d, e->data) : node_null(d);
	int r;

	TRY(apply(e, d, &root, err));
	struct sandbox *s = sandbox_new(NULL);
	struct gotmpl *g = gotmpl_new(s);
	seed(g, root);
	if ((r = gotmpl_add(g, "expr", e->text, err)) >= 0) {
		sandbox_push_floats(sandbox_state(s), root);
		r = gotmpl_run(g, "expr", out, err);
	}
	gotmpl_free(&g);
	sandbox_free(&s);
	return r;
}

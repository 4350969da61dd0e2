#include "render/chart/gotmpl/usage.h"

#include "base/vec.h"

struct walk {
	struct tmpl_usage *usage;
	VEC(struct sv) declared;        /* inside, innermost last */
	int ranges;
};

static bool is_among(const struct sv *v, size_t n, struct sv name)
{
	for (size_t i = 0; i < n; i++)
		if (sv_eq(v[i], name))
			return true;
	return false;
}

static bool is_outside(const struct walk *w, struct sv name)
{
	return !sv_eq_c(name, "$") && !is_among(w->declared.v, w->declared.n, name);
}

static void statements(struct walk *w, const struct tmpl *list);

static void expression(struct walk *w, const struct tmpl *n)
{
	w->usage->size++;
	if (n->type == TMPL_VAR && is_outside(w, n->text) && !is_among(w->usage->reads.v, w->usage->reads.n, n->text))
		vec_push(&w->usage->reads, n->text);
	for (size_t i = 0; i < n->n_kids; i++)
		expression(w, n->kids[i]);
	for (size_t i = 0; n->type == TMPL_PIPE && i < n->n_names; i++) {
		if (!n->assign)
			vec_push(&w->declared, n->names[i]);
		else if (is_outside(w, n->names[i]))
			w->usage->writes = true;
	}
}

static void list(struct walk *w, const struct tmpl *n)
{
	size_t declared = w->declared.n;

	if (n)
		statements(w, n);
	w->declared.n = declared;
}

static void statement(struct walk *w, const struct tmpl *n)
{
	size_t declared = w->declared.n;

	w->usage->size++;
	if (n->pipe)
		expression(w, n->pipe);
	if ((n->type == TMPL_BREAK || n->type == TMPL_CONTINUE) && !w->ranges)
		w->usage->leaves = true;
	w->ranges += n->type == TMPL_RANGE;
	list(w, n->body);
	w->ranges -= n->type == TMPL_RANGE;
	list(w, n->other);
	if (n->type != TMPL_ACTION)
		w->declared.n = declared;
}

static void statements(struct walk *w, const struct tmpl *list_)
{
	for (size_t i = 0; i < list_->n_kids; i++)
		statement(w, list_->kids[i]);
}

void tmpl_usage_of(const struct tmpl *list_, struct tmpl_usage *out)
{
	struct walk w = { .usage = out };

	*out = (struct tmpl_usage){ 0 };
	list(&w, list_);
	vec_free(&w.declared);
}

void tmpl_usage_free(struct tmpl_usage *u) { vec_free(&u->reads); }

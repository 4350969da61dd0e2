/* Macros: calls that bind a variable, or look at an expression instead of its value. */
#include "kube/cel/cel-internal.h"

static bool is_name(const struct cel_expr *e) { return e && e->op == CEL_VARIABLE; }

static const struct cel_expr *arg(const struct cel_expr *e, uint32_t i)
{
	const struct cel_expr *a = e->args;

	while (a && i--)
		a = a->next;
	return a;
}

static int bad_variable(const char **why)
{
	*why = "argument must be a simple name";
	return -1;
}

/* has(a.b) */
static int has(struct cel_expr *e, const char **why)
{
	struct cel_expr *field = e->args;

	if (field->op != CEL_SELECT || field->optional) {
		*why = "invalid argument to has() macro";
		return -1;
	}
	uint8_t depth = e->depth;
	*e = (struct cel_expr){
		.op = CEL_HAS, .at = e->at, .depth = depth, .name = field->name, .target = field->target
	};
	return 1;
}

/* cel.bind(name, value, body) */
static int bind(struct cel_expr *e, const char **why)
{
	if (!is_name(e->args))
		return bad_variable(why);
	e->op = CEL_BIND;
	e->name = e->args->name;
	e->target = NULL;
	e->args = e->args->next;
	e->n_args = 2;
	return 1;
}

/* target.optMap(name, body) */
static int opt_map(struct cel_expr *e, const char **why)
{
	bool flat = sv_eq_c(e->name, "optFlatMap");

	if (!is_name(e->args))
		return bad_variable(why);
	e->op = flat ? CEL_OPT_FLAT_MAP : CEL_OPT_MAP;
	e->name = e->args->name;
	e->args = e->args->next;
	e->n_args = 1;
	return 1;
}

static const struct {
	const char *name;
	uint8_t fold, variables, args;
	bool condition;
} folds[] = {
	{ "all", CEL_ALL, 1, 1, false },
	{ "exists", CEL_EXISTS, 1, 1, false },
	{ "exists_one", CEL_EXISTS_ONE, 1, 1, false },
	{ "existsOne", CEL_EXISTS_ONE, 1, 1, false },
	{ "filter", CEL_FILTER, 1, 1, false },
	{ "map", CEL_MAP_EACH, 1, 1, false },
	{ "map", CEL_MAP_EACH, 1, 2, true },
	{ "all", CEL_ALL, 2, 1, false },
	{ "exists", CEL_EXISTS, 2, 1, false },
	{ "existsOne", CEL_EXISTS_ONE, 2, 1, false },
	{ "exists_one", CEL_EXISTS_ONE, 2, 1, false },
	{ "transformList", CEL_TRANSFORM_LIST, 2, 1, false },
	{ "transformList", CEL_TRANSFORM_LIST, 2, 2, true },
	{ "transformMap", CEL_TRANSFORM_MAP, 2, 1, false },
	{ "transformMap", CEL_TRANSFORM_MAP, 2, 2, true },
	{ "transformMapEntry", CEL_TRANSFORM_ENTRY, 2, 1, false },
	{ "transformMapEntry", CEL_TRANSFORM_ENTRY, 2, 2, true },
};

static int fold(struct cel_expr *e, const char **why)
{
	for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
		if (!sv_eq_c(e->name, folds[i].name) || e->n_args != (uint32_t)(folds[i].variables + folds[i].args))
			continue;
		if (!is_name(e->args) || (folds[i].variables == 2 && !is_name(arg(e, 1))))
			return bad_variable(why);
		e->op = CEL_FOLD;
		e->fold = folds[i].fold;
		e->condition = folds[i].condition;
		e->name = e->args->name;
		e->args = e->args->next;
		if (folds[i].variables == 2) {
			e->second = e->args->name;
			e->args = e->args->next;
		}
		e->n_args = folds[i].args;
		return 1;
	}
	return 0;
}

int cel_expand(struct cel_expr *e, const char **why)
{
	bool of_cel = e->member && is_name(e->target) && sv_eq_c(e->target->name, "cel");

	if (!e->member)
		return sv_eq_c(e->name, "has") && e->n_args == 1 ? has(e, why) : 0;
	if (of_cel && sv_eq_c(e->name, "bind") && e->n_args == 3)
		return bind(e, why);
	if ((sv_eq_c(e->name, "optMap") || sv_eq_c(e->name, "optFlatMap")) && e->n_args == 2)
		return opt_map(e, why);
	return fold(e, why);
}

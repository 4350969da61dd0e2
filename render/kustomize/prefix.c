/* PrefixTransformer and SuffixTransformer. */
#include "render/kustomize/transform.h"

struct affix { const struct node *at; const char *prefix, *suffix; MANY(struct fieldspec) fields; };

static const struct shape_field prefix_fields[] = {
	FIELD_OF(affix, prefix, "prefix", STR),
	FIELD_IN(affix, fields, "fieldSpecs", MANY, fieldspec_shape),
	{ 0 }
};
static const struct shape_field suffix_fields[] = {
	FIELD_OF(affix, suffix, "suffix", STR),
	FIELD_IN(affix, fields, "fieldSpecs", MANY, fieldspec_shape),
	{ 0 }
};
static const struct shape_field both_fields[] = {
	FIELD_OF(affix, prefix, "prefix", STR),
	FIELD_OF(affix, suffix, "suffix", STR),
	FIELD_IN(affix, fields, "fieldSpecs", MANY, fieldspec_shape),
	{ 0 }
};
static const struct shape both_shape = { sizeof(struct affix), both_fields };
static const struct shape prefix_shape = { sizeof(struct affix), prefix_fields };
static const struct shape suffix_shape = { sizeof(struct affix), suffix_fields };

static const char *or_empty(const char *s) { return s ? s : ""; }

static int put_around(struct resource *r, struct node *n, void *arg, struct err *err)
{
	const struct affix *a = arg;
	struct sv old = node_sv(n);
	AUTO(str) text = { 0 };

	TRY(scalar_check(n, err));
	str_addf(&text, "%s%.*s%s", or_empty(a->prefix), SV_ARG(old), or_empty(a->suffix));
	scalar_set(r, n, str_sv(&text));
	return 0;
}

/* Objects whose name means something to others outside of the build. */
static bool is_left_alone(const struct id *id)
{
	return !strcmp(id->kind, "CustomResourceDefinition") || !strcmp(id->kind, "Namespace") ||
	       (!strcmp(id->kind, "APIService") && !strcmp(id->group, "apiregistration.k8s.io"));
}

static void remember(struct resource *r, const struct affix *a)
{
	const char *prefix = or_empty(a->prefix), *suffix = or_empty(a->suffix);

	if (*prefix)
		vec_push(&r->prefixes, doc_text(r->doc, sv_c(prefix)));
	if (*suffix)
		vec_push(&r->suffixes, doc_text(r->doc, sv_c(suffix)));
	if (*prefix || *suffix)
		resource_remember(r);
}

static int run(const struct transformation *x, const void *config, struct err *err)
{
	const struct affix *a = config;

	if (!a->fields.v)
		return err_set(err, ERR_INVALID, "fieldSpecs is not expected to be nil");
	for (size_t i = 0; i < x->set->n; i++) {
		struct resource *r = x->set->v[i];
		struct id oldest = resource_original(r);

		if (is_left_alone(&oldest))
			continue;
		for (size_t f = 0; f < a->fields.n; f++) {
			if (!fieldspec_selects(&a->fields.v[f], &oldest))
				continue;
			if (str_eq(a->fields.v[f].path, "metadata/name"))
				remember(r, a);
			TRY(fieldspec_walk(r, &a->fields.v[f], MAKE_SCALAR, put_around, (void *)a, err));
		}
	}
	return 0;
}

/* Both, one after the other, as a file of the older kind PrefixSuffixTransformer asks for it. */
static int run_both(const struct transformation *x, const void *config, struct err *err)
{
	struct affix prefix = *(const struct affix *)config, suffix = prefix;

	prefix.suffix = NULL;
	suffix.prefix = NULL;
	TRY(run(x, &prefix, err));
	return run(x, &suffix, err);
}

static size_t count_prefix(const struct target *t) { return t->k.name_prefix && *t->k.name_prefix; }
static size_t count_suffix(const struct target *t) { return t->k.name_suffix && *t->k.name_suffix; }

static void configure(struct target *t, enum config_list list, const char *field, struct affix *a)
{
	a->at = node_get(t->k.at, field);
	a->fields.v = (struct fieldspec *)t->acc->config.lists[list].v;
	a->fields.n = t->acc->config.lists[list].n;
}

static int configure_prefix(struct target *t, size_t i, void *config, struct err *err)
{
	(void)i, (void)err;
	configure(t, CONFIG_NAME_PREFIX, "namePrefix", config);
	((struct affix *)config)->prefix = t->k.name_prefix;
	return 0;
}

static int configure_suffix(struct target *t, size_t i, void *config, struct err *err)
{
	(void)i, (void)err;
	configure(t, CONFIG_NAME_SUFFIX, "nameSuffix", config);
	((struct affix *)config)->suffix = t->k.name_suffix;
	return 0;
}

const struct transformer transform_prefix = { "PrefixTransformer", &prefix_shape, count_prefix, configure_prefix, run };
const struct transformer transform_suffix = { "SuffixTransformer", &suffix_shape, count_suffix, configure_suffix, run };
const struct transformer transform_prefix_suffix = { "PrefixSuffixTransformer", &both_shape, NULL, NULL, run_both };

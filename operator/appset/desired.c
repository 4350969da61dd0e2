/* operator/appset/desired.c - the Applications that a set wants. */
#include "operator/appset/desired.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/yaml.h"
#include "kube/patch/patch.h"
#include "operator/appset/generator.h"

#define FINALIZER "resources-finalizer.argocd.argoproj.io"

unsigned sync_policy_of(const struct node *set)
{
	static const struct { const char *name; unsigned bits; } policies[] = {
		{ "create-only", POLICY_CREATE }, { "create-update", POLICY_UPDATE }, { "create-delete", POLICY_DELETE },
	};
	const char *name = node_str_or(set, "spec.syncPolicy.applicationsSync", "sync");

	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
		if (str_eq(name, policies[i].name))
			return policies[i].bits;
	return POLICY_UPDATE | POLICY_DELETE;
}

void desired_free(struct desired *d)
{
	for (size_t i = 0; i < d->n; i++)
		doc_drop(&d->v[i]);
	vec_free(d);
}

static bool is_name(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > 253 || !isalnum((unsigned char)s[0]) || !isalnum((unsigned char)s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!islower((unsigned char)s[i]) && !isdigit((unsigned char)s[i]) && s[i] != '-' && s[i] != '.')
			return false;
	return true;
}

static bool is_label(const char *s) { return is_name(s) && strlen(s) <= 63 && !strchr(s, '.'); }

/* The set's template under that of the generator, filled in. */
static int fill_template(struct doc *d, const struct object *set, struct node *params, struct filler *f, struct node **out,
			 struct err *err)
{
	struct node *own = node_get(params, GENERATOR_TEMPLATE), *base = node_copy(d, node_at(set->root, "spec.template"));

	if (own) {
		base = patch_merge(d, base, own);
		(void)node_del(params, GENERATOR_TEMPLATE);
	}
	int r = fill_tree(f, d, base, params, out, err);
	return r < 0 ? err_wrap(err, r, "spec.template") : 0;
}

static int patch_template(struct doc *d, const struct object *set, const struct node *params, struct filler *f, struct node **app,
			  struct err *err)
{
	const char *text = node_str_or(set->root, "spec.templatePatch", "");
	const char *project = node_str_or(*app, "spec.project", "");
	AUTO(str) filled = { 0 };
	AUTO_DOC patch = NULL;

	if (!*text)
		return 0;
	TRY(fill_text(f, sv_c(text), params, &filled, err));
	TRY(yaml_read(str_sv(&filled), "spec.templatePatch", 0, &patch, err));
	struct node *patched = patch_merge(d, *app, doc_root(patch));
	if (!str_eq(node_str_or(patched, "spec.project", ""), project))
		return err_set(err, ERR_INVALID, "spec.templatePatch may not change spec.project");
	*app = patched;
	return 0;
}

static void own(struct doc *d, struct node *root, const struct object *set)
{
	bool keep = node_bool_at(set->root, "spec.syncPolicy.preserveResourcesOnDeletion", false);

	meta_add_owner(d, root, set);
	if (!keep && !node_n(node_at(root, "metadata.finalizers")))
		node_add(d, node_seq_at(d, root, "metadata.finalizers"), node_str(d, FINALIZER));
}

static int make(struct doc *d, const struct object *set, struct node *params, struct filler *f, const struct kind *k,
		struct err *err)
{
	static const char *const kept[] = { "labels", "annotations", "finalizers" };
	struct node *filled, *root;

	TRY(fill_template(d, set, params, f, &filled, err));
	TRY(patch_template(d, set, params, f, &filled, err));
	const char *name = node_str_or(filled, "metadata.name", "");
	if (!is_name(name))
		return err_set(err, ERR_INVALID, "spec.template.metadata.name gives '%s', which is not a name for an object", name);
	const char *ns = node_str_or(filled, "spec.destination.namespace", "");
	if (*ns && !is_label(ns))
		return err_set(err, ERR_INVALID, "spec.template.spec.destination.namespace gives '%s', which is not a name for a namespace", ns);
	root = object_start(d, k, set->ns, name);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		struct node *n = node_get(node_get(filled, "metadata"), kept[i]);
		if (node_n(n))
			node_set(d, node_get(root, "metadata"), kept[i], n);
	}
	node_set(d, root, "spec", node_is(node_get(filled, "spec"), NODE_MAP) ? node_get(filled, "spec") : node_map(d));
	if (!*node_str_or(root, "spec.project", ""))
		node_put(d, root, "spec.project", node_str(d, "default"));
	own(d, root, set);
	doc_set_root(d, root);
	return 0;
}

int desired_make(struct desired *out, const struct object *set, const struct node *params, struct filler *f,
		 const struct kind *application, struct err *err)
{
	for (size_t i = 0; i < node_n(params); i++) {
		struct doc *d = doc_new();

		vec_push(out, d);
		TRY(make(d, set, node_copy(d, node_item(params, i)), f, application, err));
		const char *name = node_str_at(doc_root(d), "metadata.name");
		for (size_t k = 0; k < i; k++)
			if (str_eq(node_str_at(doc_root(out->v[k]), "metadata.name"), name))
				return err_set(err, ERR_INVALID, "two sets of parameters give the name '%s': names must differ", name);
	}
	return 0;
}

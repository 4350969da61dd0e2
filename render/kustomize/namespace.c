/* NamespaceTransformer. */
#include "render/kustomize/transform.h"

struct metadata { const struct node *at; const char *ns; };
struct move {
	const struct node *at;
	struct metadata *metadata;
	MANY(struct fieldspec) fields;
	bool unset_only;
	const char *subjects;
};

static const struct shape_field metadata_fields[] = { FIELD_OF(metadata, ns, "namespace", STR), { 0 } };
static const struct shape metadata_shape = { sizeof(struct metadata), metadata_fields };
static const struct shape_field move_fields[] = {
	FIELD_IN(move, metadata, "metadata", ONE, metadata_shape),
	FIELD_IN(move, fields, "fieldSpecs", MANY, fieldspec_shape),
	FIELD_OF(move, unset_only, "unsetOnly", BOOL),
	FIELD_OF(move, subjects, "setRoleBindingSubjects", STR),
	{ 0 }
};
static const struct shape move_shape = { sizeof(struct move), move_fields };

static int set_namespace(struct resource *r, struct node *n, void *arg, struct err *err)
{
	const struct move *m = arg;
	int bad = scalar_check(n, err);

	if (bad < 0)
		return err_wrap(err, bad, "namespace field specs must target scalar nodes");
	if (!m->unset_only || !node_sv(n).n)
		scalar_set_text(r, n, m->metadata->ns);
	return 0;
}

/* Which subjects of a role binding move. */
enum subjects { SUBJECTS_DEFAULT, SUBJECTS_ALL, SUBJECTS_NONE };

static int subjects_mode(const struct move *m, enum subjects *out, struct err *err)
{
	static const char *const names[] = { "defaultOnly", "allServiceAccounts", "none" };

	*out = SUBJECTS_DEFAULT;
	if (!m->subjects || !*m->subjects)
		return 0;
	for (int i = 0; i < 3; i++) {
		if (!str_eq(m->subjects, names[i]))
			continue;
		*out = (enum subjects)i;
		return 0;
	}
	return err_set(err, ERR_INVALID, "invalid value \"%s\" for setRoleBindingSubjects: must be one of \"%s\", \"%s\" or \"%s\"",
		       m->subjects, names[0], names[2], names[1]);
}

static int move_subjects(struct resource *r, const struct move *m, struct err *err)
{
	struct node *subjects = node_get(r->root, "subjects"), *subject, *ns;
	enum subjects mode;

	TRY(subjects_mode(m, &mode, err));
	if (mode == SUBJECTS_NONE)
		return 0;
	node_each(subject, subjects) {
		bool hit = mode == SUBJECTS_ALL ? sv_eq_c(node_sv(node_get(subject, "kind")), "ServiceAccount") :
						  sv_eq_c(node_sv(node_get(subject, "name")), "default");

		if (!hit)
			continue;
		ns = node_get(subject, "namespace");
		if (!ns) {
			ns = node_null(r->doc);
			node_set(r->doc, subject, "namespace", ns);
		}
		TRY(set_namespace(r, ns, (void *)m, err));
	}
	return 0;
}

static bool is_role_binding(const char *kind) { return !strcmp(kind, "RoleBinding") || !strcmp(kind, "ClusterRoleBinding"); }

/* Some places have rules of their own, and a specification of them changes nothing. */
static bool is_special(const struct fieldspec *f, const struct id *id)
{
	if (str_eq(f->path, "metadata/namespace"))
		return true;
	if (str_eq(f->path, "metadata/name") && (*id->group || strcmp(id->version, "v1") != 0))
		return true;
	return is_role_binding(id->kind) && f->kind && is_role_binding(f->kind) && str_eq(f->path, "subjects/namespace");
}

static int move_one(struct resource *r, const struct move *m, struct err *err)
{
	static const struct fieldspec metadata_ns = { .path = "metadata/namespace", .create = true };
	const struct id *id;

	resource_remember(r);
	if (!id_cluster_scoped(resource_id(r)))
		TRY(fieldspec_walk(r, &metadata_ns, MAKE_SCALAR, set_namespace, (void *)m, err));
	if (is_role_binding(resource_id(r)->kind))
		TRY(move_subjects(r, m, err));
	for (size_t i = 0; i < m->fields.n; i++) {
		id = resource_id(r);
		if (!is_special(&m->fields.v[i], id))
			TRY(fieldspec_walk(r, &m->fields.v[i], MAKE_SCALAR, set_namespace, (void *)m, err));
	}
	return 0;
}

static int run(const struct transformation *x, const void *config, struct err *err)
{
	const struct move *m = config;
	enum subjects mode;

	TRY(subjects_mode(m, &mode, err));
	if (!m->metadata || !m->metadata->ns || !*m->metadata->ns)
		return 0;
	for (size_t i = 0; i < x->set->n; i++)
		if (!x->set->v[i]->from_chart)
			TRY(move_one(x->set->v[i], m, err));
	set_changed(x->set);
	return err_wrap(err, set_check_unique(x->set, err), "namespace transformation produces ID conflict");
}

static size_t count(const struct target *t) { return t->k.ns && *t->k.ns; }

static int configure(struct target *t, size_t i, void *config, struct err *err)
{
	struct move *m = config;

	(void)i, (void)err;
	m->at = node_get(t->k.at, "namespace");
	m->metadata = doc_alloc(t->b->arena, sizeof(*m->metadata));
	m->metadata->ns = t->k.ns;
	m->fields.v = (struct fieldspec *)t->acc->config.lists[CONFIG_NAMESPACE].v;
	m->fields.n = t->acc->config.lists[CONFIG_NAMESPACE].n;
	return 0;
}

const struct transformer transform_namespace = { "NamespaceTransformer", &move_shape, count, configure, run };

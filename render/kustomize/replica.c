/* ReplicaCountTransformer. */
#include "render/kustomize/near.h"
#include "render/kustomize/transform.h"

#include <inttypes.h>

struct replicas { const struct node *at; struct replica_spec *replica; MANY(struct fieldspec) fields; };

static const struct shape_field replicas_fields[] = {
	FIELD_IN(replicas, replica, "replica", ONE, replica_shape),
	FIELD_IN(replicas, fields, "fieldSpecs", MANY, fieldspec_shape),
	{ 0 }
};
static const struct shape replicas_shape = { sizeof(struct replicas), replicas_fields };

static int set_count(struct resource *r, struct node *n, void *arg, struct err *err)
{
	const struct replica_spec *s = arg;

	TRY(scalar_check(n, err));
	*n = *node_int(r->doc, s->count);
	return 0;
}

static bool is_named(struct resource *r, const char *name, const struct fieldspec *f)
{
	for (size_t i = 0; i < resource_n_ids(r); i++) {
		struct id id = resource_id_at(r, i);

		if (!strcmp(id.name, name) && fieldspec_selects(f, &id))
			return true;
	}
	return false;
}

static int not_found(const struct transformation *x, const struct replicas *c, const char *name, struct err *err)
{
	AUTO(str) kinds = { 0 };
	struct near near = near_to(sv_c(name));

	for (size_t f = 0; f < c->fields.n; f++) {
		str_addf(&kinds, "%s%s", f ? " " : "", c->fields.v[f].kind ? c->fields.v[f].kind : "[noKind]");
		str_addf(&kinds, ".%s", c->fields.v[f].version && *c->fields.v[f].version ? c->fields.v[f].version : "[noVer]");
		str_addf(&kinds, ".%s", c->fields.v[f].group && *c->fields.v[f].group ? c->fields.v[f].group : "[noGrp]");
	}
	for (size_t i = 0; i < x->set->n; i++) {
		struct id id = resource_original(x->set->v[i]);

		for (size_t f = 0; f < c->fields.n; f++)
			if (fieldspec_selects(&c->fields.v[f], &id))
				near_try(&near, id.name);
	}
	return err_set(err, ERR_NOT_FOUND, "resource with name %s does not match a config with the following GVK [%s]" NEAR_FMT, name,
		       str_c(&kinds), NEAR_ARG(near));
}

static int run(const struct transformation *x, const void *config, struct err *err)
{
	const struct replicas *c = config;
	const char *name = c->replica && c->replica->name ? c->replica->name : "";
	const struct found *named = set_find_named(x->set, name);
	bool found = false;

	for (size_t f = 0; named && f < c->fields.n; f++) {
		for (size_t i = 0; i < named->n; i++) {
			struct resource *r = x->set->v[named->v[i]];

			if (!is_named(r, name, &c->fields.v[f]))
				continue;
			found = true;
			TRY(fieldspec_walk(r, &c->fields.v[f], MAKE_SCALAR, set_count, c->replica, err));
		}
	}
	return found ? 0 : not_found(x, c, name, err);
}

static size_t count(const struct target *t) { return t->k.replicas.n; }

static int configure(struct target *t, size_t i, void *config, struct err *err)
{
	struct replicas *c = config;

	(void)err;
	c->at = t->k.replicas.v[i].at;
	c->replica = &t->k.replicas.v[i];
	c->fields.v = (struct fieldspec *)t->acc->config.lists[CONFIG_REPLICAS].v;
	c->fields.n = t->acc->config.lists[CONFIG_REPLICAS].n;
	return 0;
}

const struct transformer transform_replicas = { "ReplicaCountTransformer", &replicas_shape, count, configure, run, true };

#include "render/kustomize/plugin.h"

#include <stdlib.h>

#include "base/yaml.h"
#include "render/kustomize/generator.h"
#include "render/kustomize/origin.h"

static bool read_inline(struct target *t, const char *text, struct accumulated *out)
{
	struct set own = { 0 };
	bool ok = build_read_objects(t->b, sv_c(text), t->k.file, &own, NULL) >= 0;

	for (size_t i = 0; ok && i < own.n; i++) {
		const char *slash = strrchr(t->k.file, '/');

		if (t->origin)
			own.v[i]->origin = origin_below(t->b->arena, t->origin, slash ? slash + 1 : t->k.file);
		set_push(&out->set, own.v[i]);
	}
	if (ok)
		own.n = 0;
	set_free(&own);
	return ok;
}

int plugins_load(struct target *t, const struct strs *names, const char *field, struct accumulated *out, struct err *err)
{
	struct strs paths = { doc_alloc(t->b->arena, (names->n + 1) * sizeof(*paths.v)), 0 };

	for (size_t i = 0; i < names->n; i++)
		if (!read_inline(t, names->v[i], out))
			paths.v[paths.n++] = names->v[i];
	return target_add_resources(t, out, &paths, field, err);
}

int plugin_read(struct target *t, struct resource *config, struct plugin *out, struct err *err)
{
	const struct id *id = resource_id(config);
	struct shape_source from = { t->b->arena, config->doc, SHAPE_LOOSE_TEXT };
	const struct shape *shape;
	const struct origin *o = config->origin;
	char where[256], *name;
	int r;

	node_where(config->doc, config->root, where);
	*out = (struct plugin){ .kind = id->kind, .doc = config->doc, .where = doc_text(t->b->arena, sv_c(where)) };
	if (*id->group || strcmp(id->version, "builtin") != 0)
		return err_set(err, ERR_UNSUPPORTED, "%s: only the built-in plugins (apiVersion: builtin) run here, and %s '%s' is none: a "
			       "render starts no other programs", where, id->kind, id->name);
	out->transformer = transformer_find(id->kind);
	out->generator = out->transformer ? NULL : generator_find(id->kind);
	if (!out->transformer && !out->generator)
		return err_set(err, ERR_NOT_FOUND, "%s: unable to load builtin %s.%s.[noGrp]", where, id->kind, id->version);
	shape = out->transformer ? out->transformer->shape : generator_shape(out->generator);
	out->config = doc_alloc(t->b->arena, shape->size);
	yaml_settle(config->doc, config->root);
	r = shape_read(&from, config->root, "", shape, out->config, err);
	if (r < 0) {
		name = id_text(id);
		err_wrap(err, r, "plugin %s fails configuration", name);
		free(name);
		return r;
	}
	if (o)
		out->origin = origin_of_plugin(t->b->arena, o, node_str_or(config->root, "apiVersion", ""), id);
	return 0;
}

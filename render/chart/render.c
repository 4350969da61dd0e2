/* render/chart/render.c - a chart to objects: values, then every template of every chart, then the order of installation. */
#include "render/chart/chart.h"

#include "render/chart/load.h"
#include "render/chart/lua/template.h"
#include "render/chart/values.h"

struct job {
	struct sandbox *sandbox;
	const struct render_opts *opts;
	struct rendered *out;
};

static int render_lua(struct job *j, const struct chart *c, const struct chart_file *f, struct err *err)
{
	return lua_template(j->sandbox, c, f, &j->out->objects, err);
}

static const struct engine {
	const char *suffix;
	int (*render)(struct job *, const struct chart *, const struct chart_file *, struct err *);
} engines[] = {
	{ ".lua", render_lua },
	{ NULL, NULL }
};

static const struct engine *engine_of(struct sv path)
{
	const struct engine *e = engines;

	while (e->suffix && !sv_ends(path, sv_c(e->suffix)))
		e++;
	return e->suffix ? e : NULL;
}

/* Files whose name begins with `_` hold helpers and make nothing themselves. */
static bool is_helper(struct sv path)
{
	struct sv dir, name;

	sv_cut_last(path, '/', &dir, &name);
	return sv_starts(name, SV("_"));
}

static int render_chart(struct job *j, const struct chart *c, const struct node *values, struct err *err)
{
	const struct chart_file *f;

	for (size_t i = 0; i < c->n_deps; i++)
		TRY(render_chart(j, c->deps[i], node_get(values, c->deps[i]->name), err));
	TRY(lua_scope(j->sandbox, c, values, j->opts, err));
	vec_each(f, &c->templates) {
		const struct engine *e = engine_of(sv_c(f->path));

		if (is_helper(sv_c(f->path)))
			continue;
		if (!e)
			return err_set(err, ERR_UNSUPPORTED, "%s/%s: no engine renders this kind of template", c->path, f->path);
		TRY(e->render(j, c, f, err));
	}
	return 0;
}

int chart_render(struct vfs *v, const char *path, const struct render_opts *o, struct rendered *out, struct err *err)
{
	struct job j = { .opts = o, .out = out };
	AUTO_DOC d = doc_new();
	struct chart *c = NULL;
	struct node *values;
	int r;

	out->type = RENDER_CHART;
	TRY(chart_load(v, path, &c, err));
	j.sandbox = sandbox_new(NULL);
	if ((r = values_compute(d, c, o, &values, err)) >= 0)
		r = render_chart(&j, c, values, err);
	sandbox_free(&j.sandbox);
	chart_free(&c);
	return r;
}

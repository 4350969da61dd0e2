#include "render/render.h"

#include "render/chart/chart.h"
#include "render/kustomize/kustomize.h"
#include "render/plain.h"
#include "render/trail.h"

#include <stdlib.h>

static bool has_file(struct vfs *v, const char *dir, const char *name)
{
	AUTO(str) path = { 0 };

	return vfs_join(&path, dir, name, NULL) >= 0 && vfs_exists(v, str_c(&path), VFS_FILE);
}

int render_detect(struct vfs *v, const char *path, enum render_type *out, struct err *err)
{
	enum vfs_type type;

	TRY(vfs_stat(v, path, &type, err));
	*out = RENDER_PLAIN;
	if (type != VFS_DIR) {
		if (sv_ends(sv_c(path), SV(".tgz")))
			*out = RENDER_CHART;
		return 0;
	}
	if (has_file(v, path, "Chart.yaml"))
		*out = RENDER_CHART;
	for (size_t i = 0; *out == RENDER_PLAIN && kustomization_file_names[i]; i++)
		if (has_file(v, path, kustomization_file_names[i]))
			*out = RENDER_KUSTOMIZE;
	return 0;
}

int render(struct vfs *v, const char *path, const struct render_opts *o, struct rendered *out, struct err *err)
{
	enum render_type type = o->type;

	if (type == RENDER_AUTO)
		TRY(render_detect(v, path, &type, err));
	out->type = type;
	if (type == RENDER_KUSTOMIZE)
		return kustomize_render(v, path, o, out, err);
	if (type == RENDER_CHART)
		return chart_render(v, path, o, out, err);
	return plain_render(v, path, o, out, err);
}

void rendered_free(struct rendered *r)
{
	docs_free(&r->objects);
	for (size_t i = 0; i < r->texts.n; i++) {
		free(r->texts.v[i].source);
		free(r->texts.v[i].text);
	}
	vec_free(&r->texts);
	for (size_t i = 0; i < r->trails.n; i++)
		trail_drop(&r->trails.v[i]);
	vec_free(&r->trails);
	str_free(&r->notes);
	str_free(&r->warnings);
}

void rendered_write(const struct rendered *r, struct str *out)
{
	if (r->type == RENDER_CHART) {
		for (size_t i = 0; i < r->texts.n; i++) {
			const struct rendered_text *t = &r->texts.v[i];

			str_addc(out, "---\n# Source: ");
			str_addc(out, t->source);
			str_add1(out, '\n');
			str_addc(out, t->text);
			str_add1(out, '\n');
		}
		return;
	}
	for (size_t i = 0; i < r->objects.n; i++) {
		if (i)
			str_addc(out, "---\n");
		yaml_write(out, doc_root(r->objects.v[i]), YAML_SORTED);
	}
}

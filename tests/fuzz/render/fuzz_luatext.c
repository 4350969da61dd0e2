/* A text template with Lua is taken apart and runs in the sandbox; one of Go's is converted, and what comes out is parsed. */
#include "base/yaml.h"
#include "render/chart/chart.h"
#include "render/chart/gotmpl/convert.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct sv text = { (const char *)data, size };
	struct vfs *v = vfs_memory();
	const struct render_opts o = { .release = "r" };
	struct rendered got = { 0 };
	AUTO(str) converted = { 0 };

	vfs_memory_add(v, "Chart.yaml", SV("apiVersion: v2\nname: web\nversion: 1.0.0\n"));
	vfs_memory_add(v, "values.yaml", SV("l: [1, a]\nm: {k: v}\n"));
	vfs_memory_add(v, "templates/a.yaml", gotmpl_convert("a", text, &converted, NULL) >= 0 ? str_sv(&converted) : text);
	(void)!chart_render(v, "", &o, &got, NULL);
	rendered_free(&got);
	vfs_free(v);
	return 0;
}

/* A chart as one text, of files that begin with "-- PATH"; or a package, when it begins as one. */
#include "render/chart/archive.h"
#include "render/chart/chart.h"
#include "../../unit/render/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv bytes = { (const char *)data, size };
	const struct render_opts o = { .include_crds = true };
	struct rendered out = { 0 };
	AUTO(err) err = { 0 };
	struct vfs *v = sv_starts(bytes, SV("\x1f\x8b")) ? chart_archive(bytes, "fuzz.tgz", &err) : tree_of(bytes);

	if (!v)
		return 0;
	(void)!chart_render(v, "", &o, &out, &err);
	rendered_free(&out);
	vfs_free(v);
	return 0;
}

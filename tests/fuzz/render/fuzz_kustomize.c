/* A whole render of a tree in memory: "-- PATH" starts a file. */
#include "../../unit/render/tree.h"
#include "render/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vfs *v = tree_of((struct sv){ (const char *)data, size });
	struct render_opts o = { .type = RENDER_KUSTOMIZE, .explain = size & 1, .enable_helm = true };
	AUTO(rendered) r = { 0 };
	AUTO(err) err = { 0 };
	AUTO(str) out = { 0 };

	if (render(v, "", &o, &r, &err) >= 0)
		rendered_write(&r, &out);
	vfs_free(v);
	return 0;
}

/* Manifests, configurations and indexes as a registry may send them; mountinfo as the kernel may show it. */
#include "base/json.h"
#include "runtime/container/cgroup.h"
#include "runtime/image/store-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = { (const char *)data, size }, first, second;
	AUTO(manifest) m = { 0 };
	AUTO(err) err = { 0 };
	struct cgroups cs;

	(void)sv_cut(text, '\n', &first, &second);
	if (manifest_parse(first, "manifest", &m, &err) >= 0 && manifest_add_config(second, &m, &err) >= 0) {
		AUTO(image) image = { 0 };

		(void)!image_fill("/nonexistent", "x", &m, &image, &err);
	}
	AUTO(descriptor) d = { 0 };
	AUTO_DOC index = NULL;
	if (json_read(first, "index", 0, &index, &err) >= 0)
		(void)!index_choose(doc_root(index), &d, &err);
	(void)!cgroups_read(&cs, text, &err);
	cgroups_free(&cs);
	return 0;
}

/* TOML; what was read can be written. */
#include "base/json.h"
#include "render/chart/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_DOC d = NULL;
	AUTO(err) err = { 0 };
	AUTO(str) out = { 0 };

	if (toml_read((struct sv){ (const char *)data, size }, &d, &err) >= 0)
		json_write(&out, doc_root(d), 0);
	return 0;
}

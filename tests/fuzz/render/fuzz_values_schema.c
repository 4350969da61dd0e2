/* A schema and a value, both as somebody else wrote them: {"schema": ..., "value": ...}. */
#include "base/json.h"
#include "render/chart/schema.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	AUTO_DOC d = NULL;
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	if (json_read((struct sv){ (const char *)data, size }, "input", 0, &d, &err) < 0 || !node_get(doc_root(d), "value"))
		return 0;
	int r = json_schema_check(node_get(doc_root(d), "schema"), node_get(doc_root(d), "value"), &out, &err);
	if (r < 0 && !err.code)
		__builtin_trap();
	return 0;
}

/* A template's text with a value that has something of each type. */
#include "base/json.h"
#include "render/chart/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_DOC d = NULL;
	AUTO(err) err = { 0 };
	AUTO(str) out = { 0 };

	if (json_read(SV("{\"s\":\"text\",\"n\":1.5,\"b\":true,\"z\":null,\"l\":[1,\"a\",{}],\"m\":{\"k\":{\"j\":[]}}}"), "data", 0, &d,
		      &err) < 0)
		return 0;
	struct chart_expr e = { .text = { (const char *)data, size }, .data = doc_root(d) };
	(void)!chart_expr(&e, &out, &err);
	return 0;
}

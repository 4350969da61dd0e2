/* The text of a --set, --set-string, --set-json or --set-literal; the first byte says which. */
#include "base/json.h"
#include "render/chart/strvals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum set_kind kinds[] = { SET_VALUE, SET_STRING, SET_JSON, SET_LITERAL };
	AUTO_DOC d = NULL;
	AUTO(err) err = { 0 };
	AUTO(str) text = { 0 };
	AUTO(str) out = { 0 };

	if (!size || json_read(SV("{\"a\":{\"b\":[1,{\"c\":2}]},\"l\":[[]],\"s\":\"x\"}"), "data", 0, &d, &err) < 0)
		return 0;
	str_add(&text, (struct sv){ (const char *)data + 1, size - 1 });
	(void)!strvals_apply(d, doc_root(d), kinds[data[0] % 4], str_c(&text), NULL, &err);
	json_write(&out, doc_root(d), 0);
	return 0;
}

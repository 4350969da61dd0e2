/* Expressions: any text is refused, or gives a value or an error within its cost; what compiles without types runs with
 * any object. */
#include "base/json.h"
#include "kube/cel/cel.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char object[] =
		"{\"a\":[1,2.5,\"x\",null,true],\"b\":{\"c\":\"3\"},\"s\":\"h\\u00e9llo\",\"n\":7}";
	AUTO_DOC d = doc_new();
	AUTO_DOC o = NULL;
	char *text = sv_dup((struct sv){ (const char *)data, n });
	struct cel_variable self = { "self", NULL };
	struct cel_env env = { &self, 1, NULL };
	struct cel_program *p;
	int64_t cost = 20000;

	if (json_read(sv_c(object), "object", 0, &o, NULL) >= 0 && cel_compile(d, &env, text, &p, NULL) >= 0) {
		struct cel_value value = cel_of_node(d, doc_root(o), NULL), out;

		if (cel_run(p, d, &value, &cost, &out, NULL) >= 0) {
			(void)cel_to_node(d, &out);
			if (out.kind == CEL_ERROR)
				abort();
		}
		if (cost < 0)
			abort();
	}
	free(text);
	return 0;
}

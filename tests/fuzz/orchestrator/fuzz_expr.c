/* Conditions of metrics: any text is refused or gives true or false, within its bounds. */
#include "base/json.h"
#include "orchestrator/analysis/expr.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO_DOC d = NULL;
	char *text = sv_dup((struct sv){ (const char *)data, n });
	bool out;

	if (json_read(SV("{\"a\":[1,2.5,\"x\",null,true],\"b\":{\"c\":\"3\"}}"), "result", 0, &d, NULL) >= 0) {
		struct value v = value_of_node(d, doc_root(d));
		int r = expr_test(text, &v, &out, NULL);

		if (r >= 0 && expr_check(text, NULL) < 0)
			abort();
	}
	free(text);
	return 0;
}

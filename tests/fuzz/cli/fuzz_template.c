/* JSON path templates and custom columns of any text, over a small object. */
#include "base/yaml.h"
#include "cli/print.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct node *root, const char *prefix, const uint8_t *data, size_t size)
{
	AUTO(str) output = { 0 };
	AUTO(str) out = { 0 };
	AUTO(table) t = { 0 };
	AUTO(err) err = { 0 };

	str_addc(&output, prefix);
	str_add(&output, (struct sv){ (const char *)data, size });
	if (output_parse(str_c(&output)) == OUTPUT_TEMPLATE)
		(void)!template_write(str_c(&output), root, &out, &err);
	else if (!template_columns(str_c(&output), root, &t, &err) && t.n != t.columns)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_DOC d = NULL;

	if (size > 300 || yaml_read(SV("{a: {b: x}, l: [{k: 1}, {k: [y, z]}], \"d.e\": true}"), "t", 0, &d, NULL) < 0)
		return 0;
	run(doc_root(d), "jsonpath=", data, size);
	run(doc_root(d), "custom-columns=", data, size);
	return 0;
}

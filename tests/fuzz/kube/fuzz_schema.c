/* Any YAML as an object of every kind it names: pruning, defaults, validation, columns; none of them may break. */
#include <stdint.h>
#include <stdlib.h>

#include "base/yaml.h"
#include "kube/schema/columns.h"
#include "kube/schema/schema.h"
#include "kube/schema/tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct doc *d, const struct kind *k)
{
	AUTO_DOC before = doc_copy(d);
	AUTO(str) warnings = { 0 };
	AUTO(str) text = { 0 };
	AUTO(err) e = { 0 };

	for (const struct column *c = k->columns; c && c->name; c++)
		column_text(c, doc_root(d), 1700000000000, &text);
	if (schema_prune(doc_root(d), k, UNKNOWN_WARN, &warnings, &e) < 0)
		return;
	schema_default(d, doc_root(d), k);
	if (schema_prune(doc_root(d), k, UNKNOWN_STRICT, NULL, &e) < 0)
		abort();                        /* defaults fit their own rows */
	(void)!schema_validate(doc_root(d), NULL, k, &e);
	(void)!schema_validate(doc_root(d), doc_root(before), k, &e);
}

/* The first byte chooses the kind, so that few bytes reach all of them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_DOC d = NULL;
	AUTO(err) e = { 0 };

	if (!size || yaml_read((struct sv){ (const char *)data + 1, size - 1 }, "f", 0, &d, &e) < 0)
		return 0;
	use(d, &builtin_kinds[data[0] % builtin_kinds_n]);
	return 0;
}

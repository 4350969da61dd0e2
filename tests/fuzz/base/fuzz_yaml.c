/* What is read is written, read again, and the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct node *n)
{
	AUTO(err) e = { 0 };
	AUTO(str) s = { 0 };
	AUTO_DOC d = NULL;

	yaml_write(&s, n, YAML_SORTED);
	if (yaml_read(str_sv(&s), "again", YAML_UNIQUE_KEYS, &d, &e) < 0 || !node_eq(n, doc_root(d)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (unsigned flags = 0; flags <= YAML_1_2; flags += YAML_1_2) {
		__attribute__((cleanup(docs_free))) struct docs docs = { 0 };
		AUTO(err) e = { 0 };

		if (yaml_read_all((struct sv){ (const char *)data, size }, "f", flags, &docs, &e) < 0)
			continue;
		for (size_t i = 0; i < docs.n; i++)
			again(doc_root(docs.v[i]));
	}
	return 0;
}

/* What is read is written, read again, and the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned ways[] = { 0, JSON_SORTED | JSON_ESCAPE_HTML, JSON_INDENT };
	AUTO(err) e = { 0 };
	AUTO_DOC d = NULL;

	if (json_read((struct sv){ (const char *)data, size }, "f", 0, &d, &e) < 0)
		return 0;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		AUTO(str) s = { 0 };
		AUTO_DOC again = NULL;

		json_write(&s, doc_root(d), ways[i]);
		if (json_read(str_sv(&s), "again", JSON_UNIQUE_KEYS, &again, &e) < 0 || !node_eq(doc_root(d), doc_root(again)))
			abort();
	}
	return 0;
}

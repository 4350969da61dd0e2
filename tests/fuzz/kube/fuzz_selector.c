/* Selectors and JSON paths: what parses is written, parses again and says the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "kube/jsonpath.h"
#include "kube/selector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char object[] = "{\"a\":\"b\",\"app\":\"web\",\"n\":\"7\",\"x\":[{\"t\":\"A\",\"v\":1},{\"t\":\"B\",\"v\":[2]}]}";

static void labels(const char *text, const struct node *root)
{
	struct selector *s = NULL, *again = NULL;
	AUTO(str) written = { 0 };

	if (selector_parse(text, &s, NULL) < 0)
		return;
	selector_write(s, &written);
	if (selector_parse(str_c(&written), &again, NULL) < 0 || selector_matches(s, root) != selector_matches(again, root))
		abort();
	selector_free(&s);
	selector_free(&again);
}

static void fields(const char *text, const struct node *root)
{
	struct field_selector *s = NULL;

	if (field_selector_parse(text, &s, NULL) >= 0)
		(void)field_selector_matches(s, root);
	field_selector_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(str) text = { 0 };
	AUTO(str) found = { 0 };
	AUTO_DOC d = NULL;

	str_add(&text, (struct sv){ (const char *)data, size });
	if (json_read(sv_c(object), "object", 0, &d, NULL) < 0)
		abort();
	labels(str_c(&text), doc_root(d));
	fields(str_c(&text), doc_root(d));
	if (jsonpath_check(str_c(&text), NULL) >= 0)
		jsonpath_text(doc_root(d), str_c(&text), &found);
	return 0;
}

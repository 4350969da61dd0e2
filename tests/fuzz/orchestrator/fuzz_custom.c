/* A schema and an object of it: the first line is the schema, the rest the object; pruned, defaulted, validated. */
#include "orchestrator/api/custom-internal.h"

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sv all = { (const char *)data, n }, head, rest;
	AUTO_DOC schema = NULL;
	AUTO_DOC object = NULL;
	AUTO(err) err = { 0 };

	if (!sv_cut(all, '\n', &head, &rest) || json_read(head, "schema", 0, &schema, NULL) < 0 ||
	    json_read(rest, "object", 0, &object, NULL) < 0)
		return 0;
	struct custom c = { .kind = { .group = "g", .version = "v1", .kind = "K" }, .schema = doc_root(schema) };
	c.rules = custom_compile_rules(schema, c.schema, true);
	if (custom_prune(doc_root(object), &c, UNKNOWN_IGNORE, NULL, &err) >= 0) {
		custom_default(object, doc_root(object), &c);
		if (custom_validate(doc_root(object), NULL, &c, NULL, &err) < 0 && !err.n_causes)
			__builtin_trap();       /* an Invalid says what is */
	}
	return 0;
}

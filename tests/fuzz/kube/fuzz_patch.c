/* One document {"target": ..., "patch": ..., "live": ...} through every patch: whatever comes out can be written and read. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "kube/patch/patch.h"
#include "kube/schema/tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Documents of readers are bounded in depth; what patches make of them must be, too. */
static void check(const struct node *n)
{
	AUTO(str) s = { 0 };
	AUTO_DOC d = NULL;

	json_write(&s, n, 0);
	if (json_read(str_sv(&s), "result", 0, &d, NULL) < 0 || !node_eq(n, doc_root(d)))
		abort();
}

static void strategic(const struct node *target, const struct node *patch, const struct type *type)
{
	AUTO_DOC d = doc_new();
	AUTO(err) e = { 0 };
	struct node *out;

	if (patch_strategic(d, target, patch, type, &out, &e) >= 0)
		check(out);
}

/* The difference leads from one to the other, when neither holds nulls, which a merge patch cannot set. */
static void merge(const struct node *target, const struct node *patch)
{
	AUTO_DOC d = doc_new();
	struct node *a = patch_merge(d, NULL, target), *b = patch_merge(d, NULL, patch), *diff = patch_merge_diff(d, a, b);

	check(patch_merge(d, target, patch));
	if (diff && !node_eq(patch_merge(d, a, diff), b))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_DOC in = NULL;
	AUTO_DOC d = doc_new();
	AUTO(err) e = { 0 };
	const struct type *types[] = { builtin_type("core/v1.Pod"), NULL };
	struct node *out;

	if (json_read((struct sv){ (const char *)data, size }, "f", 0, &in, NULL) < 0)
		return 0;
	const struct node *target = node_get(doc_root(in), "target"), *patch = node_get(doc_root(in), "patch"),
			  *live = node_get(doc_root(in), "live");
	if (!target || !patch)
		return 0;
	if (patch_json(d, target, patch, &out, &e) >= 0)
		check(out);
	merge(target, patch);
	for (size_t i = 0; i < 2; i++) {
		strategic(target, patch, types[i]);
		if (patch_three_way(d, target, patch, live, types[i], &out, &e) >= 0)
			check(out);
	}
	return 0;
}

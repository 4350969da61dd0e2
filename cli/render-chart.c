/* cli/render-chart.c - what `helm template` does beside rendering: files by template, a look at the kinds; and the heap of it all. */
#include "cli/render.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "kube/kind.h"

int render_check_kinds(const struct rendered *r, struct err *err)
{
	struct kinds *kinds = kinds_new();
	int code = 0;

	for (size_t i = 0; i < r->objects.n && code >= 0; i++) {
		const struct node *root = doc_root(r->objects.v[i]);
		const char *api_version = node_str_or(root, "apiVersion", ""), *kind = node_str_or(root, "kind", "");
		bool defined = kinds_find(kinds, api_version, kind);

		for (size_t k = 0; k < r->objects.n && !defined; k++) {
			const struct node *crd = doc_root(r->objects.v[k]);

			defined = str_eq(node_str_at(crd, "kind"), "CustomResourceDefinition") && str_eq(node_str_at(crd, "spec.names.kind"), kind);
		}
		if (!defined)
			code = kinds_unknown(kinds, api_version, kind, err);
	}
	kinds_free(&kinds);
	return code;
}

int render_write_sources(const struct rendered *r, const char *dir, const char *release, struct err *err)
{
	for (size_t i = 0; i < r->texts.n; i++) {
		const char *source = r->texts.v[i].source;
		AUTO(str) path = { 0 };
		AUTO(str) text = { 0 };
		struct sv above, name;
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again = again || str_eq(r->texts.v[k].source, source);
		if (again)
			continue;
		for (size_t k = i; k < r->texts.n; k++)
			if (str_eq(r->texts.v[k].source, source))
				str_addf(&text, "---\n# Source: %s\n%s\n", source, r->texts.v[k].text);
		str_addf(&path, "%s/%s%s%s", dir, release ? release : "", release ? "/" : "", source);
		if (sv_cut_last(str_sv(&path), '/', &above, &name)) {
			AUTO(str) parent = { 0 };

			str_add(&parent, above);
			TRY(dir_make(str_c(&parent), 0755, err));
		}
		TRY(file_write(str_c(&path), str_sv(&text), 0644, err));
		printf("wrote %s\n", str_c(&path));
	}
	return 0;
}

#define HEAP ((size_t)32 << 20)

void render_prepare_heap(void)
{
	(void)mallopt(M_TOP_PAD, (int)HEAP);
	(void)mallopt(M_TRIM_THRESHOLD, (int)HEAP * 8);
	(void)mallopt(M_MMAP_THRESHOLD, (int)HEAP);
	free(malloc(HEAP / 64));
	char *end = sbrk(0), *start = end - HEAP;
	(void)madvise(start - (uintptr_t)start % 4096, HEAP, MADV_HUGEPAGE);    /* a hint */
}

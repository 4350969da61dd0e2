/* Whatever a payload holds, each forge's reader takes it, and matching ends. */
#include <stdint.h>

#include "base/json.h"
#include "operator/git/url.h"
#include "operator/webhook/webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_DOC d = NULL;

	if (json_read((struct sv){ (const char *)data, size }, "f", 0, &d, NULL) < 0)
		return 0;
	for (const struct forge *f = forges; f->name; f++) {
		struct push_event e = { .ref = "", .default_branch = "" };
		f->read(doc_root(d), "push", &e);
		for (size_t i = 0; i < e.urls.n; i++)
			(void)repo_url_same(e.urls.v[i], "https://example.org/a/b.git");
		(void)paths_touched("/base;.;*.yaml;../x", "app", e.files.v, e.files.n);
		push_event_free(&e);
	}
	return 0;
}

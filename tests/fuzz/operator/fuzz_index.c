/* Indexes of chart repositories: whatever a server sends. */
#include "operator/chart/versions.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char *const ranges[] = { NULL, "^1", ">=0.0.0-0", "~x" };
	struct chart_versions all = { 0 };

	if (chart_index_read((struct sv){ (const char *)data, size }, "web", &all, NULL) >= 0)
		for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
			(void)chart_versions_choose(&all, ranges[i], i & 1, "web", NULL);
	for (size_t i = 0; i < all.n; i++) {
		AUTO(str) url = { 0 };
		chart_url_join(&url, "https://example.org/charts?t=1", all.v[i].url);
	}
	chart_versions_free(&all);
	return 0;
}

/* Paths, Accept headers, continue tokens and selectors of requests: line 1 the path, line 2 Accept, line 3 and 4 selectors. */
#include "orchestrator/api/http-internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct kinds *kinds;

static char *line(struct sv *rest)
{
	struct sv all = *rest, head;

	if (!sv_cut(all, '\n', &head, rest))
		*rest = SV("");
	char *text = sv_dup(head);
	text[strcspn(text, "\r")] = '\0';
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sv rest = { (const char *)data, n };
	struct route r = { 0 };
	struct wanted w;
	AUTO(filter) f = { 0 };

	if (!kinds)
		kinds = kinds_new();
	char *path = line(&rest), *accept = line(&rest), *labels = line(&rest), *fields = line(&rest);
	if (route_parse(kinds, path, &r, NULL) == 1 && (!r.kind || strchr(r.name, '/') || strchr(r.ns, '/')))
		abort();                /* a name is never a path */
	route_free(&r);
	if (wanted_parse(sv_c(accept), fields, &w, NULL) >= 0 && w.form > FORM_PARTIAL)
		abort();
	if (filter_parse(&f, labels, fields, NULL) >= 0 && f.fields && f.name)
		abort();
	free(path);
	free(accept);
	free(labels);
	free(fields);
	return 0;
}

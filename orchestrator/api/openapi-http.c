#include "orchestrator/api/custom-internal.h"
#include "orchestrator/api/http-internal.h"
#include "orchestrator/api/openapi-internal.h"

#include "base/fnv.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Clients ask for "...spec.v2@v1.0+protobuf"; Go's own parser of media types takes no @, so the answer is called this.
 */
static const char protobuf_type[] = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

static const struct node *schema_of(void *arg, const struct kind *k)
{
	const struct custom *c = custom_of(arg, k);

	return c ? c->schema : NULL;
}

static struct openapi_source source_of(struct api *a)
{
	return (struct openapi_source){ a->kinds, schema_of, a, a->version };
}

static void serve_v2(struct api *a, struct http_request *rq)
{
	struct sv accept = http_header(rq, "accept");
	AUTO_DOC d = doc_new();
	AUTO(str) out = { 0 };
	struct openapi_source source = source_of(a);
	struct node *document = openapi_v2(d, &source);

	http_add_header(rq, "Vary", "Accept");
	if (memmem(accept.p, accept.n, "github.proto-openapi.spec.v2", 28)) {
		openapi_v2_protobuf(&out, document);
		reply_bytes(rq, 200, protobuf_type, str_sv(&out));
		return;
	}
	json_write(&out, document, 0);
	reply_json(rq, 200, &out);
}

/* Changes with the kinds of a group version: clients keep what they got under this name. */
static uint64_t hash_of(struct api *a, const char *group, const char *version)
{
	const struct kinds *kinds = a->kinds;
	AUTO(str) all = { 0 };

	for (size_t i = 0; i < kinds_n(kinds); i++) {
		const struct kind *k = kinds_at(kinds, i);

		if (!strcmp(k->group, group) && !strcmp(k->version, version))
			str_addf(&all, "%s/%s/%p ", k->kind, k->plural, (const void *)schema_of(a, k));
	}
	str_addc(&all, CD_VERSION);
	return fnv64(FNV64_START, str_sv(&all));
}

static void serve_v3_index(struct api *a, struct http_request *rq)
{
	AUTO_DOC d = doc_new();
	AUTO(str) out = { 0 };
	struct node *root = node_map(d), *paths = node_map(d);

	for (size_t i = 0; i < kinds_n(a->kinds); i++) {
		const struct kind *k = kinds_at(a->kinds, i);
		char *name = str_fmt("%s%s/%s", *k->group ? "apis/" : "api", k->group, k->version);

		if (!node_get(paths, name)) {
			struct node *entry = node_map(d);

			node_set(d, entry, "serverRelativeURL", node_strf(d, "/openapi/v3/%s?hash=%016" PRIX64, name,
				 hash_of(a, k->group, k->version)));
			node_set(d, paths, name, entry);
		}
		free(name);
	}
	node_set(d, root, "paths", paths);
	json_write(&out, root, 0);
	reply_json(rq, 200, &out);
}

static bool serve_v3(struct api *a, struct http_request *rq, struct sv path)
{
	struct sv first, rest, group = SV(""), version;
	AUTO_DOC d = doc_new();
	AUTO(str) out = { 0 };

	if (!sv_cut(path, '/', &first, &rest))
		return false;
	if (sv_eq_c(first, "apis") && !sv_cut(rest, '/', &group, &version))
		return false;
	if (sv_eq_c(first, "api"))
		version = rest;
	else if (!sv_eq_c(first, "apis"))
		return false;
	char *g = sv_dup(group), *v = sv_dup(version);
	struct openapi_source source = source_of(a);
	struct node *document = openapi_v3(d, &source, g, v);
	free(g);
	free(v);
	if (!document)
		return false;
	json_write(&out, document, 0);
	reply_json(rq, 200, &out);
	return true;
}

bool serve_openapi(struct api *a, struct http_request *rq, const char *path)
{
	static const char v3[] = "/openapi/v3/";

	if (!strcmp(path, "/openapi/v2")) {
		serve_v2(a, rq);
		return true;
	}
	if (!strcmp(path, "/openapi/v3")) {
		serve_v3_index(a, rq);
		return true;
	}
	return !strncmp(path, v3, sizeof v3 - 1) && serve_v3(a, rq, sv_c(path + sizeof v3 - 1));
}

#include "orchestrator/api/http-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Accept ---- */

static bool param_is(struct sv p, const char *want) { return sv_eq_c(sv_trim(p), want); }

/* One media range: true when this server can give it. */
static bool range_parse(struct sv range, struct wanted *out)
{
	struct sv type, rest, param;

	*out = (struct wanted){ 0 };
	(void)sv_cut(range, ';', &type, &rest);
	if (type.p + type.n == range.p + range.n)
		rest = SV("");
	type = sv_trim(type);
	if (!sv_eq_c(type, "application/json") && !sv_eq_c(type, "*/*") && !sv_eq_c(type, "application/*"))
		return false;
	while (rest.n) {
		struct sv all = rest;

		if (!sv_cut(all, ';', &param, &rest))
			rest = SV("");
		if (param_is(param, "as=Table"))
			out->form = FORM_TABLE;
		else if (param_is(param, "as=PartialObjectMetadata") || param_is(param, "as=PartialObjectMetadataList"))
			out->form = FORM_PARTIAL;
		else if (sv_starts(sv_trim(param), SV("as=")))
			return false;
		else if (sv_starts(sv_trim(param), SV("v=")))
			snprintf(out->version, sizeof out->version, SV_FMT, SV_ARG(sv_drop(sv_trim(param), 2)));
	}
	if (!*out->version)
		snprintf(out->version, sizeof out->version, "v1");
	return !strcmp(out->version, "v1") || !strcmp(out->version, "v1beta1");
}

int wanted_parse(struct sv accept, const char *query, struct wanted *out, struct err *err)
{
	AUTO(str) include = { 0 };
	struct sv rest = accept, range;
	bool found = !sv_trim(accept).n;

	*out = (struct wanted){ 0 };
	while (rest.n && !found) {
		struct sv all = rest;

		if (!sv_cut(all, ',', &range, &rest))
			rest = SV("");
		found = range_parse(range, out);
	}
	if (!found)
		return err_set(err, ERR_UNSUPPORTED, "only the following media types are accepted: application/json");
	if (http_query_get(query, "includeObject", &include)) {
		out->whole_object = !strcmp(str_c(&include), "Object");
		out->no_object = !strcmp(str_c(&include), "None");
	}
	return 0;
}

/* ---- objects ---- */

/* The text of apiVersion, which stands second in every stored object. */
static struct sv stored_version(const struct item *i)
{
	static const char key[] = "\"apiVersion\":\"";
	const char *at = memmem(i->json, i->n, key, sizeof key - 1), *end;

	if (!at)
		return SV("");
	at += sizeof key - 1;
	end = strchr(at, '"');
	return (struct sv){ at, end ? (size_t)(end - at) : 0 };
}

bool form_is_stored(const struct item *i, const struct wanted *w)
{
	char version[128];

	return w->form == FORM_OBJECT && (!w->kind || sv_eq_c(stored_version(i), kind_api_version(w->kind, version)));
}

/* Between the versions of a kind nothing changes but the name of the version. */
static void add_object(struct str *out, const struct item *i, const struct kind *k)
{
	struct sv version = stored_version(i);
	char want[128];

	str_add(out, (struct sv){ i->json, (size_t)(version.p - i->json) });
	str_addc(out, kind_api_version(k, want));
	str_add(out, sv_drop(item_sv(i), (size_t)(version.p + version.n - i->json)));
}

void form_item(struct str *out, struct item *i, const struct wanted *w)
{
	switch (w->form) {
	case FORM_OBJECT:
		if (form_is_stored(i, w))
			str_add(out, item_sv(i));
		else
			add_object(out, i, w->kind);
		return;
	case FORM_PARTIAL:
		partial_metadata(out, i, w);
		return;
	case FORM_TABLE:
		str_addf(out,
			 "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/"
			 "%s\",\"metadata\":{\"resourceVersion\":\"%" PRId64 "\"},",
			 w->version, i->revision);
		table_columns(out, w->kind ? w->kind : i->resource->kind);
		str_addc(out, ",\"rows\":[");
		table_row(out, i, w);
		str_addc(out, "]}");
		return;
	}
}

static void list_meta(struct str *out, const struct list_result *r)
{
	str_addf(out, "\"metadata\":{\"resourceVersion\":\"%" PRId64 "\"", r->revision);
	if (r->token)
		str_addf(out, ",\"continue\":\"%s\"", r->token);
	if (r->token && !r->uncounted)
		str_addf(out, ",\"remainingItemCount\":%" PRId64, r->remaining);
	str_addc(out, "},");
}

void form_list_head(struct str *out, const struct kind *k, const struct list_result *r, const struct wanted *w)
{
	char version[128];

	switch (w->form) {
	case FORM_OBJECT:
		str_addf(out, "{\"kind\":\"%sList\",\"apiVersion\":\"%s\",", k->kind, kind_api_version(k, version));
		break;
	case FORM_PARTIAL:
		str_addf(out, "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/%s\",", w->version);
		break;
	case FORM_TABLE:
		str_addf(out, "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/%s\",", w->version);
		break;
	}
	list_meta(out, r);
	if (w->form == FORM_TABLE) {
		table_columns(out, k);
		str_add1(out, ',');
	}
	str_addc(out, w->form == FORM_TABLE ? "\"rows\":[" : "\"items\":[");
}

void form_list_item(struct str *out, struct item *i, size_t n, const struct wanted *w)
{
	if (n)
		str_add1(out, ',');
	if (w->form == FORM_TABLE)
		table_row(out, i, w);
	else
		form_item(out, i, w);
}

void form_list_tail(struct str *out, const struct wanted *w)
{
	(void)w;
	str_addc(out, "]}\n");
}

void form_bookmark(struct str *out, const struct kind *k, int64_t revision, bool initial_end, const struct wanted *w)
{
	char version[128];

	if (w->form == FORM_OBJECT)
		str_addf(out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",", k->kind, kind_api_version(k, version));
	else
		str_addf(out, "{\"kind\":\"%s\",\"apiVersion\":\"meta.k8s.io/%s\",",
			 w->form == FORM_TABLE ? "Table" : "PartialObjectMetadata", w->version);
	str_addf(out, "\"metadata\":{\"resourceVersion\":\"%" PRId64 "\",\"creationTimestamp\":null%s}%s}", revision,
		 initial_end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "",
		 w->form == FORM_TABLE ? ",\"columnDefinitions\":[],\"rows\":[]" : "");
}

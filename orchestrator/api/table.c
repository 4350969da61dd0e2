#include "orchestrator/api/http-internal.h"

#include "base/json.h"
#include "kube/jsonpath.h"
#include "kube/object.h"
#include "kube/schema/columns.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const struct column name_column = { "Name", "string", "name", ".metadata.name", 0, "Name of the object." };
static const struct column age_only[] = { { "Age", "string", "", "=age", 0, "Time since it was created." }, { NULL } };

static const struct column *columns_of(const struct kind *k) { return k->columns ? k->columns : age_only; }

/* Events show their name last, and only in wide output. */
static bool names_first(const struct kind *k)
{
	for (const struct column *c = columns_of(k); c->name; c++)
		if (!strcmp(c->name, "Name"))
			return false;
	return true;
}

static void definition(struct str *out, const struct column *c)
{
	str_addc(out, out->p[out->n - 1] == '[' ? "{\"name\":" : ",{\"name\":");
	json_write_string(out, sv_c(c->name), 0);
	str_addc(out, ",\"type\":");
	json_write_string(out, sv_c(c->type), 0);
	str_addc(out, ",\"format\":");
	json_write_string(out, sv_c(c->format), 0);
	str_addc(out, ",\"description\":");
	json_write_string(out, sv_c(c->help), 0);
	str_addf(out, ",\"priority\":%d}", c->priority);
}

void table_columns(struct str *out, const struct kind *k)
{
	str_addc(out, "\"columnDefinitions\":[");
	if (names_first(k))
		definition(out, &name_column);
	for (const struct column *c = columns_of(k); c->name; c++)
		definition(out, c);
	str_add1(out, ']');
}

static void take_first(void *arg, const struct node *n)
{
	const struct node **first = arg;

	if (!*first)
		*first = n;
}

static void write_date(struct str *out, const struct node *n, int64_t now_ms)
{
	AUTO(str) text = { 0 };
	int64_t ms;

	if (!time_parse(node_text(n), &ms))
		return str_addc(out, "\"<invalid>\"");
	duration_text(now_ms - ms, &text);
	json_write_string(out, str_sv(&text), 0);
}

/* Of a custom kind: the first value that the path finds, by the column's type; null when there is none of that type. */
static void custom_cell(struct str *out, const struct column *c, const struct node *root, int64_t now_ms)
{
	const struct node *n = NULL;
	AUTO(str) text = { 0 };
	double number;

	jsonpath_each(root, sv_c(c->path), take_first, &n);
	bool is_number = node_is(n, NODE_INT) || node_is(n, NODE_FLOAT);
	if (!strcmp(c->type, "string") && n && n->type != NODE_NULL) {
		jsonpath_text(n, "", &text);
		json_write_string(out, str_sv(&text), 0);
	} else if (!strcmp(c->type, "integer") && is_number && node_to_double(n, &number) && fabs(number) < 0x1p63) {
		str_addf(out, "%" PRId64, (int64_t)number);
	} else if ((!strcmp(c->type, "number") && is_number) || (!strcmp(c->type, "boolean") && node_is(n, NODE_BOOL))) {
		json_write(out, n, 0);
	} else if (!strcmp(c->type, "date") && node_is(n, NODE_STR)) {
		write_date(out, n, now_ms);
	} else {
		str_addc(out, "null");
	}
}

static void cell(struct str *out, const struct column *c, const struct node *root, int64_t now_ms)
{
	AUTO(str) text = { 0 };
	int64_t number;

	column_text(c, root, now_ms, &text);
	if (out->p[out->n - 1] != '[')
		str_add1(out, ',');
	if (!strcmp(c->type, "integer") && sv_to_i64(str_sv(&text), &number))
		str_addf(out, "%" PRId64, number);
	else
		json_write_string(out, str_sv(&text), 0);
}

/* ---- rows, and the metadata alone ---- */

static void metadata_object(struct str *out, const struct node *root, const char *version)
{
	str_addf(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/%s\",\"metadata\":", version);
	json_write(out, node_get(root, "metadata"), 0);
	str_add1(out, '}');
}

/* The parsed form: the shared one, or one of our own for this answer, so that a list leaves nothing parsed behind. */
static const struct node *root_of(struct item *i, struct doc **own)
{
	if (i->object)
		return i->object->root;
	return json_read(item_sv(i), NULL, 0, own, NULL) < 0 ? NULL : doc_root(*own);
}

void partial_metadata(struct str *out, struct item *i, const struct wanted *w)
{
	AUTO_DOC own = NULL;

	metadata_object(out, root_of(i, &own), w->version);
}

void table_row(struct str *out, struct item *i, const struct wanted *w)
{
	AUTO_DOC own = NULL;
	const struct node *root = root_of(i, &own);
	const struct kind *k = w->kind ? w->kind : i->resource->kind;
	int64_t now = clock_ms();

	str_addc(out, "{\"cells\":[");
	if (names_first(k))
		cell(out, &name_column, root, now);
	for (const struct column *c = columns_of(k); c->name; c++) {
		if (k->type || *c->path == '=') {
			cell(out, c, root, now);
			continue;
		}
		str_addc(out, out->p[out->n - 1] == '[' ? "" : ",");
		custom_cell(out, c, root, now);
	}
	str_addc(out, "],\"object\":");
	if (w->whole_object)
		str_add(out, item_sv(i));
	else if (w->no_object)
		str_addc(out, "null");
	else
		metadata_object(out, root, w->version);
	str_add1(out, '}');
}

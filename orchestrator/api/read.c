#include "orchestrator/api/api-internal.h"

#include "base/encode.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char *kind_resource(const struct kind *k, char buf[static 192])
{
	snprintf(buf, 192, "%s%s%s", k->plural, *k->group ? "." : "", k->group);
	return buf;
}

int not_found(const struct kind *k, const char *name, struct err *err)
{
	char resource[192];

	return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", kind_resource(k, resource), name);
}

int modified(const struct kind *k, const char *name, struct err *err)
{
	char resource[192];

	return err_set(err, ERR_CONFLICT,
		       "Operation cannot be fulfilled on %s \"%s\": the object has been modified; please apply "
		       "your changes to the latest version and try again",
		       kind_resource(k, resource), name);
}

int invalid_field(const struct request *rq, const char *name, const char *field, struct err *err, const char *fmt, ...)
{
	const struct kind *k = rq->kind;
	AUTO(str) why = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&why, fmt, ap);
	va_end(ap);
	int r = err_set(err, ERR_INVALID, "%s%s%s \"%s\" is invalid: %s: %s", k->kind, *k->group ? "." : "", k->group,
			name, field, str_c(&why));
	err_cause(err, field, "FieldValueInvalid", "%s", str_c(&why));
	return r;
}

/* ---- filters ---- */

/* "metadata.name=web" and nothing else: how clients wait for one object. */
static char *only_name(const char *fields)
{
	static const char start[] = "metadata.name=";
	const char *value;

	if (strncmp(fields, start, sizeof start - 1))
		return NULL;
	value = fields + sizeof start - 1;
	value += *value == '=';
	return *value && !value[strcspn(value, ",=!\\")] ? sv_dup(sv_c(value)) : NULL;
}

int filter_parse(struct filter *f, const char *labels, const char *fields, struct err *err)
{
	*f = (struct filter){ 0 };
	if (labels && *labels)
		TRY(selector_parse(labels, &f->labels, err));
	if (!fields || !*fields || (f->name = only_name(fields)))
		return 0;
	int r = field_selector_parse(fields, &f->fields, err);
	if (r < 0)
		filter_free(f);
	return r;
}

void filter_free(struct filter *f)
{
	selector_free(&f->labels);
	field_selector_free(&f->fields);
	free(f->name);
	*f = (struct filter){ 0 };
}

static bool root_matches(const struct filter *f, const struct node *root)
{
	if (f->labels && !selector_matches(f->labels, node_at(root, "metadata.labels")))
		return false;
	return !f->fields || field_selector_matches(f->fields, root);
}

bool filter_matches(const struct filter *f, struct item *i)
{
	AUTO_DOC d = NULL;

	if (f->name && strcmp(f->name, i->name))
		return false;
	if (!f->labels && !f->fields)
		return true;
	if (i->object)
		return root_matches(f, i->object->root);
	/* Parsed for this question alone: a list of everything must not leave everything parsed behind. */
	return !json_read(item_sv(i), NULL, 0, &d, NULL) && root_matches(f, doc_root(d));
}

/* ---- get ---- */

int verb_get(const struct request *rq, struct item **out, struct err *err)
{
	if (!strcmp(rq->subresource, "scale"))
		return scale_get(rq, out, err);
	struct item *i = resource_find(request_resource(rq), rq->ns, rq->name);

	if (!i)
		return not_found(rq->kind, rq->name, err);
	*out = item_ref(i);
	return 0;
}

/* ---- list ---- */

int check_reached(const struct request *rq, int64_t revision, struct err *err)
{
	int64_t now = rq->api->cache.revision;

	if (revision <= now)
		return 0;
	int r = err_set(err, ERR_TIMEOUT, "Too large resource version: %" PRId64 ", current: %" PRId64, revision, now);
	err_cause(err, "", "ResourceVersionTooLarge", "Too large resource version");
	return r;
}

struct position { int64_t revision; struct str ns, name; };     /* the last item of the page before */

static void position_free(struct position *p)
{
	str_free(&p->ns);
	str_free(&p->name);
}

/* Of a token: what is there now, whatever has changed since the page before. */
enum { INCONSISTENT = -1 };

static char *position_write(int64_t revision, const char *ns, const char *name)
{
	AUTO(str) text = { 0 }, out = { 0 };

	str_addf(&text, "%" PRId64 "/%s/%s", revision, ns, name);
	base64_encode(&out, str_sv(&text));
	return str_take(&out);
}

static int position_read(const char *token, struct position *p, struct err *err)
{
	AUTO(str) text = { 0 };
	struct sv revision, rest, ns, name;

	if (base64_decode(&text, sv_c(token), NULL) < 0 || !sv_cut(str_sv(&text), '/', &revision, &rest) ||
	    !sv_cut(rest, '/', &ns, &name) || !sv_to_i64(revision, &p->revision) ||
	    (p->revision <= 0 && p->revision != INCONSISTENT))
		return err_set(err, ERR_BAD_REQUEST, "continue key is not valid: \"%s\"", token);
	str_add(&p->ns, ns);
	str_add(&p->name, name);
	return 0;
}

static bool is_after(const struct item *i, const struct position *p)
{
	int order = strcmp(i->ns, str_c(&p->ns));

	return order > 0 || (!order && strcmp(i->name, str_c(&p->name)) > 0);
}

/* Keeps what matches, up to the limit; counts what would have come after it. */
static void take_page(struct list_result *out, const struct list_query *q, const struct filter *f,
		      const struct position *p)
{
	struct items all = out->items;

	out->items = (struct items){ 0 };
	for (size_t i = 0; i < all.n; i++) {
		if ((q->token && !is_after(all.v[i], p)) || !filter_matches(f, all.v[i]))
			continue;
		if (q->limit && out->items.n == (size_t)q->limit)
			out->remaining++;
		else
			vec_push(&out->items, item_ref(all.v[i]));
	}
	items_free(&all);
	if (out->remaining)
		out->token = position_write(out->revision, out->items.v[out->items.n - 1]->ns,
					    out->items.v[out->items.n - 1]->name);
	out->uncounted = f->labels || f->fields;
}

char *list_inconsistent(const char *token)
{
	__attribute__((cleanup(position_free))) struct position p = { 0 };

	return position_read(token, &p, NULL) < 0 ? NULL : position_write(INCONSISTENT, str_c(&p.ns), str_c(&p.name));
}

static int list_filtered(const struct request *rq, const struct list_query *q, const struct filter *f,
			 struct list_result *out, struct err *err)
{
	__attribute__((cleanup(position_free))) struct position p = { 0 };
	struct resource *r = request_resource(rq);
	const char *ns = *rq->ns ? rq->ns : NULL;

	if (q->limit < 0)
		return err_set(err, ERR_BAD_REQUEST, "limit: must not be negative");
	TRY(check_reached(rq, q->revision, err));
	out->revision = rq->api->cache.revision;
	if (q->token) {
		TRY(position_read(q->token, &p, err));
		if (p.revision != INCONSISTENT)
			out->revision = p.revision;
		TRY(resource_at(r, p.revision == INCONSISTENT ? 0 : p.revision, ns, &out->items, err));
	} else if (q->exact && q->revision) {
		out->revision = q->revision;
		TRY(resource_at(r, q->revision, ns, &out->items, err));
	} else if (f->name && (ns || !rq->kind->namespaced)) {
		struct item *i = resource_find(r, rq->ns, f->name);

		if (i)
			vec_push(&out->items, item_ref(i));
	} else {
		TRY(resource_at(r, 0, ns, &out->items, err));
	}
	if (!filter_is_empty(f) || q->limit || q->token)
		take_page(out, q, f, &p);
	return 0;
}

int verb_list(const struct request *rq, const struct list_query *q, struct list_result *out, struct err *err)
{
	struct list_query query = *q;
	AUTO(filter) f = { 0 };

	*out = (struct list_result){ 0 };
	if (query.token && !*query.token)
		query.token = NULL;
	TRY(filter_parse(&f, q->labels, q->fields, err));
	return list_filtered(rq, &query, &f, out, err);
}

void list_result_free(struct list_result *r)
{
	items_free(&r->items);
	free(r->token);
	*r = (struct list_result){ 0 };
}

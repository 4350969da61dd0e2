#include "kube/patch/managed.h"
#include "kube/patch/fields.h"

#include <stdlib.h>

static const char before_first[] = "before-first-apply";

/* ---- entries of metadata.managedFields ---- */

static bool is_entry(const struct node *e, const struct manager *m, const char *operation)
{
	return str_eq(node_str_at(e, "manager"), m->name) && str_eq(node_str_at(e, "operation"), operation) &&
	       str_eq(node_str_or(e, "subresource", ""), m->subresource);
}

static struct node *entry(struct doc *d, const struct manager *m, const char *operation, struct node *fields)
{
	struct node *e = node_map(d);

	node_set(d, e, "manager", node_str(d, m->name));
	node_set(d, e, "operation", node_str(d, operation));
	node_set(d, e, "apiVersion", node_str(d, m->api_version));
	node_set(d, e, "time", node_str(d, m->now));
	node_set(d, e, "fieldsType", node_str(d, "FieldsV1"));
	node_set(d, e, "fieldsV1", fields);
	if (*m->subresource)
		node_set(d, e, "subresource", node_str(d, m->subresource));
	return e;
}

static const struct node *fields(const struct node *e) { return node_get(e, "fieldsV1"); }

/* Puts another set into an entry; its time is when that last changed. */
static struct node *with_fields(struct doc *d, const struct node *e, struct node *set, const struct manager *m)
{
	struct node *out = node_copy(d, e);

	if (node_eq(set, fields(e)))
		return out;
	node_set(d, out, "fieldsV1", set);
	if (m)
		node_set(d, out, "time", node_str(d, m->now));
	return out;
}

static struct node *entries_of(struct doc *d, const struct node *root)
{
	const struct node *list = node_at(root, "metadata.managedFields");

	return list ? node_copy(d, list) : node_seq(d);
}

static void set_entries(struct doc *d, struct node *root, struct node *list)
{
	for (size_t i = list->n; i-- > 0;)
		if (!node_n(fields(list->items[i])))
			node_remove(list, i);
	if (list->n)
		node_put(d, root, "metadata.managedFields", list);
	else
		(void)node_del(node_get(root, "metadata"), "managedFields");
}

/* ---- apply ---- */

struct conflicts { struct err *err; const struct node *entry; size_t n; struct str *text; };

static void note_conflict(void *arg, const char *path)
{
	struct conflicts *c = arg;
	const char *name = node_str_or(c->entry, "manager", ""), *version = node_str_or(c->entry, "apiVersion", "");
	const char *sub = node_str_or(c->entry, "subresource", "");

	c->n++;
	str_addf(c->text, "\nconflict with \"%s\"%s%s%s using %s: %s", name, *sub ? " with subresource \"" : "", sub,
		 *sub ? "\"" : "", version, path);
}

static void add_causes(struct err *err, struct sv text)
{
	struct sv line;

	while (text.n) {
		struct sv all = text, who, path;

		if (!sv_cut(all, '\n', &line, &text))
			text = SV("");
		if (!line.n || !sv_cut_last(line, ' ', &who, &path))
			continue;
		char *field = sv_dup(path);
		err_cause(err, field, "FieldManagerConflict", "%.*s", (int)(who.n ? who.n - 1 : 0),
			  who.p); /* without the colon */
		free(field);
	}
}

static int check_conflicts(struct doc *d, const struct node *entries, const struct node *differ,
			   const struct manager *m, struct err *err)
{
	AUTO(str) text = { 0 };
	struct conflicts c = { .err = err, .text = &text };
	struct node *it;

	node_each(it, entries) {
		if (is_entry(it, m, "Apply"))
			continue;
		c.entry = it;
		fields_each_path(fields_both(d, differ, fields(it)), note_conflict, &c);
	}
	if (!c.n)
		return 0;
	int r = err_set(err, ERR_CONFLICT, "Apply failed with %zu conflict%s:%s%s", c.n, c.n == 1 ? "" : "s",
			c.n == 1 ? " " : "", str_c(&text) + (c.n == 1));
	add_causes(err, str_sv(&text));
	return r;
}

/* What this manager applied before, does not now, and nobody else has. */
static struct node *given_up(struct doc *d, const struct node *entries, const struct node *now, const struct manager *m)
{
	struct node *gone = node_map(d), *it;

	node_each(it, entries)
		if (is_entry(it, m, "Apply"))
			gone = fields_minus(d, fields(it), now);
	node_each(it, entries)
		if (!is_entry(it, m, "Apply"))
			gone = fields_minus(d, gone, fields(it));
	return gone;
}

static struct node *applied_entries(struct doc *d, const struct node *entries, struct node *now,
				    const struct node *differ, const struct manager *m)
{
	struct node *out = node_seq(d), *it;
	bool found = false;

	node_each(it, entries) {
		bool mine = is_entry(it, m, "Apply");

		found = found || mine;
		node_add(d, out, mine ? with_fields(d, it, now, m) :
			 with_fields(d, it, fields_minus(d, fields(it), fields_both(d, fields(it), differ)), NULL));
	}
	if (!found)
		node_add(d, out, entry(d, m, "Apply", now));
	return out;
}

int managed_apply(struct doc *d, const struct node *live, const struct node *config, const struct type *type,
		  const struct manager *m, struct node **out, struct err *err)
{
	struct node *now = fields_of(d, config, type), *entries = entries_of(d, live), *differ, *merged;

	if (live && !entries->n) {
		struct manager old = { before_first, "", m->api_version, m->now, false };

		node_add(d, entries, entry(d, &old, "Update", fields_of(d, live, type)));
	}
	differ = live ? fields_changed(d, now, live, config, type) : node_map(d);
	if (!m->force)
		TRY(check_conflicts(d, entries, differ, m, err));
	merged = live ? fields_merge(d, live, config, type) : node_copy(d, config);
	fields_remove(merged, given_up(d, entries, now, m), type);
	set_entries(d, merged, applied_entries(d, entries, now, differ, m));
	*out = merged;
	return 0;
}

/* ---- other writes ---- */

void managed_update(struct doc *d, const struct node *before, struct node *root, const struct type *type,
		    const struct manager *m)
{
	struct node *entries = entries_of(d, before), *out = node_seq(d), *it;
	struct node *all = fields_of(d, root, type), *mine = fields_changed(d, all, before, root, type);
	bool found = false;

	if (!entries->n)
		return;
	node_each(it, entries) {
		bool own = is_entry(it, m, "Update");
		struct node *kept = fields_both(d, fields(it), all);    /* what is gone is nobody's */

		found = found || own;
		kept = own ? fields_union(d, kept, mine) : fields_minus(d, kept, mine);
		node_add(d, out, with_fields(d, it, kept, own ? m : NULL));
	}
	if (!found && mine->n)
		node_add(d, out, entry(d, m, "Update", mine));
	set_entries(d, root, out);
}

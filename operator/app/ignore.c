/* operator/app/ignore.c - spec.ignoreDifferences: by JSON pointer, by jq's path expressions, and by trusted field managers. */
#include "operator/app/normalize.h"
#include "operator/app/jq.h"

#include <fnmatch.h>
#include <stdlib.h>
#include "base/json.h"
#include "base/vec.h"
#include "kube/object.h"

#define DEPTH 64

static bool glob(const char *pattern, struct sv text)
{
	AUTO(str) t = { 0 };

	str_add(&t, text);
	return fnmatch(pattern, str_c(&t), 0) == 0;
}

/* Does the entry speak of the object? */
static bool concerns(const struct node *entry, const struct node *object)
{
	struct sv group, version;
	const char *name = node_str_or(entry, "name", ""), *ns = node_str_or(entry, "namespace", "");

	api_version_split(node_str_at(object, "apiVersion"), &group, &version);
	return glob(node_str_or(entry, "group", ""), group) &&
	       glob(node_str_or(entry, "kind", "*"), sv_c(node_str_at(object, "kind"))) &&
	       (!*name || str_eq(name, node_str_at(object, "metadata.name"))) &&
	       (!*ns || str_eq(ns, node_str_at(object, "metadata.namespace")));
}

/* ---- JSON pointers ---- */

/* One step of a pointer, with ~1 and ~0 resolved. */
static void unescape(struct str *out, struct sv step)
{
	for (size_t i = 0; i < step.n; i++) {
		if (step.p[i] == '~' && i + 1 < step.n && (step.p[i + 1] == '0' || step.p[i + 1] == '1'))
			str_add1(out, step.p[++i] == '1' ? '/' : '~');
		else
			str_add1(out, step.p[i]);
	}
}

static void remove_pointer(struct node *at, struct sv pointer)
{
	AUTO(str) key = { 0 };
	struct sv step, rest = { "", 0 };
	int64_t index;

	if (!at || !pointer.n || pointer.p[0] != '/')
		return;
	bool deeper = sv_cut(sv_drop(pointer, 1), '/', &step, &rest);
	unescape(&key, step);
	if (node_is(at, NODE_SEQ)) {
		if (!sv_to_i64(str_sv(&key), &index) || index < 0 || (size_t)index >= at->n)
			return;
		if (!deeper)
			node_remove(at, (size_t)index);
		else
			remove_pointer(at->items[index], (struct sv){ rest.p - 1, rest.n + 1 });
	} else if (!deeper) {
		(void)node_deln(at, str_sv(&key));
	} else {
		remove_pointer(node_getn(at, str_sv(&key)), (struct sv){ rest.p - 1, rest.n + 1 });
	}
}

/* ---- managed fields: the sets of metadata.managedFields name fields as f:name, items as k:{keys}, v:value, i:index ---- */

static bool has_keys(const struct node *item, const struct node *keys)
{
	const struct member *m;

	node_members(m, keys)
		if (!node_eq(node_getn(item, (struct sv){ m->key, m->key_n }), m->value))
			return false;
	return true;
}

/* Position of the list item that "k:{...}" or "v:..." names; -1: none. */
static int64_t find_item(const struct node *list, struct sv name)
{
	AUTO_DOC doc = NULL;

	if (!node_is(list, NODE_SEQ) || name.n < 3 || json_read(sv_drop(name, 2), "fieldsV1", 0, &doc, NULL) < 0)
		return -1;
	for (size_t i = 0; i < list->n; i++)
		if (name.p[0] == 'k' ? has_keys(list->items[i], doc_root(doc)) : node_eq(list->items[i], doc_root(doc)))
			return (int64_t)i;
	return -1;
}

static void remove_owned(struct node *target, struct node *live, const struct node *owned, int depth);

static void remove_owned_item(struct node *target, struct node *live, struct sv name, const struct node *below, int depth)
{
	int64_t t = find_item(target, name), l = find_item(live, name);

	if (t >= 0 && l >= 0)
		remove_owned(target->items[t], live->items[l], below, depth + 1);
}

static void remove_owned(struct node *target, struct node *live, const struct node *owned, int depth)
{
	const struct member *m;

	if (depth > DEPTH)
		return;
	node_members(m, owned) {
		struct sv name = { m->key, m->key_n };
		bool leaf = !node_n(m->value);

		if (sv_starts(name, SV("k:")) || sv_starts(name, SV("v:"))) {
			remove_owned_item(target, live, name, m->value, depth);
			continue;
		}
		if (!sv_starts(name, SV("f:")))
			continue;
		name = sv_drop(name, 2);
		struct node *t = node_getn(target, name), *l = node_getn(live, name);
		if (!leaf) {
			remove_owned(t, l, m->value, depth + 1);
		} else if (t && l && !node_eq(t, l)) {
			(void)node_deln(target, name);
			(void)node_deln(live, name);
		}
	}
}

static void trust_manager(struct node *target, struct node *live, const char *manager, const struct node *managed)
{
	const struct node *set;

	node_each(set, managed)
		if (str_eq(node_str_at(set, "manager"), manager))
			remove_owned(target, live, node_get(set, "fieldsV1"), 0);
}

static int apply_entry(struct node *target, struct node *live, const struct node *entry, const struct node *managed,
		       struct err *err)
{
	struct node *const sides[] = { target, live };
	const struct node *it;

	node_each(it, node_get(entry, "jsonPointers")) {
		remove_pointer(target, sv_c(node_text(it)));
		remove_pointer(live, sv_c(node_text(it)));
	}
	node_each(it, node_get(entry, "jqPathExpressions"))
		TRY(jq_remove(node_text(it) ? node_text(it) : "", sides, 2, err));
	if (target && live)
		node_each(it, node_get(entry, "managedFieldsManagers"))
			trust_manager(target, live, node_text(it), managed);
	return 0;
}

int ignore_differences(struct node *target, struct node *live, const struct node *entries, const struct node *managed,
		       struct err *err)
{
	const struct node *entry;

	/* a rule that holds for every object: what a controller reports is not what a person wants */
	remove_pointer(target, SV("/status"));
	remove_pointer(live, SV("/status"));
	node_each(entry, entries)
		if (concerns(entry, target ? target : live))
			TRY(apply_entry(target, live, entry, managed, err));
	return 0;
}

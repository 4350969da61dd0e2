#include "kube/kind.h"
#include "base/map.h"
#include "base/vec.h"
#include "kube/schema/tables.h"

#include <stdlib.h>
#include <stdio.h>
#include <strings.h>

struct kinds {
	VEC(const struct kind *) rows;
	struct map by_kind;             /* "apps/v1 Deployment" */
	struct map by_plural;           /* "apps/v1 deployments" */
};

const char *kind_api_version(const struct kind *k, char buf[static 128])
{
	snprintf(buf, 128, "%s%s%s", k->group, *k->group ? "/" : "", k->version);
	return buf;
}

/* "API_VERSION NAME" */
static struct sv row_key(char buf[static 256], const char *api_version, const char *name)
{
	int n = snprintf(buf, 256, "%s %s", api_version, name);

	return (struct sv){ buf, n < 0 ? 0 : n > 255 ? 255 : (size_t)n };
}

static void enter(struct kinds *k, const struct kind *row, bool in)
{
	char version[128], buf[256];

	kind_api_version(row, version);
	struct sv kind = row_key(buf, version, row->kind);
	if (in)
		map_put(&k->by_kind, kind, (void *)row);
	else
		map_del(&k->by_kind, kind);
	struct sv plural = row_key(buf, version, row->plural);
	if (in)
		map_put(&k->by_plural, plural, (void *)row);
	else
		map_del(&k->by_plural, plural);
}

void kinds_add(struct kinds *k, const struct kind *row)
{
	char version[128];
	const struct kind *old = kinds_find(k, kind_api_version(row, version), row->kind);

	if (old)
		kinds_remove(k, old);
	vec_push(&k->rows, row);
	enter(k, row, true);
}

void kinds_remove(struct kinds *k, const struct kind *row)
{
	for (size_t i = 0; i < k->rows.n; i++) {
		if (k->rows.v[i] != row)
			continue;
		enter(k, row, false);
		k->rows.n--;
		memmove(k->rows.v + i, k->rows.v + i + 1, (k->rows.n - i) * sizeof *k->rows.v);
		return;
	}
}

struct kinds *kinds_new(void)
{
	struct kinds *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	for (size_t i = 0; i < builtin_kinds_n; i++)
		kinds_add(k, &builtin_kinds[i]);
	return k;
}

void kinds_free(struct kinds **kp)
{
	struct kinds *k = TAKE(*kp);

	if (!k)
		return;
	vec_free(&k->rows);
	map_free(&k->by_kind);
	map_free(&k->by_plural);
	free(k);
}

size_t kinds_n(const struct kinds *k) { return k->rows.n; }
const struct kind *kinds_at(const struct kinds *k, size_t i) { return k->rows.v[i]; }

const struct kind *kinds_find(const struct kinds *k, const char *api_version, const char *kind)
{
	char buf[256];

	return api_version && kind ? map_get(&k->by_kind, row_key(buf, api_version, kind)) : NULL;
}

const struct kind *kinds_find_plural(const struct kinds *k, const char *group, const char *version, const char *plural)
{
	char api_version[128], buf[256];

	snprintf(api_version, sizeof api_version, "%s%s%s", group, *group ? "/" : "", version);
	return map_get(&k->by_plural, row_key(buf, api_version, plural));
}

/* ---- what a person types ---- */

static bool same(struct sv s, const char *name)
{
	return s.n == strlen(name) && !strncasecmp(s.p, name, s.n);
}

static bool has_name(const struct kind *k, struct sv name)
{
	struct sv rest = sv_c(k->short_names), one;

	if (same(name, k->plural) || same(name, k->singular) || same(name, k->kind))
		return true;
	while (rest.n) {
		sv_cut(rest, ',', &one, &rest);
		if (one.n == name.n && !strncasecmp(one.p, name.p, one.n))
			return true;
	}
	return false;
}

/* The part behind the name: nothing, "GROUP", "VERSION", "VERSION.GROUP". */
static bool has_place(const struct kind *k, struct sv place)
{
	struct sv version, group;

	if (!place.n || same(place, k->group))
		return true;
	sv_cut(place, '.', &version, &group);
	return same(version, k->version) && same(group, k->group);
}

const struct kind *kinds_find_name(const struct kinds *k, const char *name)
{
	struct sv bare, place;

	sv_cut(sv_c(name), '.', &bare, &place);
	for (size_t i = 0; bare.n && i < k->rows.n; i++)
		if (has_name(k->rows.v[i], bare) && has_place(k->rows.v[i], place))
			return k->rows.v[i];
	return NULL;
}

/* ---- errors ---- */

/* Names that differ in a few letters; a right kind in a wrong apiVersion is nearest of all. */
static const struct kind *nearest(const struct kinds *k, const char *api_version, const char *kind)
{
	size_t best = strlen(kind) / 3 + 1;
	const struct kind *found = NULL;
	char version[128];

	for (size_t i = 0; i < k->rows.n; i++) {
		const struct kind *row = k->rows.v[i];
		size_t d = sv_distance(sv_c(row->kind), sv_c(kind)) * 2 +
			   (strcmp(kind_api_version(row, version), api_version) != 0);

		if (d < best * 2) {
			best = (d + 1) / 2;
			found = row;
		}
	}
	return found;
}

int kinds_unknown(const struct kinds *k, const char *api_version, const char *kind, struct err *err)
{
	const char *version = api_version ? api_version : "", *name = kind ? kind : "";
	const struct kind *near = *name ? nearest(k, version, name) : NULL;
	char buf[128];

	if (!*name || !*version)
		return err_set(err, ERR_BAD_REQUEST, "Object '%s' is missing", *name ? "apiVersion" : "Kind");
	if (!near)
		return err_set(err, ERR_NOT_FOUND, "no matches for kind \"%s\" in version \"%s\"", name, version);
	return err_set(err, ERR_NOT_FOUND, "no matches for kind \"%s\" in version \"%s\" (did you mean %s %s?)", name, version,
		       kind_api_version(near, buf), near->kind);
}

/* ---- types ---- */

const struct field *type_field(const struct type *t, struct sv name)
{
	size_t low = 0, high = t ? t->n_fields : 0;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const char *candidate = t->fields[mid].name;
		int d = strncmp(name.p, candidate, name.n);

		if (!d) {
			size_t n = strlen(candidate);

			d = (name.n > n) - (name.n < n);
		}

		if (!d)
			return &t->fields[mid];
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* operator/chart/versions.c - versions of a chart, and indexes of chart repositories. */
#include "operator/chart/versions.h"

#include "base/semver.h"
#include "base/yaml.h"

#define SHOWN 5                         /* versions that an error names */

void chart_versions_free(struct chart_versions *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->v[i].version);
		free(all->v[i].url);
		free(all->v[i].digest);
	}
	vec_free(all);
}

void chart_versions_add(struct chart_versions *v, struct sv version, struct sv url, struct sv digest)
{
	struct chart_version it = { sv_dup(version), sv_dup(url), sv_dup(digest) };

	vec_push(v, it);
}

/* ---- choosing ---- */

/* Newest first. */
static int newest_first(const void *pa, const void *pb)
{
	struct semver a, b;

	(void)semver_parse(sv_c((*(const struct chart_version *const *)pa)->version), &a);
	(void)semver_parse(sv_c((*(const struct chart_version *const *)pb)->version), &b);
	return semver_cmp(&b, &a);
}

struct sorted { const struct chart_version **v; size_t n, cap; };

static void sort(const struct chart_versions *all, struct sorted *out)
{
	struct semver unused;

	for (size_t i = 0; i < all->n; i++)
		if (semver_parse(sv_c(all->v[i].version), &unused))
			vec_push(out, &all->v[i]);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, newest_first);
}

static int none_fits(const struct sorted *sorted, const char *range, const char *chart, struct err *err)
{
	AUTO(str) some = { 0 };

	for (size_t i = 0; i < sorted->n && i < SHOWN; i++)
		str_addf(&some, "%s%s", i ? ", " : "", sorted->v[i]->version);
	if (!sorted->n)
		return err_set(err, ERR_NOT_FOUND, "chart '%s' has no versions there", chart);
	return err_set(err, ERR_NOT_FOUND, "no version of chart '%s' is %s%s%s; the newest are %s", chart, *range ? "in '" : "a release",
		       range, *range ? "'" : " (--devel takes others, too)", str_c(&some));
}

static const struct chart_version *find_in_range(const struct sorted *sorted, const char *range, struct err *err)
{
	for (size_t i = 0; i < sorted->n; i++) {
		struct semver v;
		(void)semver_parse(sv_c(sorted->v[i]->version), &v);
		int r = semver_match(sv_c(range), &v, err);
		if (r)
			return r > 0 ? sorted->v[i] : NULL;
	}
	return NULL;
}

const struct chart_version *chart_versions_choose(const struct chart_versions *all, const char *range, bool devel, const char *chart,
						  struct err *err)
{
	const struct chart_version *found = NULL;
	struct sorted sorted = { 0 };
	AUTO(err) bad = { 0 };

	if (!range)
		range = "";
	for (size_t i = 0; *range && i < all->n; i++)
		if (str_eq(all->v[i].version, range))
			return &all->v[i];
	sort(all, &sorted);
	found = find_in_range(&sorted, *range ? range : devel ? ">0.0.0-0" : "*", &bad);
	if (bad.code)
		(void)err_move(err, &bad);
	else if (!found)
		(void)none_fits(&sorted, range, chart, err);
	vec_free(&sorted);
	return found;
}

/* ---- index.yaml ---- */

static int no_chart(const struct node *entries, const char *chart, struct err *err)
{
	const char *nearest = NULL;
	size_t best = 4;                /* more edits are another name */
	struct member *m;

	node_members(m, entries) {
		size_t d = sv_distance(sv_c(chart), (struct sv){ m->key, m->key_n });

		if (d >= best)
			continue;
		best = d;
		nearest = m->key;
	}
	return err_set(err, ERR_NOT_FOUND, "the repository has no chart '%s'%s%s%s", chart, nearest ? " (did you mean '" : "",
		       nearest ? nearest : "", nearest ? "'?)" : "");
}

/* "sha256:..." and the bare digits are both found in indexes. */
static struct sv hex_of(struct sv digest) { return sv_starts(digest, SV("sha256:")) ? sv_drop(digest, 7) : digest; }

int chart_index_read(struct sv text, const char *chart, struct chart_versions *out, struct err *err)
{
	AUTO_DOC d = NULL;
	const struct node *entries, *it;

	TRY(yaml_read(text, "index.yaml", 0, &d, err));
	entries = node_get(doc_root(d), "entries");
	if (!node_is(doc_root(d), NODE_MAP) || (!entries && !node_get(doc_root(d), "apiVersion")))
		return err_set(err, ERR_INVALID, "index.yaml is no index of a chart repository: it has no apiVersion and no entries");
	if (!node_is(node_get(entries, chart), NODE_SEQ))
		return no_chart(entries, chart, err);
	node_each(it, node_get(entries, chart)) {
		struct sv version = node_sv(node_get(it, "version")), url = node_sv(node_at(it, "urls.0"));

		if (version.n && url.n)
			chart_versions_add(out, version, url, hex_of(node_sv(node_get(it, "digest"))));
	}
	return 0;
}

/* A query of the repository's address (a token) goes along with what is relative to it. */
void chart_url_join(struct str *out, const char *repo, const char *url)
{
	struct sv base, query, scheme, host;

	if (strstr(url, "://")) {
		str_addc(out, url);
		return;
	}
	bool has_query = sv_cut(sv_c(repo), '?', &base, &query);
	if (*url == '/') {              /* from the root of the host */
		const char *host_at = strstr(repo, "://");

		scheme = (struct sv){ repo, host_at ? (size_t)(host_at + 3 - repo) : 0 };
		(void)sv_cut(sv_drop(base, scheme.n), '/', &host, &base);
		str_addf(out, SV_FMT SV_FMT "%s", SV_ARG(scheme), SV_ARG(host), url);
	} else {
		while (base.n && base.p[base.n - 1] == '/')
			base.n--;
		str_addf(out, SV_FMT "/%s", SV_ARG(base), url);
	}
	if (has_query && !strchr(url, '?'))
		str_addf(out, "?" SV_FMT, SV_ARG(query));
}

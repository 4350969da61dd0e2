/* operator/app/source.c - sources to manifests, on a job's thread. */
#include "operator/app/source.h"

#include <stdlib.h>
#include "base/fiber.h"
#include "base/fs.h"
#include "base/json.h"
#include "operator/app/source-chart.h"
#include "operator/app/source-options.h"
#include "operator/git/credentials.h"
#include "render/chart/archive.h"

#define PACKAGE_MAX ((size_t)32 << 20)

struct rendering *rendering_ref(struct rendering *r)
{
	r->refs++;
	return r;
}

void rendering_drop(struct rendering **rp)
{
	struct rendering *r = TAKE(*rp);

	if (!r || --r->refs)
		return;
	for (size_t i = 0; i < r->sources.n; i++)
		vfs_reads_free(&r->sources.v[i].reads);
	vec_free(&r->sources);
	docs_free(&r->objects);
	err_free(&r->err);
	free(r->key);
	free(r);
}

const char *render_type_name(enum render_type t)
{
	static const char *const names[] = { [RENDER_PLAIN] = "Directory", [RENDER_KUSTOMIZE] = "Kustomize", [RENDER_CHART] = "Helm" };

	return t == RENDER_AUTO ? "" : names[t];
}

/* All that decides over the result except the trees and the revisions. */
static char *key_of(const struct app_spec *s)
{
	struct str key = { 0 };

	str_addf(&key, "%s\n%s\n", str_c(&s->instance), s->dest_ns);
	for (size_t i = 0; i < s->sources.n; i++) {
		json_write(&key, s->sources.v[i].node, JSON_SORTED);
		str_add1(&key, '\n');
	}
	return str_take(&key);
}

static int resolve_commit(struct repos *repos, const struct source_want *w, size_t i, char *sha, struct str *dir, struct err *err)
{
	const struct app_source *s = &w->spec->sources.v[i];
	AUTO(credentials) c = { 0 };
	const struct repo_want want = {
		.url = s->repo_url, .revision = w->pinned ? w->pinned[i] : s->revision, .tag_prefix = s->tag_prefix,
		.access = w->client ? credentials_find(&c, w->client, w->secrets_ns, s->repo_url) : NULL, .max_age_ms = w->max_age_ms,
	};

	if (!*sha)
		TRY(repo_resolve(repos, &want, sha, err));
	return repo_dir(repos, s->repo_url, dir, err);
}

/* The version that is wanted, and its package, which lies in the cache from then on. */
static int resolve_chart(const struct source_want *w, size_t i, char sha[static SOURCE_REVISION_SIZE], struct str *path, struct err *err)
{
	const struct app_source *s = &w->spec->sources.v[i];
	AUTO(credentials) c = { 0 };
	AUTO(chart_package) package = { 0 };
	AUTO(str) version = { 0 };
	const struct chart_access access = source_chart_access(w->client ? credentials_find(&c, w->client, w->secrets_ns, s->repo_url) : NULL);
	struct chart_want want = source_chart_want(s, &access);

	want.max_age_ms = w->max_age_ms;
	if (w->pinned)
		want.version = w->pinned[i];
	if (*sha)
		str_addc(&version, sha);
	else
		TRY(charts_resolve(w->charts, &want, &version, err));
	if (version.n >= SOURCE_REVISION_SIZE)
		return err_set(err, ERR_INVALID, "version '%s' of chart '%s' is too long", str_c(&version), s->chart);
	memcpy(sha, str_c(&version), version.n + 1);
	want.version = str_c(&version);
	want.max_age_ms = CHARTS_CACHED;
	TRY(charts_fetch(w->charts, &want, &package, err));
	str_move(path, &package.path);
	return 0;
}

/* sha: what is known already, or "". place: the object database, or the package. */
static int resolve(struct repos *repos, const struct source_want *w, size_t i, char sha[static SOURCE_REVISION_SIZE], struct str *place,
		   struct err *err)
{
	const struct app_source *s = &w->spec->sources.v[i];

	return source_is_chart(s) ? resolve_chart(w, i, sha, place, err) : resolve_commit(repos, w, i, sha, place, err);
}

/* ---- the job ---- */

struct render_job {
	const struct source_want *want;
	struct rendering *r;            /* being made */
	VEC(char *) places;             /* of the object databases, or packages of charts */
	struct credentials credentials; /* for charts that the sources name */
	struct chart_giver giver;
	VEC(struct vfs *) trees, traces;        /* of all sources, while they are rendered */
	bool unchanged;                 /* out: nothing that the last rendering read is different now */
};

static struct vfs *open_view(struct render_job *j, size_t i, struct err *err)
{
	AUTO(str) package = { 0 };

	if (!source_is_chart(&j->want->spec->sources.v[i]))
		return repo_vfs(j->places.v[i], j->r->sources.v[i].sha, err);
	return file_read(j->places.v[i], PACKAGE_MAX, &package, err) < 0 ? NULL :
	       chart_archive(str_sv(&package), j->want->spec->sources.v[i].chart, err);
}

/* Has nothing that the last rendering read changed? */
static bool same_inputs(struct render_job *j)
{
	const struct rendering *last = j->want->last;

	if (j->want->hard || !last || !str_eq(last->key, j->r->key) || last->sources.n != j->r->sources.n)
		return false;
	for (size_t i = 0; i < last->sources.n; i++) {
		AUTO(err) ignored = { 0 };
		struct vfs *now = open_view(j, i, &ignored);
		bool changed = !now || vfs_reads_changed(&last->sources.v[i].reads, now);
		if (now)
			vfs_free(now);
		if (changed)
			return false;
	}
	return true;
}

/* A source that is only there to be named by others gives no objects. */
static bool is_rendered(const struct app_source *s) { return !*s->ref || *s->chart || !node_is_empty(node_get(s->node, "path")); }

static int render_one(struct render_job *j, size_t i)
{
	struct rendered_source *to = &j->r->sources.v[i];
	struct source_options o = { 0 };
	struct rendered out = { 0 };
	int r = source_options_read(&o, j->want->spec, i, j->traces.v, &j->r->err);

	o.render.chart = chart_giver_give;
	o.render.chart_arg = &j->giver;
	if (r >= 0)
		r = render(o.view, o.path, &o.render, &out, &j->r->err);
	to->type = out.type;
	for (size_t k = 0; r >= 0 && k < out.objects.n; k++)
		vec_push(&j->r->objects, TAKE(out.objects.v[k]));
	if (r >= 0)
		out.objects.n = 0;
	rendered_free(&out);
	source_options_free(&o);
	return r;
}

static int open_views(struct render_job *j)
{
	for (size_t i = 0; i < j->r->sources.n; i++) {
		struct vfs *tree = open_view(j, i, &j->r->err);

		if (!tree)
			return -ERR_IO;
		vec_push(&j->trees, tree);
		vec_push(&j->traces, vfs_trace(tree));
	}
	return 0;
}

/* What was read of each is what the result depends on. */
static void close_views(struct render_job *j)
{
	for (size_t i = 0; i < j->trees.n; i++) {
		vfs_trace_take(j->traces.v[i], &j->r->sources.v[i].reads);
		vfs_free(j->traces.v[i]);
		vfs_free(j->trees.v[i]);
	}
	vec_free(&j->traces);
	vec_free(&j->trees);
}

static void run(void *arg)
{
	struct render_job *j = arg;

	j->unchanged = same_inputs(j);
	if (j->unchanged)
		return;
	int r = open_views(j);
	for (size_t i = 0; r >= 0 && i < j->r->sources.n; i++)
		if (is_rendered(&j->want->spec->sources.v[i]))
			r = render_one(j, i);
	close_views(j);
}

/* The last result under new commits: the documents are shared. */
static void take_over(struct rendering *r, const struct rendering *last)
{
	for (size_t i = 0; i < last->objects.n; i++)
		vec_push(&r->objects, doc_ref(last->objects.v[i]));
	for (size_t i = 0; i < last->sources.n; i++) {
		const struct vfs_reads *from = &last->sources.v[i].reads;
		struct vfs_reads *to = &r->sources.v[i].reads;
		r->sources.v[i].type = last->sources.v[i].type;
		to->paths = calloc(from->n + 1, sizeof *to->paths);
		to->ids = calloc(from->n + 1, sizeof *to->ids);
		to->n = from->n;
		to->cap = from->n + 1;
		for (size_t k = 0; k < from->n; k++) {
			to->paths[k] = strdup(from->paths[k]);
			to->ids[k] = strdup(from->ids[k]);
		}
	}
	if (last->err.code)
		(void)err_set(&r->err, last->err.code, "%s", err_msg(&last->err));
}

static bool same_commits(const struct rendering *a, const struct rendering *b)
{
	if (!a || !str_eq(a->key, b->key) || a->sources.n != b->sources.n)
		return false;
	for (size_t i = 0; i < a->sources.n; i++)
		if (strcmp(a->sources.v[i].sha, b->sources.v[i].sha))
			return false;
	return true;
}

static int find_commits(struct repos *repos, const struct source_want *w, struct render_job *j, struct err *err)
{
	bool keep = !w->look_up && !w->pinned && w->last && str_eq(w->last->key, j->r->key);     /* what is known holds */

	for (size_t i = 0; i < w->spec->sources.n; i++) {
		AUTO(str) place = { 0 };
		struct rendered_source s = { 0 };

		if (keep)
			memcpy(s.sha, w->last->sources.v[i].sha, sizeof s.sha);
		TRY(resolve(repos, w, i, s.sha, &place, err));
		vec_push(&j->r->sources, s);
		vec_push(&j->places, str_take(&place));
	}
	return 0;
}

static void job_free(struct render_job *j)
{
	for (size_t i = 0; i < j->places.n; i++)
		free(j->places.v[i]);
	vec_free(&j->places);
	credentials_free(&j->credentials);
}

static void forget_result(struct rendering *r)
{
	docs_free(&r->objects);
	err_free(&r->err);
	for (size_t i = 0; i < r->sources.n; i++)
		vfs_reads_free(&r->sources.v[i].reads);
}

/* What waits for other machines does so on a thread of its own, and not on one of the pool: so charts are fetched by a
 * second try, when the first one has missed some. */
static int render_all(struct render_job *j, struct err *err)
{
	const struct source_want *w = j->want;

	if (w->client)
		TRY(credentials_list(&j->credentials, w->client, w->secrets_ns, err));
	j->giver = (struct chart_giver){ .dir = charts_dir(w->charts), .credentials = &j->credentials };
	fiber_job(run, j);
	if (!j->giver.missed)
		return 0;
	forget_result(j->r);
	j->giver.online = true;
	fiber_job_long(run, j);
	return j->giver.failed ? err_move(err, &j->r->err) : 0;         /* no result to be kept: it may be there the next time */
}

int source_render(struct repos *repos, const struct source_want *w, struct rendering **out, struct err *err)
{
	struct render_job j = { .want = w, .r = calloc(1, sizeof *j.r) };
	int64_t began = clock_ms();

	j.r->refs = 1;
	j.r->key = key_of(w->spec);
	int r = find_commits(repos, w, &j, err);
	if (r < 0 || (!w->hard && same_commits(w->last, j.r))) {
		if (r >= 0)
			*out = rendering_ref(w->last);
		rendering_drop(&j.r);
		job_free(&j);
		return r;
	}
	r = render_all(&j, err);
	if (r < 0)
		rendering_drop(&j.r);
	else if (j.unchanged)
		take_over(j.r, w->last);
	else
		j.r->render_ms = clock_ms() - began;
	job_free(&j);
	*out = j.r;
	return r;
}

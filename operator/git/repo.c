/* operator/git/repo.c - the repositories that an operator knows: one lock and one list of refs each. */
#include "operator/git/repo.h"

#include <git2.h>
#include <stdlib.h>
#include "base/encode.h"
#include "base/fiber.h"
#include "base/fs.h"
#include "base/map.h"
#include "operator/git/git-internal.h"
#include "operator/git/remote.h"

#define CACHE_BYTES (4 << 20)           /* libgit2's object cache: trees are small, and a render reads each file once */

struct remote {
	struct git_refs refs;
	int64_t asked_ms;               /* when the asking that filled refs began; -1: never */
	bool busy;
	struct fiber_cond idle;
};

struct repos {
	struct loop *loop;
	char *dir;
	struct map served;              /* prefix of URLs -> char *, the directory that they are in */
	struct map remotes;             /* url -> struct remote */
};

/* Never shut down: threads of the pool outlive us, and their share of libgit2 is freed when they end. */
static void init_git(void)
{
	const char *ca = getenv("SSL_CERT_FILE");

	if (git_libgit2_init() > 1)
		return;
	ssh_register();
	(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);        /* nothing of a repository's configuration is run */
	(void)git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)CACHE_BYTES);
	(void)git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, ca ? ca : "/etc/ssl/certs/ca-certificates.crt", NULL);
}

struct repos *repos_new(struct loop *l, const char *dir)
{
	struct repos *r = calloc(1, sizeof *r);

	init_git();
	r->loop = l;
	r->dir = str_fmt("%s/git", dir);
	return r;
}

void repos_free(struct repos **r)
{
	struct map_slot *s;

	if (!*r)
		return;
	map_each(s, &(*r)->remotes) {
		struct remote *m = s->value;
		git_refs_free(&m->refs);
		free(m);
	}
	map_free(&(*r)->remotes);
	free((*r)->dir);
	map_each(s, &(*r)->served)
		free(s->value);
	map_free(&(*r)->served);
	free(*r);
	*r = NULL;
}

void repos_serve(struct repos *r, const char *prefix, const char *dir)
{
	free(map_put(&r->served, sv_c(prefix), sv_dup(sv_c(dir))));
}

/* The path of a repository on this machine; false: a remote. */
static bool local_path(const struct repos *r, const char *url, struct str *out)
{
	struct sv u = sv_c(url);
	struct map_slot *s;

	map_each(s, &r->served) {
		struct sv prefix = { s->key, s->key_n };
		if (!sv_starts(u, prefix))
			continue;
		str_addf(out, "%s/" SV_FMT, (char *)s->value, SV_ARG(sv_drop(u, prefix.n)));
		if (!sv_ends(str_sv(out), SV(".git")))
			str_addc(out, ".git");
		return true;
	}
	if (sv_starts(u, SV("file://")))
		u = sv_drop(u, 7);
	if (!u.n || u.p[0] != '/')
		return false;
	str_add(out, u);
	return true;
}

int repo_dir(const struct repos *r, const char *url, struct str *out, struct err *err)
{
	AUTO(str) digest = { 0 };

	if (!url || !*url)
		return err_set(err, ERR_INVALID, "repoURL is empty");
	if (strstr(url, "/../") || sv_ends(sv_c(url), SV("/..")))
		return err_set(err, ERR_INVALID, "repoURL '%s' has '..' in it", url);
	if (local_path(r, url, out))
		return 0;
	sha256_hex(&digest, sv_c(url));
	str_addf(out, "%s/%.32s.git", r->dir, str_c(&digest));
	return 0;
}

static struct remote *remote_of(struct repos *r, const char *url)
{
	struct remote *m = map_get(&r->remotes, sv_c(url));

	if (!m) {
		m = calloc(1, sizeof *m);
		m->asked_ms = -1;
		map_put(&r->remotes, sv_c(url), m);
	}
	return m;
}

/* ---- jobs: inputs are copies, or belong to the fiber that is parked meanwhile ---- */

struct local_job {
	const struct repo_want *want;
	const char *dir;
	struct git_refs refs;
	char sha[REVISION_SIZE];
	struct err err;
	int r;
};

static void run_local(void *arg)
{
	struct local_job *j = arg;
	const struct revision *found;
	const char *wanted = j->want->revision;

	if (revision_is_sha(wanted)) {
		memcpy(j->sha, wanted, REVISION_SIZE);
		if (!local_has(j->dir, wanted))
			j->r = err_set(&j->err, ERR_NOT_FOUND, "commit %s is not in the repository %s", wanted, j->want->url);
		return;
	}
	if ((j->r = local_list(j->dir, false, &j->refs, &j->err)) < 0)
		return;
	if ((j->r = revision_pick(&j->refs, wanted, j->want->tag_prefix, &found, &j->err)) < 0)
		(void)err_wrap(&j->err, j->r, "repository %s", j->want->url);
	else
		memcpy(j->sha, found->sha, REVISION_SIZE);
}

static int resolve_local(const char *dir, const struct repo_want *w, char *sha, struct err *err)
{
	struct local_job j = { .want = w, .dir = dir };

	if (!path_exists(dir))
		return err_set(err, ERR_NOT_FOUND, "repository %s does not exist", w->url);
	fiber_job(run_local, &j);
	git_refs_free(&j.refs);
	memcpy(sha, j.sha, REVISION_SIZE);
	return err_move(err, &j.err);
}

struct fetch_job { struct remote_fetch fetch; struct err err; int r; };

static void run_fetch(void *arg)
{
	struct fetch_job *j = arg;

	j->r = remote_fetch(&j->fetch, &j->err);
}

/* One at a time a remote: who waited finds refs that are younger than its question, and need not ask again. */
static int with_remote(struct repos *r, const struct repo_want *w, const char *dir, const char *revision, char *sha,
		       struct git_refs *list, struct err *err)
{
	static const struct repo_access nobody;
	struct remote *m = remote_of(r, w->url);
	int64_t came = loop_now_ms(r->loop);

	while (m->busy)
		TRY(fiber_wait(&m->idle));
	int64_t began = loop_now_ms(r->loop);
	struct fetch_job j = { .fetch = {
		.url = w->url, .cache = dir, .access = w->access ? w->access : &nobody, .revision = revision,
		.tag_prefix = w->tag_prefix, .refs = &m->refs, .refs_fresh = m->asked_ms >= 0 && m->asked_ms >= came - w->max_age_ms,
	} };
	m->busy = true;
	fiber_job_long(run_fetch, &j);
	m->busy = false;
	fiber_signal_all(&m->idle);
	if (j.fetch.asked)
		m->asked_ms = began;
	if (j.r >= 0 && sha)
		memcpy(sha, j.fetch.sha, REVISION_SIZE);
	for (size_t i = 0; j.r >= 0 && list && i < m->refs.n; i++)
		git_refs_add(list, sv_c(m->refs.v[i].name), m->refs.v[i].sha);
	if (j.r == -ERR_NOT_FOUND)
		(void)err_wrap(&j.err, j.r, "repository %s", w->url);
	return err_move(err, &j.err);
}

int repo_resolve(struct repos *r, const struct repo_want *w, char sha[static REVISION_SIZE], struct err *err)
{
	AUTO(str) dir = { 0 };

	TRY(repo_dir(r, w->url, &dir, err));
	if (!sv_starts(str_sv(&dir), sv_c(r->dir)))
		return resolve_local(str_c(&dir), w, sha, err);
	TRY(dir_make(r->dir, 0700, err));
	return with_remote(r, w, str_c(&dir), w->revision ? w->revision : "HEAD", sha, NULL, err);
}

static void run_list(void *arg)
{
	struct local_job *j = arg;

	j->r = local_list(j->dir, true, &j->refs, &j->err);
}

int repo_list(struct repos *r, const struct repo_want *w, struct git_refs *out, struct err *err)
{
	AUTO(str) dir = { 0 };
	struct local_job j = { .want = w };

	TRY(repo_dir(r, w->url, &dir, err));
	if (sv_starts(str_sv(&dir), sv_c(r->dir))) {
		TRY(dir_make(r->dir, 0700, err));
		return with_remote(r, w, str_c(&dir), NULL, NULL, out, err);
	}
	j.dir = str_c(&dir);
	fiber_job(run_list, &j);
	*out = j.refs;
	return err_move(err, &j.err);
}

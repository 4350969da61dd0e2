/* Bases that lie elsewhere: git repositories and files that are named by URLs. */
#include "cli/render.h"

#include <stdlib.h>

#include "base/fiber.h"
#include "base/httpc.h"
#include "base/map.h"
#include "cli/user-dirs.h"
#include "operator/git/repo.h"

struct render_remotes {
	struct map views;               /* "URL REVISION" -> struct vfs * */
};

struct render_remotes *render_remotes_new(void)
{
	struct render_remotes *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	return r;
}

void render_remotes_free(struct render_remotes **rp)
{
	struct render_remotes *r = TAKE(*rp);
	struct map_slot *s;

	if (!r)
		return;
	map_each(s, &r->views)
		vfs_free(s->value);
	map_free(&r->views);
	free(r);
}

struct clone { const char *url, *revision, *cache; struct vfs **view; struct err *err; };

static int resolve(struct clone *c, struct repos *repos)
{
	struct repo_want want = { .url = c->url, .revision = c->revision };
	char sha[REVISION_SIZE];
	AUTO(str) dir = { 0 };

	TRY(repo_resolve(repos, &want, sha, c->err));
	TRY(repo_dir(repos, c->url, &dir, c->err));
	*c->view = repo_vfs(str_c(&dir), sha, c->err);
	return *c->view ? 0 : -ERR_NOT_FOUND;
}

static int clone(void *arg)
{
	struct clone *c = arg;
	struct repos *repos = repos_new(fiber_loop(), c->cache);
	int r = resolve(c, repos);

	repos_free(&repos);
	return r;
}

int render_git(void *remotes, const char *url, const char *revision, struct vfs **view, struct err *err)
{
	struct render_remotes *r = remotes;
	AUTO(str) key = { 0 };
	AUTO(str) cache = { 0 };

	str_addf(&key, "%s %s", url, revision);
	*view = map_get(&r->views, str_sv(&key));
	if (*view)
		return 0;
	TRY(user_cache_dir(&cache, "", err));
	TRY(fiber_main(clone, &(struct clone){ url, revision, str_c(&cache), view, err }));
	map_put(&r->views, str_sv(&key), *view);
	return 0;
}

struct get { const char *url; struct str *content; struct err *err; };

static int get(void *arg)
{
	struct get *g = arg;
	struct httpc *http = httpc_new(fiber_loop());
	struct httpc_request rq = { .method = "GET", .url = g->url, .max_body = 8u << 20, .follow = true };
	AUTO(httpc_response) answer = { 0 };
	int r = httpc_do(http, &rq, &answer, g->err);

	if (r >= 0 && (answer.status < 200 || answer.status > 299))
		r = err_set(g->err, ERR_UNAVAILABLE, "GET %s: status %d", g->url, answer.status);
	if (r >= 0)
		str_move(g->content, &answer.body);
	httpc_free(&http);
	return r;
}

int render_http(void *remotes, const char *url, struct str *content, struct err *err)
{
	(void)remotes;
	return fiber_main(get, &(struct get){ url, content, err });
}

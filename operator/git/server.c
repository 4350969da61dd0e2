/* operator/git/server.c - the built-in git server: git's own http-backend behind our authentication, with repositories that
 * come to be by the first push, and a sync that the pusher watches. */
#include <ctype.h>
#include <git2.h>

#include "base/fiber.h"
#include "base/fs.h"
#include "base/log.h"
#include "operator/git/cgi.h"
#include "operator/git/git-internal.h"
#include "operator/operator-internal.h"

/* ---- what is asked ---- */

struct asked { struct str repository; const char *service; bool write; };      /* "team/web.git"; "git-receive-pack" */

static void asked_free(struct asked *a)
{
	str_free(&a->repository);
}

static bool name_ok(struct sv name)
{
	struct sv part, rest = name;

	if (!name.n || name.n > 200)
		return false;
	do {
		struct sv tail = { "", 0 };
		(void)sv_cut(rest, '/', &part, &tail);
		if (!part.n || !isalnum((unsigned char)part.p[0]))
			return false;
		for (size_t i = 0; i < part.n; i++)
			if (!isalnum((unsigned char)part.p[i]) && !strchr("-_.", part.p[i]))
				return false;
		rest = tail;
	} while (rest.n);
	return name.p[name.n - 1] != '/';
}

/* "/git/NAME.git/SERVICE"; false: nothing that this server has. */
static bool read_path(struct http_request *rq, struct asked *a)
{
	static const struct { const char *method, *tail, *service; bool write; } services[] = {
		{ "POST", "/git-upload-pack", "git-upload-pack", false }, { "POST", "/git-receive-pack", "git-receive-pack", true },
		{ "GET", "/info/refs", NULL, false },
	};
	struct sv path = sv_drop(sv_c(http_path(rq)), strlen("/git/"));
	AUTO(str) wanted = { 0 };

	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		struct sv tail = sv_c(services[i].tail);
		if (!str_eq(http_method(rq), services[i].method) || !sv_ends(path, tail))
			continue;
		str_add(&a->repository, (struct sv){ path.p, path.n - tail.n });
		a->service = services[i].service;
		a->write = services[i].write;
		if (!a->service && http_query_get(http_query(rq), "service", &wanted))
			a->write = sv_eq_c(str_sv(&wanted), "git-receive-pack");
		if (!sv_ends(str_sv(&a->repository), SV(".git")))
			str_addc(&a->repository, ".git");
		return (a->service || wanted.n) && name_ok(str_sv(&a->repository));
	}
	return false;
}

/* ---- repositories ---- */

struct init_job { const char *dir; const char *head; int r; struct err err; };

static void run_init(void *arg)
{
	struct init_job *j = arg;
	git_repository_init_options o = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	AUTO_REPOSITORY repo = NULL;

	o.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
	o.initial_head = "main";
	if (git_repository_init_ext(&repo, j->dir, &o) < 0)
		j->r = git_fail(&j->err, ERR_IO, "create the repository %s", j->dir);
}

static int create(const char *dir, struct err *err)
{
	struct init_job j = { .dir = dir };

	if (path_exists(dir))
		return 0;
	fiber_job(run_init, &j);
	return err_move(err, &j.err);
}

/* A clone checks out what HEAD names: after the first push that is a branch which was pushed. */
static void run_set_head(void *arg)
{
	struct init_job *j = arg;
	AUTO_REPOSITORY repo = NULL;

	if (repo_open(j->dir, &repo, &j->err) >= 0 && git_repository_head_unborn(repo) == 1 &&
	    git_repository_set_head(repo, j->head) < 0)
		j->r = git_fail(&j->err, ERR_IO, "set HEAD of %s", j->dir);
}

static void set_head(const char *dir, const struct git_refs *after)
{
	for (size_t i = 0; i < after->n; i++) {
		struct init_job j = { .dir = dir, .head = after->v[i].name };
		if (!sv_starts(sv_c(j.head), SV("refs/heads/")))
			continue;
		fiber_job(run_set_head, &j);
		err_free(&j.err);
		return;
	}
}

static void list_refs(struct operator *op, const struct asked *a, struct git_refs *out)
{
	AUTO(str) url = { 0 };
	const struct repo_want w = { .url = (str_addf(&url, "/git/%s", str_c(&a->repository)), str_c(&url)) };

	(void)!repo_list(op->repos, &w, out, NULL);
}

/* ---- requests ---- */

static void refuse(struct http_request *rq, int status, const char *text)
{
	http_reply(rq, status, "text/plain; charset=utf-8", sv_c(text));
}

static int serve(struct operator *op, struct http_request *rq, const struct asked *a, const char *dir, const char *user,
		 struct err *err)
{
	struct git_refs before = { 0 }, after = { 0 };
	AUTO(str) path = { 0 };
	struct cgi_end end;
	bool push = a->write && a->service;

	str_addf(&path, "/%s%s%s", str_c(&a->repository), a->service ? "/" : "", a->service ? a->service : "/info/refs");
	if (push)
		list_refs(op, a, &before);
	const struct cgi c = { .root = op->root, .path = str_c(&path), .user = user, .hold_end = push };
	int r = cgi_run(rq, &c, &end, err);
	if (push) {
		list_refs(op, a, &after);
		set_head(dir, &after);
		/* also when the pusher has gone away in the meantime: what arrived is there */
		push_follow(op, str_c(&a->repository), &before, &after, r >= 0 && end.sideband ? end.stream : NULL);
	}
	if (r >= 0) {
		if (end.sideband)
			(void)http_stream_write(end.stream, SV("0000"));
		http_stream_end(end.stream);
	}
	git_refs_free(&before);
	git_refs_free(&after);
	return r;
}

void operator_git(struct http_request *rq, void *arg)
{
	struct operator *op = arg;
	__attribute__((cleanup(asked_free))) struct asked a = { 0 };
	AUTO(str) user = { 0 };
	AUTO(str) dir = { 0 };
	AUTO(err) err = { 0 };

	if (!read_path(rq, &a)) {
		refuse(rq, 404, "not a repository: the URL of one is /git/NAME.git\n");
		return;
	}
	if (!operator_authenticate(op, rq, &user)) {
		http_add_header(rq, "WWW-Authenticate", "Basic realm=\"git\", charset=\"UTF-8\"");
		refuse(rq, 401, "a client certificate is needed, or the server's token as the password\n");
		return;
	}
	str_addf(&dir, "%s/%s", op->root, str_c(&a.repository));
	if (!a.write && !path_exists(str_c(&dir))) {
		refuse(rq, 404, "there is no such repository: the first push creates it\n");
		return;
	}
	if (a.write && create(str_c(&dir), &err) < 0) {
		log_event(LOG_ERROR, "a repository cannot be created", "repository", str_c(&a.repository), "error", err_msg(&err), NULL);
		refuse(rq, 500, err_msg(&err));
		return;
	}
	if (serve(op, rq, &a, str_c(&dir), str_c(&user), &err) < 0)
		log_event(LOG_WARN, "a git request failed", "repository", str_c(&a.repository), "error", err_msg(&err), NULL);
}

/* operator/git/remote.c - asking a remote for its refs and fetching from it. */
#include "operator/git/remote.h"

#include <fcntl.h>
#include <git2/sys/repository.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/fs.h"
#include "base/vec.h"
#include "operator/git/git-internal.h"

int git_fail(struct err *err, enum err_code code, const char *fmt, ...)
{
	const git_error *e = git_error_last();
	AUTO(str) what = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&what, fmt, ap);
	va_end(ap);
	return err_set(err, code, "%s: %s", str_c(&what), e && e->message ? e->message : "unknown error");
}

/* What libgit2's callbacks are given. */
struct session { const struct repo_access *access; struct str key_file; unsigned asked; };

static void session_free(struct session *s)
{
	if (s->key_file.n)
		(void)unlink(str_c(&s->key_file));
	str_free(&s->key_file);
}

/* The ssh program reads keys from files only: one that nobody else may read, for the time of the connection. */
static int write_key(struct session *s, const char *cache, struct err *err)
{
	AUTO_FD fd = -1;
	struct sv key = sv_c(s->access->ssh_key);

	if (!key.n)
		return 0;
	str_addf(&s->key_file, "%s.key-XXXXXX", cache);
	if ((fd = mkostemp(s->key_file.p, O_CLOEXEC)) < 0)
		return err_errno(err, "write the ssh key to '%s'", str_c(&s->key_file));
	if (write(fd, key.p, key.n) != (ssize_t)key.n || (key.p[key.n - 1] != '\n' && write(fd, "\n", 1) != 1))
		return err_errno(err, "write the ssh key to '%s'", str_c(&s->key_file));
	return 0;
}

static int credentials(git_credential **out, const char *url, const char *user, unsigned types, void *payload)
{
	struct session *s = payload;
	const struct repo_access *a = s->access;

	(void)url;
	if (s->asked++)
		return GIT_EAUTH;               /* the same answer again would be refused again */
	if ((types & GIT_CREDENTIAL_SSH_KEY) && s->key_file.n)
		return git_credential_ssh_key_new(out, user ? user : "git", NULL, str_c(&s->key_file), NULL);
	if ((types & GIT_CREDENTIAL_USERPASS_PLAINTEXT) && a->password && *a->password)
		return git_credential_userpass_plaintext_new(out, a->username && *a->username ? a->username : "git", a->password);
	return GIT_EAUTH;
}

static int trust(git_cert *cert, int valid, const char *host, void *payload)
{
	(void)cert;
	(void)valid;
	(void)host;
	(void)payload;
	return 0;
}

static void set_callbacks(git_remote_callbacks *c, struct session *s)
{
	c->credentials = credentials;
	c->payload = s;
	if (s->access->insecure)
		c->certificate_check = trust;
}

/* A URL as it may be shown: without the password in it. */
static void add_public(struct str *out, const char *url)
{
	struct sv rest = sv_c(url), user, scheme;
	const char *at = strchr(url, '@'), *slashes = strstr(url, "://");

	if (!at || !slashes || at < slashes || memchr(slashes + 3, '/', (size_t)(at - slashes - 3) + 1)) {
		str_add(out, rest);
		return;
	}
	scheme = (struct sv){ url, (size_t)(slashes + 3 - url) };
	(void)sv_cut((struct sv){ slashes + 3, (size_t)(at - slashes - 3) }, ':', &user, &rest);
	str_addf(out, SV_FMT SV_FMT "%s", SV_ARG(scheme), SV_ARG(user), at);
}

static int connect_error(const char *url, int r, struct err *err)
{
	const git_error *e = git_error_last();
	const char *why = e && e->message ? e->message : "unknown error";
	AUTO(str) name = { 0 };

	add_public(&name, url);
	if (r == GIT_EAUTH || strstr(why, "status code: 401") || strstr(why, "status code: 403") || strstr(why, "Permission denied") ||
	    strstr(why, "authentication"))
		return err_set(err, ERR_UNAUTHORIZED, "repository %s refuses access: %s; credentials belong in a Secret labelled "
			       "argocd.argoproj.io/secret-type: repository, whose url is this one", str_c(&name), why);
	return err_set(err, ERR_UNAVAILABLE, "repository %s cannot be read: %s", str_c(&name), why);
}

/* Without any configuration: a person's ~/.gitconfig does not count here, and libgit2 1.5 leaks 20 KB for every entry
 * that its search for url.*.insteadof does not match. */
static int open_cache(const char *dir, git_repository **out, struct err *err)
{
	git_config *none = NULL;

	if (git_repository_open_ext(out, dir, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) < 0 && git_repository_init(out, dir, 1) < 0)
		return git_fail(err, ERR_IO, "create the cache '%s'", dir);
	if (git_config_new(&none) < 0 || git_repository_set_config(*out, none) < 0)
		return git_fail(err, ERR_IO, "configure the cache '%s'", dir);
	git_config_free(none);
	return 0;
}

/* Picks from the known refs; 1: the commit is in the cache, 0: it has to be fetched by *ref. */
static int pick(struct remote_fetch *f, git_repository *repo, const struct revision **ref, struct err *err)
{
	*ref = NULL;
	if (!revision_is_sha(f->revision)) {
		TRY(revision_pick(f->refs, f->revision, f->tag_prefix, ref, err));
		memcpy(f->sha, (*ref)->sha, REVISION_SIZE);
	} else {
		for (size_t i = 0; i < REVISION_SIZE; i++)
			f->sha[i] = (char)(f->revision[i] | (f->revision[i] > '9' ? 0x20 : 0));
	}
	return repo_has(repo, f->sha);
}

static int ask(struct remote_fetch *f, git_remote *remote, struct session *s, struct err *err)
{
	git_remote_connect_options o = GIT_REMOTE_CONNECT_OPTIONS_INIT;
	const git_remote_head **heads;
	size_t n;
	int r;

	set_callbacks(&o.callbacks, s);
	if ((r = git_remote_connect_ext(remote, GIT_DIRECTION_FETCH, &o)) < 0 || (r = git_remote_ls(&heads, &n, remote)) < 0)
		return connect_error(f->url, r, err);
	git_refs_free(f->refs);
	for (size_t i = 0; i < n; i++) {
		char sha[GIT_OID_HEXSZ + 1];
		if (ref_is_branch(heads[i]->name) && !ref_is_name(heads[i]->name))
			continue;
		git_refs_add(f->refs, sv_c(heads[i]->name), git_oid_tostr(sha, sizeof sha, &heads[i]->oid));
	}
	f->asked = true;
	return 0;
}

/* Only the wanted ref; a bare commit id is looked for in all branches and tags, then asked for by itself. */
static int fetch_spec(struct remote_fetch *f, git_remote *remote, struct session *s, char **specs, size_t n, struct err *err)
{
	git_fetch_options o = GIT_FETCH_OPTIONS_INIT;
	git_strarray list = { specs, n };
	int r;

	s->asked = 0;
	set_callbacks(&o.callbacks, s);
	o.prune = GIT_FETCH_NO_PRUNE;
	o.update_fetchhead = 0;
	o.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	if ((r = git_remote_fetch(remote, &list, &o, NULL)) < 0)
		return connect_error(f->url, r, err);
	return 0;
}

static int fetch_ref(struct remote_fetch *f, git_repository *repo, git_remote *remote, struct session *s,
		     const struct revision *ref, struct err *err)
{
	AUTO(str) spec = { 0 };
	char heads[] = "+refs/heads/*:refs/heads/*", tags[] = "+refs/tags/*:refs/tags/*";
	char *one[1], *all[2] = { heads, tags };
	bool head = ref && !strcmp(ref->name, "HEAD");

	if (ref)
		str_addf(&spec, "+%s:%s", ref->name, head ? "refs/cache/HEAD" : ref->name);
	else
		str_addf(&spec, "+%s:refs/cache/%s", f->sha, f->sha);
	one[0] = spec.p;
	if (!ref) {
		TRY(fetch_spec(f, remote, s, all, 2, err));
		if (repo_has(repo, f->sha))
			return 0;
	}
	if (ref)
		TRY(fetch_spec(f, remote, s, one, 1, err));
	else
		(void)!fetch_spec(f, remote, s, one, 1, NULL);          /* servers may refuse this */
	return repo_has(repo, f->sha) ? 0 : err_set(err, ERR_NOT_FOUND, "commit %s is not in the repository", f->sha);
}

int remote_fetch(struct remote_fetch *f, struct err *err)
{
	__attribute__((cleanup(session_free))) struct session s = { .access = f->access };
	AUTO_REPOSITORY repo = NULL;
	AUTO_REMOTE remote = NULL;
	const struct revision *ref = NULL;
	int here;

	TRY(open_cache(f->cache, &repo, err));
	if (f->revision && (f->refs_fresh || revision_is_sha(f->revision)) && pick(f, repo, &ref, NULL) == 1)
		return 0;
	TRY(write_key(&s, f->cache, err));
	if (git_remote_create_anonymous(&remote, repo, f->url) < 0)
		return git_fail(err, ERR_BAD_REQUEST, "'%s' is not the URL of a repository", f->url);
	TRY(ask(f, remote, &s, err));
	if (!f->revision)
		return 0;
	TRY(here = pick(f, repo, &ref, err));
	return here ? 0 : fetch_ref(f, repo, remote, &s, ref, err);
}

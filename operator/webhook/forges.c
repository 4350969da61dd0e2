/* operator/webhook/forges.c - what each forge's push looks like. */
#include <fnmatch.h>
#include <string.h>

#include "base/str.h"
#include "base/vfs.h"
#include "operator/webhook/webhook.h"

#define FILES 100000

static void add_url(struct push_event *e, const struct node *n, const char *path)
{
	const char *url = node_str_at(n, path);

	if (url && *url)
		vec_push(&e->urls, url);
}

static void add_list(struct push_event *e, const struct node *list)
{
	const struct node *file;

	node_each(file, list)
		if (node_text(file) && e->files.n < FILES)
			vec_push(&e->files, node_text(file));
}

static void add_files(struct push_event *e, const struct node *commits)
{
	const struct node *commit;

	node_each(commit, commits) {
		add_list(e, node_get(commit, "added"));
		add_list(e, node_get(commit, "modified"));
		add_list(e, node_get(commit, "removed"));
	}
}

static void read_github(const struct node *p, const char *event, struct push_event *e)
{
	const struct node *repo = node_get(p, "repository");
	static const char *const urls[] = { "html_url", "clone_url", "ssh_url", "git_url", "svn_url" };

	e->is_push = str_eq(event, "push");
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		add_url(e, repo, urls[i]);
	e->ref = node_str_or(p, "ref", "");
	e->default_branch = node_str_or(repo, "default_branch", "");
	add_files(e, node_get(p, "commits"));
}

static void read_gitlab(const struct node *p, const char *event, struct push_event *e)
{
	const struct node *project = node_get(p, "project");
	const char *kind = node_str_or(p, "object_kind", node_str_or(p, "event_name", ""));
	static const char *const urls[] = { "web_url", "git_http_url", "git_ssh_url" };

	(void)event;
	e->is_push = str_eq(kind, "push") || str_eq(kind, "tag_push");
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		add_url(e, project, urls[i]);
	e->ref = node_str_or(p, "ref", "");
	e->default_branch = node_str_or(project, "default_branch", "");
	add_files(e, node_get(p, "commits"));
}

/* The first change counts; that of a default branch is assumed, as the payload does not say which it is. */
static void read_bitbucket(const struct node *p, const char *event, struct push_event *e)
{
	const struct node *change = node_at(p, "push.changes.0"), *ref = node_get(change, "new");

	e->is_push = str_eq(event, "repo:push");
	if (!node_is(ref, NODE_MAP))
		ref = node_get(change, "old");
	add_url(e, p, "repository.links.html.href");
	e->ref = node_str_or(ref, "name", "");
	e->default_branch = e->ref;
}

static void read_bitbucket_server(const struct node *p, const char *event, struct push_event *e)
{
	const struct node *link;

	e->is_push = str_eq(event, "repo:refs_changed");
	node_each(link, node_at(p, "repository.links.clone"))
		add_url(e, link, "href");
	e->ref = node_str_or(node_at(p, "changes.0"), "ref.id", "");
	e->default_branch = node_str_or(node_at(p, "changes.0"), "ref.displayId", "");
}

const struct forge forges[] = {
	/* Gitea sends GitHub's headers as well: it comes first */
	{ "gitea", "X-Gogs-Event", "webhook.gogs.secret", PROOF_HMAC_SHA256, "X-Gogs-Signature", "", read_github },
	{ "github", "X-GitHub-Event", "webhook.github.secret", PROOF_HMAC_SHA256, "X-Hub-Signature-256", "sha256=", read_github },
	{ "gitlab", "X-Gitlab-Event", "webhook.gitlab.secret", PROOF_TOKEN, "X-Gitlab-Token", "", read_gitlab },
	{ "bitbucket", "X-Hook-UUID", "webhook.bitbucket.uuid", PROOF_TOKEN, "X-Hook-UUID", "", read_bitbucket },
	{ "bitbucket-server", "X-Event-Key", "webhook.bitbucketserver.secret", PROOF_HMAC_SHA256, "X-Hub-Signature", "sha256=",
	  read_bitbucket_server },
	{ 0 }
};

void push_event_free(struct push_event *e)
{
	vec_free(&e->urls);
	vec_free(&e->files);
}

/* ---- manifest-generate-paths ---- */

static bool is_below(const char *file, struct sv path)
{
	struct sv f = sv_c(file);

	return !path.n || sv_eq(f, path) || (sv_starts(f, path) && f.p[path.n] == '/');
}

static bool touches(const char *file, struct sv entry, const char *source_path)
{
	AUTO(str) path = { 0 };

	AUTO(str) text = { 0 };

	str_add(&text, entry);
	bool from_root = entry.p[0] == '/';
	if (vfs_join(&path, from_root ? "" : source_path, str_c(&text) + from_root, NULL) < 0)
		return false;
	return is_below(file, str_sv(&path)) || fnmatch(str_c(&path), file, FNM_PATHNAME) == 0;
}

bool paths_touched(const char *annotation, const char *source_path, const char *const *files, size_t n)
{
	struct sv entry, rest = sv_c(annotation);

	if (!annotation || !*annotation || !n)
		return true;
	while (rest.n) {
		struct sv tail = { "", 0 };
		(void)sv_cut(rest, ';', &entry, &tail);
		rest = tail;
		for (size_t i = 0; i < n && sv_trim(entry).n; i++)
			if (touches(files[i], sv_trim(entry), source_path))
				return true;
	}
	return false;
}

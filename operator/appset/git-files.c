/* operator/appset/git-files.c - directories and files of a commit as parameters. */
#include "operator/appset/git-files.h"

#include <stdlib.h>

#include "base/glob.h"
#include "base/yaml.h"
#include "operator/appset/fill.h"
#include "operator/appset/slug.h"

#define DEPTH 32
#define FILE_MAX (1 << 20)
#define FOUND_MAX 10000
#define VISITED_MAX 200000           /* links may lead round in circles */

struct search { struct git_files_job *job; struct vfs *view; struct node *out; size_t visited; };

/* exclude beats include, whatever the order. */
static bool selected(const struct node *patterns, const char *path)
{
	const struct node *it;
	bool in = false;

	node_each(it, patterns) {
		if (!glob_match(sv_c(node_str_or(it, "path", "")), sv_c(path)))
			continue;
		if (node_bool_at(it, "exclude", false))
			return false;
		in = true;
	}
	return in;
}

/* ---- parameters of a path ---- */

static void put(struct search *s, struct node *to, const char *prefix, const char *key, const char *value)
{
	AUTO(str) full = { 0 };

	str_addf(&full, "%s%s%s", prefix, *prefix && *key ? "." : "", key);
	node_setn(s->job->found, to, str_sv(&full), node_str(s->job->found, value));
}

static struct node *segments_of(struct doc *d, const char *path)
{
	struct node *list = node_seq(d);

	for (struct sv rest = sv_c(path); rest.n;) {
		struct sv part, tail = { "", 0 };
		(void)sv_cut(rest, '/', &part, &tail);
		node_add(d, list, node_strn(d, part));
		rest = tail;
	}
	return list;
}

/* Go templates: .path.path, .path.basename and so on. Otherwise flat: path, path.basename, path[0]. */
static void add_path(struct search *s, struct node *params, const char *dir, const char *file)
{
	struct doc *d = s->job->found;
	const char *prefix = node_str_or(s->job->spec, "pathParamPrefix", ""), *slash = strrchr(dir, '/');
	const char *base = slash ? slash + 1 : dir;
	struct node *segments = segments_of(d, dir), *to = params;
	AUTO(str) normal = { 0 };
	AUTO(str) root = { 0 };
	bool go = s->job->go_template;

	name_normalize(&normal, sv_c(base));
	str_addf(&root, "%s%spath", prefix, *prefix ? "." : "");
	if (go) {
		if (*prefix)
			to = node_map_at(d, params, prefix);
		to = node_map_at(d, to, "path");
	}
	put(s, to, go ? "" : str_c(&root), go ? "path" : "", dir);
	put(s, to, go ? "" : str_c(&root), "basename", base);
	put(s, to, go ? "" : str_c(&root), "basenameNormalized", str_c(&normal));
	if (file) {
		AUTO(str) file_normal = { 0 };
		name_normalize(&file_normal, sv_c(file));
		put(s, to, go ? "" : str_c(&root), "filename", file);
		put(s, to, go ? "" : str_c(&root), "filenameNormalized", str_c(&file_normal));
	}
	if (go)
		node_set(d, to, "segments", segments);
	for (size_t i = 0; !go && i < segments->n; i++) {
		AUTO(str) key = { 0 };
		str_addf(&key, "%s[%zu]", str_c(&root), i);
		node_setn(d, params, str_sv(&key), segments->items[i]);
	}
}

/* ---- files ---- */

static int add_object(struct search *s, const struct node *object, const char *dir, const char *file)
{
	struct doc *d = s->job->found;
	struct node *params = node_map(d);

	if (!node_is(object, NODE_MAP))
		return err_set(&s->job->err, ERR_INVALID, "%s%s%s is neither a mapping nor a list of mappings", dir, *dir ? "/" : "", file);
	if (s->job->go_template)
		params = node_copy(d, object);
	else
		params_flatten(d, object, "", params);
	add_path(s, params, dir, file);
	node_add(d, s->out, params);
	return 0;
}

static int add_file(struct search *s, const char *path)
{
	AUTO(str) text = { 0 };
	AUTO(str) dir = { 0 };
	AUTO_DOC doc = NULL;
	const struct node *it;
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;

	str_add(&dir, (struct sv){ path, slash ? (size_t)(slash - path) : 0 });
	TRY(vfs_read(s->view, path, FILE_MAX, &text, &s->job->err));
	TRY(yaml_read(str_sv(&text), path, 0, &doc, &s->job->err));
	if (!node_is(doc_root(doc), NODE_SEQ))
		return add_object(s, doc_root(doc), str_c(&dir), file);
	node_each(it, doc_root(doc))
		TRY(add_object(s, it, str_c(&dir), file));
	return 0;
}

static int add_directory(struct search *s, const char *path)
{
	struct node *params = node_map(s->job->found);

	add_path(s, params, path, NULL);
	node_add(s->job->found, s->out, params);
	return 0;
}

static int visit(struct search *s, const char *path, bool directory)
{
	const struct node *patterns = node_get(s->job->spec, directory ? "directories" : "files");

	if (!node_n(patterns) || !selected(patterns, path))
		return 0;
	if (s->out->n >= FOUND_MAX)
		return err_set(&s->job->err, ERR_TOO_LARGE, "more than %d directories or files match", FOUND_MAX);
	return directory ? add_directory(s, path) : add_file(s, path);
}

static int walk(struct search *s, const char *dir, int depth)
{
	struct vfs_entries list = { 0 };
	int r = depth > DEPTH ? 0 : vfs_list(s->view, dir, &list, &s->job->err);

	if (r == -ERR_UNSUPPORTED) {            /* a submodule has nothing that could match */
		err_free(&s->job->err);
		return 0;
	}
	if ((s->visited += list.n) > VISITED_MAX)
		r = err_set(&s->job->err, ERR_TOO_LARGE, "the repository has more than %d files", VISITED_MAX);
	for (size_t i = 0; r >= 0 && i < list.n; i++) {
		AUTO(str) path = { 0 };
		bool directory = list.v[i].type == VFS_DIR;
		if (directory && list.v[i].name[0] == '.')
			continue;
		str_addf(&path, "%s%s%s", dir, *dir ? "/" : "", list.v[i].name);
		r = visit(s, str_c(&path), directory);
		if (r >= 0 && directory)
			r = walk(s, str_c(&path), depth + 1);
	}
	vfs_entries_free(&list);
	return r;
}

void git_files_run(void *arg)
{
	struct git_files_job *j = arg;
	struct search s = { .job = j, .view = repo_vfs(j->dir, j->sha, &j->err) };

	if (!s.view)
		return;
	j->found = doc_new();
	s.out = node_seq(j->found);
	doc_set_root(j->found, s.out);
	(void)walk(&s, "", 0);
	vfs_free(s.view);
}

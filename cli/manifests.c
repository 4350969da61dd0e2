#include "cli/manifests.h"

#include "base/fs.h"
#include "kube/schema/schema.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 << 20)
#define DEPTH_MAX 32

struct reading { struct client *client; bool recursive; struct docs *out; struct err *err; };

static int read_stdin(struct str *out, struct err *err)
{
	ssize_t n;

	while ((n = read(STDIN_FILENO, str_room(out, 65536), 65536)) > 0) {
		out->n += (size_t)n;
		if (out->n > FILE_MAX)
			return err_set(err, ERR_TOO_LARGE, "stdin: larger than %zu bytes", FILE_MAX);
	}
	return n < 0 ? err_errno(err, "read stdin") : 0;
}

/* A document that is a List gives its items. */
static void take(struct docs *out, struct doc *d)
{
	const struct node *root = doc_root(d), *it, *items = node_get(root, "items");

	if (node_is(root, NODE_NULL)) {
		doc_drop(&d);
		return;
	}
	if (!node_is(items, NODE_SEQ) || !sv_ends(sv_c(node_str_or(root, "kind", "")), SV("List"))) {
		vec_push(out, d);
		return;
	}
	node_each(it, items)
		vec_push(out, doc_of(it));
	doc_drop(&d);
}

static int read_text(struct reading *r, const char *name, struct sv text)
{
	struct docs docs = { 0 };

	TRY(yaml_read_all(text, name, YAML_UNIQUE_KEYS, &docs, r->err));
	for (size_t i = 0; i < docs.n; i++)
		take(r->out, docs.v[i]);
	vec_free(&docs);
	return 0;
}

static int read_file(struct reading *r, const char *path)
{
	AUTO(str) text = { 0 };
	bool in = str_eq(path, "-");

	TRY(in ? read_stdin(&text, r->err) : file_read(path, FILE_MAX, &text, r->err));
	return read_text(r, in ? "stdin" : path, str_sv(&text));
}

static bool is_manifest(const char *name)
{
	struct sv n = sv_c(name);

	return sv_ends(n, SV(".yaml")) || sv_ends(n, SV(".yml")) || sv_ends(n, SV(".json"));
}

static int read_path(struct reading *r, const char *path, bool named, int depth);

static int read_entry(struct reading *r, const char *dir, const char *name, int depth)
{
	if (*name == '.')
		return 0;
	char *path = str_fmt("%s/%s", dir, name);
	int result = read_path(r, path, false, depth + 1);
	free(path);
	return result;
}

static int read_dir(struct reading *r, const char *path, int depth)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort), result = 0;

	if (n < 0)
		return err_errno(r->err, "read directory '%s'", path);
	for (int i = 0; i < n; i++) {
		if (result >= 0)
			result = read_entry(r, path, names[i]->d_name, depth);
		free(names[i]);
	}
	free(names);
	return result;
}

/* What stands in a directory counts when its name ends like a manifest's. */
static int read_path(struct reading *r, const char *path, bool named, int depth)
{
	struct stat st;

	if (named && str_eq(path, "-"))
		return read_file(r, path);
	if (stat(path, &st))
		return err_errno(r->err, "read '%s'", path);
	if (S_ISDIR(st.st_mode))
		return named || (r->recursive && depth < DEPTH_MAX) ? read_dir(r, path, depth) : 0;
	return named || is_manifest(path) ? read_file(r, path) : 0;
}

static int check(struct reading *r, struct doc *d)
{
	const struct node *root = doc_root(d);
	const char *version = node_str_at(root, "apiVersion"), *kind = node_str_at(root, "kind");
	char where[256];

	(void)node_where(d, root, where);
	if (!node_is(root, NODE_MAP))
		return err_set(r->err, ERR_BAD_REQUEST, "%s: a manifest is a mapping, not a %s", where, node_type_name(root));
	if (!version || !kind)
		return err_set(r->err, ERR_BAD_REQUEST, "%s: %s is missing", where, version ? "kind" : "apiVersion");
	if (!node_str_at(root, "metadata.name") && !node_str_at(root, "metadata.generateName"))
		return err_set(r->err, ERR_INVALID, "%s: metadata.name is missing", where);
	if (!client_kind(r->client, version, kind, r->err))
		return err_wrap(r->err, -(int)r->err->code, "%s", where);
	return schema_check_file(d, r->client->kinds, r->err);
}

int manifests_read(struct client *c, const struct opt_list *files, bool recursive, struct docs *out, struct err *err)
{
	struct reading r = { c, recursive, out, err };

	for (size_t i = 0; i < files->n; i++)
		TRY(read_path(&r, files->v[i], true, 0));
	if (!out->n)
		return err_set(err, ERR_BAD_REQUEST, "no objects in %s", files->n ? files->v[0] : "the files");
	for (size_t i = 0; i < out->n; i++)
		TRY(check(&r, out->v[i]));
	return 0;
}

#include "render/chart/package.h"

#include "render/chart/helmignore.h"
#include "render/chart/load.h"

#include <archive.h>
#include <archive_entry.h>

#define FILE_MAX ((size_t)5 << 20)
#define TIME_OF_FILES 315532800         /* the first second of 1980: tar and zip both know it */

struct packing {
	struct archive *a;
	struct vfs *v;
	const char *dir, *name;
	struct helmignore *ignore;
	struct str meta;                /* Chart.yaml, when it is not as it lies there */
	struct err *err;
};

static la_ssize_t add_bytes(struct archive *a, void *out, const void *bytes, size_t n)
{
	(void)a;
	str_add(out, (struct sv){ bytes, n });
	return (la_ssize_t)n;
}

static int write_file(struct packing *p, const char *rel, struct sv text)
{
	struct archive_entry *e = archive_entry_new();
	AUTO(str) path = { 0 };

	str_addf(&path, "%s/%s", p->name, rel);
	archive_entry_set_pathname(e, str_c(&path));
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_mtime(e, TIME_OF_FILES, 0);
	archive_entry_set_size(e, (la_int64_t)text.n);
	bool ok = archive_write_header(p->a, e) == ARCHIVE_OK && archive_write_data(p->a, text.p, text.n) == (la_ssize_t)text.n;
	archive_entry_free(e);
	return ok ? 0 : err_set(p->err, ERR_IO, "%s: %s", str_c(&path), archive_error_string(p->a));
}

static int add_file(struct packing *p, const char *rel, const char *path)
{
	AUTO(str) text = { 0 };

	if (str_eq(rel, "Chart.yaml") && p->meta.n)
		return write_file(p, rel, str_sv(&p->meta));
	TRY(vfs_read(p->v, path, FILE_MAX, &text, p->err));
	return write_file(p, rel, str_sv(&text));
}

static int add_tree(struct packing *p, const char *rel)
{
	struct vfs_entries entries = { 0 };
	AUTO(str) dir = { 0 };
	int r;

	TRY(vfs_join(&dir, p->dir, rel, p->err));
	r = vfs_list(p->v, str_c(&dir), &entries, p->err);
	for (size_t i = 0; r >= 0 && i < entries.n; i++) {
		bool is_dir = entries.v[i].type == VFS_DIR;
		AUTO(str) below = { 0 };
		AUTO(str) path = { 0 };

		str_addf(&below, "%s%s%s", rel, *rel ? "/" : "", entries.v[i].name);
		if (helmignore_matches(p->ignore, str_c(&below), is_dir))
			continue;
		if ((r = vfs_join(&path, p->dir, str_c(&below), p->err)) >= 0)
			r = is_dir ? add_tree(p, str_c(&below)) : add_file(p, str_c(&below), str_c(&path));
	}
	vfs_entries_free(&entries);
	return r;
}

/* Chart.yaml with another version; what it says besides stays. */
static void rewrite_meta(struct packing *p, const struct chart *c, const struct package_opts *o)
{
	if (!o->version && !o->app_version)
		return;
	AUTO_DOC d = doc_of(doc_root(c->meta));
	if (o->version)
		node_set(d, doc_root(d), "version", node_str(d, o->version));
	if (o->app_version)
		node_set(d, doc_root(d), "appVersion", node_str(d, o->app_version));
	yaml_write(&p->meta, doc_root(d), 0);
}

static int write_all(struct packing *p, struct str *out)
{
	struct str bytes = { 0 };

	p->a = archive_write_new();
	archive_write_set_format_pax_restricted(p->a);
	archive_write_add_filter_gzip(p->a);
	archive_write_set_options(p->a, "gzip:!timestamp");
	archive_write_set_bytes_per_block(p->a, 512);
	int r = archive_write_open(p->a, &bytes, NULL, add_bytes, NULL) == ARCHIVE_OK ? 0 :
		err_set(p->err, ERR_IO, "package: %s", archive_error_string(p->a));
	if (r >= 0)
		r = add_tree(p, "");
	if (r >= 0 && archive_write_close(p->a) != ARCHIVE_OK)
		r = err_set(p->err, ERR_IO, "package: %s", archive_error_string(p->a));
	archive_write_free(p->a);
	if (r >= 0)
		str_move(out, &bytes);
	str_free(&bytes);
	return r;
}

/* A dependency that is named and not there would be missing in the package, too. */
static int check_dependencies(const struct chart *c, struct err *err)
{
	const struct node *entry;

	node_each(entry, node_get(doc_root(c->meta), "dependencies")) {
		struct sv name = node_sv(node_get(entry, "name"));
		bool found = false;

		for (size_t i = 0; i < c->n_deps; i++)
			found |= sv_eq(node_sv(node_get(doc_root(c->deps[i]->meta), "name")), name);
		if (!found)
			return err_set(err, ERR_NOT_FOUND, "found in Chart.yaml, but missing in charts/ directory: " SV_FMT
				       " (`cd chart dependency update` gets it)", SV_ARG(name));
	}
	return 0;
}

static int pack(struct packing *p, const struct chart *c, const struct package_opts *o, struct str *out, struct str *name)
{
	AUTO(str) ignored = { 0 };
	AUTO(str) path = { 0 };
	const struct node *meta = doc_root(c->meta);

	TRY(check_dependencies(c, p->err));
	TRY(vfs_join(&path, p->dir, ".helmignore", p->err));
	if (vfs_exists(p->v, str_c(&path), VFS_FILE))
		TRY(vfs_read(p->v, str_c(&path), FILE_MAX, &ignored, p->err));
	TRY(helmignore_parse(str_sv(&ignored), ".helmignore", &p->ignore, p->err));
	rewrite_meta(p, c, o);
	p->name = node_sv(node_get(meta, "name")).p;
	str_addf(name, "%s-%s", p->name, o->version ? o->version : node_sv(node_get(meta, "version")).p);
	return write_all(p, out);
}

int chart_package(struct vfs *v, const char *path, const struct package_opts *o, struct str *out, struct str *name, struct err *err)
{
	struct packing p = { .v = v, .dir = path, .err = err };
	struct chart *c = NULL;

	TRY(chart_load(v, path, &c, err));
	int r = pack(&p, c, o, out, name);
	helmignore_free(&p.ignore);
	str_free(&p.meta);
	chart_free(&c);
	return r;
}

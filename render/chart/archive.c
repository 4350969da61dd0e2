#include "render/chart/archive.h"

#include <archive.h>
#include <archive_entry.h>

#define FILE_MAX ((size_t)5 << 20)
#define TOTAL_MAX ((size_t)64 << 20)
#define FILES_MAX 10000

struct unpacking { struct archive *a; struct vfs *to; const char *name; size_t total, files; struct err *err; };

static int broken(struct unpacking *u) { return err_set(u->err, ERR_INVALID, "%s: %s", u->name, archive_error_string(u->a)); }

static int read_entry(struct unpacking *u, const char *path, size_t size)
{
	AUTO(str) text = { 0 };

	if (size > FILE_MAX || (u->total += size) > TOTAL_MAX || ++u->files > FILES_MAX)
		return err_set(u->err, ERR_TOO_LARGE, "%s: '%s' makes the chart too large", u->name, path);
	la_ssize_t n = archive_read_data(u->a, str_room(&text, size), size);
	if (n < 0 || (size_t)n != size)
		return broken(u);
	text.n = size;
	vfs_memory_add(u->to, path, str_sv(&text));
	return 0;
}

/* "web/templates/x.yaml" as "templates/x.yaml": the chart is what lies below the first directory. */
static int add_entry(struct unpacking *u, struct archive_entry *e)
{
	const char *whole = archive_entry_pathname(e);
	struct sv top, rest;
	AUTO(str) path = { 0 };

	if (archive_entry_filetype(e) == AE_IFDIR)
		return 0;
	if (!whole || archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e))
		return err_set(u->err, ERR_INVALID, "%s: '%s' is no plain file", u->name, whole ? whole : "");
	rest = sv_c(whole);
	while (sv_starts(rest, SV("./")))
		rest = sv_drop(rest, 2);
	if (!sv_cut(rest, '/', &top, &rest) || !top.n || sv_eq_c(top, ".."))
		return err_set(u->err, ERR_INVALID, "%s: '%s' is not in the chart's directory", u->name, whole);
	AUTO(str) below = { 0 };
	str_add(&below, rest);
	TRY(vfs_join(&path, "", str_c(&below), u->err));
	return read_entry(u, str_c(&path), (size_t)archive_entry_size(e));
}

static int unpack(struct unpacking *u, struct sv bytes)
{
	struct archive_entry *e;
	int r;

	if (archive_read_open_memory(u->a, bytes.p, bytes.n) != ARCHIVE_OK)
		return broken(u);
	while ((r = archive_read_next_header(u->a, &e)) == ARCHIVE_OK)
		TRY(add_entry(u, e));
	return r == ARCHIVE_EOF ? 0 : broken(u);
}

struct vfs *chart_archive(struct sv bytes, const char *name, struct err *err)
{
	struct unpacking u = { .a = archive_read_new(), .to = vfs_memory(), .name = name, .err = err };

	archive_read_support_filter_gzip(u.a);
	archive_read_support_format_tar(u.a);
	if (unpack(&u, bytes) < 0) {
		vfs_free(u.to);
		u.to = NULL;
	}
	archive_read_free(u.a);
	return u.to;
}

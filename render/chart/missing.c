#include "render/chart/missing.h"

#include "render/chart/deps.h"

#define LOCK_MAX ((size_t)1 << 20)

static const char *text(const struct node *entry, const char *key) { return node_str_or(entry, key, ""); }

static bool is_here(const struct chart *c, const struct node *entry)
{
	for (size_t i = 0; i < c->n_deps; i++)
		if (dep_is_about(entry, c->deps[i]))
			return true;
	return false;
}

/* Chart.lock, or requirements.lock of older charts; absent: *out stays NULL. */
static int read_lock(const struct chart *c, struct doc **out, struct err *err)
{
	static const char *const names[] = { "Chart.lock", "requirements.lock" };

	for (size_t i = 0; !*out && i < sizeof names / sizeof *names; i++) {
		AUTO(str) path = { 0 };
		AUTO(str) content = { 0 };

		TRY(vfs_join(&path, c->dir, names[i], err));
		if (!vfs_exists(c->view, str_c(&path), VFS_FILE))
			continue;
		TRY(vfs_read(c->view, str_c(&path), LOCK_MAX, &content, err));
		TRY(yaml_read(str_sv(&content), str_c(&path), 0, out, err));
	}
	return 0;
}

/* A lock has the address where an entry may have a name of it. */
static bool same_repository(const struct node *locked, const struct node *entry)
{
	const char *repository = text(entry, "repository");

	return *repository == '@' || !strncmp(repository, "alias:", 6) || str_eq(text(locked, "repository"), repository);
}

static const char *version_of(const struct node *entry, const struct doc *lock)
{
	const struct node *it;

	node_each(it, node_get(lock ? doc_root(lock) : NULL, "dependencies"))
		if (str_eq(text(it, "name"), text(entry, "name")) && same_repository(it, entry))
			return text(it, "version");
	return text(entry, "version");
}

static int add(struct chart *c, const struct node *entry, const struct doc *lock, const struct render_opts *o, struct err *err)
{
	const struct render_chart want = { text(entry, "repository"), text(entry, "name"), version_of(entry, lock) };
	AUTO(str) package = { 0 };
	AUTO(str) dir = { 0 };

	if (!strncmp(want.repo, "file://", 7)) {
		TRY(vfs_join(&dir, want.repo[7] == '/' ? "" : c->dir, want.repo + 7 + (want.repo[7] == '/'), err));
		return chart_add_dir(c, str_c(&dir), err);
	}
	if (!*want.repo)
		return 0;
	TRY(o->chart(o->chart_arg, &want, &package, err));
	return chart_add_package(c, str_sv(&package), want.name, err);
}

int missing_fetch(struct chart *c, const struct render_opts *o, struct err *err)
{
	AUTO_DOC lock = NULL;
	const struct node *entry;

	if (!o->chart)
		return 0;
	TRY(read_lock(c, &lock, err));
	node_each(entry, node_get(doc_root(c->meta), "dependencies"))
		if (!is_here(c, entry))
			TRY(err_wrap(err, add(c, entry, lock, o, err), "chart %s: dependency %s", c->name, text(entry, "name")));
	for (size_t i = 0; i < c->n_deps; i++)
		TRY(missing_fetch(c->deps[i], o, err));
	return 0;
}

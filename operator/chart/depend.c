/* operator/chart/depend.c - the dependencies of a chart. */
#include "operator/chart/depend.h"

#include <dirent.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/semver.h"
#include "base/yaml.h"
#include "operator/chart/lock.h"
#include "render/chart/load.h"
#include "render/chart/package.h"

#define FILE_MAX ((size_t)4 << 20)
#define PACKAGE_MAX ((size_t)32 << 20)

/* A package that goes into charts/. */
struct got { struct str file, bytes; };

struct work {
	const struct depend *d;
	struct doc *doc;                /* Chart.yaml */
	struct node *asked, *found;
	const char *lock_name;
	struct { struct got *v; size_t n, cap; } got;
};

static const char *text(const struct node *n, const char *key) { return node_str_or(n, key, ""); }

static int read_yaml(const char *dir, const char *name, struct doc **out, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) content = { 0 };

	str_addf(&path, "%s/%s", dir, name);
	if (!path_exists(str_c(&path)))
		return 0;
	TRY(file_read(str_c(&path), FILE_MAX, &content, err));
	return yaml_read(str_sv(&content), str_c(&path), 0, out, err);
}

/* Dependencies are in Chart.yaml, or in requirements.yaml of charts of version 1. */
static int read_asked(const char *dir, struct doc **doc, struct node **asked, const char **lock_name, struct err *err)
{
	TRY(read_yaml(dir, "Chart.yaml", doc, err));
	if (!*doc)
		return err_set(err, ERR_NOT_FOUND, "%s is no chart: it has no Chart.yaml", dir);
	*lock_name = "Chart.lock";
	*asked = node_get(doc_root(*doc), "dependencies");
	if (*asked || !str_eq(text(doc_root(*doc), "apiVersion"), "v1"))
		return 0;
	AUTO_DOC requirements = NULL;
	TRY(read_yaml(dir, "requirements.yaml", &requirements, err));
	if (requirements) {
		*lock_name = "requirements.lock";
		*asked = node_import(*doc, requirements, node_get(doc_root(requirements), "dependencies"));
	}
	return 0;
}

static void say(const struct work *w, const char *fmt, ...) PRINTF(2, 3);
static void say(const struct work *w, const char *fmt, ...)
{
	AUTO(str) line = { 0 };
	va_list ap;

	if (!w->d->say)
		return;
	va_start(ap, fmt);
	str_addv(&line, fmt, ap);
	va_end(ap);
	w->d->say(w->d->arg, str_c(&line));
}

/* ---- getting ---- */

static void add_found(struct work *w, const struct node *entry, const char *version)
{
	struct node *n = node_map(w->doc);

	node_set(w->doc, n, "name", node_str(w->doc, text(entry, "name")));
	node_set(w->doc, n, "version", node_str(w->doc, version));
	node_set(w->doc, n, "repository", node_str(w->doc, text(entry, "repository")));
	node_add(w->doc, w->found, n);
}

static int check_range(const struct node *entry, const char *version, struct err *err)
{
	struct semver v;
	int r = 1;

	if (*text(entry, "version") && semver_parse(sv_c(version), &v))
		r = semver_match(sv_c(text(entry, "version")), &v, err);
	TRY(r);
	return r ? 0 : err_set(err, ERR_NOT_FOUND, "it has version %s, which is not in '%s'", version, text(entry, "version"));
}

/* The chart of a directory beside this one, packed. */
static int get_local(struct work *w, const struct node *entry, struct err *err)
{
	const char *where = text(entry, "repository") + 7;
	struct got g = { 0 };
	AUTO(str) dir = { 0 };
	AUTO_DOC meta = NULL;

	str_addf(&dir, "%s%s%s", *where == '/' ? "" : w->d->dir, *where == '/' ? "" : "/", where);
	TRY(read_yaml(str_c(&dir), "Chart.yaml", &meta, err));
	if (!meta)
		return err_set(err, ERR_NOT_FOUND, "%s is no chart", str_c(&dir));
	const char *version = text(doc_root(meta), "version");
	TRY(check_range(entry, version, err));
	struct vfs *v = vfs_dir(str_c(&dir), err);
	if (!v)
		return -ERR_IO;
	int r = chart_package(v, "", &(struct package_opts){ 0 }, &g.bytes, &g.file, err);
	vfs_free(v);
	if (r < 0) {
		str_free(&g.bytes);
		str_free(&g.file);
		return r;
	}
	str_addc(&g.file, ".tgz");
	vec_push(&w->got, g);
	add_found(w, entry, version);
	return 0;
}

static int get_remote(struct work *w, const struct node *entry, const char *version, struct err *err)
{
	struct chart_want want = { .chart = text(entry, "name"), .version = version, .max_age_ms = 60000 };
	AUTO(chart_package) p = { 0 };
	struct got g = { 0 };

	TRY(w->d->repository(w->d->arg, text(entry, "repository"), &want.repo, &want.access, err));
	TRY(charts_fetch(w->d->charts, &want, &p, err));
	TRY(file_read(str_c(&p.path), PACKAGE_MAX, &g.bytes, err));
	str_addf(&g.file, "%s-%s.tgz", want.chart, str_c(&p.version));
	say(w, "%s %s from %s", want.chart, str_c(&p.version), str_c(&p.from));
	vec_push(&w->got, g);
	add_found(w, entry, str_c(&p.version));
	return 0;
}

/* Without a repository the chart lies in charts/ already. */
static int get_present(struct work *w, const struct node *entry, struct err *err)
{
	AUTO(str) dir = { 0 };
	AUTO_DOC meta = NULL;

	str_addf(&dir, "%s/charts/%s", w->d->dir, text(entry, "name"));
	TRY(read_yaml(str_c(&dir), "Chart.yaml", &meta, err));
	if (!meta)
		return err_set(err, ERR_NOT_FOUND, "it has no repository, and is not in charts/");
	TRY(check_range(entry, text(doc_root(meta), "version"), err));
	add_found(w, entry, text(doc_root(meta), "version"));
	return 0;
}

static int get(struct work *w, const struct node *entry, const char *version, struct err *err)
{
	const char *name = text(entry, "name"), *repository = text(entry, "repository");
	int r;

	if (!*name || strchr(name, '/') || *name == '.')
		return err_set(err, ERR_INVALID, "a dependency has no name that a chart could have: '%s'", name);
	if (!*repository)
		r = get_present(w, entry, err);
	else if (!strncmp(repository, "file://", 7))
		r = get_local(w, entry, err);
	else
		r = get_remote(w, entry, version, err);
	return err_wrap(err, r, "dependency %s", name);
}

static const char *locked_version(const struct node *lock, const struct node *entry)
{
	const struct node *it;

	node_each(it, node_get(lock, "dependencies"))
		if (str_eq(text(it, "name"), text(entry, "name")) && str_eq(text(it, "repository"), text(entry, "repository")))
			return text(it, "version");
	return text(entry, "version");
}

static bool is_named(const char *repository) { return *repository == '@' || !strncmp(repository, "alias:", 6); }

/* Names of repositories are this user's: a lock holds addresses, and its digest is over them. */
static int resolve_names(struct work *w, struct err *err)
{
	const struct chart_access *access;
	const char *url;
	struct node *entry;

	node_each(entry, w->asked) {
		if (!is_named(text(entry, "repository")))
			continue;
		TRY(w->d->repository(w->d->arg, text(entry, "repository"), &url, &access, err));
		node_set(w->doc, entry, "repository", node_str(w->doc, url));
	}
	return 0;
}

/* ---- putting ---- */

static bool is_wanted(const struct work *w, const char *file)
{
	for (size_t i = 0; i < w->got.n; i++)
		if (str_eq(str_c(&w->got.v[i].file), file))
			return true;
	return false;
}

/* Is it a package that a run like this one put here: NAME-VERSION.tgz with the chart NAME in it? Others stay. */
static bool is_packed_chart(const char *path, const char *file)
{
	AUTO(str) bytes = { 0 };
	AUTO(str) expected = { 0 };
	struct chart *c = NULL;

	if (file_read(path, PACKAGE_MAX, &bytes, NULL) < 0)
		return false;
	struct vfs *v = vfs_memory();
	vfs_memory_add(v, file, str_sv(&bytes));
	if (chart_load(v, file, &c, NULL) >= 0)
		str_addf(&expected, "%s-" SV_FMT ".tgz", c->name, SV_ARG(node_sv(node_get(doc_root(c->meta), "version"))));
	chart_free(&c);
	vfs_free(v);
	return str_eq(str_c(&expected), file);
}

static int remove_others(const struct work *w, const char *dir, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	while (r >= 0 && d && (e = readdir(d))) {
		AUTO(str) path = { 0 };

		str_addf(&path, "%s/%s", dir, e->d_name);
		if (!sv_ends(sv_c(e->d_name), SV(".tgz")) || is_wanted(w, e->d_name) || !is_packed_chart(str_c(&path), e->d_name))
			continue;
		say(w, "removing %s", e->d_name);
		if (unlink(str_c(&path)))
			r = err_errno(err, "remove '%s'", str_c(&path));
	}
	if (d)
		closedir(d);
	return r;
}

static int put(const struct work *w, struct err *err)
{
	AUTO(str) dir = { 0 };

	str_addf(&dir, "%s/charts", w->d->dir);
	TRY(dir_make(str_c(&dir), 0755, err));
	for (size_t i = 0; i < w->got.n; i++) {
		AUTO(str) path = { 0 };

		str_addf(&path, "%s/%s", str_c(&dir), str_c(&w->got.v[i].file));
		TRY(file_write(str_c(&path), str_sv(&w->got.v[i].bytes), 0644, err));
	}
	return remove_others(w, str_c(&dir), err);
}

/* An unchanged lock keeps its time: updating twice changes no file. */
static int put_lock(const struct work *w, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) content = { 0 };
	AUTO_DOC old = NULL;

	TRY(read_yaml(w->d->dir, w->lock_name, &old, err));
	if (old && node_eq(node_get(doc_root(old), "dependencies"), w->found) && lock_is_current(doc_root(old), w->asked))
		return 0;
	str_addf(&path, "%s/%s", w->d->dir, w->lock_name);
	lock_write(w->asked, w->found, w->d->now, &content);
	return file_write(str_c(&path), str_sv(&content), 0644, err);
}

/* ---- */

static int run(struct work *w, enum depend_how how, struct err *err)
{
	AUTO_DOC lock = NULL;
	const struct node *entry;

	TRY(read_asked(w->d->dir, &w->doc, &w->asked, &w->lock_name, err));
	TRY(resolve_names(w, err));
	if (how == DEPEND_BUILD)
		TRY(read_yaml(w->d->dir, w->lock_name, &lock, err));
	if (lock && !lock_is_current(doc_root(lock), w->asked))
		return err_set(err, ERR_CONFLICT, "%s is not of these dependencies any more: `cd chart dependency update` renews it",
			       w->lock_name);
	w->found = node_seq(w->doc);
	node_each(entry, w->asked)
		TRY(get(w, entry, lock ? locked_version(doc_root(lock), entry) : text(entry, "version"), err));
	if (!w->found->n)
		return 0;
	TRY(put(w, err));
	return lock ? 0 : put_lock(w, err);
}

int depend_run(const struct depend *d, enum depend_how how, struct err *err)
{
	struct work w = { .d = d };
	int r = run(&w, how, err);

	for (size_t i = 0; i < w.got.n; i++) {
		str_free(&w.got.v[i].file);
		str_free(&w.got.v[i].bytes);
	}
	vec_free(&w.got);
	doc_drop(&w.doc);
	return r;
}

/* ---- listing ---- */

static const char *version_status(const struct node *entry, struct sv version, const char *otherwise)
{
	struct semver v;

	if (!semver_parse(version, &v))
		return "invalid version";
	if (!*text(entry, "version"))
		return otherwise;
	int r = semver_match(sv_c(text(entry, "version")), &v, NULL);
	return r < 0 ? "invalid version" : r ? otherwise : "wrong version";
}

static const char *status_of(const char *dir, const struct node *entry)
{
	AUTO(str) charts = { 0 };
	AUTO(str) unpacked = { 0 };
	AUTO_DOC meta = NULL;
	const char *status = "missing";
	DIR *d;
	struct dirent *e;

	str_addf(&charts, "%s/charts", dir);
	str_addf(&unpacked, "%s/%s", str_c(&charts), text(entry, "name"));
	if (read_yaml(str_c(&unpacked), "Chart.yaml", &meta, NULL) >= 0 && meta)
		return version_status(entry, node_sv(node_get(doc_root(meta), "version")), "unpacked");
	d = opendir(str_c(&charts));
	while (d && (e = readdir(d))) {
		struct sv file = sv_c(e->d_name), version;

		if (!sv_ends(file, SV(".tgz")) || !sv_starts(file, sv_c(text(entry, "name"))))
			continue;
		version = sv_drop((struct sv){ file.p, file.n - 4 }, strlen(text(entry, "name")));
		if (version.n < 2 || version.p[0] != '-' || version.p[1] < '0' || version.p[1] > '9')
			continue;       /* of a chart whose name begins alike */
		if (!str_eq(status, "ok"))
			status = version_status(entry, sv_drop(version, 1), "ok");
	}
	if (d)
		closedir(d);
	return status;
}

int depend_list(const char *dir, struct doc *doc, struct node **out, struct err *err)
{
	static const char *const fields[] = { "name", "version", "repository" };
	AUTO_DOC meta = NULL;
	const char *lock_name;
	struct node *asked = NULL, *it;

	TRY(read_asked(dir, &meta, &asked, &lock_name, err));
	*out = node_seq(doc);
	node_each(it, asked) {
		struct node *n = node_map(doc);

		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
			node_set(doc, n, fields[i], node_str(doc, text(it, fields[i])));
		node_set(doc, n, "status", node_str(doc, status_of(dir, it)));
		node_add(doc, *out, n);
	}
	return 0;
}

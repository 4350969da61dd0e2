#include "runtime/image/copy.h"
#include "base/fs.h"
#include "runtime/image/unpack.h"
#include "runtime/image/view.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define ITEMS_MAX 1000000
#define DEEPEST 200

struct item { char *from, *to; struct stat st; struct str *text; };     /* text: a here-document's, borrowed */

struct copying {
	const struct copy *c;
	VEC(struct item) items;
	int base;                       /* view of the layers below; -1: there are none */
	struct str dest;                /* without links, relative to the root */
	bool dest_is_dir;
	mode_t dir_mode;                /* of the one directory whose content is copied; 0: it is something else */
	struct strings temps;           /* directories that archives were unpacked to */
	struct err *err;
};

/* ---- looking at sources ---- */

/* What is outside of the root does not exist; a link to it is an error that says so. */
static int open_source(struct copying *k, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)flags | O_CLOEXEC,
				.resolve = (k->c->ignore ? RESOLVE_BENEATH : RESOLVE_IN_ROOT) | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, k->c->root, *path ? path : ".", &how, sizeof how);
}

static int missing(struct copying *k, const char *path)
{
	if (errno == EXDEV || errno == ELOOP)
		return err_set(k->err, ERR_INVALID, "\"%s\": the link leads out of %s", path, k->c->root_name);
	if (errno == ENOENT)
		return err_set(k->err, ERR_NOT_FOUND, "\"%s\": no such file in %s", path, k->c->root_name);
	return err_errno(k->err, "read \"%s\" in %s", path, k->c->root_name);
}

static int add_item(struct copying *k, const char *from, const char *to, const struct stat *st, struct str *text)
{
	struct item item = { sv_dup(sv_c(from)), sv_dup(sv_c(to)), *st, text };

	if (k->c->set_owner) {
		item.st.st_uid = k->c->uid;
		item.st.st_gid = k->c->gid;
	}
	if (k->c->mode >= 0 && !S_ISLNK(st->st_mode))
		item.st.st_mode = (st->st_mode & S_IFMT) | (mode_t)k->c->mode;
	vec_push(&k->items, item);
	return k->items.n > ITEMS_MAX ? err_set(k->err, ERR_TOO_LARGE, "more than %d files", ITEMS_MAX) : 0;
}

static void join(struct str *out, const char *dir, const char *name)
{
	str_set(out, "");
	str_addf(out, "%s%s%s", dir, *dir && *name ? "/" : "", name);
}

static int add_tree(struct copying *k, const char *from, const char *to, int depth);

static int add_child(struct copying *k, int dir, const char *name, const char *from_dir, const char *to_dir, int depth)
{
	AUTO(str) from = { 0 };
	AUTO(str) to = { 0 };
	struct stat st;

	join(&from, from_dir, name);
	join(&to, to_dir, name);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return missing(k, str_c(&from));
	bool ignored = k->c->ignore && ignore_matches(k->c->ignore, str_c(&from));
	if (ignored && !(S_ISDIR(st.st_mode) && ignore_has_exceptions(k->c->ignore)))
		return 0;
	if (!ignored)
		TRY(add_item(k, str_c(&from), str_c(&to), &st, NULL));
	return S_ISDIR(st.st_mode) ? add_tree(k, str_c(&from), str_c(&to), depth + 1) : 0;
}

static int add_tree(struct copying *k, const char *from, const char *to, int depth)
{
	struct names names = { 0 };
	AUTO_FD dir = open_source(k, from, O_RDONLY | O_DIRECTORY);
	int r;

	if (dir < 0)
		return missing(k, from);
	if (depth > DEEPEST)
		return err_set(k->err, ERR_TOO_LARGE, "\"%s\": directories are nested too deep", from);
	r = names_read(dir, &names, k->err);
	for (size_t i = 0; i < names.n && r >= 0; i++)
		r = add_child(k, dir, names.v[i], from, to, depth);
	names_free(&names);
	return r;
}

/* ---- patterns ---- */

static int expand_pattern(struct copying *k, const char *dir, struct sv pattern, struct strings *out)
{
	struct sv part, rest;
	bool more = sv_cut(pattern, '/', &part, &rest);
	struct names names = { 0 };
	AUTO_FD fd = open_source(k, dir, O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? 0 : names_read(fd, &names, k->err);

	for (size_t i = 0; i < names.n && r >= 0; i++) {
		AUTO(str) path = { 0 };

		join(&path, dir, names.v[i]);
		if (!glob_match(part, sv_c(names.v[i])))
			continue;
		if (more)
			r = expand_pattern(k, str_c(&path), rest, out);
		else if (!k->c->ignore || !ignore_matches(k->c->ignore, str_c(&path)))
			strings_add(out, str_c(&path));
	}
	names_free(&names);
	return r;
}

static int expand_sources(struct copying *k, struct strings *out)
{
	for (size_t i = 0; i < k->c->sources->n; i++) {
		AUTO(str) path = { 0 };
		size_t before = out->n;

		path_clean(sv_c(k->c->sources->v[i]), &path);
		if (!glob_is_pattern(str_sv(&path))) {
			strings_add(out, str_c(&path));
			continue;
		}
		TRY(expand_pattern(k, "", str_sv(&path), out));
		if (out->n == before)
			return err_set(k->err, ERR_NOT_FOUND, "\"%s\": nothing in %s matches", k->c->sources->v[i],
				       k->c->root_name);
	}
	return 0;
}

/* ---- one source ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ADD of an archive: its content, as if it had been in the context. Returns 1 when it was one. */
static int add_archive(struct copying *k, const char *path)
{
	static const struct unpack_opts opts = { .plain = true };
	AUTO(str) temp = { 0 };
	AUTO(str) real = { 0 };
	struct err ignored = { 0 };
	AUTO_FD fd = open_source(k, path, O_RDONLY);

	if (fd < 0)
		return missing(k, path);
	TRY(store_temp(k->c->store, "add", &temp, k->err));
	strings_add(&k->temps, str_c(&temp));
	str_addf(&real, "/proc/self/fd/%d", fd);
	if (unpack_file(str_c(&real), str_c(&temp), &opts, NULL, &ignored) < 0) {
		bool no_archive = ignored.code == ERR_INVALID && strstr(err_msg(&ignored), "not a readable archive");

		if (no_archive) {
			err_free(&ignored);
			return 0;
		}
		return err_move(k->err, &ignored);
	}
	struct copy inner = *k->c;
	inner.ignore = NULL;
	inner.set_owner = false;
	inner.root = open(str_c(&temp), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct copy *outer = k->c;
	size_t first = k->items.n;
	k->c = &inner;
	int r = inner.root < 0 ? err_errno(k->err, "open '%s'", str_c(&temp)) : add_tree(k, "", str_c(&k->dest), 0);
	k->c = outer;
	fd_close(&inner.root);
	for (size_t i = first; i < k->items.n; i++) {           /* read later, from where they are */
		char *from = str_fmt("%s/%s", str_c(&temp), k->items.v[i].from);

		free(k->items.v[i].from);
		k->items.v[i].from = from;
	}
	return r < 0 ? r : 1;
}

static int add_source(struct copying *k, const char *path)
{
	AUTO(str) to = { 0 };
	AUTO(str) real = { 0 };
	struct stat st;
	AUTO_FD fd = open_source(k, path, O_PATH);

	if (fd < 0)
		return missing(k, path);
	if (k->c->ignore && *path && ignore_matches(k->c->ignore, path) && !ignore_has_exceptions(k->c->ignore))
		return err_set(k->err, ERR_NOT_FOUND, "\"%s\" is in the context, but the ignore file leaves it out",
			       path);
	if (fstat(fd, &st))
		return missing(k, path);
	if (S_ISDIR(st.st_mode))
		return add_tree(k, path, str_c(&k->dest), 0);
	if (k->c->extract && S_ISREG(st.st_mode)) {
		int r = add_archive(k, path);
		if (r)
			return r;
	}
	if (view_name(k->c->root, fd, &real))   /* a link named as a source stands for what it leads to */
		return missing(k, path);
	join(&to, str_c(&k->dest), k->dest_is_dir ? base_name(path) : "");
	return add_item(k, str_c(&real), str_c(&to), &st, NULL);
}

/* ---- the destination ---- */

static int find_dest(struct copying *k, size_t sources, bool source_is_dir)
{
	struct stat st;
	size_t n = strlen(k->c->dest);
	int exists = 0;

	if (k->c->base->n) {
		k->base = view_open(k->c->base, k->err);
		TRY(k->base);
		exists = view_find(k->base, k->c->dest, &k->dest, &st, k->err);
		TRY(exists);
	} else {
		path_clean(sv_c(k->c->dest), &k->dest);
	}
	k->dest_is_dir = !k->dest.n || k->c->dest[n - 1] == '/' || sources > 1 || (exists && S_ISDIR(st.st_mode));
	if (sources > 1 && k->c->dest[n - 1] != '/' && !(exists && S_ISDIR(st.st_mode)))
		return err_set(k->err, ERR_INVALID,
			       "with more than one source, the destination must be a directory and end in /");
	if (exists && (k->dest_is_dir || source_is_dir) && !S_ISDIR(st.st_mode))
		return err_set(k->err, ERR_INVALID, "\"%s\" is a file in the image, not a directory", k->c->dest);
	return 0;
}

/* ---- the key ---- */

static int hash_content(struct copying *k, struct hasher *h, const struct item *item)
{
	AUTO_FD fd = item->from[0] == '/' ? open(item->from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
					  : open_source(k, item->from, O_RDONLY);
	char buf[8192];
	ssize_t n;

	if (fd < 0)
		return missing(k, item->from);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		hasher_add(h, (struct sv){ buf, (size_t)n });
	return n < 0 ? missing(k, item->from) : 0;
}

/* Directory (opened beneath its root) and name of an item's source. */
static int open_parent(struct copying *k, const struct item *item, const char **name)
{
	AUTO(str) dir = { 0 };
	struct sv head, tail;

	if (item->from[0] == '/') {
		*name = item->from;
		return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (!sv_cut_last(sv_c(item->from), '/', &head, &tail))
		head = SV("");
	str_add(&dir, head);
	*name = base_name(item->from);
	return open_source(k, str_c(&dir), O_PATH | O_DIRECTORY);
}

static int hash_item(struct copying *k, struct hasher *h, const struct item *item)
{
	AUTO(str) head = { 0 };
	char target[PATH_MAX];
	const char *name;

	str_addf(&head, "%s%c%o %u %u %" PRId64 "\n", item->to, 0, item->st.st_mode, item->st.st_uid, item->st.st_gid,
		 S_ISREG(item->st.st_mode) ? (int64_t)item->st.st_size : 0);
	hasher_add(h, str_sv(&head));
	if (item->text)
		hasher_add(h, str_sv(item->text));
	else if (S_ISREG(item->st.st_mode))
		return hash_content(k, h, item);
	else if (S_ISLNK(item->st.st_mode)) {
		AUTO_FD dir = open_parent(k, item, &name);
		ssize_t n = dir < 0 ? -1 : readlinkat(dir, name, target, sizeof target);

		if (n < 0)
			return missing(k, item->from);
		hasher_add(h, (struct sv){ target, (size_t)n });
	}
	return 0;
}

static int compute_key(struct copying *k, struct str *key)
{
	AUTO(hasher) h = { 0 };
	AUTO(str) head = { 0 };

	hasher_start(&h);
	str_addf(&head, "copy 2 %s %s %d %o %" PRId64 "\n", k->c->below, str_c(&k->dest), k->dest_is_dir,
		 (unsigned)k->dir_mode, k->c->newest_s);
	hasher_add(&h, str_sv(&head));
	for (size_t i = 0; i < k->items.n; i++)
		TRY(hash_item(k, &h, &k->items.v[i]));
	hasher_end(&h, key);
	return 0;
}

/* ---- the layer ---- */

/* The directories above what is copied: as they are in the image, or new ones of root. */
static int pack_parents(struct copying *k, struct pack *p, const char *path, bool all, const struct stat *like)
{
	for (const char *slash = strchr(path, '/'); *path; slash = slash ? strchr(slash + 1, '/') : NULL) {
		AUTO(str) dir = { 0 };
		AUTO(str) real = { 0 };
		struct stat st = { 0 };

		if (!slash && !all)
			break;
		str_add(&dir, slash ? (struct sv){ path, (size_t)(slash - path) } : sv_c(path));
		int exists = k->base >= 0 ? view_find(k->base, str_c(&dir), &real, &st, k->err) : 0;
		TRY(exists);
		if (!exists)
			st = (struct stat){ .st_mode = !slash && k->dir_mode ? k->dir_mode : 0755,
					    .st_mtim = like->st_mtim };
		st.st_mode = S_IFDIR | (st.st_mode & 07777);
		TRY(pack_add_dir(p, str_c(&dir), &st, k->err));
		if (!slash)
			break;
	}
	return 0;
}

static int pack_text(struct copying *k, struct pack *p, const struct item *item)
{
	AUTO_FD fd = memfd_create("text", MFD_CLOEXEC);

	if (fd < 0 || write(fd, str_c(item->text), item->text->n) != (ssize_t)item->text->n || lseek(fd, 0, SEEK_SET))
		return err_errno(k->err, "write \"%s\"", item->to);
	return pack_fd(p, fd, item->to, &item->st, k->err);
}

static int pack_item(struct copying *k, struct pack *p, const struct item *item)
{
	const char *name;

	if (item->text)
		return pack_text(k, p, item);
	AUTO_FD dir = open_parent(k, item, &name);
	if (dir < 0)
		return missing(k, item->from);
	return pack_add(p, dir, name, item->to, &item->st, k->err);
}

static int pack_all(struct copying *k, const char *key, struct layer_ref *out)
{
	struct pack *p = pack_new(k->c->store, k->c->newest_s, k->err);
	bool into_dir = k->dest_is_dir || k->dir_mode;
	struct stat none = { 0 };
	int r = p ? 0 : -ERR_IO;

	if (p)
		r = pack_parents(k, p, str_c(&k->dest), into_dir, k->items.n ? &k->items.v[0].st : &none);
	for (size_t i = 0; i < k->items.n && r >= 0; i++)
		r = pack_item(k, p, &k->items.v[i]);
	if (r >= 0)
		r = step_finish(k->c->store, key, p, out, k->err);
	pack_free(&p);
	return r;
}

/* ---- all of it ---- */

static int add_heredocs(struct copying *k)
{
	for (size_t i = 0; k->c->heredocs && i < k->c->heredocs->n; i++) {
		struct heredoc *h = &k->c->heredocs->v[i];
		struct stat st = { .st_mode = S_IFREG | 0644, .st_size = (off_t)h->text.n, .st_nlink = 1 };
		AUTO(str) to = { 0 };

		join(&to, str_c(&k->dest), k->dest_is_dir ? str_c(&h->name) : "");
		TRY(add_item(k, str_c(&h->name), str_c(&to), &st, &h->text));
	}
	return 0;
}

static int run(struct copying *k, struct layer_ref *out, bool *cached)
{
	struct strings sources = { 0 };
	AUTO(str) key = { 0 };
	struct stat st = { 0 };
	int r = expand_sources(k, &sources);
	AUTO_FD first = r >= 0 && sources.n == 1 ? open_source(k, sources.v[0], O_PATH) : -1;
	bool source_is_dir = first >= 0 && fstat(first, &st) == 0 && S_ISDIR(st.st_mode);

	k->dir_mode = source_is_dir ? st.st_mode & 07777 : 0;
	if (r >= 0)
		r = find_dest(k, sources.n + (k->c->heredocs ? k->c->heredocs->n : 0), source_is_dir);
	for (size_t i = 0; i < sources.n && r >= 0; i++)
		r = add_source(k, sources.v[i]);
	strings_free(&sources);
	TRY(r);
	TRY(add_heredocs(k));
	TRY(compute_key(k, &key));
	*cached = !k->c->no_cache && step_find(k->c->store, str_c(&key), out);
	return *cached ? 0 : pack_all(k, str_c(&key), out);
}

int copy_layer(const struct copy *c, struct layer_ref *out, bool *cached, struct err *err)
{
	struct err local = { 0 };
	struct copying k = { .c = c, .base = -1, .err = &local };
	int r = run(&k, out, cached);

	for (size_t i = 0; i < k.items.n; i++) {
		free(k.items.v[i].from);
		free(k.items.v[i].to);
	}
	vec_free(&k.items);
	for (size_t i = 0; i < k.temps.n; i++)
		(void)!tree_remove(k.temps.v[i], NULL);
	strings_free(&k.temps);
	fd_close(&k.base);
	str_free(&k.dest);
	return r < 0 ? err_move(err, &local) : 0;
}

/* A view that remembers what was asked of it, so that the same questions can be asked of a later one.
 *
 * An id starts with the question: 'c' content, 'n' the names of a directory, 't' the type; after it comes the answer,
 * which is empty when there was nothing. */
#include "base/encode.h"
#include "base/map.h"
#include "base/vfs.h"

#include <stdlib.h>

struct trace {
	struct vfs vfs;
	struct vfs *real;
	struct map asked;               /* question and path -> heap text of the id */
};

static void answer_content(struct vfs *v, const char *path, struct str *out)
{
	enum vfs_type type;

	if (v->ops->stat(v, path, &type, out, NULL) < 0 || type != VFS_FILE)
		str_cut(out, 0);
}

static void answer_names(struct vfs *v, const char *path, struct str *out)
{
	AUTO(vfs_entries) all = { 0 };
	AUTO(str) text = { 0 };

	if (v->ops->list(v, path, &all, NULL) < 0)
		return;
	for (size_t i = 0; i < all.n; i++)
		str_addf(&text, "%d%s\n", (int)all.v[i].type, all.v[i].name);
	str_cut(out, 0);
	sha256_hex(out, str_sv(&text));
}

static void answer_type(struct vfs *v, const char *path, struct str *out)
{
	enum vfs_type type;

	if (v->ops->stat(v, path, &type, NULL, NULL) >= 0)
		str_addf(out, "%d", (int)type);
}

static char *answer(struct vfs *v, char question, const char *path)
{
	AUTO(str) got = { 0 };

	(question == 'c' ? answer_content : question == 'n' ? answer_names : answer_type)(v, path, &got);
	return str_fmt("%c%s", question, str_c(&got));
}

static void record(struct vfs *v, char question, const char *path)
{
	struct trace *t = (struct trace *)v;
	AUTO(str) key = { 0 };

	str_addf(&key, "%c%s", question, path);
	if (!map_get(&t->asked, str_sv(&key)))
		map_put(&t->asked, str_sv(&key), answer(t->real, question, path));
}

static int trace_read(struct vfs *v, const char *path, size_t max, struct str *out, struct err *err)
{
	struct vfs *real = ((struct trace *)v)->real;

	record(v, 'c', path);
	return real->ops->read(real, path, max, out, err);
}

static int trace_list(struct vfs *v, const char *path, struct vfs_entries *out, struct err *err)
{
	struct vfs *real = ((struct trace *)v)->real;

	record(v, 'n', path);
	return real->ops->list(real, path, out, err);
}

static int trace_stat(struct vfs *v, const char *path, enum vfs_type *type, struct str *id, struct err *err)
{
	struct vfs *real = ((struct trace *)v)->real;

	record(v, 't', path);
	return real->ops->stat(real, path, type, id, err);
}

/* A link that moves changes what is read through it, which is recorded; where it leads is not. */
static int trace_real(struct vfs *v, const char *path, struct str *out, struct err *err)
{
	record(v, 't', path);
	return vfs_real(((struct trace *)v)->real, path, out, err);
}

static void trace_free(struct vfs *v)
{
	struct trace *t = (struct trace *)v;
	struct map_slot *s;

	map_each(s, &t->asked)
		free(s->value);
	map_free(&t->asked);
	free(t);
}

struct vfs *vfs_trace(struct vfs *borrowed)
{
	static const struct vfs_ops ops = { trace_read, trace_list, trace_stat, trace_real, trace_free };
	struct trace *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->vfs.ops = &ops;
	t->real = borrowed;
	return &t->vfs;
}

void vfs_trace_take(struct vfs *trace, struct vfs_reads *out)
{
	struct trace *t = (struct trace *)trace;
	struct map_slot *s;
	size_t cap = out->cap;

	map_each(s, &t->asked) {
		out->paths = vec_room(out->paths, &cap, out->n + 1, sizeof(*out->paths));
		out->ids = vec_room(out->ids, &out->cap, out->n + 1, sizeof(*out->ids));
		out->paths[out->n] = sv_dup(sv_drop((struct sv){ s->key, s->key_n }, 1));
		out->ids[out->n++] = s->value;
		s->value = NULL;
	}
	map_free(&t->asked);
}

bool vfs_reads_changed(const struct vfs_reads *r, struct vfs *now)
{
	for (size_t i = 0; i < r->n; i++) {
		char *id = answer(now, r->ids[i][0], r->paths[i]);
		bool same = !strcmp(id, r->ids[i]);

		free(id);
		if (!same)
			return true;
	}
	return false;
}

void vfs_reads_free(struct vfs_reads *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->paths[i]);
		free(r->ids[i]);
	}
	free(r->paths);
	free(r->ids);
	*r = (struct vfs_reads){ 0 };
}

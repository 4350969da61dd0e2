/* Users and groups as an image knows them. */
#include "base/fiber.h"
#include "runtime/image/image.h"
#include "runtime/image/view.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE_MAX (4u << 20)

/* A file of the topmost layer that has it; a whiteout ends the search. Empty: there is none. */
static void read_database(const struct strings *layers, const char *path, struct str *out)
{
	for (size_t i = 0; i < layers->n; i++) {
		AUTO_FD dir = open(layers->v[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct stat st;

		if (dir >= 0 && fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			if (!S_ISCHR(st.st_mode) && view_read(dir, path, DATABASE_MAX, out, NULL) < 0)
				str_cut(out, 0);
			return;
		}
	}
}

/* Field i of a line "a:b:c". */
static struct sv field(struct sv line, unsigned i)
{
	struct sv head = line;

	for (bool more = true;; i--) {
		if (!more)
			return (struct sv){ "", 0 };
		more = sv_cut(line, ':', &head, &line);
		if (!i)
			return head;
	}
}

/* The line whose name (field 0) or number (field 2) is key. */
static bool find_line(const struct str *database, struct sv key, struct sv *line)
{
	struct sv rest = str_sv(database);
	int64_t n;
	bool number = sv_to_i64(key, &n);

	for (bool more = true; more;) {
		more = sv_cut(rest, '\n', line, &rest);
		if (line->n && (sv_eq(field(*line, 0), key) || (number && sv_eq(field(*line, 2), key))))
			return true;
	}
	return false;
}

static bool to_id(struct sv text, uint32_t *out)
{
	int64_t n;

	if (!sv_to_i64(text, &n) || n < 0 || n >= UINT32_MAX)
		return false;
	*out = (uint32_t)n;
	return true;
}

static bool lists(struct sv members, struct sv name)
{
	struct sv one;

	for (bool more = name.n > 0; more;) {
		more = sv_cut(members, ',', &one, &members);
		if (sv_eq(one, name))
			return true;
	}
	return false;
}

static void add_groups(const struct str *groups, struct sv user, struct image_user *out)
{
	struct sv rest = str_sv(groups), line;
	uint32_t gid;

	for (bool more = true; more && out->n_groups < sizeof out->groups / sizeof *out->groups;) {
		more = sv_cut(rest, '\n', &line, &rest);
		if (lists(field(line, 3), user) && to_id(field(line, 2), &gid) && gid != out->gid)
			out->groups[out->n_groups++] = gid;
	}
}

static int look_up(const struct strings *layers, const char *text, struct image_user *out, struct err *err)
{
	AUTO(str) passwd = { 0 };
	AUTO(str) groups = { 0 };
	struct sv user, group, line, name = { "", 0 };
	bool has_group = sv_cut(sv_c(text), ':', &user, &group) && group.n;

	read_database(layers, "etc/passwd", &passwd);
	read_database(layers, "etc/group", &groups);
	if (find_line(&passwd, user.n ? user : SV("0"), &line)) {
		name = field(line, 0);
		if (!to_id(field(line, 2), &out->uid) || !to_id(field(line, 3), &out->gid))
			return err_set(err, ERR_INVALID,
				       "the image's /etc/passwd: the line of \"" SV_FMT "\" is damaged", SV_ARG(name));
	} else if (user.n && !to_id(user, &out->uid)) {
		return err_set(err, ERR_NOT_FOUND, "user \"" SV_FMT "\" is not in the image's /etc/passwd",
			       SV_ARG(user));
	}
	if (!has_group) {
		add_groups(&groups, name, out);
		return 0;
	}
	if (find_line(&groups, group, &line) ? !to_id(field(line, 2), &out->gid) : !to_id(group, &out->gid))
		return err_set(err, ERR_NOT_FOUND, "group \"" SV_FMT "\" is not in the image's /etc/group",
			       SV_ARG(group));
	return 0;
}

struct user_job { const struct image *image; const char *user; struct image_user *out; int result; struct err err; };

static void user_job(void *arg)
{
	struct user_job *j = arg;

	j->result = look_up(&j->image->layers, j->user, j->out, &j->err);
}

int image_user_find(const struct image *i, const char *user, struct image_user *out, struct err *err)
{
	struct user_job j = { .image = i, .user = user ? user : "", .out = out };

	*out = (struct image_user){ 0 };
	if (fiber_self())
		fiber_job(user_job, &j);
	else
		user_job(&j);
	return j.result < 0 ? err_move(err, &j.err) : 0;
}

#include "runtime/agent/leftover.h"

#include <dirent.h>
#include <stdlib.h>
#include "base/fiber.h"
#include "base/fs.h"
#include "base/log.h"
#include "runtime/volume/volume.h"

#define GRACE_MS 2000

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

void leftover_list(const char *dir, struct leftover_attempts *out)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int64_t n;

	while (d && (e = readdir(d)))
		if (sv_to_i64(sv_c(e->d_name), &n) && n >= 0)
			vec_push(out, n);
	if (d)
		closedir(d);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, ascending);
}

struct tree_job { const char *dir; bool volumes; int result; struct err err; };

static void remove_tree(void *arg)
{
	struct tree_job *j = arg;

	j->result = j->volumes ? volumes_remove(j->dir, &j->err) : 0;
	if (j->result >= 0)
		j->result = tree_remove(j->dir, &j->err);
}

static int tree_gone(const char *dir, bool volumes, struct err *err)
{
	struct tree_job j = { .dir = dir, .volumes = volumes };

	fiber_job(remove_tree, &j);
	return j.result < 0 ? err_move(err, &j.err) : 0;
}

int leftover_clear(struct containers *cs, const char *dir, int64_t grace_ms, struct err *err)
{
	struct container *c = NULL;
	int r = container_adopt(cs, dir, &c, err);

	if (r == -ERR_NOT_FOUND)
		return tree_gone(dir, false, err);
	if (r >= 0)
		r = container_stop(c, 0, grace_ms, err);
	if (r >= 0)
		r = container_remove(&c, err);
	container_forget(&c);
	return r;
}

/* ---- whole pods: everything that may take its grace period at the same time ---- */

struct clearing {
	struct containers *cs;
	char *dir;
	int (*clear)(struct containers *cs, const char *dir, struct err *err);
	int *result;
	struct err *err;
};

static void clear_one(void *arg)
{
	struct clearing *c = arg;
	AUTO(err) err = { 0 };
	int r = c->clear(c->cs, c->dir, &err);

	if (r < 0 && *c->result >= 0)
		*c->result = err_move(c->err, &err);
	free(c->dir);
	free(c);
}

static void start_clearing(struct fiber_group *g, const struct clearing *what)
{
	struct clearing *c = malloc(sizeof *c);

	if (!c)
		abort();
	*c = *what;
	fiber_group_start(g, "clear", clear_one, c);
}

static int clear_attempt(struct containers *cs, const char *dir, struct err *err) { return leftover_clear(cs, dir,
	GRACE_MS, err); }

/* DIR/containers/NAME/ATTEMPT */
static int clear_containers(struct containers *cs, const char *dir, struct err *err)
{
	AUTO(str) top = { 0 };
	struct fiber_group g;
	struct dirent *e;
	int result = 0;
	DIR *d;

	str_addf(&top, "%s/containers", dir);
	if (!(d = opendir(str_c(&top))))
		return 0;
	fiber_group_init(&g, fiber_loop());
	while ((e = readdir(d))) {
		struct leftover_attempts all = { 0 };
		AUTO(str) one = { 0 };

		if (*e->d_name == '.')
			continue;
		str_addf(&one, "%s/%s", str_c(&top), e->d_name);
		leftover_list(str_c(&one), &all);
		for (size_t i = 0; i < all.n; i++)
			start_clearing(&g, &(struct clearing){ cs, str_fmt("%s/%lld", str_c(&one),
				(long long)all.v[i]), clear_attempt,
							       &result, err });
		vec_free(&all);
	}
	closedir(d);
	fiber_group_join(&g);
	return result;
}

static int clear_pod(struct containers *cs, const char *dir, struct err *err)
{
	AUTO(str) sandbox = { 0 };

	TRY(clear_containers(cs, dir, err));
	str_addf(&sandbox, "%s/sandbox", dir);
	if (path_exists(str_c(&sandbox)))
		TRY(sandbox_remove(str_c(&sandbox), err));
	return tree_gone(dir, true, err);
}

int leftover_pods(struct containers *cs, const char *dir, bool (*keep)(void *arg, const char *uid), void *arg,
		  struct err *err)
{
	struct fiber_group g;
	DIR *d = opendir(dir);
	struct dirent *e;
	int result = 0;

	if (!d)
		return 0;
	fiber_group_init(&g, fiber_loop());
	while ((e = readdir(d))) {
		if (*e->d_name == '.' || (keep && keep(arg, e->d_name)))
			continue;
		log_event(LOG_INFO, "ending what is left of a pod", "uid", e->d_name, NULL);
		start_clearing(&g, &(struct clearing){ cs, str_fmt("%s/%s", dir, e->d_name), clear_pod, &result, err });
	}
	closedir(d);
	fiber_group_join(&g);
	return result;
}

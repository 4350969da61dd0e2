/* RUN: a program in a container over the layers so far; what it changed is the next layer. */
#include "base/fs.h"
#include "runtime/image/build-internal.h"

#include <fcntl.h>
#include <stdlib.h>

#define LOG_LINE_MAX (64 << 10)
#define LOOK_MS 100             /* how often new output is shown */

struct run {
	struct build *b;
	const struct instruction *in;
	struct strings argv, env, layers;
	struct str key, dir, log, cwd;
	struct image_user user;
	int64_t shown;                  /* bytes of the log */
	struct layer_ref *out;
	bool cached;
	int result;
	struct err err;
};

static void run_free(struct run *r)
{
	struct str *texts[] = { &r->key, &r->dir, &r->log, &r->cwd };

	strings_free(&r->argv);
	strings_free(&r->env);
	strings_free(&r->layers);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		str_free(texts[i]);
	err_free(&r->err);
}

/* ---- what to run ---- */

static void add_script(struct run *r)
{
	const struct strings *shell = &r->b->now->shell;
	const struct instruction *in = r->in;

	for (size_t i = 0; i < shell->n; i++)
		strings_add(&r->argv, shell->v[i]);
	if (!shell->n) {
		strings_add(&r->argv, "/bin/sh");
		strings_add(&r->argv, "-c");
	}
	if (!in->heredocs.n) {
		strings_add(&r->argv, str_c(&in->text));
		return;
	}
	AUTO(str) script = { 0 };
	if (sv_starts(str_sv(&in->text), SV("<<"))) {   /* RUN <<EOF: the document is the script */
		str_addc(&script, str_c(&in->heredocs.v[0].text));
	} else {                                        /* RUN cmd <<EOF: the shell reads it as its own */
		str_addf(&script, "%s\n", str_c(&in->text));
		for (size_t i = 0; i < in->heredocs.n; i++)
			str_addf(&script, "%s%s\n", str_c(&in->heredocs.v[i].text), str_c(&in->heredocs.v[i].name));
	}
	strings_add(&r->argv, str_c(&script));
}

static void set_up(struct run *r)
{
	const struct stage *s = r->b->now;

	for (size_t i = 0; r->in->exec_form && i < r->in->list.n; i++)
		strings_add(&r->argv, r->in->list.v[i]);
	if (!r->in->exec_form)
		add_script(r);
	for (size_t i = 0; i < s->args.n; i++)
		strings_add(&r->env, s->args.v[i]);
	for (size_t i = 0; i < s->config.env.n; i++) {
		struct sv name, value;

		(void)sv_cut(sv_c(s->config.env.v[i]), '=', &name, &value);
		words_set(&r->env, name, value.p);
	}
	stage_layers(r->b, s, &r->layers);
	str_addc(&r->cwd, s->config.workdir.n ? str_c(&s->config.workdir) : "/");
}

static void compute_key(struct run *r)
{
	AUTO(hasher) h = { 0 };
	AUTO(str) below = { 0 };
	AUTO(str) head = { 0 };

	stage_below(r->b->now, &below);
	str_addf(&head, "run 1 %s %s %u:%u host-network=%d %lld\n", str_c(&below), str_c(&r->cwd), r->user.uid,
		 r->user.gid, r->b->opts->host_network, (long long)r->b->newest_s);
	hasher_start(&h);
	hasher_add(&h, str_sv(&head));
	for (size_t i = 0; i < r->argv.n; i++)
		hasher_add(&h, (struct sv){ r->argv.v[i], strlen(r->argv.v[i]) + 1 });
	hasher_add(&h, SV("\n"));
	for (size_t i = 0; i < r->env.n; i++)
		hasher_add(&h, (struct sv){ r->env.v[i], strlen(r->env.v[i]) + 1 });
	hasher_end(&h, &r->key);
}

/* ---- its output, while it runs ---- */

static void show(struct run *r)
{
	AUTO_FD fd = open(str_c(&r->log), O_RDONLY | O_CLOEXEC);
	AUTO(str) text = { 0 };
	struct sv rest, line, ignored;
	ssize_t n = fd < 0 ? -1 : pread(fd, str_room(&text, LOG_LINE_MAX), LOG_LINE_MAX, r->shown);

	if (n <= 0)
		return;
	rest = (struct sv){ text.p, (size_t)n };
	while (sv_cut(rest, '\n', &line, &rest)) {
		r->shown += (int64_t)line.n + 1;
		for (int i = 0; i < 3; i++)             /* time, stream, tag */
			(void)sv_cut(line, ' ', &ignored, &line);
		build_say(r->b, "  " SV_FMT, SV_ARG(line));
	}
}

static void wake(void *arg) { fiber_wake(arg); }

static int watch(struct run *r, struct container *c, struct container_status *st, struct err *err)
{
	struct timer *t = timer_every(fiber_loop(), LOOK_MS, wake, fiber_self());
	int canceled = 0;

	container_on_exit(c, wake, fiber_self());
	for (container_get(c, st); st->state == CONTAINER_RUNNING && !canceled; container_get(c, st)) {
		canceled = fiber_park();
		show(r);
	}
	timer_stop(&t);
	container_on_exit(c, NULL, NULL);
	show(r);
	if (!canceled)
		return 0;
	(void)container_kill(c, 9, NULL);
	return err_set(err, ERR_CANCELED, "the build was canceled");
}

/* ---- the job: what changed becomes a layer ---- */

static int pack_changes(struct run *r, struct err *err)
{
	static const char *const skip[] = { "dev", "proc", "sys", NULL };       /* mount points that starting made */
	AUTO(str) upper = { 0 };
	struct pack *p;
	int result;

	str_addf(&upper, "%s/upper", str_c(&r->dir));
	AUTO_FD fd = open(str_c(&upper), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "open '%s'", str_c(&upper));
	p = pack_new(r->b->dir, r->b->newest_s, err);
	result = p ? pack_upper(p, fd, skip, err) : -ERR_IO;
	if (result >= 0)
		result = step_finish(r->b->dir, str_c(&r->key), p, r->out, err);
	pack_free(&p);
	return result;
}

static void pack_job(void *arg)
{
	struct run *r = arg;

	r->result = pack_changes(r, &r->err);
}

static void prepare_job(void *arg)
{
	struct run *r = arg;

	r->cached = !r->b->opts->no_cache && step_find(r->b->dir, str_c(&r->key), r->out);
	r->result = r->cached ? 0 : store_temp(r->b->dir, "run", &r->dir, &r->err);
}

/* ---- all of it ---- */

static int open_containers(struct images *i, struct err *err)
{
	if (!i->containers)
		i->containers = containers_open(i->loop, err);
	return i->containers ? 0 : -ERR_IO;
}

static int judge(struct run *r, const struct container_status *st, struct err *err)
{
	if (st->exit_code == 0)
		return 0;
	return err_set(err, ERR_INVALID, "\"%s\" ended with exit code %d%s", str_c(&r->in->text), st->exit_code,
		       st->oom_killed ? " (out of memory)" : "");
}

static int run_container(struct run *r, struct err *err)
{
	AUTO(str) group = { 0 };
	const char *id = strrchr(str_c(&r->dir), '/') + 1;
	struct container *c = NULL;
	struct container_status st;

	vec_push(&r->argv, NULL);
	vec_push(&r->env, NULL);
	vec_push(&r->layers, NULL);
	str_addf(&group, "cd-build/%s", id);
	str_addf(&r->log, "%s/log", str_c(&r->dir));
	struct container_spec s = { .id = id, .dir = str_c(&r->dir), .layers = (const char *const *)r->layers.v,
		.argv = (const char *const *)r->argv.v, .env = (const char *const *)r->env.v, .cwd = str_c(&r->cwd),
		.hostname = "build", .uid = r->user.uid, .gid = r->user.gid, .groups = r->user.groups,
		.n_groups = r->user.n_groups, .netns_fd = -1, .ipcns_fd = -1, .utsns_fd = -1, .pidns_fd = -1,
		.host_net = r->b->opts->host_network, .cgroup = str_c(&group), .log_path = str_c(&r->log) };
	TRY(container_start(r->b->images->containers, &s, &c, err));
	int result = watch(r, c, &st, err);
	if (result < 0) {
		(void)!container_stop(c, 9, 0, NULL);
	} else if ((result = judge(r, &st, err)) >= 0) {
		fiber_job_long(pack_job, r);
		result = r->result < 0 ? err_move(err, &r->err) : 0;
	}
	if (container_remove(&c, result < 0 ? NULL : err) < 0 && result >= 0)
		result = -ERR_IO;
	container_forget(&c);
	return result;
}

int run_layer(struct build *b, const struct instruction *in, struct layer_ref *out, bool *cached, struct err *err)
{
	AUTO(run) r = { .b = b, .in = in, .out = out };

	if (!b->now->layers.n)
		return err_set(err, ERR_INVALID,
			       "there is nothing to run in an empty image: COPY a shell first, or build FROM another");
	set_up(&r);
	struct image view = { .layers = r.layers };
	TRY(image_user_find(&view, str_c(&b->now->config.user), &r.user, err));
	compute_key(&r);
	TRY(open_containers(b->images, err));
	fiber_job(prepare_job, &r);
	if (r.result < 0)
		return err_move(err, &r.err);
	*cached = r.cached;
	return r.cached ? 0 : run_container(&r, err);
}

#include "check.h"
#include "lab-agent.h"
#include "lab-net.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "base/fiber.h"
#include "base/fs.h"

#define PATIENCE_MS 15000

int lab_node_open(void **state)
{
	struct lab_node *l;

	if (geteuid() || !path_exists("/bin/busybox")) {
		printf("needs root and /bin/busybox\n");
		exit(77);
	}
	lab_enter();
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		printf("a mount namespace cannot be made here\n");
		exit(77);
	}
	if (!(l = calloc(1, sizeof *l)))
		return -1;
	snprintf(l->dir, sizeof l->dir, "/tmp/cd-lab-node-XXXXXX");
	snprintf(l->instance, sizeof l->instance, "t%d", getpid() % 100000);
	*state = l;
	return mkdtemp(l->dir) ? 0 : -1;
}

static bool no_groups(const struct lab_node *l)
{
	static const char *const roots[] = { "", "/cpu", "/memory", "/pids", "/unified" };
	AUTO(str) path = { 0 };

	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
		str_cut(&path, 0);
		str_addf(&path, "/sys/fs/cgroup%s/cd-%s", roots[i], l->instance);
		if (path_exists(str_c(&path)))
			return false;
	}
	return true;
}

int lab_node_close(void **state)
{
	struct lab_node *l = *state;
	AUTO(str) mounts = { 0 };
	AUTO(err) err = { 0 };

	assert_true(no_groups(l));
	assert_ok(file_read("/proc/self/mountinfo", 4 << 20, &mounts, &err), &err);
	assert_null(strstr(str_c(&mounts), l->dir));
	assert_ok(tree_remove(l->dir, &err), &err);
	free(l);
	return 0;
}

/* ---- one test ---- */

void lab_wrong(struct lab_node *l, const char *fmt, ...)
{
	va_list ap;

	if (l->wrong.n)
		return;
	va_start(ap, fmt);
	str_addv(&l->wrong, fmt, ap);
	va_end(ap);
}

void lab_start_agent(struct lab_node *l)
{
	AUTO(str) dir = { 0 };
	AUTO(err) err = { 0 };

	str_addf(&dir, "%s/node", l->dir);
	l->agent = agent_start(l->loop, &(struct agent_opts){ .node_name = "n1", .dir = str_c(&dir), .instance = l->instance,
			       .pod_cidr = "10.244.0.0/24", .service_cidr = "10.96.0.0/16", .client = l->client,
			       .informers = l->informers, .images = l->images }, &err);
	if (!l->agent)
		lab_wrong(l, "%s", err_msg(&err));
}

void lab_stop_agent(struct lab_node *l) { agent_stop(&l->agent); }

static int build_image(struct lab_node *l, struct err *err)
{
	AUTO(image) found = { 0 };
	AUTO(str) context = { 0 };
	AUTO(str) path = { 0 };
	AUTO(str) bytes = { 0 };
	AUTO(str) digest = { 0 };

	if (image_find(l->images, "box:1", &found, NULL) >= 0)
		return 0;
	str_addf(&context, "%s/context", l->dir);
	TRY(dir_make(str_c(&context), 0755, err));
	TRY(file_read("/bin/busybox", 16 << 20, &bytes, err));
	str_addf(&path, "%s/busybox", str_c(&context));
	TRY(file_write(str_c(&path), str_sv(&bytes), 0755, err));
	str_cut(&path, context.n);
	str_addc(&path, "/Containerfile");
	TRY(file_write(str_c(&path), SV("FROM scratch\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\nENV PATH=/bin\n"
					"ENTRYPOINT [\"/bin/busybox\"]\n"), 0644, err));
	return image_build(l->images, &(struct image_build_opts){ .context = str_c(&context), .tag = "box:1" }, &digest, err);
}

static int open_lab(struct lab_node *l, struct err *err)
{
	AUTO(str) images = { 0 };

	l->loop = fiber_loop();
	l->kinds = kinds_new();
	l->client = fake_client(l->loop, l->kinds);
	l->informers = informers_new(l->loop, l->client);
	str_addf(&images, "%s/images", l->dir);
	if (!(l->images = images_open(l->loop, str_c(&images), err)))
		return -(int)err->code;
	return build_image(l, err);
}

static void close_lab(struct lab_node *l)
{
	AUTO(str) dir = { 0 };
	AUTO(err) err = { 0 };

	agent_stop(&l->agent);
	str_addf(&dir, "%s/node", l->dir);
	if (agent_destroy(str_c(&dir), l->instance, &err) < 0)
		lab_wrong(l, "destroy: %s", err_msg(&err));
	images_close(&l->images);
	informers_free(&l->informers);
	client_free(&l->client);
	kinds_free(&l->kinds);
}

struct run { struct lab_node *l; void (*body)(struct lab_node *l); };

static int in_fiber(void *arg)
{
	struct run *r = arg;
	AUTO(err) err = { 0 };

	if (open_lab(r->l, &err) < 0)
		lab_wrong(r->l, "%s", err_msg(&err));
	else
		lab_start_agent(r->l);
	if (r->l->agent)
		r->body(r->l);
	close_lab(r->l);
	return 0;
}

void lab_node_run(void *state, void (*body)(struct lab_node *l))
{
	struct run r = { state, body };

	str_free(&r.l->wrong);
	fiber_main(in_fiber, &r);
	if (r.l->wrong.n) {
		static char text[2048];         /* the failure leaves by a jump */

		snprintf(text, sizeof text, "%s", str_c(&r.l->wrong));
		str_free(&r.l->wrong);
		fail_msg("%s", text);
	}
}

/* ---- pods ---- */

void lab_pod(struct lab_node *l, const char *name, const char *spec)
{
	AUTO(str) json = { 0 };

	str_addf(&json, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",\"labels\":{\"app\":\"%s\"}},"
		 "\"spec\":{\"nodeName\":\"n1\",%s}}", name, name, spec);
	fake_add(l->client, str_c(&json));
}

void lab_delete(struct lab_node *l, const char *kind, const char *name, int64_t grace_s)
{
	AUTO(err) err = { 0 };

	if (client_delete(l->client, kinds_find(l->kinds, "v1", kind), "default", name,
			  &(struct delete_opts){ .grace_seconds = grace_s }, &err) < 0)
		lab_wrong(l, "%s", err_msg(&err));
}

const char *lab_text(struct lab_node *l, const char *pod, const char *path)
{
	static char text[512];
	const struct object *o = fake_get(l->client, "Pod", "default", pod);

	snprintf(text, sizeof text, SV_FMT, SV_ARG(node_sv(node_at(o ? o->root : NULL, path))));
	return text;
}

static bool ready(struct lab_node *l, const char *pod, const char *path, const char *want)
{
	const struct object *o = fake_get(l->client, "Pod", "default", pod);

	if (str_eq(path, "Ready"))
		return o && condition_is(node_get(o->root, "status"), "Ready", want);
	return str_eq(lab_text(l, pod, path), want);
}

bool lab_await(struct lab_node *l, const char *pod, const char *path, const char *want)
{
	int64_t until = clock_ms() + PATIENCE_MS;

	while (!ready(l, pod, path, want)) {
		if (clock_ms() > until) {
			lab_wrong(l, "%s of %s is '%s', want '%s'", path, pod, lab_text(l, pod, path), want);
			return false;
		}
		(void)fiber_sleep(1);
	}
	return true;
}

bool lab_await_gone(struct lab_node *l, const char *pod)
{
	int64_t until = clock_ms() + PATIENCE_MS;

	while (fake_get(l->client, "Pod", "default", pod) && clock_ms() < until)
		(void)fiber_sleep(1);
	return !fake_get(l->client, "Pod", "default", pod);
}

struct wanted { const char *reason, *text; bool found; };

static void look_at(const struct object *o, void *arg)
{
	struct wanted *w = arg;

	w->found |= str_eq(node_str_at(o->root, "reason"), w->reason) && strstr(node_str_or(o->root, "message", ""), w->text);
}

bool lab_await_event(struct lab_node *l, const char *reason, const char *text)
{
	struct wanted w = { reason, text, false };
	int64_t until = clock_ms() + PATIENCE_MS;

	for (; !w.found && clock_ms() < until; (void)fiber_sleep(1))
		fake_each(l->client, "Event", look_at, &w);
	return w.found;
}

static int append(void *arg, struct sv data)
{
	str_add(arg, data);
	return 0;
}

bool lab_logs(struct lab_node *l, const char *pod, const struct log_opts *o, struct str *out)
{
	struct nodelink *link = agent_nodelink(l->agent);
	AUTO(err) err = { 0 };

	str_cut(out, 0);
	if (link->ops->logs(link, "default", pod, o, append, out, &err) >= 0)
		return true;
	str_addc(out, err_msg(&err));
	return false;
}

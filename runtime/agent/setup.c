/* What a pod needs before its first container: a directory, volumes, namespaces, an address, a few files; and their
 * end. */
#include "runtime/agent/agent-internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include "base/fs.h"
#include "kube/object.h"

struct volume_job { const char *dir; struct volume_plans plans; struct volume_owner owner; int result; struct err err; };

static void make_volumes(void *arg)
{
	struct volume_job *j = arg;

	j->result = volumes_make(j->dir, &j->plans, j->owner, &j->err);
}

static struct volume_owner owner_of(const struct node *pod)
{
	const struct node *group = node_at(pod, "spec.securityContext.fsGroup");
	int64_t gid = 0;

	return (struct volume_owner){ node_to_i64(group, &gid), (gid_t)gid };
}

static int setup_volumes(struct worker *w, struct err *err)
{
	struct volume_job j = { .dir = w->dir, .owner = owner_of(worker_pod(w)) };
	struct volume_lookup l = worker_lookup(w);
	int r;

	w->volumes_changed = false;
	r = worker_tokens(w, err);
	if (r >= 0) {
		struct pod_facts f = worker_facts(w);

		r = volumes_plan(&f, &l, &j.plans, err);
	}
	if (r >= 0 && j.plans.n) {
		fiber_job(make_volumes, &j);
		r = j.result < 0 ? err_move(err, &j.err) : 0;
	}
	volume_plans_free(&j.plans);
	if (r < 0)
		w->volumes_changed = true;      /* not yet as wanted */
	return r;
}

struct attach_job { struct network *n; const char *key; int fd; struct str ip; int result; struct err err; };

static void attach(void *arg)
{
	struct attach_job *j = arg;

	j->result = network_attach(j->n, j->key, j->fd, &j->ip, &j->err);
}

static int setup_network(struct worker *w, struct err *err)
{
	struct attach_job j = { .n = w->a->network, .key = w->uid, .fd = w->sandbox.net };

	fiber_job(attach, &j);
	if (j.result < 0)
		return err_move(err, &j.err);
	str_move(&w->ip, &j.ip);
	proxy_include(w->a->proxy, str_c(&w->ip));
	return 0;
}

bool worker_open_sandbox(struct worker *w)
{
	AUTO(str) dir = { 0 };

	str_addf(&dir, "%s/sandbox", w->dir);
	if (w->sandbox.ipc >= 0)
		return true;
	return sandbox_open(str_c(&dir), &w->sandbox, NULL) >= 0;
}

int worker_setup_sandbox(struct worker *w, struct err *err)
{
	bool host_net = node_bool_at(worker_pod(w), "spec.hostNetwork", false);
	AUTO(str) dir = { 0 };
	char hostname[64];

	str_addf(&dir, "%s/sandbox", w->dir);
	if (!worker_open_sandbox(w))
		TRY(sandbox_create(str_c(&dir), pod_hostname(worker_pod(w), hostname), host_net, &w->sandbox, err));
	if (!host_net)
		return setup_network(w, err);
	str_set(&w->ip, w->a->host_ip);
	return 0;
}

/* Not synced, unlike file_write(): after a crash of the machine the pod starts anew, and so do its files. */
static int write_file(const char *dir, const char *name, struct sv text, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO_FD fd = -1;

	str_addf(&path, "%s/%s", dir, name);
	fd = open(str_c(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n)
		return err_errno(err, "write '%s'", str_c(&path));
	return 0;
}

struct files_job { const char *dir; struct str hosts, resolv, hostname; int result; struct err err; };

static int write_files(struct files_job *j)
{
	TRY(write_file(j->dir, "hosts", str_sv(&j->hosts), &j->err));
	TRY(write_file(j->dir, "resolv.conf", str_sv(&j->resolv), &j->err));
	return write_file(j->dir, "hostname", str_sv(&j->hostname), &j->err);
}

static void files_job(void *arg)
{
	struct files_job *j = arg;

	j->result = write_files(j);
}

static int setup_files(struct worker *w, struct err *err)
{
	struct files_job j = { .dir = w->dir };
	char hostname[64];
	int r;

	pod_hosts(w, &j.hosts);
	pod_resolv(w, &j.resolv);
	str_addf(&j.hostname, "%s\n", pod_hostname(worker_pod(w), hostname));
	fiber_job(files_job, &j);
	r = j.result < 0 ? err_move(err, &j.err) : 0;
	str_free(&j.hosts);
	str_free(&j.resolv);
	str_free(&j.hostname);
	return r;
}

int worker_setup(struct worker *w, struct err *err)
{
	if (!w->has_dir) {
		TRY(dir_make(w->dir, 0755, err));
		w->has_dir = true;
	}
	if (!w->has_volumes || w->volumes_changed || !worker_tokens_due(w)) {
		int r = setup_volumes(w, err);

		/* What is mounted stays as it is when its source goes, as in Kubernetes. */
		if (r < 0 && (!w->has_volumes || r == -ERR_CANCELED))
			return r;
		w->has_volumes = true;
	}
	if (!w->has_sandbox) {
		TRY(worker_setup_sandbox(w, err));
		TRY(setup_files(w, err));
		w->has_sandbox = true;
	}
	return fiber_canceled() ? err_set(err, ERR_CANCELED, "the node agent is stopping") : 0;
}

/* ---- the end ---- */

static void forget_sandbox(struct worker *w)
{
	AUTO(str) dir = { 0 };

	str_addf(&dir, "%s/sandbox", w->dir);
	sandbox_close(&w->sandbox);
	(void)!sandbox_remove(str_c(&dir), NULL);
	(void)!network_detach(w->a->network, w->uid, NULL);
	w->has_sandbox = false;
}

/* The pod is finished: nothing runs in it any more. Its directory stays for its logs. */
void worker_release(struct worker *w)
{
	if (w->released)
		return;
	w->released = true;
	forget_sandbox(w);
}

struct remove_job { struct worker *w; int result; struct err err; };

static int remove_steps(struct worker *w, struct err *err)
{
	TRY(volumes_remove(w->dir, err));
	return tree_remove(w->dir, err);
}

static void remove_job(void *arg)
{
	struct remove_job *j = arg;

	j->result = remove_steps(j->w, &j->err);
}

int worker_cleanup(struct worker *w, struct err *err)
{
	struct remove_job j = { .w = w };

	for (size_t i = 0; i < w->n_units; i++)
		if (w->units[i].c)
			TRY(container_remove(&w->units[i].c, err));
	forget_sandbox(w);
	fiber_job(remove_job, &j);
	return j.result < 0 ? err_move(err, &j.err) : 0;
}

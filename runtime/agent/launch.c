/* From a container as a pod describes it to a started one: user, rights, limits, mounts, environment, command. */
#include "runtime/agent/agent-internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "kube/quantity.h"
#include "runtime/agent/signal-name.h"

#define LOG_MAX ((int64_t)10 << 20)
#define MIN_SHARES 2
#define GROUPS_MAX 128

struct mount_text { char *source, *target; bool read_only; };

struct launch {
	struct unit *u;
	const struct node *pod, *spec;          /* of an object that the caller holds */
	const struct image *image;
	struct launch_failure *why;
	struct env env;
	struct strings argv, words, cap_add, cap_drop;
	VEC(struct mount_text) texts;
	struct image_user user;
	gid_t groups[GROUPS_MAX];
	size_t n_groups;
	struct str dir, log, cgroup, id;
	struct container_spec out;
};

static void launch_free(struct launch *l)
{
	env_free(&l->env);
	strings_free(&l->argv);
	strings_free(&l->words);
	strings_free(&l->cap_add);
	strings_free(&l->cap_drop);
	for (size_t i = 0; i < l->texts.n; i++) {
		free(l->texts.v[i].source);
		free(l->texts.v[i].target);
	}
	vec_free(&l->texts);
	str_free(&l->dir);
	str_free(&l->log);
	str_free(&l->cgroup);
	str_free(&l->id);
}

/* The container's own setting, else the pod's. */
static const struct node *security(const struct launch *l, const char *name)
{
	const struct node *own = node_get(node_get(l->spec, "securityContext"), name);

	return own ? own : node_get(node_at(l->pod, "spec.securityContext"), name);
}

static bool flag(const struct node *n) { return node_is(n, NODE_BOOL) && n->b; }

/* ---- who ---- */

static void add_group(struct launch *l, gid_t gid)
{
	for (size_t i = 0; i < l->n_groups; i++)
		if (l->groups[i] == gid)
			return;
	if (l->n_groups < GROUPS_MAX)
		l->groups[l->n_groups++] = gid;
}

static int find_user(struct launch *l, struct err *err)
{
	const struct node *list = node_at(l->pod, "spec.securityContext.supplementalGroups"), *it;
	int64_t uid, gid;
	AUTO(str) text = { 0 };

	if (node_to_i64(security(l, "runAsUser"), &uid))
		str_addf(&text, "%lld", (long long)uid);
	else
		str_add(&text, str_sv(&l->image->user));
	TRY(image_user_find(l->image, str_c(&text), &l->user, err));
	if (node_to_i64(security(l, "runAsGroup"), &gid))
		l->user.gid = (gid_t)gid;
	if (flag(security(l, "runAsNonRoot")) && !l->user.uid)
		return err_set(
			err, ERR_INVALID,
			"container has runAsNonRoot and image will run as root (pod: \"%s_%s(%s)\", container: %s)",
			l->u->w->name, l->u->w->ns, l->u->w->uid, l->u->name);
	for (size_t i = 0; i < l->user.n_groups; i++)
		add_group(l, l->user.groups[i]);
	node_each(it, list)
		if (node_to_i64(it, &gid))
			add_group(l, (gid_t)gid);
	if (node_to_i64(node_at(l->pod, "spec.securityContext.fsGroup"), &gid))
		add_group(l, (gid_t)gid);
	return 0;
}

static void add_names(struct strings *out, const struct node *list)
{
	const struct node *it;

	node_each(it, list)
		if (node_text(it))
			strings_add(out, node_text(it));
}

static void set_rights(struct launch *l)
{
	const struct node *own = node_get(l->spec, "securityContext"), *caps = node_get(own, "capabilities");
	const struct node *escalation = node_get(own, "allowPrivilegeEscalation");
	const char *seccomp =
		node_str_or(node_get(own, "seccompProfile"), "type",
			    node_str_or(l->pod, "spec.securityContext.seccompProfile.type", "RuntimeDefault"));

	add_names(&l->cap_add, node_get(caps, "add"));
	add_names(&l->cap_drop, node_get(caps, "drop"));
	l->out.privileged = node_bool_at(own, "privileged", false);
	l->out.read_only_root = node_bool_at(own, "readOnlyRootFilesystem", false);
	l->out.no_new_privs = escalation && !flag(escalation);
	l->out.seccomp_unconfined = l->out.privileged || str_eq(seccomp, "Unconfined");
}

/* ---- how much ---- */

static int64_t amount(const struct node *c, const char *list, const char *name, bool (*read)(struct sv, int64_t *))
{
	int64_t v = 0;

	(void)read(node_sv(node_get(node_get(node_get(c, "resources"), list), name)), &v);
	return v;
}

static void set_resources(struct launch *l)
{
	int64_t ask = amount(l->spec, "requests", "cpu", quantity_milli),
		limit = amount(l->spec, "limits", "cpu", quantity_milli);
	int64_t memory = amount(l->spec, "limits", "memory", quantity_value),
		wanted = amount(l->spec, "requests", "memory", quantity_value);
	struct resources *r = &l->out.resources;

	if (!ask)
		ask = limit;
	r->cpu_millis = limit;
	r->cpu_shares = ask * 1024 / 1000 > MIN_SHARES ? ask * 1024 / 1000 : MIN_SHARES;
	r->memory_bytes = memory;
	/* As kubelet: who asks for nothing is killed first, who asks for much of the node last. */
	if (memory && limit)
		l->out.oom_score_adj = 0;
	else if (!wanted && !memory && !ask)
		l->out.oom_score_adj = 1000;
	else
		l->out.oom_score_adj = (int)(1000 - 1000 * (wanted ? wanted : memory) / (l->u->w->a->memory_bytes + 1));
}

/* ---- where ---- */

static void add_mount(struct launch *l, struct str *take_source, const char *target, bool read_only)
{
	vec_push(&l->texts, ((struct mount_text){ str_take(take_source), sv_dup(sv_c(target)), read_only }));
}

static const struct volume_plan *plan_named(const struct volume_plans *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i].name, name))
			return &p->v[i];
	return NULL;
}

struct subpath_job { const char *dir, *name, *root, *sub; struct str out; int result; struct err err; };

static void bind_subpath(void *arg)
{
	struct subpath_job *j = arg;

	j->result = volume_subpath(j->dir, j->name, j->root, j->sub, &j->out, &j->err);
}

static int add_subpath(struct launch *l, struct str *source, const char *sub, size_t number, struct err *err)
{
	AUTO(str) name = { 0 };
	struct subpath_job j = { .dir = l->u->w->dir, .root = str_c(source), .sub = sub };

	str_addf(&name, "%s-%zu", l->u->name, number);
	j.name = str_c(&name);
	fiber_job(bind_subpath, &j);
	if (j.result < 0) {
		str_free(&j.out);
		return err_move(err, &j.err);
	}
	str_move(source, &j.out);
	return 0;
}

static int add_volume(struct launch *l, const struct volume_plans *plans, const struct node *m, size_t number,
		      struct err *err)
{
	const char *name = node_str_or(m, "name", ""), *expression = node_str_at(m, "subPathExpr");
	const struct volume_plan *p = plan_named(plans, name);
	AUTO(str) source = { 0 };
	AUTO(str) sub = { 0 };

	if (!p)
		return err_set(err, ERR_INVALID, "volumeMounts: the pod has no volume '%s'", name);
	volume_path(l->u->w->dir, p, &source);
	if (expression)
		env_expand(&l->env, expression, &sub);
	else
		str_addc(&sub, node_str_at(m, "subPath"));
	if (sub.n)
		TRY(add_subpath(l, &source, str_c(&sub), number, err));
	add_mount(l, &source, node_str_or(m, "mountPath", ""),
		  node_bool_at(m, "readOnly", false) || p->type == VOLUME_FILES);
	return 0;
}

static int add_volumes(struct launch *l, struct err *err)
{
	const struct node *mounts = node_get(l->spec, "volumeMounts"), *it;
	struct volume_lookup lookup = worker_lookup(l->u->w);
	struct pod_facts facts = worker_facts(l->u->w);
	struct volume_plans plans = { 0 };
	size_t number = 0;
	int r = 0;

	/* What is missing now was there when the volumes were made: only types and places matter here. */
	(void)!volumes_plan(&facts, &lookup, &plans, NULL);
	node_each(it, mounts)
		if (r >= 0)
			r = add_volume(l, &plans, it, number++, err);
	volume_plans_free(&plans);
	return r;
}

static bool is_target(const struct launch *l, const char *target)
{
	for (size_t i = 0; i < l->texts.n; i++)
		if (str_eq(l->texts.v[i].target, target))
			return true;
	return false;
}

/* An empty file that the program may write its last words to. */
static int add_message_file(struct launch *l, struct err *err)
{
	const char *target = node_str_or(l->spec, "terminationMessagePath", "/dev/termination-log");
	AUTO(str) path = { 0 };
	AUTO_FD fd = -1;

	str_addf(&path, "%s/messages", l->u->w->dir);
	TRY(dir_make(str_c(&path), 0755, err));
	str_addf(&path, "/%s", l->u->name);
	fd = open(str_c(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || fchmod(fd, 0666))
		return err_errno(err, "create '%s'", str_c(&path));
	add_mount(l, &path, target, false);
	return 0;
}

static int add_mounts(struct launch *l, struct err *err)
{
	static const char *const files[][2] = {
		{ "hosts", "/etc/hosts" }, { "resolv.conf", "/etc/resolv.conf" }, { "hostname", "/etc/hostname" },
	};

	TRY(add_volumes(l, err));
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		AUTO(str) path = { 0 };

		str_addf(&path, "%s/%s", l->u->w->dir, files[i][0]);
		if (!is_target(l, files[i][1]))
			add_mount(l, &path, files[i][1], false);
	}
	return add_message_file(l, err);
}

/* ---- what ---- */

static bool add_service(struct object *service, void *arg)
{
	env_add_service(arg, service->root);
	return true;
}

static void add_services(struct launch *l)
{
	const struct object *api = informer_get(l->u->w->a->services, "default", "kubernetes");

	if (node_bool_at(l->pod, "spec.enableServiceLinks", true))
		informer_each(l->u->w->a->services, l->u->w->ns, add_service, &l->env);
	if (api)
		env_add_service(&l->env, api->root);
}

static bool has_word(const struct strings *words, struct sv prefix)
{
	for (size_t i = 0; i < words->n; i++)
		if (sv_starts(sv_c(words->v[i]), prefix))
			return true;
	return false;
}

static int set_words(struct launch *l, struct err *err)
{
	struct volume_lookup lookup = worker_lookup(l->u->w);
	struct pod_facts facts = worker_facts(l->u->w);
	char hostname[64];
	add_services(l);
	int r = env_of_container(&facts, &lookup, l->spec, &l->env, err);

	if (r < 0) {
		*l->why = (struct launch_failure){ "CreateContainerConfigError", true };
		return r;
	}
	env_words(&l->env, l->image, pod_hostname(l->pod, hostname), &l->words);
	if (node_bool_at(l->spec, "tty", false) && !has_word(&l->words, SV("TERM=")))
		strings_add(&l->words, "TERM=xterm");
	return env_command(&l->env, l->spec, l->image, &l->argv, err);
}

static int set_places(struct launch *l, int64_t attempt, struct err *err)
{
	struct sv parent, name;

	unit_dir(l->u, attempt, &l->dir);
	unit_log(l->u, attempt, &l->log);
	str_addf(&l->cgroup, "cd-%s/pod%s/%s", l->u->w->a->instance, l->u->w->uid, l->u->name);
	str_addf(&l->id, "%s_%s_%lld", l->u->w->uid, l->u->name, (long long)attempt);
	sv_cut_last(str_sv(&l->log), '/', &parent, &name);
	AUTO(str) logs = { 0 };
	str_add(&logs, parent);
	TRY(dir_make(str_c(&logs), 0755, err));
	return dir_make(str_c(&l->dir), 0700, err);
}

static int prepare(struct launch *l, int64_t attempt, struct err *err)
{
	int r = find_user(l, err);

	if (r < 0) {
		*l->why = (struct launch_failure){ "CreateContainerConfigError", true };
		return r;
	}
	set_rights(l);
	set_resources(l);
	TRY(set_words(l, err));
	TRY(add_mounts(l, err));
	return set_places(l, attempt, err);
}

static const char *const *ended(struct strings *s)
{
	vec_push(s, NULL);
	s->n--;                 /* the NULL is behind the end */
	return (const char *const *)s->v;
}

static const char *working_dir(const struct launch *l)
{
	const char *own = node_str_or(l->spec, "workingDir", "");

	return *own ? own : l->image->workdir.n ? str_c(&l->image->workdir) : "/";
}

/* Where it runs, and who it is: the rest of the specification. */
static void set_place_and_user(struct launch *l)
{
	struct worker *w = l->u->w;

	l->out.id = str_c(&l->id);
	l->out.dir = str_c(&l->dir);
	l->out.cgroup = str_c(&l->cgroup);
	l->out.log_path = str_c(&l->log);
	l->out.log_max = LOG_MAX;
	l->out.cwd = working_dir(l);
	l->out.uid = l->user.uid;
	l->out.gid = l->user.gid;
	l->out.groups = l->groups;
	l->out.n_groups = l->n_groups;
	l->out.tty = node_bool_at(l->spec, "tty", false);
	l->out.stdin_open = node_bool_at(l->spec, "stdin", false);
	l->out.stdin_once = node_bool_at(l->spec, "stdinOnce", false);
	l->out.netns_fd = w->sandbox.net;
	l->out.ipcns_fd = w->sandbox.ipc;
	l->out.utsns_fd = w->sandbox.uts;
	l->out.pidns_fd = -1;
	l->out.host_net = node_bool_at(l->pod, "spec.hostNetwork", false);
	l->out.host_pid = node_bool_at(l->pod, "spec.hostPID", false);
	l->out.host_ipc = node_bool_at(l->pod, "spec.hostIPC", false);
}

static int run(struct launch *l, struct err *err)
{
	struct mount_spec *mounts = calloc(l->texts.n + 1, sizeof *mounts);
	struct strings layers = { 0 };          /* the image's own list has no NULL at its end */
	int r;

	if (!mounts)
		abort();
	for (size_t i = 0; i < l->texts.n; i++)
		mounts[i] = (struct mount_spec){ .source = l->texts.v[i].source, .target = l->texts.v[i].target,
						 .type = "bind", .read_only = l->texts.v[i].read_only, .recursive = true };
	for (size_t i = 0; i < l->image->layers.n; i++)
		strings_add(&layers, l->image->layers.v[i]);
	set_place_and_user(l);
	l->out.layers = ended(&layers);
	l->out.argv = ended(&l->argv);
	l->out.env = ended(&l->words);
	l->out.cap_add = ended(&l->cap_add);
	l->out.cap_drop = ended(&l->cap_drop);
	l->out.mounts = mounts;
	l->out.n_mounts = l->texts.n;
	r = container_start(l->u->w->a->containers, &l->out, &l->u->c, err);
	strings_free(&layers);
	free(mounts);
	return r;
}

static void remember(struct unit *u, const struct image *image, int64_t attempt)
{
	free(u->image_id);
	free(u->container_id);
	u->image_id = sv_dup(str_sv(&image->digest));
	u->container_id = str_fmt("cd://%s_%s_%lld", u->w->uid, u->name, (long long)attempt);
	u->stop_signal = signal_number(str_c(&image->stop_signal));
	u->attempt = attempt;
	u->started = !node_get(unit_spec(u), "startupProbe");
	u->ready = u->started && !node_get(unit_spec(u), "readinessProbe");
}

int unit_launch(struct unit *u, const struct image *image, struct launch_failure *why, struct err *err)
{
	AUTO_OBJECT held = object_ref(u->w->object);
	struct launch l = { .u = u, .pod = held->root, .spec = unit_spec(u), .image = image, .why = why };
	int64_t attempt = u->attempt + 1;
	int r = prepare(&l, attempt, err);

	if (r >= 0) {
		why->reason = "StartError";
		r = run(&l, err);
	}
	if (r >= 0) {
		remember(u, image, attempt);
		u->exited = false;
		agent_event(u->w, "Normal", "Created", "Created container %s", u->name);
		agent_event(u->w, "Normal", "Started", "Started container %s", u->name);
	}
	launch_free(&l);
	return r;
}

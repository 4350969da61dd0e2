/* cli/logs.c - `cd logs`. */
#include "cli/cluster.h"
#include "cli/print.h"
#include "cli/verbs.h"
#include "kube/selector.h"

#include <inttypes.h>
#include <stdlib.h>

struct logs {
	struct cluster_opts where;
	struct opt_list args;
	const char *container;
	int64_t tail, since_ms, limit;
	bool follow, previous, timestamps, all_containers;
};

static int print_data(void *arg, struct sv data)
{
	(void)arg;
	if (fwrite(data.p, 1, data.n, stdout) != data.n || fflush(stdout))
		return -ERR_CANCELED;   /* whoever read has left */
	return 0;
}

static void add_query(struct str *path, const struct logs *l, const char *container)
{
	str_addf(path, "?container=%s", container ? container : "");
	if (l->follow)
		str_addc(path, "&follow=true");
	if (l->previous)
		str_addc(path, "&previous=true");
	if (l->timestamps)
		str_addc(path, "&timestamps=true");
	if (l->tail >= 0)
		str_addf(path, "&tailLines=%" PRId64, l->tail);
	if (l->since_ms)
		str_addf(path, "&sinceSeconds=%" PRId64, (l->since_ms + 999) / 1000);
	if (l->limit)
		str_addf(path, "&limitBytes=%" PRId64, l->limit);
}

static int print_container(struct cluster *c, const struct logs *l, const struct object *pod, const char *container, struct err *err)
{
	AUTO(str) path = { 0 };

	str_addf(&path, "/api/v1/namespaces/%s/pods/%s/log", pod->ns, pod->name);
	add_query(&path, l, container);
	int r = client_stream(c->client, str_c(&path), print_data, NULL, err);
	return r == -ERR_CANCELED && ferror(stdout) ? 0 : r;
}

/* The container that was asked for, the annotated default one, or the first. */
static int print_pod(struct cluster *c, const struct logs *l, const struct object *pod, struct err *err)
{
	const struct node *it, *containers = node_at(pod->root, "spec.containers");
	const char *name = l->container, *standard = meta_annotation(pod->root, "kubectl.kubernetes.io/default-container");

	if (l->all_containers) {
		node_each(it, containers)
			TRY(print_container(c, l, pod, node_str_at(it, "name"), err));
		return 0;
	}
	if (!name)
		name = standard;
	if (!name && node_n(containers) > 1) {
		name = node_str_or(node_item(containers, 0), "name", "");
		fprintf(stderr, "Pod %s has %zu containers; this is '%s'. Name another one with -c.\n", pod->name, node_n(containers), name);
	}
	return print_container(c, l, pod, name, err);
}

/* ---- which pod ---- */

static bool is_better(const struct object *a, const struct object *b)
{
	bool ra = str_eq(node_str_or(a->root, "status.phase", ""), "Running"), rb = str_eq(node_str_or(b->root, "status.phase", ""), "Running");

	return ra != rb ? ra : strcmp(node_str_or(a->root, "metadata.creationTimestamp", ""),
				      node_str_or(b->root, "metadata.creationTimestamp", "")) < 0;
}

static int selector_text(const struct object *o, struct str *out, struct err *err)
{
	const struct node *labels = node_at(o->root, "spec.selector");
	struct selector *s = NULL;

	if (node_get(labels, "matchLabels") || node_get(labels, "matchExpressions"))
		TRY(selector_of(labels, &s, err));
	else
		s = selector_of_map(labels);
	bool nothing = selector_nothing(s);
	selector_write(s, out);
	selector_free(&s);
	return nothing ? err_set(err, ERR_INVALID, "%s '%s' selects no pods", o->kind->kind, o->name) : 0;
}

/* The pod itself, or one of those that an owner or a Service selects: a running one first, then the oldest. */
static int choose(struct cluster *c, const struct resource *r, struct object **out, struct err *err)
{
	const struct kind *pods = client_kind(c->client, "v1", "Pod", err);
	struct object_list found = { 0 };
	AUTO_OBJECT o = NULL;
	AUTO(str) labels = { 0 };

	if (r->kind == pods)
		return client_get(c->client, pods, c->ns, r->name, out, err);
	TRY(client_get(c->client, r->kind, resource_ns(c, r->kind), r->name, &o, err));
	TRY(selector_text(o, &labels, err));
	const struct list_opts opts = { .ns = c->ns, .labels = str_c(&labels) };
	int result = client_list(c->client, pods, &opts, &found, err);
	for (size_t i = 0; i < found.n; i++)
		if (!*out || is_better(found.v[i], *out)) {
			object_drop(out);
			*out = object_ref(found.v[i]);
		}
	if (result >= 0 && !found.n)
		result = err_set(err, ERR_NOT_FOUND, "%s '%s' has no pods", r->kind->kind, r->name);
	else if (result >= 0 && found.n > 1)
		fprintf(stderr, "Found %zu pods, using pod/%s\n", found.n, (*out)->name);
	object_list_free(&found);
	return result;
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	struct logs *l = arg;
	AUTO(resources) wanted = { 0 };
	AUTO_OBJECT pod = NULL;
	struct opt_list args = { 0 };
	int r;

	if (l->args.n == 1 && !strchr(l->args.v[0], '/'))       /* a bare name is a pod's */
		vec_push(&args, "pods");
	for (size_t i = 0; i < l->args.n; i++)
		vec_push(&args, l->args.v[i]);
	r = resources_one(c->client, &args, &wanted, err);
	vec_free(&args);
	TRY(r);
	TRY(choose(c, &wanted.v[0], &pod, err));
	TRY(print_pod(c, l, pod, err));
	return EXIT_OK;
}

static const struct usage usage = {
	"logs", "POD | TYPE/NAME [OPTIONS]",
	"Prints what a container wrote. Of a Deployment, a ReplicaSet or a Service, one of its pods is taken.",
	"  cd logs web-5d8f-x2k4z\n"
	"  cd logs deployment/web -n demo -f --tail 20\n"
	"  cd logs web-5d8f-x2k4z -p          # the run before the last restart",
};

int cmd_logs(int argc, char **argv)
{
	struct logs l = { .tail = -1 };
	const struct opt opts[] = {
		{ "follow", 'f', OPT_FLAG, &l.follow, NULL, "go on with what is written next" },
		{ "tail", 0, OPT_INT, &l.tail, "N", "the last N lines only" },
		{ "container", 'c', OPT_STR, &l.container, "NAME", "which container" },
		{ "all-containers", 0, OPT_FLAG, &l.all_containers, NULL, "every container, one after another" },
		{ "previous", 'p', OPT_FLAG, &l.previous, NULL, "of the run before the last restart" },
		{ "since", 0, OPT_DURATION, &l.since_ms, "DURATION", "not older than this" },
		{ "timestamps", 0, OPT_FLAG, &l.timestamps, NULL, "the time before each line" },
		{ "limit-bytes", 0, OPT_INT, &l.limit, "N", "at most so much" },
		CLUSTER_OPTIONS(l.where),
		{ 0 }
	};
	int r = cli_options(&usage, opts, argc, argv, &l.args);

	if (r < 0 && !l.args.n)
		r = cli_usage_error(&usage, "name a pod, or what has pods: deployment/web");
	if (r < 0)
		r = cluster_run("logs", &l.where, run, &l);
	vec_free(&l.args);
	return r;
}

/* cli/logs.c - `cd logs`. */
#include "cli/cluster.h"
#include "cli/pod.h"
#include "cli/verbs.h"

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

static int print_pod(struct cluster *c, const struct logs *l, const struct object *pod, struct err *err)
{
	const struct node *it, *containers = node_at(pod->root, "spec.containers");
	if (l->all_containers) {
		node_each(it, containers)
			TRY(print_container(c, l, pod, node_str_at(it, "name"), err));
		return 0;
	}
	return print_container(c, l, pod, pod_pick_container(pod, l->container), err);
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	struct logs *l = arg;
	AUTO_OBJECT pod = NULL;

	TRY(pod_named(c, l->args.v, l->args.n, &pod, err));
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

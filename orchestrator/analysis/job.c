#include "orchestrator/analysis/provider.h"

/* A Job for each measurement: complete is good, failed is bad. The measurement notes the Job's name. */

#define NOTE "metadata.job-name"

static const struct kind *jobs(const struct measuring *m)
{
	return kinds_find(controller_client(m->c)->kinds, "batch/v1", "Job");
}

static int start(struct measuring *m, struct err *err)
{
	AUTO_DOC d = doc_new();
	AUTO_OBJECT made = NULL;
	struct node *root = object_start(d, jobs(m), m->run->ns, NULL), *meta = node_get(root, "metadata");
	static const char *const copied[] = { "labels", "annotations" };

	(void)node_del(meta, "name");
	node_set(d, meta, "generateName", node_strf(d, "%s.%s.", m->run->name, node_str_or(m->metric, "name", "")));
	for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
		if (node_get(node_get(m->provider, "metadata"), copied[i]))
			node_set(d, meta, copied[i],
				 node_copy(d, node_get(node_get(m->provider, "metadata"), copied[i])));
	meta_add_owner(d, root, m->run);
	node_set(d, root, "spec", node_copy(d, node_get(m->provider, "spec")));
	TRY(client_create(controller_client(m->c), jobs(m), root, NULL, &made, err));
	node_put(m->d, m->row, NOTE, node_str(m->d, made->name));
	return 0;
}

static int measure(struct measuring *m, bool resume, enum measured *out, struct err *err)
{
	AUTO_OBJECT job = NULL;
	const struct node *status;

	*out = MEASURED_LATER;
	if (!jobs(m))
		return err_set(err, ERR_UNSUPPORTED, "the server has no Jobs");
	if (!resume)
		return start(m, err);
	TRY(client_get(controller_client(m->c), jobs(m), m->run->ns, node_str_or(m->row, NOTE, ""), &job, err));
	status = node_get(job->root, "status");
	if (condition_is(status, "Complete", "True"))
		*out = MEASURED_GOOD;
	else if (condition_is(status, "Failed", "True"))
		*out = MEASURED_BAD;
	return 0;
}

static int stop(struct measuring *m, struct err *err)
{
	const struct delete_opts o = { .propagation = "Background", .grace_seconds = -1 };
	int r = client_delete(controller_client(m->c), jobs(m), m->run->ns, node_str_or(m->row, NOTE, ""), &o, err);

	return r == -ERR_NOT_FOUND ? 0 : r;
}

static int check(const struct node *p, struct err *err)
{
	const struct node *meta = node_get(p, "metadata");
	const struct member *m;

	node_members(m, meta)
		if (strcmp(m->key, "labels") != 0 && strcmp(m->key, "annotations") != 0)
			return err_set(err, ERR_INVALID, "metadata.%s: a Job of a measurement takes labels and annotations only", m->key);
	return node_get(p, "spec") ? 0 : err_set(err, ERR_INVALID, "spec is required");
}

static const char *const fields[] = { "spec", "metadata", NULL };

const struct provider job_provider = { "job", fields, check, measure, stop };

/* operator/app/plan.c - in which order the tasks of a sync run. */
#include "operator/app/plan.h"

#include <stdlib.h>
#include "base/vec.h"

static const char *const order[] = {
	"Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget", "ServiceAccount",
	"Secret", "SecretList", "ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim",
	"CustomResourceDefinition", "ClusterRole", "ClusterRoleList", "ClusterRoleBinding", "ClusterRoleBindingList", "Role",
	"RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod", "ReplicationController", "ReplicaSet",
	"Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress", "APIService",
};

int kind_rank(const char *kind)
{
	const int n = (int)(sizeof order / sizeof *order);

	for (int i = 0; i < n; i++)
		if (str_eq(kind, order[i]))
			return i;
	return n;
}

static int cmp_i64(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_order(const void *pa, const void *pb)
{
	const struct task *a = pa, *b = pb;
	int r;

	if ((r = (int)a->phase - (int)b->phase) || (r = cmp_i64(a->wave, b->wave)) || (r = kind_rank(a->kind) - kind_rank(b->kind)))
		return r;
	if ((r = strcmp(a->kind, b->kind)) || (r = strcmp(a->name, b->name)) || (r = strcmp(a->ns, b->ns)))
		return r;
	return cmp_i64((int64_t)a->row, (int64_t)b->row);       /* qsort is not stable */
}

static int by_number(const void *a, const void *b)
{
	return cmp_i64(*(const int64_t *)a, *(const int64_t *)b);
}

/* The lowest wave of the prune tasks changes place with the highest, and so on inwards. */
static void mirror_prune_waves(struct plan *p)
{
	VEC(int64_t) waves = { 0 };

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].prune)
			vec_push(&waves, p->v[i].wave);
	if (!waves.n)
		return;
	qsort(waves.v, waves.n, sizeof *waves.v, by_number);
	size_t distinct = 1;
	for (size_t i = 1; i < waves.n; i++)
		if (waves.v[i] != waves.v[distinct - 1])
			waves.v[distinct++] = waves.v[i];
	for (size_t i = 0; i < p->n; i++) {
		if (!p->v[i].prune)
			continue;
		int64_t *at = bsearch(&p->v[i].wave, waves.v, distinct, sizeof *waves.v, by_number);
		p->v[i].wave = waves.v[distinct - 1 - (size_t)(at - waves.v)];
	}
	vec_free(&waves);
}

static void prune_after_all(struct plan *p)
{
	int64_t last = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].phase == SYNC && !p->v[i].prune && p->v[i].wave > last)
			last = p->v[i].wave;
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].prune)
			p->v[i].wave = last + 1;
}

static bool needed_by(const struct task *t, const struct task *user)
{
	if (user->prune || user == t)
		return false;
	if (str_eq(t->kind, "Namespace") && !*t->group)
		return str_eq(user->ns, t->name);
	return t->defines_kind && str_eq(user->kind, t->defines_kind) && str_eq(user->group, t->defines_group);
}

/* What others need moves before the first that needs it, and takes over its phase and wave. */
static void bubble(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct task t = p->v[i];
		size_t first = 0;

		if (t.prune)
			continue;
		while (first < i && !needed_by(&t, &p->v[first]))
			first++;
		if (first == i)
			continue;
		t.phase = p->v[first].phase;
		t.wave = p->v[first].wave;
		memmove(&p->v[first + 1], &p->v[first], (i - first) * sizeof t);
		p->v[first] = t;
	}
}

void plan_sort(struct plan *p, bool prune_last)
{
	if (!p->n)
		return;
	if (prune_last)
		prune_after_all(p);
	else
		mirror_prune_waves(p);
	qsort(p->v, p->n, sizeof *p->v, by_order);
	bubble(p);
}

size_t plan_wave_end(const struct plan *p, size_t i)
{
	size_t end = i;

	while (end < p->n && p->v[end].phase == p->v[i].phase && p->v[end].wave == p->v[i].wave)
		end++;
	return end;
}

#include "check.h"

#include "base/fiber.h"
#include "base/log.h"
#include "base/map.h"
#include "kube/fake-client.h"
#include "kube/informer.h"

#include <stdio.h>
#include <stdlib.h>

#define NAMES 12

/* What the changes that an informer told of add up to, beside the copy itself. */
struct mirror { struct map by_uid; const char *wrong; };

static void on_change(void *arg, const struct object *before, const struct object *after)
{
	struct mirror *m = arg;
	const struct object *have = map_get(&m->by_uid, sv_c(before ? before->uid : after->uid));

	if (before ? have != before : have != NULL)
		m->wrong = before ? "told of an unknown object" : "told twice of a new object";
	if (before && after && strcmp(before->uid, after->uid) != 0)
		m->wrong = "told of another object as a change";
	if (after)
		(void)map_put(&m->by_uid, sv_c(after->uid), (void *)after);
	else
		(void)map_del(&m->by_uid, sv_c(before->uid));
}

struct walk { const char *ns, *name, *wrong; size_t n; };

static bool check_order(struct object *o, void *arg)
{
	struct walk *w = arg;

	if (w->n && (strcmp(w->ns, o->ns) > 0 || (!strcmp(w->ns, o->ns) && strcmp(w->name, o->name) >= 0)))
		w->wrong = "out of order";
	w->ns = o->ns;
	w->name = o->name;
	w->n++;
	return true;
}

static bool count(struct object *o, void *arg)
{
	(void)o;
	++*(size_t *)arg;
	return true;
}

struct compare { const struct informer *f; const char *wrong; size_t owned[3]; };

static void compare_live(const struct object *live, void *arg)
{
	struct compare *c = arg;
	const struct object *have = informer_get(c->f, live->ns, live->name);
	const char *owner = node_str_or(live->root, "metadata.ownerReferences.0.uid", "");

	if (!have || have->revision != live->revision)
		c->wrong = "not the live version";
	else if (informer_by_uid(c->f, live->uid) != have)
		c->wrong = "not under its uid";
	if (*owner)
		c->owned[owner[1] - '0']++;
}

static const char *compare(struct client *c, const struct informer *f, const struct mirror *m)
{
	struct compare cmp = { .f = f };
	struct walk walk = { 0 };

	if (m->wrong)
		return m->wrong;
	fake_each(c, "ConfigMap", compare_live, &cmp);
	informer_each(f, NULL, check_order, &walk);
	if (walk.n != fake_n(c, "ConfigMap") || informer_n(f) != walk.n || m->by_uid.n != walk.n)
		return "another number of objects";
	for (int i = 0; i < 3; i++) {
		char uid[16];
		size_t n = 0;

		snprintf(uid, sizeof uid, "o%d", i);
		informer_owned(f, uid, count, &n);
		if (n != cmp.owned[i])
			return "another number of owned objects";
	}
	return cmp.wrong ? cmp.wrong : walk.wrong;
}

/* One random write. */
static void disturb(struct client *c, const struct kind *k, unsigned *rnd)
{
	const struct delete_opts now = { .grace_seconds = -1 };
	char ns[8], name[8], text[256];
	int r = 0;

	snprintf(ns, sizeof ns, "n%u", (unsigned)rand_r(rnd) % 3);
	snprintf(name, sizeof name, "c%u", (unsigned)rand_r(rnd) % NAMES);
	switch (rand_r(rnd) % 8) {
	case 0:
		fake_drop_watches(c);
		break;
	case 1:
		if (!(rand_r(rnd) % 4))
			fake_compact(c);
		break;
	case 2:
	case 3:
		r = client_delete(c, k, ns, name, &now, NULL);
		break;
	default:
		if (fake_get(c, "ConfigMap", ns, name)) {
			snprintf(text, sizeof text, "[{\"uid\":\"o%u\",\"name\":\"x\"}]", (unsigned)rand_r(rnd) % 3);
			fake_set(c, "ConfigMap", ns, name, "metadata.ownerReferences", text);
			break;
		}
		snprintf(text, sizeof text, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\"}}", name, ns);
		(void)fake_add(c, text);
	}
	if (r < 0 && r != -ERR_NOT_FOUND)
		abort();
}

struct model { unsigned seed; const char *wrong; };

static int run_model(void *arg)
{
	struct model *m = arg;
	unsigned rnd = m->seed;
	struct kinds *kinds = kinds_new();
	struct client *c = fake_client(fiber_loop(), kinds);
	const struct kind *k = kinds_find(kinds, "v1", "ConfigMap");
	struct informers *all = informers_new(fiber_loop(), c);
	struct informer *f = informer_of(all, k);
	struct mirror mirror = { 0 };

	fake_delay(c, m->seed, 4);
	informer_on_change(f, on_change, &mirror);
	for (int i = 0; i < 400; i++) {
		disturb(c, k, &rnd);
		if (!(rand_r(&rnd) % 3))
			(void)fiber_yield();
	}
	if (informer_wait_seen(f, fake_revision(c), NULL) < 0)
		m->wrong = "never saw the newest write";
	else
		m->wrong = compare(c, f, &mirror);
	informers_free(&all);
	client_free(&c);
	kinds_free(&kinds);
	map_free(&mirror.by_uid);
	return 0;
}

static void informer_random_writes_and_broken_watches_converge(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	for (unsigned seed = 1; seed <= 30; seed++) {
		struct model m = { seed, NULL };

		fiber_main(run_model, &m);
		if (m.wrong)
			fail_msg("seed %u: %s", seed, m.wrong);
	}
}

struct lists { int before, after; };

static int resume(void *arg)
{
	struct lists *l = arg;
	struct kinds *kinds = kinds_new();
	struct client *c = fake_client(fiber_loop(), kinds);
	struct informers *all = informers_new(fiber_loop(), c);
	struct informer *f = informer_of(all, kinds_find(kinds, "v1", "ConfigMap"));

	(void)informer_wait(f);
	fake_drop_watches(c);
	fake_fail(c, "list", NULL, ERR_IO, 1000000);    /* it must go on without listing */
	(void)fake_add(c, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"namespace\":\"d\"}}");
	l->before = (int)informer_n(f);
	l->after = informer_wait_seen(f, 1, NULL) < 0 ? -1 : (int)informer_n(f);
	informers_free(&all);
	client_free(&c);
	kinds_free(&kinds);
	return 0;
}

static void informer_broken_watch_goes_on_where_it_was(void **state)
{
	struct lists l = { -1, -1 };

	(void)state;
	log_set_level(LOG_ERROR);
	fiber_main(resume, &l);
	assert_int_equal(l.before, 0);
	assert_int_equal(l.after, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(informer_random_writes_and_broken_watches_converge),
		TEST(informer_broken_watch_goes_on_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

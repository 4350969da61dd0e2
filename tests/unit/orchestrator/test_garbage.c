#include "check.h"

#include "kube/fake-world.h"
#include "orchestrator/controllers/rows.h"

#include <stdio.h>

static const struct controller_spec *const rows[] = { &garbage_controller, &namespace_controller, NULL };

/* A ConfigMap that is owned by up to two others. */
static const struct object *add(struct world *w, const char *ns, const char *name, const struct object *one, const struct object *two)
{
	AUTO(str) json = { 0 };
	const struct object *owners[] = { one, two };

	str_addf(&json, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"ownerReferences\":[", name, ns);
	for (int i = 0; i < 2 && owners[i]; i++)
		str_addf(&json, "%s{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"%s\",\"uid\":\"%s\",\"blockOwnerDeletion\":true}",
			 i ? "," : "", owners[i]->name, owners[i]->uid);
	str_addc(&json, "]}}");
	return fake_add(w->client, str_c(&json));
}

static bool del(struct world *w, const char *name, const char *how)
{
	const struct delete_opts o = { .propagation = how, .grace_seconds = -1 };

	return client_delete(w->client, kinds_find(w->client->kinds, "v1", "ConfigMap"), "default", name, &o, NULL) >= 0;
}

static bool there(struct world *w, const char *name) { return fake_get(w->client, "ConfigMap", "default", name) != NULL; }

static void in_the_background(struct world *w)
{
	const struct object *top = add(w, "default", "top", NULL, NULL), *mid = add(w, "default", "mid", top, NULL);

	add(w, "default", "leaf", mid, NULL);
	add(w, "default", "other", NULL, NULL);
	world_settle(w);
	EXPECT_INT(w, fake_n(w->client, "ConfigMap"), 4);
	EXPECT(w, del(w, "top", "Background"));
	world_settle(w);
	EXPECT_INT(w, fake_n(w->client, "ConfigMap"), 1);
	EXPECT(w, there(w, "other"));
}

static void garbage_goes_after_its_owner(void **state)
{
	(void)state;
	world_run(rows, 15, in_the_background);
}

struct ends { char names[128]; };

static void note_end(enum event_type type, const struct object *o, void *arg)
{
	struct ends *e = arg;
	size_t n = strlen(e->names);

	if (type == EVENT_DELETED)
		snprintf(e->names + n, sizeof e->names - n, "%s ", o->name);
}

static void in_the_foreground(struct world *w)
{
	const struct object *top = add(w, "default", "top", NULL, NULL), *mid = add(w, "default", "mid", top, NULL);
	struct ends ends = { "" };

	add(w, "default", "leaf", mid, NULL);
	world_settle(w);
	EXPECT(w, del(w, "top", "Foreground"));
	world_settle(w);
	fake_replay(w->client, note_end, &ends);
	EXPECT_STR(w, ends.names, "leaf mid top ");
}

static void garbage_in_the_foreground_goes_before_its_owner(void **state)
{
	(void)state;
	world_run(rows, 15, in_the_foreground);
}

static void orphans(struct world *w)
{
	const struct object *top = add(w, "default", "top", NULL, NULL);

	add(w, "default", "mid", top, NULL);
	world_settle(w);
	EXPECT(w, del(w, "top", "Orphan"));
	world_settle(w);
	EXPECT(w, !there(w, "top"));
	EXPECT(w, there(w, "mid"));
	EXPECT_STR(w, world_str(w, "ConfigMap", "mid", "metadata.ownerReferences.0.uid"), "");
}

static void garbage_orphans_stay_without_their_owner(void **state)
{
	(void)state;
	world_run(rows, 10, orphans);
}

static void shares(struct world *w)
{
	const struct object *one = add(w, "default", "one", NULL, NULL), *two = add(w, "default", "two", NULL, NULL);

	add(w, "default", "both", one, two);
	world_settle(w);
	EXPECT(w, del(w, "one", NULL));
	world_settle(w);
	EXPECT(w, there(w, "both"));
	EXPECT_STR(w, world_str(w, "ConfigMap", "both", "metadata.ownerReferences.0.uid"), two->uid);
	EXPECT_STR(w, world_str(w, "ConfigMap", "both", "metadata.ownerReferences.1.uid"), "");
	EXPECT(w, del(w, "two", NULL));
	world_settle(w);
	EXPECT(w, !there(w, "both"));
}

static void garbage_with_another_owner_stays(void **state)
{
	(void)state;
	world_run(rows, 10, shares);
}

static void recreated(struct world *w)
{
	struct object *first = object_ref((struct object *)add(w, "default", "top", NULL, NULL));

	world_settle(w);
	EXPECT(w, del(w, "top", NULL));
	add(w, "default", "top", NULL, NULL);
	add(w, "default", "late", first, NULL);
	world_settle(w);
	object_drop(&first);
	EXPECT(w, there(w, "top"));
	EXPECT(w, !there(w, "late"));
}

static void garbage_owner_of_the_same_name_is_not_the_owner(void **state)
{
	(void)state;
	world_run(rows, 10, recreated);
}

static void ends(struct world *w)
{
	const struct delete_opts o = { .grace_seconds = -1 };

	fake_add(w->client, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"shop\"}}");
	add(w, "shop", "a", NULL, NULL);
	add(w, "shop", "held", NULL, NULL);
	fake_set(w->client, "ConfigMap", "shop", "held", "metadata.finalizers", "[\"example.com/hold\"]");
	fake_add(w->client, "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"e\",\"namespace\":\"shop\"}}");
	add(w, "default", "elsewhere", NULL, NULL);
	world_settle(w);
	EXPECT(w, client_delete(w->client, kinds_find(w->client->kinds, "v1", "Namespace"), NULL, "shop", &o, NULL) >= 0);
	world_settle(w);
	EXPECT(w, !fake_get(w->client, "ConfigMap", "shop", "a"));
	EXPECT(w, !fake_get(w->client, "Event", "shop", "e"));
	EXPECT(w, fake_get(w->client, "Namespace", NULL, "shop"));
	EXPECT_STR(w, world_str(w, "Namespace", "shop", "status.conditions.0.message"),
		   "Some resources are remaining: configmaps has 1 resource instances");
	fake_set(w->client, "ConfigMap", "shop", "held", "metadata.finalizers", "[]");
	world_settle(w);
	EXPECT(w, !fake_get(w->client, "Namespace", NULL, "shop"));
	EXPECT(w, there(w, "elsewhere"));
}

static void namespace_goes_when_the_last_of_its_content_is_gone(void **state)
{
	(void)state;
	world_run(rows, 10, ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(garbage_goes_after_its_owner),
		TEST(garbage_in_the_foreground_goes_before_its_owner),
		TEST(garbage_orphans_stay_without_their_owner),
		TEST(garbage_with_another_owner_stays),
		TEST(garbage_owner_of_the_same_name_is_not_the_owner),
		TEST(namespace_goes_when_the_last_of_its_content_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

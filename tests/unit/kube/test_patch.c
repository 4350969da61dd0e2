#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/fiber.h"
#include "base/json.h"
#include "kube/patch/patch.h"
#include "kube/schema/tables.h"

static struct doc *read_json(const char *text)
{
	AUTO(err) e = { 0 };
	struct doc *d = NULL;

	assert_ok(json_read(sv_c(text), text, 0, &d, &e), &e);
	return d;
}

static void expect_json(const char *what, const struct node *n, const char *want)
{
	AUTO(str) s = { 0 };
	AUTO(str) w = { 0 };
	AUTO_DOC d = read_json(want);

	json_write(&s, n, 0);
	json_write(&w, doc_root(d), 0);
	if (strcmp(str_c(&s), str_c(&w)) != 0)
		fail_msg("%s\n  want %s\n  got  %s", what, str_c(&w), str_c(&s));
}

/* ---- JSON patch ---- */

struct row { const char *target, *patch, *want; };

static void json_patch_does_what_rfc_6902_says(void **state)
{
	static const struct row rows[] = {
		{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":2}]", "{\"a\":1,\"b\":2}" },
		{ "{\"a\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]", "{\"a\":[1,2,3]}" },
		{ "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2}]", "{\"a\":[1,2]}" },
		{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}" },
		{ "{\"a\":1,\"b\":2}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{\"b\":2}" },
		{ "{\"a\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/a/1\"}]", "{\"a\":[1,3]}" },
		{ "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":{\"x\":[]}}]", "{\"a\":{\"x\":[]}}" },
		{ "{\"a\":[1,2]}", "[{\"op\":\"replace\",\"path\":\"/a/1\",\"value\":3}]", "{\"a\":[1,3]}" },
		{ "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":[]}]", "[]" },
		{ "{\"a\":{\"b\":1},\"c\":{}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c/d\"}]", "{\"a\":{},\"c\":{\"d\":1}}" },
		{ "{\"a\":[1,2,3]}", "[{\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/a/2\"}]", "{\"a\":[2,3,1]}" },
		{ "{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"},{\"op\":\"replace\",\"path\":\"/a/b\",\"value\":2}]",
		  "{\"a\":{\"b\":2},\"c\":{\"b\":1}}" },
		{ "{\"a/b\":{\"~c\":1}}", "[{\"op\":\"replace\",\"path\":\"/a~1b/~0c\",\"value\":2}]", "{\"a/b\":{\"~c\":2}}" },
		{ "{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1.0}]", "{\"a\":1}" },
		{ "{\"\":1}", "[{\"op\":\"replace\",\"path\":\"/\",\"value\":2}]", "{\"\":2}" },
		{ "{\"a\":1}", "[]", "{\"a\":1}" },
		{ "{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", "{\"a\":null}" },
		{ "{\"a\":{}}", "[{\"op\":\"replace\",\"path\":\"/a/b\",\"value\":1}]", "{\"a\":{\"b\":1}}" },
		{ "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-1\",\"value\":2}]", "{\"a\":[1,2]}" },
		{ "{\"a\":[1,2]}", "[{\"op\":\"replace\",\"path\":\"/a/-1\",\"value\":3}]", "{\"a\":[1,3]}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(err) e = { 0 };
		AUTO_DOC t = read_json(rows[i].target);
		AUTO_DOC p = read_json(rows[i].patch);
		AUTO_DOC d = doc_new();
		struct node *out = NULL;

		assert_ok(patch_json(d, doc_root(t), doc_root(p), &out, &e), &e);
		expect_json(rows[i].patch, out, rows[i].want);
		expect_json("the target is not changed", doc_root(t), rows[i].target);
	}
}

static void json_patch_errors_name_the_operation(void **state)
{
	static const struct row rows[] = {
		{ "{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "operation 1 (remove /a): path does not exist" },
		{ "{}", "[{\"op\":\"test\",\"path\":\"\",\"value\":{}},{\"op\":\"replace\",\"path\":\"/spec/x\",\"value\":1}]",
		  "operation 2 (replace /spec/x): path does not exist" },
		{ "{\"a\":[]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":1}]", "array index is out of range" },
		{ "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/00\",\"value\":1}]", "array index is out of range" },
		{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":1}]", "neither an object nor an array" },
		{ "{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", "the value is another one" },
		{ "{}", "[{\"op\":\"copy\",\"path\":\"/a\"}]", "from is missing" },
		{ "{}", "[{\"op\":\"copy\",\"from\":\"/b\",\"path\":\"/a\"}]", "from does not exist" },
		{ "{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", "cannot move into itself" },
		{ "{}", "[{\"op\":\"jump\",\"path\":\"/a\"}]", "op is one of" },
		{ "{}", "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]", "a pointer starts with '/'" },
		{ "{}", "[{\"op\":\"remove\",\"path\":\"\"}]", "the whole document cannot be removed" },
		{ "{}", "{}", "an array of operations, not object" },
		{ "{}", "[1]", "op is one of" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(err) e = { 0 };
		AUTO_DOC t = read_json(rows[i].target);
		AUTO_DOC p = read_json(rows[i].patch);
		AUTO_DOC d = doc_new();
		struct node *out = NULL;

		assert_true(patch_json(d, doc_root(t), doc_root(p), &out, &e) < 0);
		if (!strstr(err_msg(&e), rows[i].want))
			fail_msg("want '%s' in '%s'", rows[i].want, err_msg(&e));
	}
}

static void json_patch_growth_and_depth_are_bounded(void **state)
{
	AUTO(err) e = { 0 };
	AUTO(str) ops = { 0 };
	AUTO_DOC t = read_json("{\"a\":[\"some text\"]}");
	AUTO_DOC d = doc_new();
	struct node *out = NULL;

	(void)state;
	for (int i = 0; i < 40; i++)
		str_addf(&ops, "%s{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}", i ? "," : "[");
	str_add1(&ops, ']');
	AUTO_DOC p = read_json(str_c(&ops));
	assert_err(patch_json(d, doc_root(t), doc_root(p), &out, &e), &e, ERR_TOO_LARGE, "grows too large");

	AUTO(str) path = { 0 };
	str_cut(&ops, 0);
	for (int i = 0; i < 300; i++) {
		str_addc(&path, "/x");
		str_addf(&ops, "%s{\"op\":\"add\",\"path\":\"%s\",\"value\":{}}", i ? "," : "[", str_c(&path));
	}
	str_add1(&ops, ']');
	AUTO_DOC deep = read_json(str_c(&ops));
	assert_err(patch_json(d, doc_root(t), doc_root(deep), &out, &e), &e, ERR_INVALID, "nested too deeply");
}

/* ---- merge patch ---- */

static void merge_patch_does_what_rfc_7386_says(void **state)
{
	static const struct row rows[] = {
		{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" }, { "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" }, { "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
		{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" }, { "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
		{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
		{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" }, { "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
		{ "{\"a\":\"foo\"}", "null", "null" }, { "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
		{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" }, { "{\"a\":1}", "{\"a\":{\"b\":null}}", "{\"a\":{}}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_DOC t = read_json(rows[i].target);
		AUTO_DOC p = read_json(rows[i].patch);
		AUTO_DOC d = doc_new();

		expect_json(rows[i].patch, patch_merge(d, doc_root(t), doc_root(p)), rows[i].want);
	}
}

static void merge_diff_leads_from_one_to_the_other(void **state)
{
	static const struct row rows[] = {
		{ "{\"a\":1,\"b\":{\"c\":2,\"d\":[1]}}", "{\"a\":1,\"b\":{\"c\":3,\"d\":[1]}}", "{\"b\":{\"c\":3}}" },
		{ "{\"a\":1,\"b\":2}", "{\"b\":2}", "{\"a\":null}" }, { "{\"a\":[1]}", "{\"a\":[1,2]}", "{\"a\":[1,2]}" },
		{ "{\"a\":{\"b\":1}}", "{\"a\":1}", "{\"a\":1}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_DOC from = read_json(rows[i].target);
		AUTO_DOC to = read_json(rows[i].patch);
		AUTO_DOC d = doc_new();
		struct node *diff = patch_merge_diff(d, doc_root(from), doc_root(to));

		expect_json(rows[i].patch, diff, rows[i].want);
		assert_true(node_eq(patch_merge(d, doc_root(from), diff), doc_root(to)));
		assert_null(patch_merge_diff(d, doc_root(to), doc_root(to)));
	}
}

/* ---- strategic merge; rows are the spec of a pod ---- */

static void expect_strategic(const struct row *r)
{
	AUTO(err) e = { 0 };
	AUTO_DOC t = read_json(r->target);
	AUTO_DOC p = read_json(r->patch);
	AUTO_DOC d = doc_new();
	struct node *out = NULL;

	assert_ok(patch_strategic(d, doc_root(t), doc_root(p), builtin_type("core/v1.PodSpec"), &out, &e), &e);
	expect_json(r->patch, out, r->want);
	expect_json("the target is not changed", doc_root(t), r->target);
	expect_json("the patch is not changed", doc_root(p), r->patch);
}

static const struct row merges[] = {
	{ "{\"containers\":[{\"name\":\"a\",\"image\":\"1\"}]}", "{\"containers\":[{\"name\":\"a\",\"image\":\"2\"}]}",
	  "{\"containers\":[{\"name\":\"a\",\"image\":\"2\"}]}" },
	{ "{\"containers\":[{\"name\":\"a\"}]}", "{\"containers\":[{\"name\":\"b\"},{\"name\":\"c\"}]}",
	  "{\"containers\":[{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"a\"}]}" },
	{ "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}", "{\"containers\":[{\"name\":\"a\",\"$patch\":\"delete\"},{\"name\":\"c\"}]}",
	  "{\"containers\":[{\"name\":\"c\"},{\"name\":\"b\"}]}" },
	{ "{\"containers\":[{\"name\":\"a\"}]}", "{\"containers\":[{\"$patch\":\"replace\"},{\"name\":\"z\"}]}", "{\"containers\":[{\"name\":\"z\"}]}" },
	{ "{\"containers\":[{\"name\":\"a\"}]}", "{\"containers\":[{\"name\":\"a\",\"$patch\":\"delete\"}]}", "{\"containers\":[]}" },
	{ "{\"containers\":[{\"name\":\"a\"}]}", "{\"containers\":[]}", "{\"containers\":[{\"name\":\"a\"}]}" },
	{ "{\"containers\":[{\"name\":\"a\"}]}", "{\"containers\":null}", "{}" },
	{ "{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"x\",\"value\":\"1\"},{\"name\":\"y\"}],\"args\":[\"p\"]}]}",
	  "{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"x\",\"value\":null}],\"args\":[\"q\"]}]}",
	  "{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"x\"},{\"name\":\"y\"}],\"args\":[\"q\"]}]}" },
	{ "{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"x\"}]}]}",
	  "{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"x\",\"$patch\":\"delete\"}]}]}", "{\"containers\":[{\"name\":\"a\",\"env\":[]}]}" },
	{ "{}", "{\"containers\":[{\"name\":\"a\",\"$patch\":\"delete\"},{\"name\":\"b\"}]}", "{\"containers\":[{\"name\":\"b\"}]}" },
	{ "{\"tolerations\":[{\"key\":\"a\"}]}", "{\"tolerations\":[{\"key\":\"b\"}]}", "{\"tolerations\":[{\"key\":\"b\"}]}" },
	{ "{\"tolerations\":[{\"key\":\"a\"}]}", "{\"tolerations\":[]}", "{\"tolerations\":[]}" },
	{ "{\"volumes\":[{\"name\":\"a\",\"emptyDir\":{}}]}", "{\"volumes\":[{\"name\":\"a\",\"emptyDir\":null,\"configMap\":{\"name\":\"x\",\"items\":null}}]}",
	  "{\"volumes\":[{\"name\":\"a\",\"configMap\":{\"name\":\"x\"}}]}" },
	{ "{\"nodeSelector\":{\"b\":\"1\"}}", "{\"nodeSelector\":{\"$patch\":\"replace\",\"c\":\"1\"}}", "{\"nodeSelector\":{\"c\":\"1\"}}" },
	{ "{\"nodeSelector\":{\"b\":\"1\"}}", "{\"nodeSelector\":{\"$patch\":\"merge\",\"c\":\"1\"}}", "{\"nodeSelector\":{\"b\":\"1\",\"c\":\"1\"}}" },
	{ "{\"nodeSelector\":{\"b\":\"1\"}}", "{\"nodeSelector\":{}}", "{\"nodeSelector\":{\"b\":\"1\"}}" },
	{ "{\"nodeSelector\":{\"b\":\"1\"}}", "{\"nodeSelector\":{\"b\":null}}", "{\"nodeSelector\":{}}" },
	{ "{\"x\":null}", "{\"y\":null,\"w\":{\"q\":null}}", "{\"x\":null,\"w\":{}}" },
	{ "{\"x\":1}", "{\"x\":2,\"unknown\":[1]}", "{\"x\":2,\"unknown\":[1]}" },
	{ "{\"affinity\":null}", "{\"affinity\":{\"nodeAffinity\":null}}", "{\"affinity\":{}}" },
};

static void strategic_merge_is_the_same_in_merges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof merges / sizeof *merges; i++)
		expect_strategic(&merges[i]);
}

static const struct type *pod_type(const void *arg, const char *api_version, const char *kind)
{
	(void)arg;
	return str_eq(api_version, "v1") && str_eq(kind, "Pod") ? builtin_type("core/v1.Pod") : NULL;
}

static const struct field *no_field(const void *arg, const struct doc *d, const struct node *list)
{
	(void)arg, (void)d, (void)list;
	return NULL;
}

/* The spec of a pod as kustomize merges it; the object itself in *d. */
static const struct node *kustomized(const struct row *r, struct doc **d)
{
	const struct patch_schemas schemas = { NULL, pod_type, no_field };
	AUTO(err) e = { 0 };
	AUTO(str) target = { 0 };
	AUTO(str) patch = { 0 };
	struct node *out;

	str_addf(&target, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":%s}", r->target);
	str_addf(&patch, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":%s}", r->patch);
	AUTO_DOC t = read_json(str_c(&target));
	AUTO_DOC p = read_json(str_c(&patch));
	*d = doc_new();
	assert_ok(patch_strategic_kustomize(*d, node_copy(*d, doc_root(t)), node_copy(*d, doc_root(p)), &schemas, &out, &e), &e);
	return node_get(out, "spec");
}

static void strategic_merge_is_the_same_by_kustomizes_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
		AUTO_DOC d = NULL;

		expect_json(merges[i].patch, kustomized(&merges[i], &d), merges[i].want);
	}
}

static void strategic_merge_differs_where_kustomize_does(void **state)
{
	static const struct row rows[] = {
		/* What is patched comes first. */
		{ "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}", "{\"containers\":[{\"name\":\"b\",\"tty\":true}]}",
		  "{\"containers\":[{\"name\":\"b\",\"tty\":true},{\"name\":\"a\"}]}" },
		/* A port is told apart by its protocol, too, where one is given. */
		{ "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}]}]}",
		  "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80,\"protocol\":\"UDP\"}]}]}",
		  "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80,\"protocol\":\"UDP\"},"
		  "{\"containerPort\":80,\"protocol\":\"TCP\"}]}]}" },
		/* And a patch that gives none, to a port that has one, is lost. */
		{ "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}]}]}",
		  "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80,\"name\":\"x\"}]}]}",
		  "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}]}]}" },
		/* Where no port has a protocol, of those with the same number the last one counts, in the first one's place. */
		{ "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":1},{\"containerPort\":2},{\"containerPort\":1,\"name\":\"x\"}]}]}",
		  "{\"x\":1}",
		  "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":1,\"name\":\"x\"},{\"containerPort\":2}]}],\"x\":1}" },
		/* A mapping that is deleted is gone, and one that replaces nothing is there. */
		{ "{\"nodeSelector\":{\"b\":\"1\"},\"x\":1}", "{\"nodeSelector\":{\"$patch\":\"delete\"}}", "{\"x\":1}" },
		{ "{\"x\":1}", "{\"nodeSelector\":{\"$patch\":\"replace\",\"a\":\"b\"}}", "{\"x\":1,\"nodeSelector\":{\"a\":\"b\"}}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_DOC d = NULL;

		expect_json(rows[i].patch, kustomized(&rows[i], &d), rows[i].want);
	}
}

static void strategic_merge_keeps_order_and_obeys_directives(void **state)
{
	static const struct row rows[] = {
		{ "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}", "{\"containers\":[{\"name\":\"b\",\"tty\":true}]}",
		  "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\",\"tty\":true},{\"name\":\"c\"}]}" },
		{ "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}",
		  "{\"$setElementOrder/containers\":[{\"name\":\"c\"},{\"name\":\"x\"},{\"name\":\"a\"}],\"containers\":[{\"name\":\"x\"}]}",
		  "{\"containers\":[{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"x\"},{\"name\":\"a\"}]}" },
		{ "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}", "{\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}",
		  "{\"containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}" },
		{ "{\"x\":1}", "{\"$setElementOrder/containers\":[{\"name\":\"b\"}]}", "{\"x\":1}" },
		{ "{\"x\":1}", "{\"nodeSelector\":{\"$patch\":\"replace\",\"a\":\"b\"}}", "{\"x\":1}" },
		{ "{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}",
		  "{\"volumes\":[{\"name\":\"v\",\"$retainKeys\":[\"name\",\"hostPath\"],\"hostPath\":{\"path\":\"/x\"}}]}",
		  "{\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/x\"}}]}" },
		{ "{\"nodeSelector\":{\"b\":\"1\"}}", "{\"nodeSelector\":{\"$patch\":\"delete\"}}", "{\"nodeSelector\":{}}" },
		{ "{\"x\":1}", "{\"x\":{\"b\":1}}", "{\"x\":{\"b\":1}}" },
		{ "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\",\"name\":\"x\"}]}]}",
		  "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80,\"name\":\"y\"}]}]}",
		  "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\",\"name\":\"y\"}]}]}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_strategic(&rows[i]);
}

static void strategic_merge_of_primitives_and_whole_objects(void **state)
{
	AUTO(err) e = { 0 };
	AUTO_DOC t = read_json("{\"metadata\":{\"finalizers\":[\"a\",\"b\",\"c\"]}}");
	AUTO_DOC add = read_json("{\"metadata\":{\"finalizers\":[\"z\",\"b\"]}}");
	AUTO_DOC gone = read_json("{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"b\"]}}");
	AUTO_DOC whole = read_json("{\"$patch\":\"delete\"}");
	AUTO_DOC d = doc_new();
	const struct type *pod = builtin_type("core/v1.Pod");
	struct node *out;

	(void)state;
	assert_ok(patch_strategic(d, doc_root(t), doc_root(add), pod, &out, &e), &e);
	expect_json("api", out, "{\"metadata\":{\"finalizers\":[\"z\",\"a\",\"b\",\"c\"]}}");
	assert_ok(patch_strategic(d, doc_root(t), doc_root(gone), pod, &out, &e), &e);
	expect_json("delete", out, "{\"metadata\":{\"finalizers\":[\"a\",\"c\"]}}");
	assert_ok(patch_strategic(d, doc_root(t), doc_root(whole), pod, &out, &e), &e);
	expect_json("the whole object", out, "{}");
	assert_ok(patch_strategic(d, doc_root(t), doc_root(add), NULL, &out, &e), &e);
	expect_json("no type", out, "{\"metadata\":{\"finalizers\":[\"z\",\"b\"]}}");
}

static void strategic_merge_errors(void **state)
{
	static const struct row rows[] = {
		{ "{\"containers\":[]}", "{\"containers\":[{\"image\":\"x\"}]}", "does not contain its merge key \"name\"" },
		{ "{\"nodeSelector\":{}}", "{\"nodeSelector\":{\"$patch\":\"explode\"}}", "nodeSelector: unknown patch strategy 'explode'" },
		{ "{\"volumes\":[{\"name\":\"v\"}]}", "{\"volumes\":[{\"name\":\"v\",\"$retainKeys\":[\"name\"],\"hostPath\":{}}]}", "\"hostPath\" is missing" },
		{ "{}", "[]", "a strategic merge patch is an object, not array" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(err) e = { 0 };
		AUTO_DOC t = read_json(rows[i].target);
		AUTO_DOC p = read_json(rows[i].patch);
		AUTO_DOC d = doc_new();
		struct node *out = NULL;

		assert_err(patch_strategic(d, doc_root(t), doc_root(p), builtin_type("core/v1.PodSpec"), &out, &e), &e, ERR_BAD_REQUEST,
			   rows[i].want);
	}
}

/* ---- three-way; rows are the spec of a deployment ---- */

struct row3 { const char *original, *modified, *live, *want; };

static void three_way_keeps_what_others_set(void **state)
{
	static const struct row3 rows[] = {
		{ "{\"replicas\":1}", "{\"replicas\":2}", "{\"replicas\":1,\"paused\":true}", "{\"replicas\":2,\"paused\":true}" },
		{ "{\"replicas\":1,\"paused\":true}", "{\"replicas\":1}", "{\"replicas\":5,\"paused\":true}", "{\"replicas\":1}" },
		{ "{\"replicas\":1}", "{}", "{\"replicas\":5}", "{}" },
		{ NULL, "{\"replicas\":1}", "{\"paused\":true}", "{\"paused\":true,\"replicas\":1}" },
		{ "{}", "{\"replicas\":null}", "{\"replicas\":3}", "{}" },
		{ "{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}}",
		  "{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"2\"}]}}}",
		  "{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\",\"tty\":true},{\"name\":\"b\"},{\"name\":\"sidecar\"}]}}}",
		  "{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\",\"tty\":true,\"image\":\"2\"},{\"name\":\"sidecar\"}]}}}" },
		{ "{}", "{\"template\":{\"spec\":{\"containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}}}",
		  "{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"x\"}]}}}",
		  "{\"template\":{\"spec\":{\"containers\":[{\"name\":\"b\"},{\"name\":\"a\"},{\"name\":\"x\"}]}}}" },
		{ "{\"strategy\":{\"type\":\"RollingUpdate\"}}", "{\"strategy\":{\"type\":\"Recreate\"}}",
		  "{\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":\"25%\"}}}", "{\"strategy\":{\"type\":\"Recreate\"}}" },
		{ "{\"strategy\":{\"type\":\"RollingUpdate\"}}", "{\"strategy\":{\"type\":\"RollingUpdate\"}}",
		  "{\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":\"25%\"}}}", "{\"strategy\":{\"type\":\"RollingUpdate\"}}" },
		/* What takes the place of a deleted item stands behind what others added. */
		{ "{\"template\":{\"spec\":{\"volumes\":[{\"name\":\"w\"}]}}}", "{\"template\":{\"spec\":{\"volumes\":[{\"name\":\"v\"}]}}}",
		  "{\"template\":{\"spec\":{\"volumes\":[{\"name\":\"w\"},{\"name\":\"u\"}]}}}",
		  "{\"template\":{\"spec\":{\"volumes\":[{\"name\":\"u\"},{\"name\":\"v\"}]}}}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(err) e = { 0 };
		AUTO_DOC o = rows[i].original ? read_json(rows[i].original) : NULL;
		AUTO_DOC m = read_json(rows[i].modified);
		AUTO_DOC l = read_json(rows[i].live);
		AUTO_DOC d = doc_new();
		struct node *out = NULL;

		assert_ok(patch_three_way(d, doc_root(o), doc_root(m), doc_root(l), builtin_type("apps/v1.DeploymentSpec"), &out, &e), &e);
		expect_json(rows[i].modified, out, rows[i].want);
	}
}

static void three_way_without_a_type_replaces_lists(void **state)
{
	AUTO(err) e = { 0 };
	AUTO_DOC o = read_json("{\"a\":[1]}");
	AUTO_DOC m = read_json("{\"a\":[2]}");
	AUTO_DOC l = read_json("{\"a\":[1,3],\"b\":1}");
	AUTO_DOC d = doc_new();
	struct node *out = NULL;

	(void)state;
	assert_ok(patch_three_way(d, doc_root(o), doc_root(m), doc_root(l), NULL, &out, &e), &e);
	expect_json("json", out, "{\"a\":[2],\"b\":1}");
	assert_err(patch_three_way(d, NULL, NULL, doc_root(l), NULL, &out, &e), &e, ERR_BAD_REQUEST, "an object is expected, not null");
}

/* Quadratic work would take minutes here. */
static void long_maps_and_lists_merge_in_time(void **state)
{
	AUTO(err) e = { 0 };
	AUTO(str) a = { 0 };
	AUTO(str) b = { 0 };
	const int n = 100000;
	struct node *out;

	(void)state;
	for (int i = 0; i < n; i++) {
		str_addf(&a, "%s\"k%d\":{}", i ? "," : "{\"x\":{", i);
		str_addf(&b, "%s\"k%d\":{\"y\":1}", i ? "," : "{\"x\":{", n - i);
	}
	str_addc(&a, "},\"containers\":[");
	str_addc(&b, "},\"containers\":[");
	for (int i = 0; i < n; i++) {
		str_addf(&a, "%s{\"name\":\"c%d\"}", i ? "," : "", i);
		str_addf(&b, "%s{\"name\":\"c%d\",\"image\":\"i\"}", i ? "," : "", n - i);
	}
	str_addc(&a, "]}");
	str_addc(&b, "]}");
	AUTO_DOC old = read_json(str_c(&a));
	AUTO_DOC patch = read_json(str_c(&b));
	AUTO_DOC d = doc_new();
	const struct type *type = builtin_type("core/v1.PodSpec");

	assert_ok(patch_strategic(d, doc_root(old), doc_root(patch), type, &out, &e), &e);
	assert_int_equal(node_n(node_get(out, "x")), n + 1);
	assert_int_equal(node_n(node_get(out, "containers")), n + 1);
	assert_ok(patch_three_way(d, doc_root(old), doc_root(patch), doc_root(old), type, &out, &e), &e);
	assert_int_equal(node_n(node_get(out, "containers")), n);
	assert_true(node_eq(patch_merge(d, doc_root(old), doc_root(patch)), patch_merge(d, doc_root(old), doc_root(patch))));
	assert_false(node_eq(doc_root(old), doc_root(patch)));
}

/* All patches of the deepest documents there are, where the API runs them. */
static int patch_deep(void *arg)
{
	struct doc *in = arg;
	AUTO_DOC d = doc_new();
	const struct node *root = doc_root(in);
	struct node *out;

	if (patch_strategic(d, root, root, builtin_type("core/v1.Pod"), &out, NULL) < 0 || !node_eq(out, root))
		return -1;
	if (patch_three_way(d, root, root, root, builtin_type("core/v1.Pod"), &out, NULL) < 0 || !node_eq(out, root))
		return -1;
	return node_eq(patch_merge(d, root, root), root) && !patch_merge_diff(d, root, root) ? 0 : -1;
}

static void deep_documents_fit_a_fibers_stack(void **state)
{
	AUTO(str) text = { 0 };

	(void)state;
	for (int i = 0; i < DOC_DEPTH_MAX; i++)
		str_addc(&text, "{\"a\":");
	str_addc(&text, "1");
	for (int i = 0; i < DOC_DEPTH_MAX; i++)
		str_addc(&text, "}");
	AUTO_DOC in = read_json(str_c(&text));
	assert_int_equal(fiber_main(patch_deep, in), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(json_patch_does_what_rfc_6902_says),
		TEST(json_patch_errors_name_the_operation),
		TEST(json_patch_growth_and_depth_are_bounded),
		TEST(merge_patch_does_what_rfc_7386_says),
		TEST(merge_diff_leads_from_one_to_the_other),
		TEST(strategic_merge_is_the_same_in_merges),
		TEST(strategic_merge_is_the_same_by_kustomizes_rules),
		TEST(strategic_merge_differs_where_kustomize_does),
		TEST(strategic_merge_keeps_order_and_obeys_directives),
		TEST(strategic_merge_of_primitives_and_whole_objects),
		TEST(strategic_merge_errors),
		TEST(three_way_keeps_what_others_set),
		TEST(three_way_without_a_type_replaces_lists),
		TEST(long_maps_and_lists_merge_in_time),
		TEST(deep_documents_fit_a_fibers_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

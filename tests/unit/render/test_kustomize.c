/* Kustomizations: each mechanism on a tree in memory. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "render/diff.h"
#include "render/render.h"
#include "render/trail.h"
#include "tree.h"

#define DEPLOYMENT \
	"-- deploy.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  template:\n    spec:\n" \
	"      containers:\n      - {name: web, image: 'nginx:1'}\n      - {name: log, image: busybox}\n"
#define CONFIG_MAP(name) "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name "}\n"

static void render_tree(const char *tree, const struct render_opts *o, struct rendered *r)
{
	struct vfs *v = tree_of(sv_c(tree));
	AUTO(err) err = { 0 };

	assert_ok(render(v, "", o, r, &err), &err);
	vfs_free(v);
}

static void expect_opts(const char *tree, const struct render_opts *o, const char *want)
{
	AUTO(rendered) r = { 0 };
	AUTO(str) out = { 0 };

	render_tree(tree, o, &r);
	rendered_write(&r, &out);
	assert_string_equal(str_c(&out), want);
}

static void expect(const char *tree, const char *want) { expect_opts(tree, &(struct render_opts){ 0 }, want); }

static void expect_error(const char *tree, const char *want)
{
	struct vfs *v = tree_of(sv_c(tree));
	struct render_opts o = { .type = RENDER_KUSTOMIZE };
	AUTO(rendered) r = { 0 };
	AUTO(err) err = { 0 };

	assert_true(render(v, "", &o, &r, &err) < 0);
	if (!strstr(err_msg(&err), want))
		fail_msg("want '%s' in '%s'", want, err_msg(&err));
	vfs_free(v);
}

static void prefix_reaches_the_references_to_what_it_renames(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nnamePrefix: p-\nresources: [all.yaml]\n-- all.yaml\n" CONFIG_MAP("cm")
	       "---\napiVersion: v1\nkind: Pod\nmetadata: {name: pod}\nspec:\n  volumes:\n  - {name: v, configMap: {name: cm}}\n"
	       "  - {name: w, configMap: {name: other}}\n",
	       "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: p-cm\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: p-pod\nspec:\n"
	       "  volumes:\n  - configMap:\n      name: p-cm\n    name: v\n  - configMap:\n      name: other\n    name: w\n");
}

static void generated_names_get_a_hash_of_their_content(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nconfigMapGenerator:\n- name: my-configmap\n  literals: [otherValue=orange, testValue=purple]\n",
	       "apiVersion: v1\ndata:\n  otherValue: orange\n  testValue: purple\nkind: ConfigMap\nmetadata:\n"
	       "  name: my-configmap-6hhdg8gkdg\n");
}

static void generator_merge_keeps_what_it_does_not_say(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [base]\ngeneratorOptions: {disableNameSuffixHash: true}\nconfigMapGenerator:\n"
	       "- {name: cm, behavior: merge, literals: [a=2]}\n"
	       "-- base/kustomization.yaml\ngeneratorOptions: {disableNameSuffixHash: true}\nconfigMapGenerator:\n"
	       "- {name: cm, literals: [a=1, b=1]}\n",
	       "apiVersion: v1\ndata:\n  a: \"2\"\n  b: \"1\"\nkind: ConfigMap\nmetadata:\n  name: cm\n");
}

static void strategic_patch_puts_its_items_first(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [deploy.yaml]\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n"
	       "    metadata: {name: web}\n    spec: {replicas: null, template: {spec: {containers: [{name: new}, {name: log, $patch: delete}]}}}\n"
	       DEPLOYMENT,
	       "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n"
	       "      - name: new\n      - image: nginx:1\n        name: web\n");
}

static void json_patch_changes_every_selected_object(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [all.yaml]\npatches:\n- target: {kind: Config.*, name: a|b}\n  patch: |-\n"
	       "    - {op: add, path: /data, value: {k: y}}\n-- all.yaml\n" CONFIG_MAP("a") "---\n" CONFIG_MAP("c"),
	       "apiVersion: v1\ndata:\n  k: true\nkind: ConfigMap\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n"
	       "  name: c\n");
}

/* kustomize keeps former names in annotations, so a patch with a target always finds some to add to. */
static void json_patch_finds_annotations_that_nobody_wrote(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [all.yaml]\npatches:\n- target: {name: a}\n  patch: |-\n"
	       "    - {op: add, path: /metadata/annotations/note, value: here}\n- target: {name: b}\n  patch: |-\n"
	       "    - {op: remove, path: /metadata/annotations}\n-- all.yaml\n" CONFIG_MAP("a") "---\n" CONFIG_MAP("b"),
	       "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    note: here\n  name: a\n---\napiVersion: v1\n"
	       "kind: ConfigMap\nmetadata:\n  name: b\n");
	expect_error("-- kustomization.yaml\nresources: [all.yaml]\npatchesJson6902:\n- target: {version: v1, kind: ConfigMap, name: a}\n"
		     "  patch: |-\n    - {op: add, path: /metadata/annotations/note, value: here}\n-- all.yaml\n" CONFIG_MAP("a"),
		     "operation 1 (add /metadata/annotations/note): path does not exist");
}

static void strategic_patch_that_replaces_an_object_is_forgotten(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [all.yaml]\npatches:\n- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, "
	       "data: {k: new}, $patch: replace}'\n-- all.yaml\n" CONFIG_MAP("a") "data: {k: old}\n",
	       "apiVersion: v1\ndata:\n  k: old\nkind: ConfigMap\nmetadata:\n  name: a\n");
}

/* Lists of versions that Kubernetes 1.21 served merge; those of kinds that only this program knows are replaced. */
static void lists_have_keys_in_the_kinds_that_kustomize_knows(void **state)
{
	static const char tree[] = "-- kustomization.yaml\nresources: [o.yaml]\npatches: [{path: p.yaml}]\n"
				   "-- o.yaml\n%s\nmetadata: {name: a}\n%s[{name: x, image: x}]%s\n"
				   "-- p.yaml\n%s\nmetadata: {name: a}\n%s[{name: y, image: y}]%s\n";
	static const struct { const char *head, *before, *after, *want; } cases[] = {
		{ "apiVersion: batch/v1beta1\nkind: CronJob", "spec: {jobTemplate: {spec: {template: {spec: {containers: ", "}}}}}",
		  "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata:\n  name: a\nspec:\n  jobTemplate:\n    spec:\n      template:\n"
		  "        spec:\n          containers:\n          - image: \"y\"\n            name: \"y\"\n          - image: x\n"
		  "            name: x\n" },
		{ "apiVersion: argoproj.io/v1alpha1\nkind: Rollout", "spec: {template: {spec: {containers: ", "}}}",
		  "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata:\n  name: a\nspec:\n  template:\n    spec:\n      containers:\n"
		  "      - image: \"y\"\n        name: \"y\"\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(str) text = { 0 };

		str_addf(&text, tree, cases[i].head, cases[i].before, cases[i].after, cases[i].head, cases[i].before, cases[i].after);
		expect(str_c(&text), cases[i].want);
	}
}

/* An overlay's label changes the selector that the base's commonLabels made of the same pair. */
static void places_of_one_label_change_together(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [base]\nlabels: [{pairs: {app: new}}]\n-- base/kustomization.yaml\nresources: [s.yaml]\n"
	       "commonLabels: {app: old}\n-- base/s.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {}}\n",
	       "apiVersion: v1\nkind: Service\nmetadata:\n  labels:\n    app: new\n  name: s\nspec:\n  selector:\n    app: new\n");
}

static void images_keep_what_is_not_replaced(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [deploy.yaml]\nimages:\n- {name: nginx, newName: 'registry:5000/nginx'}\n"
	       "- {name: busybox, newTag: '1.36', digest: 'sha256:00'}\n" DEPLOYMENT,
	       "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n  template:\n    spec:\n"
	       "      containers:\n      - image: registry:5000/nginx:1\n        name: web\n      - image: busybox:1.36@sha256:00\n"
	       "        name: log\n");
}

static void tag_suffix_is_added_once(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [pod.yaml]\nimages:\n- {name: nginx, tagSuffix: -x}\n"
	       "-- pod.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'nginx:1'}]}\n",
	       "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - image: nginx:1-x\n    name: c\n");
}

static void namespace_leaves_cluster_scoped_objects_alone(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nnamespace: ns\nresources: [all.yaml]\n-- all.yaml\n" CONFIG_MAP("cm")
	       "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n",
	       "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: r\n---\napiVersion: v1\nkind: ConfigMap\n"
	       "metadata:\n  name: cm\n  namespace: ns\n");
}

static void replacement_copies_text_and_keeps_the_type(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [all.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: from, fieldPath: data.n}\n"
	       "  targets:\n  - select: {kind: ConfigMap, name: to}\n    fieldPaths: [data.text, data.number]\n"
	       "-- all.yaml\n" CONFIG_MAP("from") "data: {n: '3'}\n---\n" CONFIG_MAP("to") "data: {text: a, number: 1}\n",
	       "apiVersion: v1\ndata:\n  \"n\": \"3\"\nkind: ConfigMap\nmetadata:\n  name: from\n---\napiVersion: v1\ndata:\n  number: 3\n"
	       "  text: \"3\"\nkind: ConfigMap\nmetadata:\n  name: to\n");
}

static void replacement_enters_json_in_a_text(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [cm.yaml]\nreplacements:\n- sourceValue: new\n  targets:\n  - select: {kind: ConfigMap}\n"
	       "    fieldPaths: ['data.app\\.json.db.host']\n"
	       "-- cm.yaml\n" CONFIG_MAP("cm") "data:\n  app.json: '{\"db\":{\"host\":\"old\",\"port\":1}}'\n",
	       "apiVersion: v1\ndata:\n  app.json: '{\"db\":{\"host\":\"new\",\"port\":1}}'\nkind: ConfigMap\nmetadata:\n  name: cm\n");
}

static void variable_alone_gives_its_type(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [all.yaml]\nvars:\n- name: PORT\n  objref: {apiVersion: v1, kind: Service, name: s}\n"
	       "  fieldref: {fieldpath: 'spec.ports[0].port'}\n"
	       "-- all.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80, targetPort: $(PORT)}]}\n"
	       "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, args: ['-p=$(PORT)', $(NO), $$(PORT)]}]}\n",
	       "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  ports:\n  - port: 80\n    targetPort: 80\n---\napiVersion: v1\n"
	       "kind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - args:\n    - -p=80\n    - $(NO)\n    - $(PORT)\n    name: c\n");
}

static void component_changes_the_objects_of_its_parent(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [cm.yaml]\ncomponents: [c]\n-- cm.yaml\n" CONFIG_MAP("cm")
	       "-- c/kustomization.yaml\napiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -c\n",
	       "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm-c\n");
}

static void custom_schema_gives_lists_their_keys(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [foo.yaml]\nopenapi: {path: schema.json}\npatches: [{path: patch.yaml}]\n"
	       "-- foo.yaml\napiVersion: x/v1\nkind: Foo\nmetadata: {name: f}\nspec: {parts: [{id: a, v: 1}, {id: b, v: 1}]}\n"
	       "-- patch.yaml\napiVersion: x/v1\nkind: Foo\nmetadata: {name: f}\nspec: {parts: [{id: b, v: 2}]}\n"
	       "-- schema.json\n{\"definitions\":{\"Foo\":{\"properties\":{\"spec\":{\"properties\":{\"parts\":{\"type\":\"array\",\"items\":{"
	       "\"properties\":{\"id\":{}}},\"x-kubernetes-patch-strategy\":\"merge\",\"x-kubernetes-patch-merge-key\":\"id\"}}}},"
	       "\"x-kubernetes-group-version-kind\":[{\"group\":\"x\",\"version\":\"v1\",\"kind\":\"Foo\"}]}}}\n",
	       "apiVersion: x/v1\nkind: Foo\nmetadata:\n  name: f\nspec:\n  parts:\n  - id: b\n    v: 2\n  - id: a\n    v: 1\n");
}

static void plugin_files_configure_the_same_transformers(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [cm.yaml]\ntransformers: [t.yaml]\n-- cm.yaml\n" CONFIG_MAP("cm")
	       "-- t.yaml\napiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\nlabels: {a: 1}\n"
	       "fieldSpecs: [{path: metadata/labels, create: true}]\n",
	       "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels:\n    a: \"1\"\n  name: cm\n");
}

static void origin_names_the_file_below_the_top(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [base]\nbuildMetadata: [originAnnotations]\n-- base/kustomization.yaml\nresources: [cm.yaml]\n"
	       "-- base/cm.yaml\n" CONFIG_MAP("cm"),
	       "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    config.kubernetes.io/origin: |\n      path: base/cm.yaml\n"
	       "  name: cm\n");
}

static void local_config_is_read_and_not_printed(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [cm.yaml]\n-- cm.yaml\n" CONFIG_MAP("cm")
	       "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: l, annotations: {config.kubernetes.io/local-config: 'true'}}\n",
	       "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm\n");
}

static void field_in_two_cases_counts_once(void **state)
{
	(void)state;
	expect("-- kustomization.yaml\nresources: [gone.yaml, gone.yaml]\nResources: [cm.yaml]\n-- cm.yaml\n" CONFIG_MAP("cm"),
	       "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm\n");
}

static void reorder_none_keeps_the_order_of_the_files(void **state)
{
	static const char tree[] = "-- kustomization.yaml\nresources: [a.yaml]\n-- a.yaml\n" CONFIG_MAP("z") "---\n" CONFIG_MAP("a");

	(void)state;
	expect_opts(tree, &(struct render_opts){ .reorder = "none" }, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: z\n---\n"
		    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n");
	expect(tree, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: z\n");
}

static void detection_prefers_a_chart_and_falls_back_to_files(void **state)
{
	static const struct { const char *tree; enum render_type want; } rows[] = {
		{ "-- Chart.yaml\n-- kustomization.yaml\n", RENDER_CHART },
		{ "-- kustomization.yml\n", RENDER_KUSTOMIZE },
		{ "-- Kustomization\n", RENDER_KUSTOMIZE },
		{ "-- web.yaml\n", RENDER_PLAIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct vfs *v = tree_of(sv_c(rows[i].tree));
		enum render_type type;

		assert_int_equal(render_detect(v, "", &type, NULL), 0);
		assert_int_equal(type, rows[i].want);
		vfs_free(v);
	}
}

static void plain_directories_read_what_the_globs_say(void **state)
{
	static const char tree[] = "-- a.yaml\n" CONFIG_MAP("a") "-- b.json\n{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":"
				   "{\"name\":\"b\"}}\n-- c.txt\nno\n-- d/e.yml\n" CONFIG_MAP("e");

	(void)state;
	expect(tree, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n");
	expect_opts(tree, &(struct render_opts){ .recurse = true, .include = "{d/*,b.*}", .exclude = "b.json" },
		    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: e\n");
}

static void limits_end_what_would_not_end(void **state)
{
	AUTO(str) bomb = { 0 };
	AUTO(str) deep = { 0 };

	(void)state;
	str_addc(&bomb, "-- kustomization.yaml\nresources: [a.yaml]\n-- a.yaml\nkind: A\nmetadata: {name: a}\na: &a [x,x,x,x,x,x,x,x,x,x]\n");
	for (char c = 'b'; c < 'j'; c++)
		str_addf(&bomb, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1,
			 c - 1, c - 1, c - 1);
	expect_error(str_c(&bomb), "aliases make the document too large");
	str_addc(&deep, "-- kustomization.yaml\nresources: [a.yaml]\n-- a.yaml\nkind: A\nmetadata: {name: a}\na: ");
	for (int i = 0; i < 5000; i++)
		str_add1(&deep, '[');
	expect_error(str_c(&deep), "nested");
	expect_error("-- kustomization.yaml\nresources: [a]\n-- a/kustomization.yaml\nresources: [../a]\n", "cycle detected");
	expect_error("-- kustomization.yaml\nresources: [cm.yaml]\npatches:\n- target: {name: '(a+)+$'}\n  patch: |-\n    - {op: test, path: /kind,"
		     " value: x}\n-- cm.yaml\n" CONFIG_MAP("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), "steps");
}

/* Every directory names two others of the next level: without a limit, 2^30 directories would be read. */
static void diamonds_of_many_levels_end(void **state)
{
	AUTO(str) tree = { 0 };

	(void)state;
	str_addc(&tree, "-- kustomization.yaml\nresources: [a0, b0]\n");
	for (int i = 0; i < 30; i++)
		for (char c = 'a'; c <= 'b'; c++)
			str_addf(&tree, "-- %c%d/kustomization.yaml\nnamePrefix: %c-\nresources: [../a%d, ../b%d]\n", c, i, c, i + 1, i + 1);
	str_addc(&tree, "-- a30/kustomization.yaml\nresources: []\n-- b30/kustomization.yaml\nresources: []\n");
	expect_error(str_c(&tree), "more than 10000 directories");
}

static void explain_tells_who_set_a_field_and_what_it_was(void **state)
{
	struct render_opts o = { .explain = true };
	AUTO(rendered) r = { 0 };
	AUTO(str) out = { 0 };

	(void)state;
	render_tree("-- kustomization.yaml\nresources: [deploy.yaml]\nreplicas: [{name: web, count: 3}]\npatches: [{path: patch.yaml}]\n"
		    "-- patch.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  paused: true\n" DEPLOYMENT, &o, &r);
	assert_int_equal(r.trails.n, 1);
	trail_explain(r.trails.v[0], r.objects.v[0], doc_root(r.objects.v[0]), "spec.replicas", &out);
	assert_string_equal(str_c(&out), "spec.replicas: 3\n    set by kustomization.yaml:2, ReplicaCountTransformer\n    before: 1\n");
	str_cut(&out, 0);
	trail_explain(r.trails.v[0], r.objects.v[0], doc_root(r.objects.v[0]), "spec.paused", &out);
	assert_string_equal(str_c(&out), "spec.paused: true\n    set by patch.yaml:5, PatchTransformer\n    in kustomization.yaml:3\n");
	str_cut(&out, 0);
	trail_explain(r.trails.v[0], r.objects.v[0], doc_root(r.objects.v[0]), "spec.template.spec.containers[log].image", &out);
	assert_string_equal(str_c(&out), "spec.template.spec.containers[log].image: \"busybox\"\n    set by deploy.yaml:10\n");
}

static void diff_masks_secrets_and_pairs_renamed_hashes(void **state)
{
	struct render_opts o = { 0 };
	AUTO(rendered) a = { 0 };
	AUTO(rendered) b = { 0 };
	AUTO(str) out = { 0 };

	(void)state;
	render_tree("-- kustomization.yaml\nresources: [cm.yaml]\nsecretGenerator: [{name: s, literals: [k=old]}]\n-- cm.yaml\n" CONFIG_MAP("gone")
		    "---\napiVersion: v1\nkind: Service\nmetadata: {name: dev-s, namespace: dev}\n", &o, &a);
	render_tree("-- kustomization.yaml\nresources: [cm.yaml]\nsecretGenerator: [{name: s, literals: [k=new]}]\n-- cm.yaml\n" CONFIG_MAP("added")
		    "---\n" CONFIG_MAP("added2") "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: prod}\n", &o, &b);
	assert_int_equal(objects_diff(&a.objects, &b.objects, &out), 5);
	assert_non_null(strstr(str_c(&out), "~ Service/s in prod\n  ~ metadata.name: \"dev-s\" -> \"s\"\n"));
	assert_non_null(strstr(str_c(&out), "+ ConfigMap/added\n"));
	assert_non_null(strstr(str_c(&out), "- ConfigMap/gone\n"));
	assert_non_null(strstr(str_c(&out), "~ Secret/s-"));
	assert_non_null(strstr(str_c(&out), "  ~ data.k: *** (4 bytes) -> *** (4 bytes)\n"));
	assert_null(strstr(str_c(&out), "bmV3"));
}

static void same_input_gives_the_same_bytes(void **state)
{
	static const char tree[] = "-- kustomization.yaml\nresources: [deploy.yaml]\nconfigMapGenerator: [{name: c, literals: [a=b]}]\n" DEPLOYMENT;
	AUTO(rendered) a = { 0 };
	AUTO(rendered) b = { 0 };
	AUTO(str) x = { 0 };
	AUTO(str) y = { 0 };

	(void)state;
	render_tree(tree, &(struct render_opts){ 0 }, &a);
	render_tree(tree, &(struct render_opts){ .explain = true }, &b);
	rendered_write(&a, &x);
	rendered_write(&b, &y);
	assert_string_equal(str_c(&x), str_c(&y));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(prefix_reaches_the_references_to_what_it_renames),
		TEST(generated_names_get_a_hash_of_their_content),
		TEST(generator_merge_keeps_what_it_does_not_say),
		TEST(strategic_patch_puts_its_items_first),
		TEST(json_patch_changes_every_selected_object),
		TEST(json_patch_finds_annotations_that_nobody_wrote),
		TEST(strategic_patch_that_replaces_an_object_is_forgotten),
		TEST(lists_have_keys_in_the_kinds_that_kustomize_knows),
		TEST(places_of_one_label_change_together),
		TEST(images_keep_what_is_not_replaced),
		TEST(tag_suffix_is_added_once),
		TEST(namespace_leaves_cluster_scoped_objects_alone),
		TEST(replacement_copies_text_and_keeps_the_type),
		TEST(replacement_enters_json_in_a_text),
		TEST(variable_alone_gives_its_type),
		TEST(component_changes_the_objects_of_its_parent),
		TEST(custom_schema_gives_lists_their_keys),
		TEST(plugin_files_configure_the_same_transformers),
		TEST(origin_names_the_file_below_the_top),
		TEST(local_config_is_read_and_not_printed),
		TEST(field_in_two_cases_counts_once),
		TEST(reorder_none_keeps_the_order_of_the_files),
		TEST(detection_prefers_a_chart_and_falls_back_to_files),
		TEST(plain_directories_read_what_the_globs_say),
		TEST(limits_end_what_would_not_end),
		TEST(diamonds_of_many_levels_end),
		TEST(explain_tells_who_set_a_field_and_what_it_was),
		TEST(diff_masks_secrets_and_pairs_renamed_hashes),
		TEST(same_input_gives_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

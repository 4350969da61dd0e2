#include "render/kustomize/kustomization.h"

#include "base/yaml.h"

#define COMPONENT "Component"

static const struct shape_field selector_fields[] = {
	FIELD_OF(selector_spec, group, "group", STR),
	FIELD_OF(selector_spec, version, "version", STR),
	FIELD_OF(selector_spec, kind, "kind", STR),
	FIELD_OF(selector_spec, name, "name", STR),
	FIELD_OF(selector_spec, ns, "namespace", STR),
	FIELD_OF(selector_spec, annotations, "annotationSelector", STR),
	FIELD_OF(selector_spec, labels, "labelSelector", STR),
	{ 0 }
};
const struct shape selector_shape = { sizeof(struct selector_spec), selector_fields };

static const struct shape_field patch_options_fields[] = {
	FIELD_OF(patch_options, allow_name, "allowNameChange", BOOL),
	FIELD_OF(patch_options, allow_kind, "allowKindChange", BOOL),
	{ 0 }
};
static const struct shape patch_options_shape = { sizeof(struct patch_options), patch_options_fields };

static const struct shape_field patch_fields[] = {
	FIELD_OF(patch_spec, path, "path", STR),
	FIELD_OF(patch_spec, patch, "patch", STR),
	FIELD_IN(patch_spec, target, "target", ONE, selector_shape),
	FIELD_IN(patch_spec, options, "options", ONE, patch_options_shape),
	{ 0 }
};
const struct shape patch_shape = { sizeof(struct patch_spec), patch_fields };

static const struct shape_field label_fields[] = {
	FIELD_OF(label_spec, pairs, "pairs", PAIRS),
	FIELD_OF(label_spec, selectors, "includeSelectors", BOOL),
	FIELD_OF(label_spec, templates, "includeTemplates", BOOL),
	FIELD_OF(label_spec, claims, "includeVolumeClaimTemplates", BOOL),
	FIELD_IN(label_spec, fields, "fields", MANY, fieldspec_shape),
	{ 0 }
};
static const struct shape label_shape = { sizeof(struct label_spec), label_fields };

static const struct shape_field image_fields[] = {
	FIELD_OF(image_spec, name, "name", STR),
	FIELD_OF(image_spec, new_name, "newName", STR),
	FIELD_OF(image_spec, tag_suffix, "tagSuffix", STR),
	FIELD_OF(image_spec, new_tag, "newTag", STR),
	FIELD_OF(image_spec, digest, "digest", STR),
	{ 0 }
};
const struct shape image_shape = { sizeof(struct image_spec), image_fields };

static const struct shape_field replica_fields[] = {
	FIELD_OF(replica_spec, name, "name", STR),
	FIELD_OF(replica_spec, count, "count", INT),
	{ 0 }
};
const struct shape replica_shape = { sizeof(struct replica_spec), replica_fields };

static const struct shape_field var_ref_fields[] = {
	FIELD_OF(var_ref, api_version, "apiVersion", STR),
	FIELD_OF(var_ref, group, "group", STR),
	FIELD_OF(var_ref, version, "version", STR),
	FIELD_OF(var_ref, kind, "kind", STR),
	FIELD_OF(var_ref, name, "name", STR),
	FIELD_OF(var_ref, ns, "namespace", STR),
	{ 0 }
};
static const struct shape var_ref_shape = { sizeof(struct var_ref), var_ref_fields };
static const struct shape_field var_field_fields[] = { FIELD_OF(var_field, path, "fieldPath", STR), { 0 } };
static const struct shape var_field_shape = { sizeof(struct var_field), var_field_fields };
static const struct shape_field var_fields[] = {
	FIELD_OF(var_spec, name, "name", STR),
	FIELD_IN(var_spec, ref, "objref", ONE, var_ref_shape),
	FIELD_IN(var_spec, field, "fieldref", ONE, var_field_shape),
	{ 0 }
};
static const struct shape var_shape = { sizeof(struct var_spec), var_fields };

static const struct shape_field field_options_fields[] = {
	FIELD_OF(field_options, delimiter, "delimiter", STR),
	FIELD_OF(field_options, index, "index", INT),
	FIELD_OF(field_options, encoding, "encoding", STR),
	FIELD_OF(field_options, create, "create", BOOL),
	{ 0 }
};
static const struct shape field_options_shape = { sizeof(struct field_options), field_options_fields };

static const struct shape_field source_fields[] = {
	FIELD_OF(replacement_source, group, "group", STR),
	FIELD_OF(replacement_source, version, "version", STR),
	FIELD_OF(replacement_source, kind, "kind", STR),
	FIELD_OF(replacement_source, name, "name", STR),
	FIELD_OF(replacement_source, ns, "namespace", STR),
	FIELD_OF(replacement_source, field_path, "fieldPath", STR),
	FIELD_IN(replacement_source, options, "options", ONE, field_options_shape),
	{ 0 }
};
static const struct shape source_shape = { sizeof(struct replacement_source), source_fields };

static const struct shape_field target_fields[] = {
	FIELD_IN(replacement_target, select, "select", ONE, selector_shape),
	FIELD_IN(replacement_target, reject, "reject", MANY, selector_shape),
	FIELD_OF(replacement_target, field_paths, "fieldPaths", STRS),
	FIELD_IN(replacement_target, options, "options", ONE, field_options_shape),
	{ 0 }
};
static const struct shape target_shape = { sizeof(struct replacement_target), target_fields };

static const struct shape_field replacement_fields[] = {
	FIELD_IN(replacement_spec, source, "source", ONE, source_shape),
	FIELD_OF(replacement_spec, source_value, "sourceValue", STR),
	FIELD_OF(replacement_spec, path, "path", STR),
	FIELD_IN(replacement_spec, targets, "targets", MANY, target_shape),
	{ 0 }
};
const struct shape replacement_shape = { sizeof(struct replacement_spec), replacement_fields };

static const struct shape_field generator_options_fields[] = {
	FIELD_OF(generator_options, labels, "labels", PAIRS),
	FIELD_OF(generator_options, annotations, "annotations", PAIRS),
	FIELD_OF(generator_options, no_hash, "disableNameSuffixHash", BOOL),
	FIELD_OF(generator_options, immutable, "immutable", BOOL),
	{ 0 }
};
const struct shape generator_options_shape = { sizeof(struct generator_options), generator_options_fields };

#define GENERATOR_FIELDS \
	FIELD_OF(generator_spec, name, "name", STR), \
	FIELD_OF(generator_spec, ns, "namespace", STR), \
	FIELD_OF(generator_spec, behavior, "behavior", STR), \
	FIELD_OF(generator_spec, literals, "literals", STRS), \
	FIELD_OF(generator_spec, files, "files", STRS), \
	FIELD_OF(generator_spec, envs, "envs", STRS), \
	FIELD_OF(generator_spec, env, "env", STR), \
	FIELD_IN(generator_spec, options, "options", ONE, generator_options_shape)
static const struct shape_field configmap_fields[] = { GENERATOR_FIELDS, { 0 } };
static const struct shape_field secret_fields[] = { GENERATOR_FIELDS, FIELD_OF(generator_spec, type, "type", STR), { 0 } };
const struct shape configmap_generator_shape = { sizeof(struct generator_spec), configmap_fields };
const struct shape secret_generator_shape = { sizeof(struct generator_spec), secret_fields };

static const struct shape_field sort_lists_fields[] = {
	FIELD_OF(sort_lists, first, "orderFirst", STRS),
	FIELD_OF(sort_lists, last, "orderLast", STRS),
	{ 0 }
};
static const struct shape sort_lists_shape = { sizeof(struct sort_lists), sort_lists_fields };
static const struct shape_field sort_fields[] = {
	FIELD_OF(sort_spec, order, "order", STR),
	FIELD_IN(sort_spec, legacy, "legacySortOptions", ONE, sort_lists_shape),
	{ 0 }
};
const struct shape sort_shape = { sizeof(struct sort_spec), sort_fields };

static const struct shape_field chart_fields[] = {
	FIELD_OF(chart_spec, name, "name", STR),
	FIELD_OF(chart_spec, version, "version", STR),
	FIELD_OF(chart_spec, repo, "repo", STR),
	FIELD_OF(chart_spec, release, "releaseName", STR),
	FIELD_OF(chart_spec, ns, "namespace", STR),
	FIELD_OF(chart_spec, more_values_files, "additionalValuesFiles", STRS),
	FIELD_OF(chart_spec, values_file, "valuesFile", STR),
	FIELD_OF(chart_spec, values, "valuesInline", NODE),
	FIELD_OF(chart_spec, values_merge, "valuesMerge", STR),
	FIELD_OF(chart_spec, include_crds, "includeCRDs", BOOL),
	FIELD_OF(chart_spec, skip_hooks, "skipHooks", BOOL),
	FIELD_OF(chart_spec, api_versions, "apiVersions", STRS),
	FIELD_OF(chart_spec, kube_version, "kubeVersion", STR),
	FIELD_OF(chart_spec, name_template, "nameTemplate", STR),
	FIELD_OF(chart_spec, skip_tests, "skipTests", BOOL),
	FIELD_OF(chart_spec, debug, "debug", BOOL),
	FIELD_OF(chart_spec, devel, "devel", BOOL),
	{ 0 }
};
const struct shape chart_shape = { sizeof(struct chart_spec), chart_fields };

/* helmChartInflationGenerator, from before helmCharts. What this program's chart engine has no use for is read and left. */
struct old_chart { struct chart_spec chart; const char *unused; struct strs unused_list; };
static const struct shape_field old_chart_fields[] = {
	FIELD_OF(chart_spec, name, "chartName", STR),
	FIELD_OF(chart_spec, version, "chartVersion", STR),
	FIELD_OF(chart_spec, repo, "chartRepoUrl", STR),
	FIELD_OF(chart_spec, home, "chartHome", STR),
	FIELD_OF(old_chart, unused, "chartRepoName", STR),
	FIELD_OF(old_chart, unused, "helmBin", STR),
	FIELD_OF(old_chart, unused, "helmHome", STR),
	FIELD_OF(chart_spec, values_file, "values", STR),
	FIELD_OF(chart_spec, values, "valuesLocal", NODE),
	FIELD_OF(chart_spec, values_merge, "valuesMerge", STR),
	FIELD_OF(chart_spec, release, "releaseName", STR),
	FIELD_OF(old_chart, unused, "releaseNamespace", STR),
	FIELD_OF(old_chart, unused_list, "extraArgs", STRS),
	{ 0 }
};
const struct shape old_chart_shape = { sizeof(struct old_chart), old_chart_fields };

static const struct shape_field chart_globals_fields[] = {
	FIELD_OF(chart_globals, chart_home, "chartHome", STR),
	FIELD_OF(chart_globals, config_home, "configHome", STR),
	{ 0 }
};
static const struct shape chart_globals_shape = { sizeof(struct chart_globals), chart_globals_fields };

static const struct shape_field openapi_fields[] = {
	FIELD_OF(openapi_spec, path, "path", STR),
	FIELD_OF(openapi_spec, version, "version", STR),
	{ 0 }
};
static const struct shape openapi_shape = { sizeof(struct openapi_spec), openapi_fields };

static const struct shape_field fields[] = {
	FIELD_OF(kustomization, api_version, "apiVersion", STR),
	FIELD_OF(kustomization, kind, "kind", STR),
	FIELD_OF(kustomization, metadata, "metadata", NODE),
	FIELD_IN(kustomization, openapi, "openapi", ONE, openapi_shape),
	FIELD_OF(kustomization, name_prefix, "namePrefix", STR),
	FIELD_OF(kustomization, name_suffix, "nameSuffix", STR),
	FIELD_OF(kustomization, ns, "namespace", STR),
	FIELD_OF(kustomization, common_labels, "commonLabels", PAIRS),
	FIELD_IN(kustomization, labels, "labels", MANY, label_shape),
	FIELD_OF(kustomization, common_annotations, "commonAnnotations", PAIRS),
	FIELD_OF(kustomization, patches_strategic, "patchesStrategicMerge", STRS),
	FIELD_IN(kustomization, patches_json, "patchesJson6902", MANY, patch_shape),
	FIELD_IN(kustomization, patches, "patches", MANY, patch_shape),
	FIELD_IN(kustomization, images, "images", MANY, image_shape),
	FIELD_IN(kustomization, image_tags, "imageTags", MANY, image_shape),
	FIELD_IN(kustomization, replacements, "replacements", MANY, replacement_shape),
	FIELD_IN(kustomization, replicas, "replicas", MANY, replica_shape),
	FIELD_IN(kustomization, vars, "vars", MANY, var_shape),
	FIELD_IN(kustomization, sort, "sortOptions", ONE, sort_shape),
	FIELD_OF(kustomization, resources, "resources", STRS),
	FIELD_OF(kustomization, components, "components", STRS),
	FIELD_OF(kustomization, crds, "crds", STRS),
	FIELD_OF(kustomization, bases, "bases", STRS),
	FIELD_IN(kustomization, config_maps, "configMapGenerator", MANY, configmap_generator_shape),
	FIELD_IN(kustomization, secrets, "secretGenerator", MANY, secret_generator_shape),
	FIELD_IN(kustomization, chart_globals, "helmGlobals", ONE, chart_globals_shape),
	FIELD_IN(kustomization, charts, "helmCharts", MANY, chart_shape),
	FIELD_IN(kustomization, old_charts, "helmChartInflationGenerator", MANY, old_chart_shape),
	FIELD_IN(kustomization, generator_options, "generatorOptions", ONE, generator_options_shape),
	FIELD_OF(kustomization, configurations, "configurations", STRS),
	FIELD_OF(kustomization, generators, "generators", STRS),
	FIELD_OF(kustomization, transformers, "transformers", STRS),
	FIELD_OF(kustomization, validators, "validators", STRS),
	FIELD_OF(kustomization, build_metadata, "buildMetadata", STRS),
	{ 0 }
};
static const struct shape shape = { sizeof(struct kustomization), fields };

static const struct { const char *field, *instead; } deprecated[] = {
	{ "bases", "resources" },
	{ "commonLabels", "labels" },
	{ "imageTags", "images" },
	{ "patchesJson6902", "patches" },
	{ "patchesStrategicMerge", "patches" },
	{ "vars", "replacements" },
};

static void warn(const struct kustomization *k, struct str *warnings)
{
	char where[256];

	for (size_t i = 0; i < sizeof(deprecated) / sizeof(*deprecated); i++) {
		const struct node *n = node_get(k->at, deprecated[i].field);

		if (n)
			str_addf(warnings, "%s: '%s' is deprecated. Please use '%s' instead.\n", node_where(k->doc, n, where),
				 deprecated[i].field, deprecated[i].instead);
	}
}

/* Two lists as one, items of the given size. */
static void join(struct doc *arena, void *list, const void *more, size_t size)
{
	MANY(char) *to = list;
	const MANY(char) *from = more;
	char *all;

	if (!from->n)
		return;
	all = doc_alloc(arena, (to->n + from->n) * size);
	if (to->n)
		memcpy(all, to->v, to->n * size);
	memcpy(all + to->n * size, from->v, from->n * size);
	to->v = all;
	to->n += from->n;
}

static void join_old_charts(struct doc *arena, struct kustomization *k)
{
	struct chart_spec *all;

	if (!k->old_charts.n)
		return;
	all = doc_alloc(arena, k->old_charts.n * sizeof(*all));
	for (size_t i = 0; i < k->old_charts.n; i++)
		all[i] = ((struct old_chart *)k->old_charts.v)[i].chart;
	k->old_charts.v = all;
	join(arena, &k->charts, &k->old_charts, sizeof(*all));
}

static void modernize(struct doc *arena, struct kustomization *k)
{
	if (!k->kind || !*k->kind)
		k->kind = "Kustomization";
	join(arena, &k->resources, &k->bases, sizeof(*k->bases.v));
	join(arena, &k->images, &k->image_tags, sizeof(*k->images.v));
	join_old_charts(arena, k);
}

/* An empty list counts: it was written on purpose. */
static bool says_something(const struct node *n) { return n->type >= NODE_SEQ || !node_is_empty(n); }

static int check(const struct kustomization *k, struct err *err)
{
	bool component = str_eq(k->kind, COMPONENT);
	const char *want = component ? "kustomize.config.k8s.io/v1alpha1" : "kustomize.config.k8s.io/v1beta1";
	const struct member *m;
	char where[256];

	if (!component && !str_eq(k->kind, "Kustomization"))
		return err_set(err, ERR_INVALID, "%s: kind should be Kustomization or Component, and is '%s'",
			       node_where(k->doc, node_get(k->at, "kind"), where), k->kind);
	if (k->api_version && *k->api_version && strcmp(k->api_version, want) != 0)
		return err_set(err, ERR_INVALID, "%s: apiVersion for %s should be %s, and is '%s'",
			       node_where(k->doc, node_get(k->at, "apiVersion"), where), k->kind, want, k->api_version);
	node_members(m, k->at)
		if (strcmp(m->key, "kind") != 0 && strcmp(m->key, "apiVersion") != 0 && says_something(m->value))
			return 0;
	return err_set(err, ERR_INVALID, "%s: kustomization.yaml is empty: it names no resources and changes nothing", k->file);
}

static int read_first(struct sv text, const char *file, struct str *warnings, struct doc **out, struct err *err)
{
	__attribute__((cleanup(docs_free))) struct docs docs = { 0 };

	TRY(yaml_read_all(text, file, 0, &docs, err));
	if (docs.n > 1)
		str_addf(warnings, "%s:%u: only the first document of a kustomization counts\n", file, doc_root(docs.v[1])->line);
	*out = docs.n ? doc_ref(docs.v[0]) : doc_new();
	if (!docs.n)
		doc_set_root(*out, node_null(*out));
	return 0;
}

int kustomization_read(struct sv text, const char *file, struct doc *arena, struct str *warnings, struct kustomization *out,
		       struct err *err)
{
	struct shape_source from = { .arena = arena, .flags = SHAPE_STRICT };
	struct doc *doc = NULL;
	int r;

	*out = (struct kustomization){ 0 };
	TRY(read_first(text, file, warnings, &doc, err));
	from.doc = doc;
	r = shape_read(&from, doc_root(doc), "", &shape, out, err);
	out->doc = doc;
	out->file = file;
	TRY(err_wrap(err, r, "invalid Kustomization"));
	warn(out, warnings);
	modernize(arena, out);
	return check(out, err);
}

void kustomization_free(struct kustomization *k) { doc_drop(&k->doc); }

bool kustomization_wants(const struct kustomization *k, const char *build_metadata)
{
	for (size_t i = 0; i < k->build_metadata.n; i++)
		if (str_eq(k->build_metadata.v[i], build_metadata))
			return true;
	return false;
}

/* render/kustomize/kustomization.h - the fields of a kustomization file, as of kustomize v5.
 *
 * Texts borrow from the document, which the struct holds. */
#pragma once

#include "render/kustomize/fieldspec.h"
#include "render/kustomize/shape.h"

struct selector_spec {
	const struct node *at;
	const char *group, *version, *kind, *name, *ns;         /* regular expressions; NULL or "": any */
	const char *labels, *annotations;                       /* label selectors */
};
extern const struct shape selector_shape;

struct patch_options { const struct node *at; bool allow_name, allow_kind; };
struct patch_spec {
	const struct node *at;
	const char *path, *patch;
	struct selector_spec *target;
	struct patch_options *options;
};
extern const struct shape patch_shape;

struct label_spec {
	const struct node *at;
	struct pairs pairs;
	bool selectors, templates, claims;
	MANY(struct fieldspec) fields;
};

struct image_spec { const struct node *at; const char *name, *new_name, *new_tag, *tag_suffix, *digest; };
extern const struct shape image_shape;
struct replica_spec { const struct node *at; const char *name; int64_t count; };
extern const struct shape replica_shape;

struct var_spec {
	const struct node *at;
	const char *name;
	struct var_ref { const struct node *at; const char *api_version, *group, *version, *kind, *name, *ns; } *ref;
	struct var_field { const struct node *at; const char *path; } *field;
};

struct field_options { const struct node *at; const char *delimiter, *encoding; int64_t index; bool create; };
struct replacement_source {
	const struct node *at;
	const char *group, *version, *kind, *name, *ns, *field_path;
	struct field_options *options;
};
struct replacement_target {
	const struct node *at;
	struct selector_spec *select;
	MANY(struct selector_spec) reject;
	struct strs field_paths;
	struct field_options *options;
};
struct replacement_spec {
	const struct node *at;
	struct replacement_source *source;
	const char *source_value, *path;
	MANY(struct replacement_target) targets;
	const struct doc *doc;                  /* where it was read from; NULL: the kustomization's file */
};
extern const struct shape replacement_shape;

struct generator_options { const struct node *at; struct pairs labels, annotations; bool no_hash, immutable; };
struct generator_spec {
	const struct node *at;
	const char *name, *ns, *behavior, *type;
	struct strs literals, files, envs;
	const char *env;
	struct generator_options *options;
};
extern const struct shape configmap_generator_shape, secret_generator_shape, generator_options_shape;

struct sort_lists { const struct node *at; struct strs first, last; };
struct sort_spec { const struct node *at; const char *order; struct sort_lists *legacy; };
extern const struct shape sort_shape;

struct chart_spec {
	const struct node *at;
	const char *name, *version, *repo, *release, *ns, *values_file, *values_merge, *kube_version, *name_template;
	struct strs more_values_files, api_versions;
	const struct node *values;
	bool include_crds, skip_hooks, skip_tests, debug, devel;
	const char *home;                       /* chartHome; NULL: helmGlobals', or "charts" */
};
extern const struct shape chart_shape, old_chart_shape;
struct chart_globals { const struct node *at; const char *chart_home, *config_home; };

struct openapi_spec { const struct node *at; const char *path, *version; };

struct kustomization {
	const struct node *at;
	struct doc *doc;                        /* owned */
	const char *file;                       /* its name, as messages show it */
	const char *api_version, *kind;
	const struct node *metadata;
	struct openapi_spec *openapi;
	const char *name_prefix, *name_suffix, *ns;
	struct pairs common_labels, common_annotations;
	MANY(struct label_spec) labels;
	struct strs patches_strategic;
	MANY(struct patch_spec) patches_json, patches;
	MANY(struct image_spec) images, image_tags;
	MANY(struct replacement_spec) replacements;
	MANY(struct replica_spec) replicas;
	MANY(struct var_spec) vars;
	struct sort_spec *sort;
	struct strs resources, components, crds, bases;
	MANY(struct generator_spec) config_maps, secrets;
	struct chart_globals *chart_globals;
	MANY(struct chart_spec) charts, old_charts;
	struct generator_options *generator_options;
	struct strs configurations, generators, transformers, validators, build_metadata;
};

/* Reads and checks the file: fields, kind and apiVersion, that it is not empty. Deprecated fields get a line each in warnings,
 * and their values stand in the fields that replaced them. */
MUST_CHECK int kustomization_read(struct sv text, const char *file, struct doc *arena, struct str *warnings,
				  struct kustomization *out, struct err *err);
void kustomization_free(struct kustomization *k);
bool kustomization_wants(const struct kustomization *k, const char *build_metadata);

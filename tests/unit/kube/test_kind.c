#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "kube/schema/tables.h"

#define AUTO_KINDS __attribute__((cleanup(kinds_free))) struct kinds *

static void kinds_are_found_by_version_and_by_plural(void **state)
{
	AUTO_KINDS k = kinds_new();
	const struct kind *d = kinds_find(k, "apps/v1", "Deployment");
	char buf[128];

	(void)state;
	assert_non_null(d);
	assert_string_equal(d->plural, "deployments");
	assert_string_equal(kind_api_version(d, buf), "apps/v1");
	assert_ptr_equal(kinds_find_plural(k, "apps", "v1", "deployments"), d);
	assert_string_equal(kinds_find(k, "v1", "Pod")->group, "");
	assert_string_equal(kinds_find(k, "rbac.authorization.k8s.io/v1", "Role")->plural, "roles");
	assert_null(kinds_find(k, "v1", "Deployment"));
	assert_null(kinds_find(k, NULL, "Pod"));
}

static void kinds_are_found_by_what_people_type(void **state)
{
	static const struct { const char *typed, *kind, *version; } rows[] = {
		{ "po", "Pod", "v1" }, { "pods", "Pod", "v1" }, { "POD", "Pod", "v1" }, { "deploy", "Deployment", "v1" },
		{ "deployments.apps", "Deployment", "v1" }, { "deployments.v1.apps", "Deployment", "v1" }, { "ev", "Event", "v1" },
		{ "events.events.k8s.io", "Event", "v1" }, { "hpa", "HorizontalPodAutoscaler", "v2" },
		{ "hpa.v1.autoscaling", "HorizontalPodAutoscaler", "v1" }, { "app", "Application", "v1alpha1" },
		{ "crds", "CustomResourceDefinition", "v1" }, { "netpol", "NetworkPolicy", "v1" },
	};
	AUTO_KINDS k = kinds_new();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct kind *found = kinds_find_name(k, rows[i].typed);

		if (!found)
			fail_msg("%s not found", rows[i].typed);
		assert_string_equal(found->kind, rows[i].kind);
		assert_string_equal(found->version, rows[i].version);
	}
	assert_null(kinds_find_name(k, ""));
	assert_null(kinds_find_name(k, "deployments.batch"));
}

static void kinds_added_at_run_time_replace_and_go(void **state)
{
	static const struct kind first = { .group = "example.com", .version = "v1", .kind = "Widget", .plural = "widgets",
					   .singular = "widget", .short_names = "wd", .categories = "" };
	static const struct kind second = { .group = "example.com", .version = "v1", .kind = "Widget", .plural = "widgets",
					    .singular = "widget", .short_names = "", .categories = "" };
	AUTO_KINDS k = kinds_new();
	size_t n = kinds_n(k);

	(void)state;
	kinds_add(k, &first);
	assert_ptr_equal(kinds_find_name(k, "wd"), &first);
	kinds_add(k, &second);
	assert_int_equal(kinds_n(k), n + 1);
	assert_ptr_equal(kinds_find(k, "example.com/v1", "Widget"), &second);
	kinds_remove(k, &second);
	assert_int_equal(kinds_n(k), n);
	assert_null(kinds_find(k, "example.com/v1", "Widget"));
	assert_null(kinds_find_plural(k, "example.com", "v1", "widgets"));
}

static void unknown_kinds_name_the_nearest(void **state)
{
	AUTO_KINDS k = kinds_new();
	AUTO(err) e = { 0 };

	(void)state;
	assert_err(kinds_unknown(k, "apps/v1", "Deploymnet", &e), &e, ERR_NOT_FOUND, "did you mean apps/v1 Deployment?");
	assert_err(kinds_unknown(k, "v1", "Deployment", &e), &e, ERR_NOT_FOUND, "did you mean apps/v1 Deployment?");
	assert_err(kinds_unknown(k, "v1", "Xyzzy", &e), &e, ERR_NOT_FOUND, "no matches for kind \"Xyzzy\" in version \"v1\"");
	assert_err(kinds_unknown(k, "v1", NULL, &e), &e, ERR_BAD_REQUEST, "Object 'Kind' is missing");
	assert_err(kinds_unknown(k, NULL, "Pod", &e), &e, ERR_BAD_REQUEST, "Object 'apiVersion' is missing");
}

static void types_hold_what_the_schema_files_say(void **state)
{
	const struct type *pod_spec = builtin_type("core/v1.PodSpec"), *volume = builtin_type("core/v1.Volume");
	const struct field *f = type_field(pod_spec, SV("containers"));

	(void)state;
	assert_string_equal(f->of->name, "core/v1.Container");
	assert_string_equal(f->merge_key, "name");
	assert_int_equal(f->container, FIELD_LIST);
	assert_true(f->flags & FIELD_MERGE && f->flags & FIELD_REQUIRED && f->flags & FIELD_LIST_MAP);
	assert_string_equal(type_field(pod_spec, SV("restartPolicy"))->def, "\"Always\"");
	assert_non_null(type_field(volume, SV("emptyDir")));           /* included from VolumeSource */
	assert_null(type_field(volume, SV("include")));
	assert_null(type_field(pod_spec, SV("kind")));
	assert_null(type_field(NULL, SV("kind")));
	assert_non_null(type_field(builtin_type("core/v1.Pod"), SV("apiVersion")));
	assert_string_equal(type_field(builtin_type("core/v1.Container"), SV("ports"))->list_keys, "containerPort,protocol");
}

static void tables_are_sound(void **state)
{
	AUTO(err) e = { 0 };

	(void)state;
	for (size_t i = 0; i < builtin_types_n; i++) {
		const struct type *t = &builtin_types[i];

		for (size_t j = 0; j < t->n_fields; j++) {
			const struct field *f = &t->fields[j];
			AUTO_DOC d = NULL;

			assert_true(!j || strcmp(t->fields[j - 1].name, f->name) < 0);
			assert_true((f->type == FIELD_OBJECT) == (f->of != NULL));
			assert_ptr_equal(type_field(t, sv_c(f->name)), f);
			if (f->def)
				assert_ok(json_read(sv_c(f->def), f->name, 0, &d, &e), &e);
			if (f->merge_key && f->of)
				assert_non_null(type_field(f->of, sv_c(f->merge_key)));
		}
	}
	for (size_t i = 0; i < builtin_kinds_n; i++) {
		const struct kind *k = &builtin_kinds[i];

		assert_non_null(type_field(k->type, SV("metadata")));
		assert_true(*k->plural && *k->singular && k->short_names && k->categories);
		if (k->subresources & SUB_STATUS)
			assert_true(type_field(k->type, SV("status")) || type_field(k->type, SV("spec")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kinds_are_found_by_version_and_by_plural),
		TEST(kinds_are_found_by_what_people_type),
		TEST(kinds_added_at_run_time_replace_and_go),
		TEST(unknown_kinds_name_the_nearest),
		TEST(types_hold_what_the_schema_files_say),
		TEST(tables_are_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* CustomResourceDefinitions: kinds that come and go. */
#include "check.h"

#include "api-cluster.h"

static const char definition[] =
	"apiVersion: apiextensions.k8s.io/v1\n"
	"kind: CustomResourceDefinition\n"
	"metadata: {name: jars.example.org}\n"
	"spec:\n"
	"  group: example.org\n"
	"  scope: Namespaced\n"
	"  names: {plural: jars, kind: Jar, shortNames: [jr]}\n"
	"  versions:\n"
	"  - name: v1\n"
	"    served: true\n"
	"    storage: true\n"
	"    subresources: {status: {}}\n"
	"    schema:\n"
	"      openAPIV3Schema:\n"
	"        type: object\n"
	"        properties:\n"
	"          spec:\n"
	"            type: object\n"
	"            required: [w]\n"
	"            properties:\n"
	"              w: {type: integer, minimum: 1, maximum: 9}\n"
	"              color: {type: string, enum: [red, green], default: red}\n"
	"              name: {type: string, pattern: '^[a-z]+$', maxLength: 5}\n"
	"              tags: {type: array, minItems: 1, items: {type: string}}\n"
	"              port: {x-kubernetes-int-or-string: true}\n"
	"              any: {type: object, x-kubernetes-preserve-unknown-fields: true}\n"
	"              free: {type: object, additionalProperties: {type: integer}}\n"
	"          status: {type: object, x-kubernetes-preserve-unknown-fields: true}\n";

#define JAR(spec) "{apiVersion: example.org/v1, kind: Jar, metadata: {name: a, namespace: default}, spec: " spec "}"

static void lives(struct cluster *c)
{
	create(c, JAR("{w: 1}"));
	create(c, definition);
	get(c, "crd", NULL, "jars.example.org", "status.storedVersions");
	get(c, "crd", NULL, "jars.example.org", "status.conditions.1.type");
	create(c, JAR("{w: 2, any: {x: {z: 1}}, free: {q: 1}, port: http}"));
	get(c, "jr", "default", "a", "spec");
	update(c, "jars", "default", "a", "status", "{\"x\":1}");
	get(c, "jar", "default", "a", "status");
	update_sub(c, "jars", "default", "a", "status", "status", "{\"x\":1}");
	get(c, "jar", "default", "a", "status");
	get(c, "jar", "default", "a", "metadata.generation");
	patch(c, "jar", "default", "a", PATCH_MERGE, "{spec: {w: 3}}", NULL);
	get(c, "jar", "default", "a", "metadata.generation");
}

static void custom_kind_lives_as_soon_as_it_is_defined(void **state)
{
	(void)state;
	cluster_expect(lives,
		       "NotFound: no matches for kind \"Jar\" in version \"example.org/v1\"\n[\"v1\"] \"Established\" "
		       "{\"any\":{\"x\":{\"z\":1}},\"color\":\"red\",\"free\":{\"q\":1},\"port\":\"http\",\"w\":2} - "
		       "{\"x\":1} 1 2 ");
}

static void refuses(struct cluster *c)
{
	create(c, definition);
	create(c, JAR("{w: 0}"));
	create(c, JAR("{}"));
	create(c, JAR("{w: x}"));
	create(c, JAR("{w: 1, name: toolong, color: blue, tags: []}"));
	create(c, JAR("{w: 1, size: 2}"));
	create(c, JAR("{w: 1, port: true}"));
	create(c, JAR("{w: 1, free: {a: b}}"));
	list(c, "jars", NULL, NULL, NULL);
}

static void custom_objects_are_validated_by_their_schema(void **state)
{
	(void)state;
	cluster_expect(refuses, "Invalid: Jar.example.org \"a\" is invalid: spec.w: Invalid value: 0: spec.w in body "
				"should be greater than or equal to 1\n"
				"Invalid: Jar.example.org \"a\" is invalid: spec.w: Required value\n"
				"Invalid: Jar.example.org \"a\" is invalid: spec.w: Invalid value: \"string\": spec.w "
				"in body must be of type integer: \"string\"\n"
				"Invalid: Jar.example.org \"a\" is invalid: [spec.name: Too long: may not be longer "
				"than 5, spec.color: Unsupported value: "
				"\"blue\": supported values: \"red\", \"green\", spec.tags: Invalid value: []: "
				"spec.tags in body should have at least 1 items]\n"
				"BadRequest: Jar in version \"v1\" cannot be handled as a Jar: strict decoding error: "
				"unknown field \"spec.size\"\n"
				"Invalid: Jar.example.org \"a\" is invalid: spec.port: Invalid value: \"boolean\": "
				"spec.port in body must be of type "
				"integer,string: \"boolean\"\n"
				"Invalid: Jar.example.org \"a\" is invalid: spec.free.a: Invalid value: \"string\": "
				"spec.free.a in body must be of type integer: "
				"\"string\"\n");
}

static void goes(struct cluster *c)
{
	create(c, definition);
	create(c, JAR("{w: 1}"));
	patch(c, "jars", "default", "a", PATCH_MERGE, "{metadata: {finalizers: [example.org/x]}}", NULL);
	del(c, "crd", NULL, "jars.example.org");
	get(c, "crd", NULL, "jars.example.org", "metadata.finalizers");
	(void)fiber_sleep(1);
	patch(c, "jars", "default", "a", PATCH_MERGE, "{metadata: {finalizers: null}}", NULL);
	while (kinds_find(c->kinds, "example.org/v1", "Jar"))
		(void)fiber_sleep(1);
	list(c, "crd", NULL, NULL, NULL);
	create(c, definition);
	list(c, "jars", NULL, NULL, NULL);
	create(c, JAR("{w: 4}"));
	get(c, "jars", "default", "a", "spec.w");
}

static void custom_kind_goes_when_its_objects_are_gone(void **state)
{
	(void)state;
	cluster_expect(goes, "[\"customresourcecleanup.apiextensions.k8s.io\"] 4 ");
}

static void misnames(struct cluster *c)
{
	char *wrong = str_fmt("%s", definition), *at = strstr(wrong, "jars.example.org");

	*at = 'c';
	create(c, wrong);
	free(wrong);
}

static void custom_definition_has_to_be_named_after_its_kind(void **state)
{
	(void)state;
	cluster_expect(misnames, "Invalid: CustomResourceDefinition.apiextensions.k8s.io \"cars.example.org\" is "
				 "invalid: metadata.name: Invalid "
				 "value: \"cars.example.org\": must be spec.names.plural+\".\"+spec.group\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(custom_kind_lives_as_soon_as_it_is_defined),
		TEST(custom_objects_are_validated_by_their_schema),
		TEST(custom_kind_goes_when_its_objects_are_gone),
		TEST(custom_definition_has_to_be_named_after_its_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

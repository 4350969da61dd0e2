/* CustomResourceDefinitions: kinds that come and go. */
#include "check.h"

#include "api-cluster.h"

static const char definition[] = "apiVersion: apiextensions.k8s.io/v1\n"
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

/* A definition whose spec has this schema; the jars that JAR() gives are of it. */
static char *defined(const char *spec)
{
	return str_fmt("apiVersion: apiextensions.k8s.io/v1\n"
		       "kind: CustomResourceDefinition\n"
		       "metadata: {name: jars.example.org}\n"
		       "spec:\n"
		       "  group: example.org\n"
		       "  scope: Namespaced\n"
		       "  names: {plural: jars, kind: Jar}\n"
		       "  versions:\n"
		       "  - name: v1\n"
		       "    served: true\n"
		       "    storage: true\n"
		       "    schema: {openAPIV3Schema: {type: object, properties: {spec: %s}}}\n",
		       spec);
}

static void define(struct cluster *c, const char *spec)
{
	char *text = defined(spec);

	create(c, text);
	free(text);
}

static const char ruled[] =
	"{type: object, x-kubernetes-validations: [{rule: 'self.least <= self.most', message: 'least may not be above "
	"most'},"
	" {rule: 'self.kind == oldSelf.kind', message: 'kind is fixed', reason: FieldValueForbidden, fieldPath: "
	".kind}],"
	" required: [kind], properties: {least: {type: integer}, most: {type: integer, x-kubernetes-validations: "
	"[{rule: 'self < 100', messageExpression: '\"most is \" + string(self) + \", not below 100\"'}]},"
	" kind: {type: string}, ports: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name],"
	" items: {type: object, required: [name], properties: {name: {type: string}, port: {type: integer, "
	"x-kubernetes-validations: [{rule: 'self == oldSelf'}]}}}}, tags: {type: array, x-kubernetes-list-type: set, "
	"items: "
	"{type: string}}, free: {type: object, additionalProperties: {type: string, x-kubernetes-validations: "
	"[{rule: 'size(self) > 1'}]}}}}";

static void keeps_rules(struct cluster *c)
{
	define(c, ruled);
	create(c, JAR("{kind: a, least: 3, most: 2, free: {k: v}}"));
	create(c, JAR("{kind: a, least: 1, most: 200}"));
	create(c, JAR("{kind: a, least: 1, most: 2, tags: [x, x], ports: [{name: p}, {name: p}]}"));
	create(c, JAR("{least: 3, most: 2}"));
	create(c, JAR("{kind: a, least: 1, most: 2, ports: [{name: p, port: 1}]}"));
	patch(c, "jars", "default", "a", PATCH_MERGE, "{spec: {kind: b}}", NULL);
	patch(c, "jars", "default", "a", PATCH_MERGE, "{spec: {ports: [{name: o, port: 2}, {name: p, port: 3}]}}",
	      NULL);
	patch(c, "jars", "default", "a", PATCH_MERGE, "{spec: {ports: [{name: o, port: 2}]}}", NULL);
	get(c, "jars", "default", "a", "spec.ports");
}

static void custom_objects_keep_the_rules_of_their_schema(void **state)
{
	(void)state;
	cluster_expect(
		keeps_rules,
		"Invalid: Jar.example.org \"a\" is invalid: [spec: Invalid value: \"object\": least may not be above "
		"most, "
		"spec.free[k]: Invalid value: \"string\": failed rule: size(self) > 1]\n"
		"Invalid: Jar.example.org \"a\" is invalid: spec.most: Invalid value: \"integer\": most is 200, not "
		"below "
		"100\n"
		"Invalid: Jar.example.org \"a\" is invalid: [spec.tags[1]: Duplicate value: \"x\", "
		"spec.ports[1]: Duplicate value: map[string]interface {}{\"name\":\"p\"}]\n"
		"Invalid: Jar.example.org \"a\" is invalid: [spec.kind: Required value, <nil>: Invalid value: "
		"\"null\": some "
		"validation rules were not checked because the object was invalid; correct the existing errors to "
		"complete validation]\n"
		"Invalid: Jar.example.org \"a\" is invalid: spec.kind: Forbidden: kind is fixed\n"
		"Invalid: Jar.example.org \"a\" is invalid: spec.ports[1].port: Invalid value: \"integer\": failed "
		"rule: "
		"self == oldSelf\n"
		"[{\"name\":\"o\",\"port\":2}] ");
}

static void becomes_stricter(struct cluster *c)
{
	define(c, "{type: object, properties: {w: {type: integer}, c: {type: string}}}");
	create(c, JAR("{w: 200, c: a}"));
	patch(c, "crd", NULL, "jars.example.org", PATCH_JSON,
	      "[{op: add, path: /spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/w/maximum, value: "
	      "9}]",
	      NULL);
	patch(c, "jars", "default", "a", PATCH_MERGE, "{spec: {c: b}}", NULL);
	get(c, "jars", "default", "a", "spec.c");
	patch(c, "jars", "default", "a", PATCH_MERGE, "{spec: {w: 201}}", NULL);
}

static void custom_fields_that_do_not_change_may_stay_when_the_schema_becomes_stricter(void **state)
{
	(void)state;
	cluster_expect(becomes_stricter,
		       "\"b\" Invalid: Jar.example.org \"a\" is invalid: spec.w: Invalid value: 201: spec.w in body "
		       "should be less than or equal to 9\n");
}

static void defines_wrongly(struct cluster *c)
{
	define(c, "{type: object, properties: {a: {}}}");
	define(c, "{type: array}");
	define(c, "{type: object, anyOf: [{type: string}]}");
	define(c, "{type: object, properties: {a: {type: integer, default: x}}}");
	define(c, "{type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: 'self.b == 1'}]}");
	define(c, "{type: string, x-kubernetes-validations: [{rule: 'size(self)'}]}");
	define(c, "{type: array, items: {type: string, x-kubernetes-validations: [{rule: 'self == oldSelf'}]}}");
	define(c, "{type: string, pattern: '(?=a)'}");
}

#define REFUSED(what)                                                                                                  \
	"Invalid: CustomResourceDefinition.apiextensions.k8s.io \"jars.example.org\" is invalid: "                     \
	"spec.validation.openAPIV3Schema.properties[spec]" what "\n"
#define ROW(rule)                                                                                                      \
	"apiextensions.ValidationRule{Rule:\"" rule "\", Message:\"\", MessageExpression:\"\", "                       \
	"Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:\"\", OptionalOldSelf:(*bool)(nil)}: "

static void custom_definitions_are_structural_and_their_rules_compile(void **state)
{
	(void)state;
	cluster_expect(
		defines_wrongly,
		REFUSED(".properties[a].type: Required value: must not be empty for specified object fields") REFUSED(
			".items: Required value: must be specified")
			REFUSED(".anyOf[0].type: Forbidden: must be empty to be structural") REFUSED(
				".properties[a].default: Invalid value: \"string\": "
				"spec.validation.openAPIV3Schema.properties[spec]"
				".properties[a].default in body must be of type integer: \"string\"")
				REFUSED(".x-kubernetes-validations[0].rule: Invalid value: " ROW(
					"self.b == 1") "compilation failed: ERROR: <input>:1:5: undefined field 'b'\n "
						       "| self.b == 1\n | ....^")
					REFUSED(".x-kubernetes-validations[0].rule: Invalid value: " ROW(
						"size(self)") "cel expression must evaluate to a bool")
						REFUSED(".items.x-kubernetes-validations[0].rule: Invalid value: "
							"\"self == oldSelf\": oldSelf cannot be "
							"used on the uncorrelatable portion of the schema")
							REFUSED(".pattern: Invalid value: \"(?=a)\": must be a valid "
								"regular expression, but isn't: regular "
								"expression '(?=a)': look-around is not supported"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(custom_kind_lives_as_soon_as_it_is_defined),
		TEST(custom_objects_are_validated_by_their_schema),
		TEST(custom_kind_goes_when_its_objects_are_gone),
		TEST(custom_definition_has_to_be_named_after_its_kind),
		TEST(custom_objects_keep_the_rules_of_their_schema),
		TEST(custom_fields_that_do_not_change_may_stay_when_the_schema_becomes_stricter),
		TEST(custom_definitions_are_structural_and_their_rules_compile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

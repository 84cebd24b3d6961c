/* Documents of a list: whose they are, in every form that control planes write, and what makes one unreadable. */
#include <criterion/criterion.h>
#include <string.h>

#include "api/kuma/document.h"

#define NAME_63 "a23456789a123456789b123456789c123456789d123456789e123456789f123"
#define NAME_253                                                                                                                   \
	NAME_63 "." NAME_63 "." NAME_63 "."                                                                                        \
		"a23456789a123456789b123456789c123456789d123456789e123456789f1"

static const struct {
	const char *name, *text, *mesh, *service, *zone;
	enum hf_kind kind;
} IDENTITIES[] = {
	{"universal", "{\"type\":\"MeshService\",\"name\":\"redis\",\"mesh\":\"prod\",\"labels\":{\"team\":\"db\"},\"spec\":{}}",
	 "prod", "redis", "east", HF_MESH_SERVICE},
	{"nothing but a name", "{\"name\":\"redis\"}", "default", "redis", "east", HF_MESH_SERVICE},
	{"Kubernetes",
	 "{\"apiVersion\":\"kuma.io/v1alpha1\",\"kind\":\"MeshService\",\"metadata\":{\"name\":\"cart\",\"namespace\":\"shop\","
	 "\"labels\":{\"kuma.io/mesh\":\"prod\",\"kuma.io/display-name\":\"cart\",\"k8s.kuma.io/namespace\":\"shop\"}}}",
	 "prod", "cart.shop", "east", HF_MESH_SERVICE},
	{"Kubernetes without labels", "{\"kind\":\"MeshService\",\"metadata\":{\"name\":\"cart\",\"namespace\":\"shop\"}}",
	 "default", "cart.shop", "east", HF_MESH_SERVICE},
	{"Kubernetes without a namespace", "{\"metadata\":{\"name\":\"cart\"}}", "default", "cart", "east", HF_MESH_SERVICE},
	{"an external service", "{\"type\":\"MeshExternalService\",\"name\":\"a\"}", "default", "a", "east",
	 HF_MESH_EXTERNAL_SERVICE},
	{"a multi-zone service", "{\"kind\":\"MeshMultiZoneService\",\"metadata\":{\"name\":\"a\"}}", "default", "a", "east",
	 HF_MESH_MULTIZONE_SERVICE},
	{"kind before type, as in the fingerprint", "{\"kind\":\"MeshExternalService\",\"type\":\"MeshService\",\"name\":\"a\"}",
	 "default", "a", "east", HF_MESH_EXTERNAL_SERVICE},
	{"an empty kind is none", "{\"kind\":\"\",\"type\":\"MeshExternalService\",\"name\":\"a\"}", "default", "a", "east",
	 HF_MESH_EXTERNAL_SERVICE},
	{"the name shown, by label", "{\"name\":\"redis-x5w8f\",\"labels\":{\"kuma.io/display-name\":\"redis\"}}", "default",
	 "redis", "east", HF_MESH_SERVICE},
	{"the name shown, by annotation",
	 "{\"metadata\":{\"name\":\"redis-x5w8f\",\"namespace\":\"db\",\"annotations\":{\"kuma.io/display-name\":\"redis\"}}}",
	 "default", "redis.db", "east", HF_MESH_SERVICE},
	{"the label before the annotation",
	 "{\"metadata\":{\"name\":\"a\",\"labels\":{\"kuma.io/display-name\":\"b\"},\"annotations\":{\"kuma.io/"
	 "display-name\":\"c\"}}}",
	 "default", "b", "east", HF_MESH_SERVICE},
	{"the name shown is enough", "{\"labels\":{\"kuma.io/display-name\":\"b\"}}", "default", "b", "east", HF_MESH_SERVICE},
	{"an empty label is none", "{\"name\":\"a\",\"labels\":{\"kuma.io/display-name\":\"\",\"k8s.kuma.io/namespace\":\"\"}}",
	 "default", "a", "east", HF_MESH_SERVICE},
	{"the name before metadata's", "{\"name\":\"a\",\"metadata\":{\"name\":\"b\"}}", "default", "a", "east", HF_MESH_SERVICE},
	{"the namespace by label alone", "{\"name\":\"foo\",\"labels\":{\"k8s.kuma.io/namespace\":\"demo\"}}", "default",
	 "foo.demo", "east", HF_MESH_SERVICE},
	{"the namespace's label before the namespace",
	 "{\"metadata\":{\"name\":\"cart-x5w8f\",\"namespace\":\"kuma-system\",\"labels\":{\"kuma.io/display-name\":\"cart\","
	 "\"k8s.kuma.io/namespace\":\"shop\"}}}",
	 "default", "cart.shop", "east", HF_MESH_SERVICE},
	{"an empty namespace is none", "{\"metadata\":{\"name\":\"a\",\"namespace\":\"\"}}", "default", "a", "east",
	 HF_MESH_SERVICE},
	{"of global, in the control plane's namespace",
	 "{\"metadata\":{\"name\":\"a\",\"namespace\":\"kuma-system\",\"labels\":{\"kuma.io/origin\":\"global\"}}}", "default", "a",
	 "global", HF_MESH_SERVICE},
	{"of a universal zone, in the control plane's namespace",
	 "{\"metadata\":{\"name\":\"a\",\"namespace\":\"kuma-system\",\"labels\":{\"kuma.io/origin\":\"zone\",\"kuma.io/env\":"
	 "\"universal\"}}}",
	 "default", "a", "east", HF_MESH_SERVICE},
	{"of a Kubernetes zone",
	 "{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"labels\":{\"kuma.io/origin\":\"zone\",\"kuma.io/"
	 "env\":\"kubernetes\"}}}",
	 "default", "a.b", "east", HF_MESH_SERVICE},
	{"of global, with the namespace's label",
	 "{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"labels\":{\"kuma.io/origin\":\"global\",\"k8s.kuma.io/namespace\":"
	 "\"c\"}}}",
	 "default", "a.c", "global", HF_MESH_SERVICE},
	{"the mesh before its label", "{\"name\":\"a\",\"mesh\":\"b\",\"labels\":{\"kuma.io/mesh\":\"c\"}}", "b", "a", "east",
	 HF_MESH_SERVICE},
	{"an empty mesh is none", "{\"name\":\"a\",\"mesh\":\"\",\"labels\":{\"kuma.io/mesh\":\"c\"}}", "c", "a", "east",
	 HF_MESH_SERVICE},
	{"its own zone", "{\"name\":\"a\",\"labels\":{\"kuma.io/zone\":\"east\"}}", "default", "a", "east", HF_MESH_SERVICE},
	{"of global", "{\"name\":\"a\",\"labels\":{\"kuma.io/origin\":\"global\"}}", "default", "a", "global", HF_MESH_SERVICE},
	{"of global, which says a zone", "{\"name\":\"a\",\"labels\":{\"kuma.io/origin\":\"global\",\"kuma.io/zone\":\"west\"}}",
	 "default", "a", "west", HF_MESH_SERVICE},
	{"of a zone that it does not say", "{\"name\":\"a\",\"labels\":{\"kuma.io/origin\":\"zone\"}}", "default", "a", "east",
	 HF_MESH_SERVICE},
	{"another zone", "{\"name\":\"a\",\"labels\":{\"kuma.io/zone\":\"west\"}}", "default", "a", "west", HF_MESH_SERVICE},
	{"labels before metadata's",
	 "{\"name\":\"a\",\"labels\":{\"x\":\"y\"},\"metadata\":{\"labels\":{\"kuma.io/zone\":\"west\"}}}", "default", "a", "east",
	 HF_MESH_SERVICE},
	{"null is missing, everywhere",
	 "{\"kind\":null,\"type\":null,\"name\":null,\"mesh\":null,\"labels\":null,\"metadata\":{\"name\":\"a\",\"namespace\":null,"
	 "\"annotations\":null,\"labels\":{\"kuma.io/zone\":null,\"kuma.io/display-name\":null}}}",
	 "default", "a", "east", HF_MESH_SERVICE},
	{"labels that matter not may be anything", "{\"name\":\"a\",\"metadata\":{\"labels\":{\"x\":7}}}", "default", "a", "east",
	 HF_MESH_SERVICE},
	{"the longest names", "{\"metadata\":{\"name\":\"" NAME_253 "\",\"namespace\":\"" NAME_63 "\"},\"mesh\":\"" NAME_63 "\"}",
	 NAME_63, NAME_253 "." NAME_63, "east", HF_MESH_SERVICE},
};

Test(document, identity_comes_from_the_document) {
	for (size_t i = 0; i < sizeof IDENTITIES / sizeof *IDENTITIES; i++) {
		struct hf_document d;
		struct hf_why why = {""};
		cr_expect_eq(hf_document_read(IDENTITIES[i].text, strlen(IDENTITIES[i].text), "east", &why, &d), HF_OK, "%s: %s",
			     IDENTITIES[i].name, why.text);
		cr_expect(d.has_identity, "%s", IDENTITIES[i].name);
		cr_expect_eq(d.id.kind, IDENTITIES[i].kind, "%s", IDENTITIES[i].name);
		cr_expect_str_eq(d.id.mesh, IDENTITIES[i].mesh, "%s: %s", IDENTITIES[i].name, d.id.mesh);
		cr_expect_str_eq(d.id.service, IDENTITIES[i].service, "%s: %s", IDENTITIES[i].name, d.id.service);
		cr_expect_str_eq(d.id.zone, IDENTITIES[i].zone, "%s: %s", IDENTITIES[i].name, d.id.zone);
	}
}

Test(document, the_configuration_is_read_as_of_a_single_one) {
	static const char text[] = "{\"type\":\"MeshService\",\"name\":\"a\",\"labels\":{\"team\":\"db\"},\"spec\":{\"ports\":[1]},"
				   "\"status\":{\"vips\":[{\"ip\":\"241.0.0.1\"},{\"ip\":\"fd00::1\"}]}}";
	struct hf_document d;
	struct hf_config config;
	cr_assert_eq(hf_document_read(text, sizeof text - 1, "east", NULL, &d), HF_OK);
	cr_assert_eq(hf_config_read(text, sizeof text - 1, NULL, &config), HF_OK);
	cr_expect(hf_digest_equal(&d.config.fingerprint, &config.fingerprint));
	cr_expect_eq(d.config.claims.n, 2);
	cr_expect_eq(memcmp(d.config.claims.of, config.claims.of, sizeof config.claims.of), 0);
}

static const struct {
	const char *name, *text, *why;
	enum hf_err err;
} BAD[] = {
	{"nothing", "", "the document is empty", HF_E_INVALID_JSON},
	{"cut off", "{\"name\":\"a\"", "the document, line 1, column ", HF_E_INVALID_JSON},
	{"no object", "[\"a\"]", "the document is not a JSON object", HF_E_INVALID_JSON},
	{"null", "null", "the document is not a JSON object", HF_E_INVALID_JSON},
	{"a duplicate", "{\"name\":\"a\",\"name\":\"a\"}", "the document, line 1, column ", HF_E_INVALID_JSON},
	{"a large number", "{\"name\":\"a\",\"spec\":9223372036854775808}", "the document, line 1, column ", HF_E_INVALID_JSON},
	{"no name", "{\"kind\":\"MeshService\",\"metadata\":{}}", "the document has no name", HF_E_INVALID_PARAMETER},
	{"an empty name", "{\"name\":\"\"}", "the document has no name", HF_E_INVALID_PARAMETER},
	{"another kind", "{\"kind\":\"Dataplane\",\"name\":\"a\"}", "kind \"Dataplane\" is unknown", HF_E_INVALID_PARAMETER},
	{"another type", "{\"type\":\"meshservice\",\"name\":\"a\"}", "kind \"meshservice\" is unknown", HF_E_INVALID_PARAMETER},
	{"a kind that is no text", "{\"kind\":1,\"name\":\"a\"}", "\"kind\" in the document is not a string",
	 HF_E_INVALID_PARAMETER},
	{"a name that is no text", "{\"name\":[\"a\"]}", "\"name\" in the document is not a string", HF_E_INVALID_PARAMETER},
	{"a mesh that is no text", "{\"name\":\"a\",\"mesh\":{}}", "\"mesh\" in the document is not a string",
	 HF_E_INVALID_PARAMETER},
	{"a namespace that is no text", "{\"metadata\":{\"name\":\"a\",\"namespace\":7}}",
	 "\"namespace\" in metadata is not a string", HF_E_INVALID_PARAMETER},
	{"a label that is no text", "{\"name\":\"a\",\"labels\":{\"kuma.io/zone\":true}}",
	 "\"kuma.io/zone\" in labels is not a string", HF_E_INVALID_PARAMETER},
	{"an annotation that is no text", "{\"name\":\"a\",\"metadata\":{\"annotations\":{\"kuma.io/display-name\":1}}}",
	 "\"kuma.io/display-name\" in metadata.annotations is not a string", HF_E_INVALID_PARAMETER},
	{"metadata that are no object", "{\"name\":\"a\",\"metadata\":[]}", "\"metadata\" is not an object",
	 HF_E_INVALID_PARAMETER},
	{"labels that are no object", "{\"name\":\"a\",\"labels\":\"x\"}", "\"labels\" is not an object", HF_E_INVALID_PARAMETER},
	{"metadata's labels that are no object", "{\"name\":\"a\",\"metadata\":{\"labels\":[]}}", "\"labels\" is not an object",
	 HF_E_INVALID_PARAMETER},
	{"annotations that are no object", "{\"name\":\"a\",\"metadata\":{\"annotations\":7}}",
	 "\"metadata.annotations\" is not an object", HF_E_INVALID_PARAMETER},
	{"a name out of form", "{\"name\":\"Redis\"}", "service \"Redis\": character 1 is not one of", HF_E_INVALID_NAME},
	{"a name that ends badly", "{\"name\":\"redis-\"}", "service \"redis-\" does not begin and end", HF_E_INVALID_NAME},
	{"a namespace out of form", "{\"metadata\":{\"name\":\"a\",\"namespace\":\"B\"}}", "service \"a.B\": character 3",
	 HF_E_INVALID_NAME},
	{"a name that is too long", "{\"name\":\"" NAME_253 "." NAME_63 "a\"}", "service \"", HF_E_INVALID_NAME},
	{"a mesh out of form", "{\"name\":\"a\",\"mesh\":\"*\"}", "mesh \"*\": character 1", HF_E_INVALID_NAME},
	{"a zone out of form", "{\"name\":\"a\",\"labels\":{\"kuma.io/zone\":\"West\"}}", "zone \"West\": character 1",
	 HF_E_INVALID_NAME},
};

Test(document, what_cannot_be_read_says_why) {
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		struct hf_document d = {.has_identity = true};
		struct hf_why why = {""};
		cr_expect_eq(hf_document_read(BAD[i].text, strlen(BAD[i].text), "east", &why, &d), BAD[i].err, "%s", BAD[i].name);
		cr_expect(strncmp(why.text, BAD[i].why, strlen(BAD[i].why)) == 0, "%s: %s", BAD[i].name, why.text);
		cr_expect(!d.has_identity, "%s", BAD[i].name);
	}
}

static enum hf_err reference(const char *text, const char *zone, struct hf_why *why, struct hf_identity *ret) {
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
	cr_assert_not_null(value, "%s", text);
	enum hf_err err = hf_document_reference(value, zone, why, ret);
	json_decref(value);
	return err;
}

Test(document, a_reference_names_a_service) {
	struct hf_identity id;
	cr_assert_eq(reference("{\"mesh\":\"prod\",\"service\":\"cart.shop\"}", "east", NULL, &id), HF_OK);
	cr_expect_eq(id.kind, HF_MESH_SERVICE);
	cr_expect_str_eq(id.zone, "east");
	cr_expect_str_eq(id.mesh, "prod");
	cr_expect_str_eq(id.service, "cart.shop");
	cr_assert_eq(reference("{\"kind\":\"MeshExternalService\",\"mesh\":\"a\",\"service\":\"b\"}", "east", NULL, &id), HF_OK);
	cr_expect_eq(id.kind, HF_MESH_EXTERNAL_SERVICE);
	cr_assert_eq(reference("{\"mesh\":\"a\",\"service\":\"b\",\"zone\":\"west\"}", NULL, NULL, &id), HF_OK);
	cr_expect_str_eq(id.zone, "west");
}

Test(document, a_reference_is_read_strictly) {
	static const struct {
		const char *text, *zone, *why;
		enum hf_err err;
	} cases[] = {
		{"7", "east", "it is not an object", HF_E_INVALID_PARAMETER},
		{"{}", "east", "\"mesh\" is missing", HF_E_INVALID_PARAMETER},
		{"{\"mesh\":\"a\"}", "east", "\"service\" is missing", HF_E_INVALID_PARAMETER},
		{"{\"mesh\":null,\"service\":\"b\"}", "east", "\"mesh\" is not a string", HF_E_INVALID_PARAMETER},
		{"{\"mesh\":\"a\",\"service\":\"b\",\"kind\":7}", "east", "\"kind\" is not a string", HF_E_INVALID_PARAMETER},
		{"{\"mesh\":\"a\",\"service\":\"b\",\"kind\":\"c\"}", "east", "\"kind\" is \"c\"; known: MeshService",
		 HF_E_INVALID_PARAMETER},
		{"{\"mesh\":\"a\",\"service\":\"B\"}", "east", "service \"B\": character 1", HF_E_INVALID_NAME},
		{"{\"mesh\":\"\",\"service\":\"b\"}", "east", "mesh is empty", HF_E_INVALID_NAME},
		{"{\"mesh\":\"a\",\"service\":\"b\",\"zone\":\"east\"}", "east",
		 "member \"zone\" is unknown; known: kind, mesh, service", HF_E_INVALID_PARAMETER},
		{"{\"mesh\":\"a\",\"service\":\"b\",\"name\":\"c\"}", NULL,
		 "member \"name\" is unknown; known: kind, mesh, zone, service", HF_E_INVALID_PARAMETER},
		{"{\"mesh\":\"a\",\"service\":\"b\"}", NULL, "\"zone\" is missing", HF_E_INVALID_PARAMETER},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hf_identity id = {.service = "untouched"};
		struct hf_why why = {""};
		cr_expect_eq(reference(cases[i].text, cases[i].zone, &why, &id), cases[i].err, "%s", cases[i].text);
		cr_expect(strncmp(why.text, cases[i].why, strlen(cases[i].why)) == 0, "%s: %s", cases[i].text, why.text);
		cr_expect_str_eq(id.service, "untouched");
	}
}

/* The canonical configuration: what counts and what does not. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "api/kuma/canonical.h"

static char *canonical(const char *body) {
	struct hf_buf text = {0};
	struct hf_why why = {""};
	cr_assert_eq(hf_config_canonical(body, strlen(body), &why, &text), HF_OK, "%s: %s", body, why.text);
	char *copy = strndup(text.data, text.len);
	hf_buf_free(&text);
	return copy;
}

#define UNIVERSAL                                                                                                                  \
	"{\"type\":\"MeshService\",\"name\":\"redis\",\"mesh\":\"default\",\"labels\":{\"team\":\"db\",\"kuma.io/zone\":"          \
	"\"east\"},\"spec\":{\"selector\":{\"dataplaneTags\":{\"app\":\"redis\",\"kuma.io/zone\":\"east\"}},"                      \
	"\"ports\":[{\"port\":6379,\"targetPort\":6379}]}}"
#define CANONICAL                                                                                                                  \
	"{\"kind\":\"MeshService\",\"labels\":{\"team\":\"db\"},\"spec\":{\"ports\":[{\"port\":6379,\"targetPort\":6379}],"        \
	"\"selector\":{\"dataplaneTags\":{\"app\":\"redis\",\"kuma.io/zone\":\"east\"}}}}"

static const struct {
	const char *name, *body, *text;
} TEXTS[] = {
	{"universal form", UNIVERSAL, CANONICAL},
	{"Kubernetes form",
	 "{\"apiVersion\":\"kuma.io/v1alpha1\",\"kind\":\"MeshService\",\"metadata\":{\"name\":\"redis\",\"namespace\":\"db\","
	 "\"uid\":\"1\",\"resourceVersion\":\"7\",\"generation\":3,\"managedFields\":[],\"ownerReferences\":[{}],\"annotations\":{"
	 "\"a\":"
	 "\"b\"},\"labels\":{\"k8s.kuma.io/namespace\":\"db\",\"kuma.io/mesh\":\"default\",\"team\":\"db\"}},\"spec\":{\"state\":"
	 "\"Available\",\"identities\":[{\"type\":\"ServiceTag\"}],\"ports\":[{\"targetPort\":6379,\"port\":6379}],\"selector\":{"
	 "\"dataplaneTags\":{\"kuma.io/zone\":\"east\",\"app\":\"redis\"}}},\"status\":{\"vips\":[{\"ip\":\"241.0.0.1\"}]}}",
	 CANONICAL},
	{"the copy back from global",
	 "{\"type\":\"MeshService\",\"name\":\"redis-xw8f\",\"mesh\":\"default\",\"creationTime\":\"2026-01-01T00:00:00Z\",\"kri\":"
	 "\"x\","
	 "\"snis\":[],\"labels\":{\"kuma.io/display-name\":\"redis\",\"kuma.io/"
	 "origin\":\"global\",\"team\":\"db\"},\"spec\":{\"ports\":[{"
	 "\"port\":6379,\"targetPort\":6379}],\"selector\":{\"dataplaneTags\":{\"app\":\"redis\",\"kuma.io/zone\":\"east\"}}},"
	 "\"status\":{}}",
	 CANONICAL},
	{"no labels of the user are no labels", "{\"labels\":{\"kuma.io/a\":\"b\"},\"spec\":{}}", "{\"spec\":{}}"},
	{"labels null", "{\"labels\":null,\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":1}",
	 "{\"labels\":{\"a\":\"b\"},\"spec\":1}"},
	{"labels that are no object stay", "{\"labels\":[1],\"spec\":{}}", "{\"labels\":[1],\"spec\":{}}"},
	{"kind before type", "{\"type\":\"A\",\"kind\":\"B\",\"spec\":{}}", "{\"kind\":\"B\",\"spec\":{}}"},
	{"state and identities deeper in the spec stay",
	 "{\"spec\":{\"a\":{\"state\":1,\"identities\":2},\"state\":3,\"identities\":4}}",
	 "{\"spec\":{\"a\":{\"identities\":2,\"state\":1}}}"},
	{"without spec, whole but status", "{\"b\":1,\"a\":{\"status\":2},\"status\":3,\"name\":\"x\"}",
	 "{\"a\":{\"status\":2},\"b\":1,\"name\":\"x\"}"},
	{"members by their bytes", "{\"\xc3\xa9\":1,\"z\":2,\"Z\":3,\"\":4,\"aa\":5,\"a\":6}",
	 "{\"\":4,\"Z\":3,\"a\":6,\"aa\":5,\"z\":2,\"\xc3\xa9\":1}"},
	{"escapes of RFC 8785", "{\"a\":\"\\u0008\\t\\n\\f\\r\\\"\\\\\\/\\u0001\\u001f\\u007f\\u20ac\"}",
	 "{\"a\":\"\\b\\t\\n\\f\\r\\\"\\\\/\\u0001\\u001f\x7f\xe2\x82\xac\"}"},
	{"whole numbers", "{\"a\":[0,-1,9223372036854775807,-9223372036854775808]}",
	 "{\"a\":[0,-1,9223372036854775807,-9223372036854775808]}"},
	{"other numbers", "{\"a\":[1.0,0.1,1e3,1.5e300]}", "{\"a\":[1,0.10000000000000001,1000,1.5000000000000001e+300]}"},
	{"literals and order in arrays", "{\"a\":[true,false,null,{},[]]}", "{\"a\":[true,false,null,{},[]]}"},
};

Test(canonical, each_form_has_its_text) {
	for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
		char *text = canonical(TEXTS[i].body);
		cr_expect_str_eq(text, TEXTS[i].text, "%s: %s", TEXTS[i].name, text);
		free(text);
	}
}

static const struct {
	const char *name, *other;
} REAL_CHANGES[] = {
	{"another port",
	 "{\"type\":\"MeshService\",\"labels\":{\"team\":\"db\"},\"spec\":{\"selector\":{\"dataplaneTags\":{\"app\":\"redis\","
	 "\"kuma.io/zone\":\"east\"}},\"ports\":[{\"port\":6380,\"targetPort\":6379}]}}"},
	{"another selector",
	 "{\"type\":\"MeshService\",\"labels\":{\"team\":\"db\"},\"spec\":{\"selector\":{\"dataplaneTags\":{\"app\":"
	 "\"cache\",\"kuma.io/zone\":\"east\"}},\"ports\":[{\"port\":6379,\"targetPort\":6379}]}}"},
	{"another label of the user",
	 "{\"type\":\"MeshService\",\"labels\":{\"team\":\"shop\"},\"spec\":{\"selector\":{\"dataplaneTags\":{"
	 "\"app\":\"redis\",\"kuma.io/zone\":\"east\"}},\"ports\":[{\"port\":6379,\"targetPort\":6379}]}}"},
	{"another kind",
	 "{\"type\":\"MeshExternalService\",\"labels\":{\"team\":\"db\"},\"spec\":{\"selector\":{\"dataplaneTags\":{\"app\":"
	 "\"redis\",\"kuma.io/zone\":\"east\"}},\"ports\":[{\"port\":6379,\"targetPort\":6379}]}}"},
};

Test(canonical, a_real_change_is_a_change) {
	for (size_t i = 0; i < sizeof REAL_CHANGES / sizeof *REAL_CHANGES; i++) {
		char *text = canonical(REAL_CHANGES[i].other);
		cr_expect_str_neq(text, CANONICAL, "%s", REAL_CHANGES[i].name);
		free(text);
	}
}

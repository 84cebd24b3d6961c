/* Claims: what counts as one, in every spelling; what is told of a text without parsing it; how refusals are told. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/kuma/canonical.h"
#include "api/text/json.h"

/* "241.0.0.1 fd00::1 !nonsense" of a document: its claims, then what is wrong with which reason. */
static const char *claims_of(const char *document) {
	static char text[1024];
	struct hf_config config;
	char address[HF_ADDR_TEXT];
	size_t at = 0;
	text[0] = '\0';
	cr_assert_eq(hf_config_read(document, strlen(document), NULL, &config), HF_OK, "%s", document);
	for (int i = 0; i < config.claims.n; i++) {
		hf_addr_format(config.claims.of[i], address);
		at += (size_t)snprintf(text + at, sizeof text - at, "%s ", address);
	}
	for (int i = 0; i < config.claims.wrong.n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s!%s ", hf_refusal_name(config.claims.wrong.of[i].reason),
				       config.claims.wrong.of[i].text);
	if (config.claims.wrong.more)
		at += (size_t)snprintf(text + at, sizeof text - at, "+%u ", config.claims.wrong.more);
	if (config.claims.in_cluster)
		at += (size_t)snprintf(text + at, sizeof text - at, "cluster ");
	if (at > 0)
		text[at - 1] = '\0';
	return text;
}

#define STATUS(value) "{\"name\":\"a\",\"status\":" value "}"
#define VIPS(value) STATUS("{\"vips\":" value "}")
#define LABELS(labels) "{\"name\":\"a\",\"labels\":{" labels "},\"status\":{\"vips\":[{\"ip\":\"10.43.0.1\"}]}}"

static const struct {
	const char *document, *claims;
} CLAIMS[] = {
	{VIPS("[{\"ip\":\"241.0.0.1\"},{\"ip\":\"fd00::1\"}]"), "241.0.0.1 fd00::1"},
	{STATUS("{\"vip\":{\"ip\":\"242.0.0.17\"},\"addresses\":[]}"), "242.0.0.17"},
	{STATUS("{\"vip\":{\"ip\":\"242.0.0.17\"},\"vips\":[{\"ip\":\"242.0.0.18\"}]}"), "242.0.0.18 242.0.0.17"},
	{VIPS("[\"241.0.0.1\",\"fd00::1\"]"), "241.0.0.1 fd00::1"},
	{STATUS("{\"vip\":\"241.0.0.1\"}"), "241.0.0.1"},
	{VIPS("{\"ip\":\"241.0.0.1\"}"), "241.0.0.1"},
	{VIPS("\"241.0.0.1\""), "241.0.0.1"},
	{VIPS("[{\"ip\":\" 241.0.0.1\\t\\r\\n\"}]"), "241.0.0.1"},
	{VIPS("[{\"ip\":\"241.0.0.1/32\"},{\"ip\":\"fd00::1/128\"}]"), "241.0.0.1 fd00::1"},
	{VIPS("[{\"ip\":\"::ffff:241.0.0.1\"}]"), "241.0.0.1"},
	{VIPS("[{\"ip\":\"::FFFF:f100:1/128\"}]"), "241.0.0.1"},
	{VIPS("[{\"ip\":\"FD00:0:0:0::0001\"}]"), "fd00::1"},
	{VIPS("[{\"ip\":\"241.0.0.1\"},{\"ip\":\"::ffff:241.0.0.1\"},\"241.0.0.1/32\"]"), "241.0.0.1"},
	{VIPS("[]"), ""},
	{VIPS("[{}]"), ""},
	{VIPS("[{\"ip\":null},{\"ip\":\"\"},{\"ip\":\" \"},null]"), ""},
	{VIPS("null"), ""},
	{STATUS("null"), ""},
	{"{\"spec\":{\"status\":{\"vips\":[{\"ip\":\"241.0.0.1\"}]}}}", ""},
	{VIPS("[{\"ip\":\"nonsense\"},{\"ip\":\"241.0.0.1\"}]"), "241.0.0.1 not-an-address!nonsense"},
	{VIPS("[{\"ip\":7},true,-2.5,{\"ip\":\"241.0.0.0/8\"}]"),
	 "not-an-address!7 not-an-address!true not-an-address!-2.5 not-an-address!241.0.0.0/8"},
	{VIPS("[{\"ip\":\"241.0.0.1/33\"},{\"ip\":\"fd00::1/32\"},{\"ip\":\"241.0.0.1/128\"}]"),
	 "not-an-address!241.0.0.1/33 not-an-address!fd00::1/32 not-an-address!241.0.0.1/128"},
	{VIPS("[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]"), "not-an-address!a not-an-address!b not-an-address!c not-an-address!d +2"},
	{VIPS("[\"1.1.1.1\",\"1.1.1.2\",\"1.1.1.3\",\"1.1.1.4\",\"1.1.1.5\",\"1.1.1.6\",\"1.1.1.7\",\"1.1.1.8\",\"1.1.1.9\",\"1.1."
	      "1.1\"]"),
	 "1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5 1.1.1.6 1.1.1.7 1.1.1.8 too-many!1.1.1.9"},
	{LABELS("\"kuma.io/managed-by\":\"k8s-controller\",\"kuma.io/origin\":\"zone\""), "cluster"},
	{LABELS("\"k8s.kuma.io/is-headless-service\":\"true\",\"kuma.io/origin\":\"zone\""), "cluster"},
	{LABELS("\"kuma.io/managed-by\":\"k8s-controller\""), "cluster"},
	{LABELS("\"kuma.io/managed-by\":\"k8s-controller\",\"kuma.io/origin\":\"global\""), "10.43.0.1"},
	{LABELS("\"kuma.io/managed-by\":\"meshservice-generator\",\"kuma.io/origin\":\"zone\""), "10.43.0.1"},
	{LABELS("\"k8s.kuma.io/is-headless-service\":\"false\",\"kuma.io/origin\":\"zone\""), "10.43.0.1"},
	{"{\"kind\":\"MeshMultiZoneService\",\"metadata\":{\"name\":\"a\",\"labels\":{\"kuma.io/managed-by\":\"k8s-controller\"}},"
	 "\"status\":{\"vips\":[{\"ip\":\"243.0.0.1\"}]}}",
	 "243.0.0.1"},
	{"{\"name\":\"a\",\"labels\":{\"kuma.io/managed-by\":\"k8s-controller\"},\"status\":{\"vips\":[]}}", ""},
};

Test(claims, of_a_document) {
	for (size_t i = 0; i < sizeof CLAIMS / sizeof *CLAIMS; i++)
		cr_expect_str_eq(claims_of(CLAIMS[i].document), CLAIMS[i].claims, "%s: %s", CLAIMS[i].document,
				 claims_of(CLAIMS[i].document));
}

Test(claims, a_long_text_is_cut_between_characters) {
	char document[256] = VIPS("[\"xüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü\"]");
	struct hf_config config;
	cr_assert_eq(hf_config_read(document, strlen(document), NULL, &config), HF_OK);
	cr_expect_eq(strlen(config.claims.wrong.of[0].text), HF_CLAIM_TEXT - 1, "one byte and characters of two");
}

static const struct {
	const char *text;
	int mask;
} PEEKS[] = {
	{"{}", 0},
	{"{\"name\":\"vips\",\"vipsy\":1,\"spec\":{\"avips\":1}}", 0},
	{"{\"status\":{}}", 0},
	{"{\"status\":{\"vips\":[]}}", 0},
	{"{\"status\":{\"vip\":{}}}", 0},
	{"{\"status\":{\"vips\":[{\"ip\":\"241.0.0.1\"}]}}", 1},
	{"{\"status\":{\"vips\":[{\"ip\":\"fd00::1\"}]}}", 2},
	{"{\"status\" : {\"vips\" : [ { \"ip\" : \"fd00::1\" } , {\"ip\":\"241.0.0.1\"} ] } }", 3},
	{"{\"status\":{\"vip\":{\"ip\":\"241.0.0.1\"},\"addresses\":[]}}", 1},
	{"{\"status\":{\"vip\":{\"ip\":\"241.0.0.1\"},\"vips\":[{\"ip\":\"fd00::1\"}]}}", 3},
	{"{\"status\":{\"vips\":[{\"ip\":\"241.0.0.11\"}]}}", -1},
	{"{\"status\":{\"vips\":[{\"ip\":\"241.0.0.1\"},{\"ip\":\"241.0.0.2\"}]}}", -1},
	{"{\"status\":{\"vips\":[{\"ip\":\"241.0.0.1\"},\"junk\"]}}", -1},
	{"{\"status\":{\"vips\":[\"241.0.0.1\"]}}", -1},
	{"{\"status\":{\"vips\":[{\"ip\":\" 241.0.0.1\"}]}}", -1},
	{"{\"status\":{\"vips\":[{\"ip\":\"241.0.0.1\",\"x\":1}]}}", -1},
	{"{\"status\":{\"vips\":[{\"ip\":\"241.0.0.1\"}", -1},
	{"{\"status\":{\"vips\":{\"ip\":\"241.0.0.1\"}}}", -1},
	{"{\"status\":{\"vip\":\"241.0.0.1\"}}", -1},
	{"{\"status\":{\"vip\":{\"ip\":\"242.0.0.1\"}}}", -1},
	{"{\"st\\u0061tus\":{}}", -1},
};

Test(claims, told_from_a_text) {
	struct hf_addr vips[2];
	cr_assert_eq(hf_addr_parse("241.0.0.1", NULL, &vips[0]), HF_OK);
	cr_assert_eq(hf_addr_parse("fd00::1", NULL, &vips[1]), HF_OK);
	for (size_t i = 0; i < sizeof PEEKS / sizeof *PEEKS; i++) {
		size_t len = strlen(PEEKS[i].text);
		char *exact = malloc(len);
		cr_assert(exact);
		memcpy(exact, PEEKS[i].text, len);
		cr_expect_eq(hf_claims_peek(exact, len, vips, 2), PEEKS[i].mask, "%s", PEEKS[i].text);
		free(exact);
	}
	cr_expect_eq(hf_claims_peek("", 0, vips, 2), 0);
}

Test(claims, refusals_are_told) {
	struct hf_addr claims[3];
	const uint8_t refused[] = {HF_CLAIM_TAKEN, HF_CLAIM_HAD, HF_CLAIM_LEASE_EXISTS};
	struct hf_wrong_claims wrong = {
		.n = 2, .more = 7, .of = {{HF_CLAIM_NO_ADDRESS, "a\"b\\c\r\nü"}, {HF_CLAIM_TOO_MANY, "1.1.1.9"}}};
	struct hf_claims_result result = {3, claims, refused, &wrong}, none = {0, NULL, NULL, NULL},
				had = {1, claims + 1, refused + 1, NULL};
	static const char *const texts[] = {"241.0.0.1", "241.0.0.2", "fd00::1"};
	struct hf_buf header = {0}, json = {0};
	struct hf_json writer = {.out = &json};
	for (int i = 0; i < 3; i++)
		cr_assert_eq(hf_addr_parse(texts[i], NULL, &claims[i]), HF_OK);
	hf_claims_write_header(&header, &none);
	hf_claims_write_header(&header, &had);
	cr_expect_eq(header.len, 0);
	hf_claims_write_header(&header, &result);
	cr_expect_str_eq(header.data,
			 "\"241.0.0.1\";reason=address-taken, \"fd00::1\";reason=lease-exists, "
			 "\"a\\\"b\\\\c????\";reason=not-an-address, \"1.1.1.9\";reason=too-many;more=7",
			 "%s", header.data);
	hf_claims_write_json(&writer, &result);
	hf_buf_add(&json, "", 1);
	cr_expect_str_eq(
		json.data,
		"[{\"address\":\"241.0.0.1\",\"reason\":\"address-taken\"},{\"address\":\"fd00::1\",\"reason\":\"lease-exists\"},"
		"{\"address\":\"a\\\"b\\\\c\\r\\nü\",\"reason\":\"not-an-address\"},"
		"{\"address\":\"1.1.1.9\",\"reason\":\"too-many\",\"more\":7}]",
		"%s", json.data);
	hf_buf_free(&header);
	hf_buf_free(&json);
}

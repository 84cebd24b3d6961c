/* Skims: what is left of a document says whose it is as the whole does, in whatever pieces it comes, or nothing is left. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/lists/skim.h"

static const struct {
	const char *name, *text, *left; /* NULL: nothing can be told */
} TABLE[] = {
	{"nothing", "{}", "{}"},
	{"blanks", " \t{ \r\n} \n", "{}"},
	{"a name alone", "{\"name\":\"a\"}", "{\"name\":\"a\"}"},
	{"what says nothing goes",
	 "{\"spec\":{\"name\":\"b\",\"x\":[1,{\"y\":\"}\"}]},\"name\":\"a\",\"status\":null,\"n\":-1.5e3}", "{\"name\":\"a\"}"},
	{"blanks everywhere", "{ \"name\" : \"a\" , \"x\" : [ ] , \"mesh\" : \"m\" }", "{\"name\":\"a\",\"mesh\":\"m\"}"},
	{"Kubernetes",
	 "{\"apiVersion\":\"v1\",\"kind\":\"MeshService\",\"metadata\":{\"uid\":\"u\",\"name\":\"a\",\"labels\":{\"app\":\"x\","
	 "\"kuma.io/mesh\":\"m\"},\"managedFields\":[{\"name\":1}],\"annotations\":{\"big\":\"\\\"}\",\"kuma.io/display-name\":"
	 "\"d\"},\"namespace\":\"n\"},\"spec\":{}}",
	 "{\"kind\":\"MeshService\",\"metadata\":{\"name\":\"a\",\"labels\":{\"kuma.io/mesh\":\"m\"},\"annotations\":{"
	 "\"kuma.io/display-name\":\"d\"},\"namespace\":\"n\"}}"},
	{"labels outside", "{\"labels\":{\"kuma.io/zone\":\"west\",\"kuma.io/zones\":\"x\"}}",
	 "{\"labels\":{\"kuma.io/zone\":\"west\"}}"},
	{"names in the wrong place",
	 "{\"namespace\":\"n\",\"annotations\":{\"name\":\"x\"},\"metadata\":{\"metadata\":{\"name\":1}}}", "{\"metadata\":{}}"},
	{"null and other words", "{\"name\":null,\"mesh\":true,\"type\":12,\"kind\":nullify}",
	 "{\"name\":null,\"mesh\":0,\"type\":0,\"kind\":0}"},
	{"what is no text or object", "{\"name\":{\"a\":1},\"labels\":[{}],\"metadata\":5,\"mesh\":[]}",
	 "{\"name\":[],\"labels\":[],\"metadata\":0,\"mesh\":[]}"},
	{"escapes in texts", "{\"name\":\"\\u0061\\\\\\\"b\",\"x\":\"\\\"\"}", "{\"name\":\"\\u0061\\\\\\\"b\"}"},
	{"twice the same stays twice", "{\"name\":\"a\",\"name\":\"b\"}", "{\"name\":\"a\",\"name\":\"b\"}"},
	{"twice what says nothing", "{\"x\":1,\"x\":2,\"name\":\"a\"}", "{\"name\":\"a\"}"},
	{"numbers out of range, a NUL, bytes that are no text", "{\"x\":99999999999999999999,\"y\":\"\\u0000\xff\",\"name\":\"a\"}",
	 "{\"name\":\"a\"}"},
	{"no brackets that match", "{\"x\":[}],\"name\":\"a\"}", NULL},
	{"an escape in a name", "{\"n\\u0061me\":\"a\"}", NULL},
	{"an escape in a name that is not looked into", "{\"x\":{\"n\\u0061me\":\"a\"}}", "{}"},
	{"no object", "[]", NULL},
	{"a text", "\"name\"", NULL},
	{"empty", "", NULL},
	{"cut off", "{\"name\":\"a\"", NULL},
	{"cut off in a text", "{\"name\":\"a", NULL},
	{"cut off in what says nothing", "{\"name\":\"a\",\"x\":{\"y\":{}}", NULL},
	{"a comma too many", "{\"name\":\"a\",}", NULL},
	{"a comma too few", "{\"name\":\"a\" \"mesh\":\"m\"}", NULL},
	{"no colon", "{\"name\" \"a\"}", NULL},
	{"no value", "{\"name\":,\"mesh\":\"m\"}", NULL},
	{"no name", "{:\"a\"}", NULL},
	{"two documents", "{\"name\":\"a\"}{\"name\":\"b\"}", NULL},
	{"something behind it", "{\"name\":\"a\"} x", NULL},
	{"single quotes", "{'name':'a'}", NULL},
	{"a word that runs into a text", "{\"x\":1\"name\":\"a\"}", NULL},
};

/* In two pieces, cut at any place, and in single bytes. */
static const char *skimmed(struct hf_skim *skim, const char *text, size_t len, size_t cut, size_t *ret_len) {
	hf_skim_begin(skim);
	for (size_t at = 0; cut == 0 && at < len; at++)
		hf_skim_feed(skim, text + at, 1);
	if (cut > 0) {
		hf_skim_feed(skim, text, cut);
		hf_skim_feed(skim, text + cut, len - cut);
	}
	return hf_skim_end(skim, ret_len);
}

Test(skim, what_is_left) {
	struct hf_skim skim = {.depth = 0};
	for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
		size_t len = strlen(TABLE[i].text), left_len = 0;
		char *text = malloc(len + 1); /* with nothing behind it */
		memcpy(text, TABLE[i].text, len);
		for (size_t cut = 0; cut <= len; cut++) {
			const char *left = skimmed(&skim, text, len, cut, &left_len);
			cr_assert_eq(left != NULL, TABLE[i].left != NULL, "%s, cut at %zu", TABLE[i].name, cut);
			cr_assert(!left || (left_len == strlen(TABLE[i].left) && memcmp(left, TABLE[i].left, left_len) == 0),
				  "%s, cut at %zu: %.*s", TABLE[i].name, cut, (int)left_len, left);
		}
		free(text);
	}
	hf_skim_free(&skim);
}

/* Appends `n` times the text. */
static void repeat(struct hf_buf *buf, const char *text, int n) {
	while (n-- > 0)
		hf_buf_add(buf, text, strlen(text));
}

static enum hf_err read_left(struct hf_skim *skim, const struct hf_buf *text, struct hf_document *ret) {
	struct hf_why why;
	size_t len;
	hf_skim_begin(skim);
	hf_skim_feed(skim, text->data, text->len);
	const char *left = hf_skim_end(skim, &len);
	cr_assert_not_null(left);
	cr_expect_leq(skim->out.cap, HF_SKIM_MAX);
	return hf_document_read(left, len, "east", &why, ret);
}

Test(skim, it_takes_little_memory_whatever_comes) {
	struct hf_skim skim = {.depth = 0};
	struct hf_buf text = {0};
	struct hf_document document;
	hf_buf_text(&text, "{\"metadata\":{\"annotations\":{");
	for (int i = 0; i < 20000; i++)
		hf_buf_printf(&text, "\"note-%d\":\"x\",", i);
	repeat(&text, "\"long\":\"", 1);
	repeat(&text, "\\u00e4", 200000);
	hf_buf_text(&text, "\"},\"name\":\"a\",\"namespace\":\"n\"},\"spec\":");
	repeat(&text, "[{\"x\":", 30000);
	hf_buf_text(&text, "1");
	repeat(&text, "}]", 30000);
	hf_buf_text(&text, ",\"mesh\":\"m\"}");
	cr_assert(!text.failed);
	cr_expect_eq(read_left(&skim, &text, &document), HF_OK);
	cr_expect(document.has_identity);
	cr_expect_str_eq(document.id.service, "a.n");
	cr_expect_str_eq(document.id.mesh, "m");
	hf_buf_free(&text);
	hf_skim_free(&skim);
}

/* What hf_document_read() refuses as it is not JSON that we take; NULL: nobody knows whose it is. */
static const struct {
	const char *text;
	size_t len;
	const char *service;
} REFUSED[] = {
/* clang-format off */
#define R(literal, service) {literal, sizeof(literal) - 1, service}
	/* clang-format on */
	R("{\"name\":\"a\",\"x\":\"\\u0000\"}", "a"),
	R("{\"name\":\"a\",\"x\":9223372036854775808}", "a"),
	R("{\"x\":[{\"y\":1,\"y\":2}],\"metadata\":{\"name\":\"a\"}}", "a"),
	R("{\"name\":\"a\",\"x\":\"\xc3\"}", "a"),
	R("{\"name\":\"a\",\"x\":\"\0\"}", "a"),
	R("{\"name\":\"a\",\"name\":\"b\"}", NULL),
	R("{\"name\":\"a\\u0000\"}", NULL),
	R("{\"name\":9223372036854775808}", NULL),
	R("{\"name\":\"a\xff\"}", NULL),
	R("{\"name\":\"a\",}", NULL),
	R("{'name':'a'}", NULL),
	R("{\"name\":\"a\"} x", NULL),
	R("{\"name\":\"a\"}{\"name\":\"b\"}", NULL),
	R("{\"type\":\"MeshService\",\"name\":", NULL),
	R("\xff\xfe{}", NULL),
	R("{", NULL),
	R("}", NULL),
	R("x", NULL),
};

Test(skim, what_is_left_of_bad_json_says_whose_it_is_or_nothing) {
	struct hf_skim skim = {.depth = 0};
	for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
		struct hf_document document = {.has_identity = false};
		size_t len;
		cr_expect_eq(hf_document_read(REFUSED[i].text, REFUSED[i].len, "east", NULL, &document), HF_E_INVALID_JSON);
		hf_skim_begin(&skim);
		hf_skim_feed(&skim, REFUSED[i].text, REFUSED[i].len);
		const char *left = hf_skim_end(&skim, &len);
		enum hf_err err = left ? hf_document_read(left, len, "east", NULL, &document) : HF_E_INVALID_JSON;
		cr_expect_eq(err == HF_OK, REFUSED[i].service != NULL, "%s", REFUSED[i].text);
		cr_expect(!document.nobodys, "%s", REFUSED[i].text);
		cr_expect(err || strcmp(document.id.service, REFUSED[i].service) == 0, "%s", REFUSED[i].text);
	}
	hf_skim_free(&skim);
}

/* A name without an end is a name that no lease can have, and not the name that it begins with. */
Test(skim, a_name_that_is_too_long_is_nobodys) {
	static const char *const LETTERS[] = {"a", "\\u0061", "\xc3\xa4", "\\n"};
	struct hf_skim skim = {.depth = 0};
	for (size_t i = 0; i < sizeof LETTERS / sizeof *LETTERS; i++)
		for (int n = 317; n < 400000; n = n < 2100 ? n + 1 : 2 * n) {
			struct hf_buf text = {0};
			struct hf_document document;
			hf_buf_text(&text, "{\"name\":\"");
			repeat(&text, LETTERS[i], n);
			hf_buf_text(&text, "\"}");
			enum hf_err err = read_left(&skim, &text, &document);
			bool fits = n == 317 && i < 2;
			cr_assert_eq(err, fits ? HF_OK : HF_E_INVALID_NAME, "%d of %s", n, LETTERS[i]);
			cr_assert_eq(document.has_identity, fits);
			cr_assert_eq(document.nobodys, !fits);
			hf_buf_free(&text);
		}
	hf_skim_free(&skim);
}

Test(skim, too_much_that_matters_is_not_told) {
	struct hf_skim skim = {.depth = 0};
	struct hf_buf text = {0};
	size_t len;
	hf_buf_text(&text, "{\"name\":\"a\"");
	repeat(&text, ",\"mesh\":\"m\"", 3000);
	hf_buf_text(&text, "}");
	hf_skim_feed(&skim, text.data, text.len);
	cr_expect_null(hf_skim_end(&skim, &len));
	cr_expect_leq(skim.out.cap, HF_SKIM_MAX);
	hf_buf_free(&text);
	hf_skim_free(&skim);
}

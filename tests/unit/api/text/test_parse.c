/* What is not JSON, or not JSON that we take: both readers refuse it, with the same words, which say where it is. */
#include "api/text/parse.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "api/text/tape.h"

struct text {
	const char *text;
	size_t len;
	const char *said;
};

/* clang-format off */
#define T(literal, said) {literal, sizeof(literal) - 1, said}
/* clang-format on */

/* Reads it as a request's body is read and as a configuration is read. */
static void expect_refused(const char *body, size_t len, const char *said) {
	struct hf_why why = {""}, again = {""};
	struct hf_tape tape;
	json_t *json;
	char *copy = malloc(len); /* with nothing after it */
	if (len > 0)
		memcpy(copy, body, len);
	cr_expect_eq(hf_parse_object(copy, len, "the text", &why, &json), HF_E_INVALID_JSON, "%s", body);
	cr_expect_eq(hf_tape_open(copy, len, "the text", &again, &tape), HF_E_INVALID_JSON, "%s", body);
	cr_expect_str_eq(why.text, again.text, "%s", body);
	cr_expect(strncmp(why.text, "the text", 8) == 0 && strstr(why.text, said), "%s: %s", body, why.text);
	free(copy);
}

static void expect_all_refused(const struct text *texts, size_t n) {
	for (size_t i = 0; i < n; i++)
		expect_refused(texts[i].text, texts[i].len, texts[i].said);
}

Test(parse, what_is_not_json_is_refused_with_its_place) {
	static const struct text texts[] = {
		T("", "is empty"),
		T(" ", "line 1"),
		T("{", "line 1, column 1: "),
		T("{\"a\":", "line 1"),
		T("{\"a\":1", "line 1"),
		T("{\"a\":1}}", "line 1"),
		T("{\"a\":1} x", "line 1"),
		T("{}{}", "line 1"),
		T("{'a':1}", "line 1"),
		T("{a:1}", "line 1"),
		T("{\"a\":01}", "line 1"),
		T("{\"a\":1,}", "line 1"),
		T("{\"a\":NaN}", "line 1"),
		T("{\"a\":nan}", "line 1"),
		T("{\"a\":+1}", "line 1"),
		T("{\"a\":tru}", "line 1"),
		T("{\"a\":1}\n{", "line 2"),
		T("{\"a\":\"\n\"}", "line"),
		T("// x\n{}", "line 1"),
		T("}", "line 1"),
		T("x", "line 1"),
	};
	expect_all_refused(texts, sizeof texts / sizeof *texts);
}

Test(parse, what_is_not_an_object_is_refused) {
	static const struct text texts[] = {
		T("[]", "not a JSON object"),	    T("[{}]", "not a JSON object"), T("[1]", "not a JSON object"),
		T("\"text\"", "not a JSON object"), T("5", "not a JSON object"),    T("1.5", "not a JSON object"),
		T("null", "not a JSON object"),	    T("true", "not a JSON object"),
	};
	expect_all_refused(texts, sizeof texts / sizeof *texts);
}

Test(parse, two_members_of_one_name_are_refused) {
	static const struct text texts[] = {
		T("{\"a\":1,\"a\":2}", "duplicate"),
		T("{\"a\":{\"b\":1,\"b\":1}}", "duplicate"),
		T("{\"x\":[{\"y\":1,\"y\":2}],\"name\":\"a\"}", "duplicate"),
		T("{\"a\":1,\"\\u0061\":2}", "duplicate"),
	};
	expect_all_refused(texts, sizeof texts / sizeof *texts);
}

Test(parse, bytes_that_are_not_text_are_refused) {
	static const struct text texts[] = {
		T("{\"a\":\"\xff\"}", "byte 0xff"),
		T("{\"a\":\"\xc3\"}", "byte 0xc3"),
		T("{\"a\":\"\xed\xa0\x80\"}", "byte 0xed"),
		T("{\"a\":\"\xc0\xaf\"}", "byte 0xc0"),
		T("{\"\xc0\xaf\":1}", "byte 0xc0"),
		T("{\"a\":\"\\ud800\"}", "line 1"),
		T("{\"a\":\"\\u0000\"}", "\\u0000"),
		T("{\"\\u0000\":1}", "NUL"),
		T("{\"a\":\"\0\"}", "line 1"),
		T("{\"a\":1}\0", "line 1"),
		T("{}\0", "line 1"),
		T("{\"a\":1\0}", "NUL"),
		T("{\"a\":true\0,\"b\":1}", "NUL"),
		T("\xef\xbb\xbf{}", "it begins with a byte order mark (U+FEFF)"),
		T("\xff\xfe{\0}\0", "it begins with a byte order mark of UTF-16"),
		T("\xfe\xff\0{\0}", "it begins with a byte order mark of UTF-16"),
	};
	expect_all_refused(texts, sizeof texts / sizeof *texts);
}

Test(parse, numbers_out_of_range_are_refused) {
	static const struct text texts[] = {
		T("{\"a\":9223372036854775808}", "too big integer"),
		T("{\"a\":-9223372036854775809}", "too big negative integer"),
		T("{\"a\":1e999}", "real number overflow"),
	};
	char digits[420];
	expect_all_refused(texts, sizeof texts / sizeof *texts);
	memset(strcpy(digits, "{\"a\":") + 5, '9', 400);
	strcpy(digits + 405, "}");
	expect_refused(digits, 406, "too big integer");
}

/* `depth` containers within each other, the outermost an object. */
static char *nested(const char *open, const char *middle, const char *close, size_t depth) {
	char *text = malloc(depth * (strlen(open) + strlen(close)) + strlen(middle) + 16), *at = stpcpy(text, "{\"spec\":");
	for (size_t i = 1; i < depth; i++)
		at = stpcpy(at, open);
	at = stpcpy(at, middle);
	for (size_t i = 1; i < depth; i++)
		at = stpcpy(at, close);
	stpcpy(at, "}");
	return text;
}

static void expect_depth(const char *open, const char *middle, const char *close, size_t depth) {
	struct hf_tape tape;
	json_t *json;
	char *text = nested(open, middle, close, depth);
	if (depth > HF_JSON_DEPTH_MAX) {
		expect_refused(text, strlen(text), depth < 2000 ? "is nested deeper than 64 levels" : "maximum parsing depth");
	} else {
		cr_expect_eq(hf_tape_open(text, strlen(text), "the text", NULL, &tape), HF_OK, "depth %zu", depth);
		cr_expect_eq(hf_parse_object(text, strlen(text), "the text", NULL, &json), HF_OK, "depth %zu", depth);
		hf_tape_close(&tape);
		json_decref(json);
	}
	free(text);
}

Test(parse, nesting_ends_at_64) {
	static const size_t depths[] = {2, 63, 64, 65, 1000, 10000, 100000};
	for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
		expect_depth("[", "", "]", depths[i]);
		expect_depth("{\"a\":", "0", "}", depths[i]);
	}
	char *open = malloc(100000);
	memset(open, '[', 100000);
	expect_refused(open, 100000, "maximum parsing depth");
	free(open);
}

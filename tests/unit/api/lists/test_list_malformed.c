/* Lists in pieces: what is refused, and that it says where. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/list_support.h"

static const struct {
	const char *name;
	bool ndjson;
	const char *body, *why;
	enum hf_err err;
} BAD[] = {
	{"empty", false, "", "the body is empty", HF_E_INVALID_JSON},
	{"blank", false, " \n", "the body is empty", HF_E_INVALID_JSON},
	{"a byte order mark", false, "\xef\xbb\xbf{}", "the list: it begins with a byte order mark", HF_E_INVALID_JSON},
	{"a byte order mark of UTF-16", false, "\xff\xfe{", "the list: it begins with a byte order mark of UTF-16",
	 HF_E_INVALID_JSON},
	{"an array", false, "[{}]", "the list: it is not a JSON object", HF_E_INVALID_JSON},
	{"a number", false, "5", "the list: it is not a JSON object", HF_E_INVALID_JSON},
	{"a string", false, "\"x\"", "the list: it is not a JSON object", HF_E_INVALID_JSON},
	{"a word", false, "null", "the list: it is not a JSON object", HF_E_INVALID_JSON},
	{"single quotes", false, "{'items':[]}", "the list without its items, ", HF_E_INVALID_JSON},
	{"no value before items", false, "{\"a\":,\"items\":[1]}", "the list without its items, ", HF_E_INVALID_JSON},
	{"text behind", false, "{} x", "the list: something follows its end", HF_E_INVALID_JSON},
	{"an object behind", false, "{\"items\":[]}{}", "the list: something follows its end", HF_E_INVALID_JSON},
	{"a bracket too many", false, "{\"items\":[]}]", "the list: something follows its end", HF_E_INVALID_JSON},
	{"a backslash behind", false, "{}\\1", "the list: something follows its end", HF_E_INVALID_JSON},
	{"cut in the outer object", false, "{\"items\":[1],", "the body ends in the middle of the list, after 1 items",
	 HF_E_INVALID_JSON},
	{"cut in a name", false, "{\"it", "the body ends in the middle of the list, after 0 items", HF_E_INVALID_JSON},
	{"cut behind a bracket", false, "{\"items\":[", "the body ends in the middle of \"items\", after element 0",
	 HF_E_INVALID_JSON},
	{"cut behind an element", false, "{\"items\":[{},{}", "the body ends in the middle of \"items\", after element 2",
	 HF_E_INVALID_JSON},
	{"cut behind a comma", false, "{\"removed\":[{},", "the body ends in the middle of \"removed\", after element 1",
	 HF_E_INVALID_JSON},
	{"cut in an element", false, "{\"items\":[{},{\"a\":", "the body ends in the middle of \"items\", after element 1",
	 HF_E_INVALID_JSON},
	{"cut in a string", false, "{\"items\":[{},\"a\\", "the body ends in the middle of \"items\", after element 1",
	 HF_E_INVALID_JSON},
	{"cut in a number", false, "{\"items\":[1", "the body ends in the middle of \"items\", after element 0", HF_E_INVALID_JSON},
	{"no comma", false, "{\"items\":[{}{}]}", "\"items\", after element 1: a comma is missing", HF_E_INVALID_JSON},
	{"no comma between words", false, "{\"items\":[1 2]}", "\"items\", after element 1: a comma is missing", HF_E_INVALID_JSON},
	{"no comma before a string", false, "{\"items\":[1\"a\"]}", "\"items\", after element 1: a comma is missing",
	 HF_E_INVALID_JSON},
	{"a comma first", false, "{\"items\":[,1]}", "\"items\", after element 0: a comma follows no element", HF_E_INVALID_JSON},
	{"two commas", false, "{\"items\":[1,,2]}", "\"items\", after element 1: a comma follows no element", HF_E_INVALID_JSON},
	{"a comma last", false, "{\"items\":[1,2,]}", "\"items\", after element 2: no element follows the comma",
	 HF_E_INVALID_JSON},
	{"an array closed as an object", false, "{\"items\":[1}}", "\"items\", after element 1: a \"[\" is closed by \"}\"",
	 HF_E_INVALID_JSON},
	{"an element closed as another", false, "{\"items\":[{},{\"a\":[1}]]}",
	 "\"items\", after element 1: a \"[\" is closed by \"}\"", HF_E_INVALID_JSON},
	{"an object closed as an array", false, "{\"items\":[{]]}", "\"items\", after element 0: a \"{\" is closed by \"]\"",
	 HF_E_INVALID_JSON},
	{"the list closed as an array", false, "{]", "the list: a \"{\" is closed by \"]\"", HF_E_INVALID_JSON},
	{"items twice", false, "{\"items\":[1],\"items\":[2]}", "the list without its items, ", HF_E_INVALID_JSON},
	{"items twice, once escaped", false, "{\"items\":[1],\"\\u0069tems\":[2]}", "the list without its items, ",
	 HF_E_INVALID_JSON},
	{"items without a colon", false, "{\"items\"[1]}", "the list without its items, ", HF_E_INVALID_JSON},
	{"items with two colons", false, "{\"items\"::[1]}", "the list without its items, ", HF_E_INVALID_JSON},
	{"items as a value", false, "{\"a\":\"items\":[1]}", "the list without its items, ", HF_E_INVALID_JSON},
	{"a backslash before a name", false, "{\\\"items\":[1]}", "the list without its items, ", HF_E_INVALID_JSON},
	{"no comma before items", false, "{\"a\":1 \"items\":[1]}", "the list without its items, ", HF_E_INVALID_JSON},
	{"a comma at the object's end", false, "{\"items\":[1],}", "the list without its items, ", HF_E_INVALID_JSON},
	{"invalid UTF-8 beside the items", false, "{\"a\":\"\xff\",\"items\":[1]}", "the list without its items, ",
	 HF_E_INVALID_JSON},
	{"blanks join no words", false, "{\"a\":1 2}", "the list without its items, ", HF_E_INVALID_JSON},
	{"too much beside the items", false, "{\"a\":" LONG_64 ",\"items\":[1]}",
	 "the list has more than 64 bytes beside its items", HF_E_BODY_TOO_LARGE},
	{"too much in an escaped array", false, "{\"\\u0069tems\":[" LONG_65 "]}",
	 "the list has more than 64 bytes beside its items", HF_E_BODY_TOO_LARGE},
	{"too many", false, "{\"items\":[1,2,3,4,5],\"removed\":[6,7,8,9]}", "the list has more than 8 items", HF_E_BODY_TOO_LARGE},
	{"too many lines", true, "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "the list has more than 8 items", HF_E_BODY_TOO_LARGE},
	{"a line with a byte order mark", true, "\xef\xbb\xbf{}", "line 1: it begins with a byte order mark", HF_E_INVALID_JSON},
	{"a last line cut off", true, "{}\n\n{\"a\":1", "line 3: the body ends in the middle of a document", HF_E_INVALID_JSON},
	{"a last line cut in a word", true, "{}\n{\"a\":tru", "line 2: the body ends in the middle of a document",
	 HF_E_INVALID_JSON},
	{"a last line that is a number", true, "{}\n12", "line 2: the body ends in the middle of a document", HF_E_INVALID_JSON},
	{"a last line with more behind", true, "{}\n{} {", "line 2: the body ends in the middle of a document", HF_E_INVALID_JSON},
	{"a last line that closes too much", true, "{}\n]]]", "line 2: the body ends in the middle of a document",
	 HF_E_INVALID_JSON},
	{"a last line too large to tell", true, "{}\n" LONG_65,
	 "line 2 has more than 64 bytes and no line end: the body may have been cut off", HF_E_BODY_TOO_LARGE},
};

Test(list_malformed, what_is_no_list_is_refused_and_where) {
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		struct outcome o = read_all_ways(BAD[i].name, BAD[i].body, strlen(BAD[i].body), BAD[i].ndjson);
		cr_expect_eq(o.err, BAD[i].err, "%s: %d", BAD[i].name, o.err);
		cr_expect(strncmp(o.why.text, BAD[i].why, strlen(BAD[i].why)) == 0, "%s: %s", BAD[i].name, o.why.text);
		cr_expect_null(o.rest, "%s", BAD[i].name);
		outcome_free(&o);
	}
}

Test(list_malformed, a_list_cut_anywhere_is_never_whole) {
	static const char list[] = "{\"total\":1,\"items\":[{\"a\":[\"b\\\"\",{}]},7,\"x\"],\"removed\":[{}],\"next\":null}";
	for (size_t len = 0; len < sizeof list - 1; len++) {
		struct outcome o = read_all_ways("cut", list, len, false);
		cr_expect_eq(o.err, HF_E_INVALID_JSON, "%zu bytes: %s", len, o.why.text);
		outcome_free(&o);
	}
}

static void expect_depth(const char *before, int depth, const char *after, enum hf_err err) {
	struct hf_buf body = {0};
	hf_buf_text(&body, before);
	for (int i = 0; i < depth; i++)
		hf_buf_add(&body, i % 2 ? "{" : "[", 1);
	for (int i = depth; i-- > 0;)
		hf_buf_add(&body, i % 2 ? "}" : "]", 1);
	hf_buf_text(&body, after);
	struct outcome o = read_all_ways("depth", body.data, body.len, false);
	cr_expect_eq(o.err, err, "%s, depth %d: %s", before, depth, o.why.text);
	outcome_free(&o);
	hf_buf_free(&body);
}

Test(list_malformed, nesting_ends_at_128) {
	expect_depth("{\"items\":[", 126, "]}", HF_OK);
	expect_depth("{\"items\":[", 127, "]}", HF_E_INVALID_JSON);
	expect_depth("{\"items\":[", 1000, "]}", HF_E_INVALID_JSON);
	expect_depth("{\"a\":", 20, "}", HF_E_INVALID_JSON); /* is balanced, but an object without names */
	expect_depth("{\"a\":", 128, "}", HF_E_BODY_TOO_LARGE);
}

/* Lists in pieces: what is handed over, wherever the body is cut; how much memory is asked for. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/list_support.h"

static const struct {
	const char *name, *body, *calls, *rest;
	uint32_t items;
} GOOD[] = {
	{"nothing but the arrays", "{\"items\":[]}", "", "{\"items\":[]}", 0},
	{"an empty object", " {}\n", "", "{}", 0},
	{"a Kuma list", "{\"total\":2,\"items\":[{\"a\":1},{\"b\":2}],\"next\":null}", "i1 {\"a\":1}\ni2 {\"b\":2}\n",
	 "{\"total\":2,\"items\":[],\"next\":null}", 2},
	{"a Kubernetes list", "{\"kind\":\"List\",\"metadata\":{\"continue\":\"\"},\"items\":[{}]}", "i1 {}\n",
	 "{\"kind\":\"List\",\"metadata\":{\"continue\":\"\"},\"items\":[]}", 1},
	{"blanks everywhere", "\r\n { \"items\" \t:\n [ { \"a\" : 1 } , \n {\"b\":2}\t] , \"removed\" : [ ] } \r\n",
	 "i1 { \"a\" : 1 }\ni2 {\"b\":2}\n", "{\"items\":[],\"removed\":[]}", 2},
	{"removed before items", "{\"removed\":[{\"mesh\":\"a\"},{}],\"items\":[{}]}", "r1 {\"mesh\":\"a\"}\nr2 {}\ni1 {}\n",
	 "{\"removed\":[],\"items\":[]}", 1},
	{"any value", "{\"items\":[1,-2.5e3 ,\"x\",null,true,[1,[2]],[]]}",
	 "i1 1\ni2 -2.5e3\ni3 \"x\"\ni4 null\ni5 true\ni6 [1,[2]]\ni7 []\n", "{\"items\":[]}", 7},
	{"words that are no JSON are the consumer's", "{\"items\":[nonsense,1:2,{\"a\" 1}]}", "i1 nonsense\ni2 1:2\ni3 {\"a\" 1}\n",
	 "{\"items\":[]}", 3},
	{"brackets and quotes in strings", "{\"a\":\"[{\\\"\",\"items\":[{\"b\":\"]}\\\\\"},\"]\\\"}\",{\"\\\"\":\"\\u005d,\"}]}",
	 "i1 {\"b\":\"]}\\\\\"}\ni2 \"]\\\"}\"\ni3 {\"\\\"\":\"\\u005d,\"}\n", "{\"a\":\"[{\\\"\",\"items\":[]}", 3},
	{"items deeper within are not the list's", "{\"a\":{\"items\":[1]},\"b\":[{\"items\":[2]}],\"items\":[3]}", "i1 3\n",
	 "{\"a\":{\"items\":[1]},\"b\":[{\"items\":[2]}],\"items\":[]}", 1},
	{"names that are not quite it", "{\"Items\":[1],\"xitems\":[2],\"items \":[3],\"removed2\":[4]}", "",
	 "{\"Items\":[1],\"xitems\":[2],\"items \":[3],\"removed2\":[4]}", 0},
	{"names that end like it", "{\"\\\"items\":[1],\"\":[2],\"a\\\\\\\"removed\":[3]}", "",
	 "{\"\\\"items\":[1],\"\":[2],\"a\\\\\\\"removed\":[3]}", 0},
	{"an escaped name stays in the rest", "{\"\\u0069tems\":[1,2]}", "", "{\"items\":[1,2]}", 0},
	{"items that are no array", "{\"items\":{\"a\":[1]},\"removed\":7}", "", "{\"items\":{\"a\":[1]},\"removed\":7}", 0},
	{"a string before an array is no name", "{\"a\":[\"items\",[1]],\"b\":\"items\"}", "",
	 "{\"a\":[\"items\",[1]],\"b\":\"items\"}", 0},
	{"just not too large", "{\"items\":[" LONG_64 "]}", "i1 " LONG_64 "\n", "{\"items\":[]}", 1},
	{"too large, and what follows it", "{\"items\":[" LONG_65 ",{\"a\":" LONG_64 "},{}],\"removed\":[[" LONG_64 "]]}",
	 "i1 too large\ni2 too large: {}\ni3 {}\nr1 too large\n", "{\"items\":[],\"removed\":[]}", 3},
	{"blanks between elements are not kept", "{\"items\":[" BLANKS_70 "1" BLANKS_70 "," BLANKS_70 "{}" BLANKS_70 "]}",
	 "i1 1\ni2 {}\n", "{\"items\":[]}", 2},
	{"as many as are allowed", "{\"items\":[1,2,3,4],\"removed\":[5,6,7,8]}",
	 "i1 1\ni2 2\ni3 3\ni4 4\nr1 5\nr2 6\nr3 7\nr4 8\n", "{\"items\":[],\"removed\":[]}", 4},
};

Test(list_reader, arrays_are_cut_into_documents) {
	for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
		struct outcome o = read_all_ways(GOOD[i].name, GOOD[i].body, strlen(GOOD[i].body), false);
		cr_expect_eq(o.err, HF_OK, "%s: %s", GOOD[i].name, o.why.text);
		cr_expect_str_eq(o.calls.data, GOOD[i].calls, "%s: %s", GOOD[i].name, o.calls.data);
		cr_expect_str_eq(o.rest ? o.rest : "", GOOD[i].rest, "%s: %s", GOOD[i].name, o.rest);
		cr_expect_eq(o.items, GOOD[i].items, "%s", GOOD[i].name);
		outcome_free(&o);
	}
}

static const struct {
	const char *name, *body, *calls;
	uint32_t items;
} LINES[] = {
	{"nothing", "", "", 0},
	{"blank lines", "\n\r\n \t \n  ", "", 0},
	{"two lines", "{\"a\":1}\n{\"b\":2}\n", "i1 {\"a\":1}\ni2 {\"b\":2}\n", 2},
	{"blank lines are counted", "\n{}\n \r\n\n{\"a\":1}\n", "i2 {}\ni5 {\"a\":1}\n", 2},
	{"carriage returns and blanks", " {} \r\n\t{\"a\": 1}\r\n", "i1 {}\ni2 {\"a\": 1}\n", 2},
	{"the last line without an end", "{}\n {\"a\":1} ", "i1 {}\ni2 {\"a\":1}\n", 2},
	{"a last line that is bad but whole", "{\"a\":1 \"a\":\"\xff\\u0000\"} \r", "i1 {\"a\":1 \"a\":\"\xff\\u0000\"}\n", 1},
	{"a last line of another type", "[{}]", "i1 [{}]\n", 1},
	{"lines are not judged", "nonsense\n{\"a\":\n[\"]\"}\n", "i1 nonsense\ni2 {\"a\":\ni3 [\"]\"}\n", 3},
	{"just not too large", LONG_64 "\n" LONG_64, "i1 " LONG_64 "\ni2 " LONG_64 "\n", 2},
	{"too large, and whose it is", "{\"x\":" LONG_64 ",\"name\":\"n\"}\n{}\n{\"name\":\"m\",\"x\":" LONG_65 "}",
	 "i1 too large: {\"name\":\"n\"}\ni2 {}\ni3 too large: {\"name\":\"m\"}\n", 3},
	{"too large, and what follows it", LONG_65 "\n{}\n" LONG_64 "\r\n{}\n", "i1 too large\ni2 {}\ni3 too large\ni4 {}\n", 4},
	{"many blanks are no line", BLANKS_70 "\n" BLANKS_70 "{}\n" BLANKS_70, "i2 {}\n", 1},
	{"as many as are allowed", "1\n2\n3\n\n4\n5\n6\n7\n8\n\n", "i1 1\ni2 2\ni3 3\ni5 4\ni6 5\ni7 6\ni8 7\ni9 8\n", 8},
};

Test(list_reader, lines_are_documents) {
	for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
		struct outcome o = read_all_ways(LINES[i].name, LINES[i].body, strlen(LINES[i].body), true);
		cr_expect_eq(o.err, HF_OK, "%s: %s", LINES[i].name, o.why.text);
		cr_expect_str_eq(o.calls.data, LINES[i].calls, "%s: %s", LINES[i].name, o.calls.data);
		cr_expect_null(o.rest, "%s", LINES[i].name);
		cr_expect_eq(o.items, LINES[i].items, "%s", LINES[i].name);
		outcome_free(&o);
	}
}

Test(list_reader, a_consumer_that_fails_ends_the_reading) {
	static const char list[] = "{\"items\":[1,2,3]}";
	struct outcome o =
		read_pieces(list, sizeof list - 1, false, 100, 0, (struct outcome){.charge_max = SIZE_MAX, .fail_at = 2});
	cr_expect_eq(o.err, HF_E_STORAGE);
	cr_expect_eq(o.end_err, HF_E_STORAGE);
	cr_expect_str_eq(o.why.text, "no more");
	cr_expect_str_eq(o.calls.data, "i1 1\n");
	cr_expect_eq(o.n_calls, 2);
	outcome_free(&o);
}

Test(list_reader, memory_is_asked_for_before_it_is_taken) {
	static const char lines[] = "{\"a\":1}\n{\"b\":2}\n", list[] = "{\"items\":[{\"a\":1},{\"b\":2}]}";
	struct outcome whole = read_pieces(lines, sizeof lines - 1, true, 100, 0, (struct outcome){0});
	cr_expect_eq(whole.err, HF_OK, "whole lines need no buffer");
	struct outcome cut = read_pieces(lines, sizeof lines - 1, true, 3, 0, (struct outcome){0});
	cr_expect_eq(cut.err, HF_E_OVERLOADED);
	cr_expect_eq(cut.end_err, HF_E_OVERLOADED);
	struct outcome all = read_pieces(list, sizeof list - 1, false, 1, 0, (struct outcome){.charge_max = SIZE_MAX});
	cr_expect_eq(all.err, HF_OK);
	cr_expect_eq(all.charged, 2 * ITEM_MAX, "%zu", all.charged); /* a buffer for documents, one for the rest */
	struct outcome less = read_pieces(list, sizeof list - 1, false, 1, 0, (struct outcome){.charge_max = 2 * ITEM_MAX - 1});
	cr_expect_eq(less.err, HF_E_OVERLOADED);
	outcome_free(&whole);
	outcome_free(&cut);
	outcome_free(&all);
	outcome_free(&less);
}

Test(list_reader, large_documents_grow_the_buffer_by_doubling) {
	struct outcome o = {.charge_max = SIZE_MAX};
	struct hf_list_options options = {true, 100000, 10, outcome_charge, outcome_document, &o};
	struct hf_list_reader *reader;
	json_t *rest;
	cr_assert_eq(hf_list_reader_open(&options, &reader), HF_OK);
	for (int i = 0; i < 99999; i++)
		cr_assert_eq(hf_list_reader_feed(reader, "7", 1, NULL), HF_OK);
	cr_expect_eq(o.charged, 100000, "%zu", o.charged);
	cr_expect_eq(hf_list_reader_feed(reader, "7\n", 2, NULL), HF_OK);
	cr_expect_eq(o.calls.len, 3 + 100000 + 1);
	cr_expect_eq(hf_list_reader_end(reader, NULL, &rest, &o.items), HF_OK);
	hf_list_reader_close(reader);
	hf_list_reader_close(NULL);
	outcome_free(&o);
}

/* Text in and out: JSON strings, times, durations, request targets. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/call/target.h"
#include "api/text/json.h"
#include "api/text/timetext.h"
#include "tests/unit/call_support.h"

Test(json, strings_are_always_valid_json) {
	static const struct {
		const char *text, *json;
	} cases[] = {
		{"plain", "\"plain\""},
		{"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
		{"\b\t\n\f\r\x01\x7f", "\"\\b\\t\\n\\f\\r\\u0001\x7f\""},
		{"\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
		{"a\xff z", "\"a\xef\xbf\xbd z\""},
		{"cut \xe2\x82", "\"cut \xef\xbf\xbd\xef\xbf\xbd\""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hf_buf out = {0};
		hf_json_quote(&out, cases[i].text, strlen(cases[i].text));
		cr_expect(out.len == strlen(cases[i].json) && memcmp(out.data, cases[i].json, out.len) == 0, "%.*s", (int)out.len,
			  out.data);
		hf_buf_free(&out);
	}
}

Test(json, the_writer_puts_the_commas) {
	struct hf_buf out = {0};
	struct hf_json json = {.out = &out};
	hf_json_open(&json, '{');
	hf_json_member(&json, "a", "x");
	hf_json_key(&json, "b");
	hf_json_open(&json, '[');
	hf_json_uint(&json, UINT64_MAX);
	hf_json_null(&json);
	hf_json_open(&json, '{');
	hf_json_close(&json, '}');
	hf_json_bool(&json, true);
	hf_json_close(&json, ']');
	hf_json_count(&json, "c", (hf_u128)1 << 64);
	hf_json_close(&json, '}');
	hf_buf_add(&out, "", 1);
	cr_assert_str_eq(out.data, "{\"a\":\"x\",\"b\":[18446744073709551615,null,{},true],\"c\":\"18446744073709551616\"}");
	hf_buf_free(&out);
}

Test(timetext, times_are_rfc_3339) {
	static const struct {
		const char *text;
		int64_t ms; /* -1: not a time */
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-01-31T12:00:00.250Z", 1769860800250},
		{"2026-01-31t13:30:00.25+01:30", 1769860800250},
		{"2026-01-31T07:00:00.2509-05:00", 1769860800250},
		{"2024-02-29T00:00:00Z", 1709164800000},
		{"2025-02-29T00:00:00Z", -1},
		{"2026-04-31T00:00:00Z", -1},
		{"2026-13-01T00:00:00Z", -1},
		{"2026-01-01T24:00:00Z", -1},
		{"2026-01-01T00:00:00", -1},
		{"2026-01-01T00:00:00.Z", -1},
		{"2026-01-01 00:00:00Z", -1},
		{"2026-01-01T00:00:00Zx", -1},
		{"1969-12-31T23:59:59Z", -1},
		{"1970-01-01T00:00:00+00:01", -1},
		{"", -1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t ms = -1;
		bool good = hf_time_parse(cases[i].text, &ms);
		cr_expect_eq(good, cases[i].ms >= 0, "%s", cases[i].text);
		cr_expect(!good || ms == cases[i].ms, "%s: %lld", cases[i].text, (long long)ms);
	}
	char text[HF_TIME_TEXT];
	hf_time_format(1769860800250, text);
	cr_expect_str_eq(text, "2026-01-31T12:00:00.250Z");
}

Test(timetext, times_are_written_as_the_system_does) {
	char text[HF_TIME_TEXT], expected[HF_TIME_TEXT];
	for (int64_t ms = 0; ms <= 253402300799999; ms += 4592692747) { /* to 9999-12-31T23:59:59.999Z, all times of the day */
		time_t seconds = (time_t)(ms / 1000);
		struct tm tm;
		size_t n = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
		snprintf(expected + n, sizeof expected - n, ".%03dZ", (int)(ms % 1000));
		hf_time_format(ms, text);
		cr_assert_str_eq(text, expected);
	}
	for (int64_t day = 0; day < 366 * 800; day++) {
		struct tm tm;
		time_t seconds = (time_t)(day * 86400);
		strftime(expected, sizeof expected, "%Y-%m-%dT00:00:00.000Z", gmtime_r(&seconds, &tm));
		hf_time_format(day * 86400000, text);
		cr_assert_str_eq(text, expected);
	}
}

Test(timetext, durations_have_a_unit) {
	static const struct {
		const char *text;
		int64_t ms; /* -1: not a duration */
	} cases[] = {{"500ms", 500},   {"30s", 30000},	 {"1m", 60000},	  {"0s", 0},
		     {"60m", 3600000}, {"61m", 3660000}, {"30", -1},	  {"s", -1},
		     {"-1s", -1},      {"1.5s", -1},	 {"1h", 3600000}, {"366d", 366ll * 86400000},
		     {"367d", -1},     {"8785h", -1},	 {"1w", -1},	  {"99999999999s", -1}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t ms = -1;
		bool good = hf_duration_parse(cases[i].text, &ms);
		cr_expect_eq(good, cases[i].ms >= 0, "%s", cases[i].text);
		cr_expect(!good || ms == cases[i].ms, "%s", cases[i].text);
	}
}

Test(target, segments_are_decoded_after_the_split) {
	static const struct {
		const char *target;
		enum hf_err err;
		int n;
		const char *last, *authority;
	} cases[] = {
		{"/a/b", HF_OK, 2, "b", NULL},
		{"/", HF_OK, 1, "", NULL},
		{"/a%2Fb", HF_OK, 1, "a/b", NULL},
		{"http://127.0.0.1:8241/a/b?x=1", HF_OK, 2, "b", "127.0.0.1:8241"},
		{"HTTP://host", HF_OK, 1, "", "host"},
		{"https://host/", HF_OK, 1, "", "host"},
		{"HTTPS://h?x=/", HF_OK, 1, "", "h"},
		{"http://", HF_E_INVALID_PARAMETER, 0, NULL, NULL},
		{"https:///a", HF_E_INVALID_PARAMETER, 0, NULL, NULL},
		{"http://?x", HF_E_INVALID_PARAMETER, 0, NULL, NULL},
		{"ftp://host/a", HF_E_INVALID_NAME, 0, NULL, NULL},
		{"/a/%41%c3%A9?x=1", HF_OK, 2, "A\xc3\xa9", NULL},
		{"/a//b", HF_OK, 3, "b", NULL},
		{"/%00", HF_E_INVALID_NAME, 0, NULL, NULL},
		{"/%", HF_E_INVALID_NAME, 0, NULL, NULL},
		{"/%4", HF_E_INVALID_NAME, 0, NULL, NULL},
		{"/%zz", HF_E_INVALID_NAME, 0, NULL, NULL},
		{"/%ff", HF_E_INVALID_NAME, 0, NULL, NULL},
		{"/a/b/c/d/e/f/g/h/i/j/k/l/m", HF_E_NOT_FOUND, 0, NULL, NULL},
		{"a", HF_E_INVALID_NAME, 0, NULL, NULL},
		{"", HF_E_INVALID_NAME, 0, NULL, NULL},
		{"*", HF_E_INVALID_NAME, 0, NULL, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hf_call *call = started_call(NULL, cases[i].target);
		cr_expect_eq(hf_target_split(call, NULL), cases[i].err, "%s", cases[i].target);
		if (!cases[i].err) {
			cr_expect_eq(call->n_segments, cases[i].n, "%s", cases[i].target);
			cr_expect_str_eq(call->segments[call->n_segments - 1], cases[i].last);
			cr_expect_eq(!call->authority, !cases[i].authority, "%s", cases[i].target);
			if (call->authority && cases[i].authority)
				cr_expect_str_eq(call->authority, cases[i].authority);
		}
		ended_call(call);
	}
}

Test(target, parameters_are_known_and_given_once) {
	static const struct {
		const char *target;
		enum hf_err err;
	} cases[] = {
		{"/?pool=a&address=1.1.1.1&address=fd00::1&version=1+2%263", HF_OK},
		{"/?", HF_OK},
		{"/?&&pool=a&", HF_OK},
		{"/?pool", HF_OK},
		{"/?pool=a&pool=b", HF_E_INVALID_PARAMETER},
		{"/?poo=a", HF_E_INVALID_PARAMETER},
		{"/?pools=a", HF_E_INVALID_PARAMETER},
		{"/?address*=a", HF_E_INVALID_PARAMETER},
		{"/?=a", HF_E_INVALID_PARAMETER},
		{"/?version=%00", HF_E_INVALID_PARAMETER},
		{"/?version=%ff", HF_E_INVALID_PARAMETER},
		{"/?version=%1", HF_E_INVALID_PARAMETER},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hf_call *call = started_call(NULL, cases[i].target);
		enum hf_err err = hf_target_split(call, NULL);
		if (!err)
			err = hf_target_split_query(call, NULL);
		if (!err)
			err = hf_target_check_params(call, "pool address* version", NULL);
		cr_expect_eq(err, cases[i].err, "%s", cases[i].target);
		ended_call(call);
	}
	struct hf_call *call = started_call(NULL, "/?version=1+2%263&pool");
	cr_assert_eq(hf_target_split(call, NULL), HF_OK);
	cr_assert_eq(hf_target_split_query(call, NULL), HF_OK);
	cr_expect_str_eq(hf_call_param(call, "version"), "1+2&3");
	cr_expect_str_eq(hf_call_param(call, "pool"), "");
	cr_expect_null(hf_call_param(call, "address"));
	ended_call(call);
}

static const struct {
	const char *text, *quoted;
} QUOTED[] = {
	{"plain \xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80", "\"plain \xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80\""},
	{"a\"b\\c", "\"a\\\"b\\\\c\""},
	{"\x1b[31m\n\x7f", "\"\\x1b[31m\\x0a\\x7f\""},
	{"\xc2\x9b\xc2\x80\xc2\xa0", "\"\\xc2\\x9b\\xc2\\x80\xc2\xa0\""},
	{"\xe2\x80\xae\xe2\x80\x8e\xe2\x80\xa8\xe2\x81\xa6\xd8\x9c",
	 "\"\\xe2\\x80\\xae\\xe2\\x80\\x8e\\xe2\\x80\\xa8\\xe2\\x81\\xa6\\xd8\\x9c\""},
	{"\xe2\x80\x94\xe2\x81\xaa\xd8\xa7", "\"\xe2\x80\x94\xe2\x81\xaa\xd8\xa7\""},
	{"\xff\xe2\x80", "\"\\xff\\xe2\\x80\""},
};

Test(text, a_terminal_obeys_nothing_that_is_quoted) {
	char quoted[128], small[12];
	for (size_t i = 0; i < sizeof QUOTED / sizeof *QUOTED; i++)
		cr_expect_str_eq(hf_text_quote(QUOTED[i].text, quoted, sizeof quoted), QUOTED[i].quoted, "%zu: %s", i, quoted);
	cr_expect_str_eq(hf_text_quote("\x01\x01\x01\x01", small, sizeof small), "\"\\x01\\x01\"");
}

/* seeds.c — documents from tests/data, and texts made by hand. */
#include "seeds.h"

#include <glob.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Whole documents. */
static const char *const DOCUMENTS[] = {
	"{\"type\":\"MeshService\",\"name\":\"redis\",\"mesh\":\"default\",\"labels\":{\"team\":\"db\",\"kuma.io/zone\":\"east\"},"
	"\"spec\":{\"selector\":{\"dataplaneTags\":{\"app\":\"redis\",\"kuma.io/zone\":\"east\"}},\"ports\":[{\"port\":6379,"
	"\"targetPort\":6379}],\"state\":\"Available\",\"identities\":[{\"type\":\"ServiceTag\"}]},\"status\":{\"vips\":[{\"ip\":"
	"\"241.0.0.1\"},{\"ip\":\"fd00::1\"}]}}",
	"{\"apiVersion\":\"kuma.io/"
	"v1alpha1\",\"kind\":\"MeshService\",\"metadata\":{\"name\":\"redis-x5w8f\",\"namespace\":\"db\",\"uid\":\"1\","
	"\"resourceVersion\":\"7\",\"generation\":3,\"managedFields\":[],\"ownerReferences\":[{}],\"annotations\":{\"a\":\"b\","
	"\"kuma.io/display-name\":\"redis\"},\"labels\":{\"k8s.kuma.io/namespace\":\"db\",\"kuma.io/"
	"mesh\":\"default\",\"team\":\"db\"}},"
	"\"spec\":{\"ports\":[{\"targetPort\":6379,\"port\":6379}]},\"status\":{\"vips\":[]}}",
	"{\"kind\":\"MeshExternalService\",\"type\":\"MeshService\",\"name\":\"a\",\"mesh\":\"\",\"labels\":{\"kuma.io/"
	"mesh\":\"c\"},\"spec\":{}}",
	"{\"metadata\":{\"name\":\"a\",\"namespace\":\"kuma-system\",\"labels\":{\"kuma.io/origin\":\"global\"}}}",
	"{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"labels\":{\"kuma.io/origin\":\"zone\",\"kuma.io/"
	"env\":\"universal\"}}}",
	"{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"labels\":{\"kuma.io/origin\":\"zone\",\"kuma.io/"
	"env\":\"kubernetes\"}}}",
	"{\"name\":\"a\",\"labels\":{\"kuma.io/zone\":\"west\",\"kuma.io/display-name\":\"b\",\"k8s.kuma.io/namespace\":\"c\"}}",
	"{\"kind\":null,\"type\":null,\"name\":null,\"mesh\":null,\"labels\":null,\"metadata\":{\"name\":\"a\",\"namespace\":null,"
	"\"annotations\":null,"
	"\"labels\":{\"kuma.io/zone\":null,\"kuma.io/display-name\":null}}}",
	"{\"n\\u0061me\":\"\\u0061\",\"l\\u0061bels\":{\"kuma.io\\/zone\":\"west\",\"\\u006buma.io/"
	"origin\":\"global\",\"k8s.kum\\u0061.io/namespace\":"
	"\"n\",\"te\\u0061m\":\"x\"},\"sp\\u0065c\":{\"st\\u0061te\":1,\"\\u0069dentities\":2,\"b\":3},\"\\u0073tatus\":{"
	"\"vip\\u0073\":[{\"\\u0069p\":"
	"\"1.2.3.\\u0034\"}]}}",
	"{\"name\":\"a\",\"spec\":null}",
	"{\"type\":\"MeshExternalService\",\"name\":\"a\",\"spec\":{},\"status\":{\"vip\":{\"ip\":\"241.0.0.1\"},\"vips\":[\"fd00::"
	"1\","
	"\" 241.0.0.1/32\\n\",\"fd00::1/128\",\"::ffff:241.0.0.1\",\"::ffff:f100:2/128\",[true],\"\",{\"ip\":null}]}}",
	"{\"name\":\"vips\",\"labels\":{\"kuma.io/managed-by\":\"k8s-controller\",\"k8s.kuma.io/is-headless-service\":\"true\","
	"\"kuma.io/origin\":\"zone\"},\"status\":{\"vips\":[ { \"ip\" : \"fd00::1\" } , {} ],\"vip\":{}}}",
	"{\"name\":\"a\",\"kind\":\"\",\"type\":\"MeshMultiZoneService\",\"spec\":{\"a\":{\"state\":1,\"identities\":2},\"state\":"
	"3,\"identities\":4}}",
	"{\"name\":\"a\",\"b\":1,\"a\":{\"status\":2},\"status\":3}",
	"{\"name\":\"a\",\"labels\":{},\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{}}",
	"{\"name\":\"a\",\"labels\":{\"kuma.io/a\":\"b\",\"k8s.kuma.io/c\":\"d\"},\"spec\":{}}",
	"{\"name\":\"a\",\"labels\":{\"kuma.io\":1,\"kuma.ioa\":2,\"kuma.io/\":3,\"k8s.kuma.io\":4,\"k8s.kuma.io/"
	"\":5,\"a\":{\"kuma.io/a\":6}},\"spec\":[]}",
	"{\"name\":\"a\",\"spec\":{},\"status\":{\"vips\":[{\"ip\":\"nonsense\"},{\"ip\":7},{},7,{\"ip\":\"241.0.0.1\"},{\"ip\":"
	"\"241.0.0.1\"},"
	"{\"ip\":\"::ffff:1.2.3.4\"}]}}",
	"{\"name\":\"a\",\"status\":{\"vips\":[{\"ip\":\"1.1.1.1\"},{\"ip\":\"1.1.1.2\"},{\"ip\":\"bad\"},{\"ip\":\"1.1.1.3\"},{"
	"\"ip\":\"1.1.1.4\"},"
	"{\"ip\":\"1.1.1.5\"},{\"ip\":\"1.1.1.6\"},{\"ip\":\"1.1.1.7\"},{\"ip\":\"1.1.1.8\"},{\"ip\":\"1.1.1.9\"}]}}",
	"{\"name\":\"a\",\"spec\":{\"\xc3\xa9\":1,\"z\":2,\"Z\":3,\"\":4,\"aa\":5,\"a\":6,\"\xf0\x9f\x98\x80\":7,\"\xef\xbf\xbf\":"
	"8,\"\x7f\":9,\"\\u0001\":0}}",
	"{\"name\":\"a\",\"spec\":[0,-0,0.0,-0.0,1E+2,1e-400,-1e-400,4.9e-324,9223372036854775807,-9223372036854775808,"
	"9223372036854775808.0,0.1,100000000000000000000e0,0.12345678901234567890123456789,true,false,null,{},[]]}",
	"{\"name\":\"a\",\"spec\":\"\\u0008\\t\\n\\f\\r\\\"\\\\\\/"
	"\\u0001\\u001f\\u007f\x7f\\u20ac\\ud83d\\ude00\\uD83D\\uDE00\xf0\x9f\x98\x80\\uFFFF\"}",
	" \t\r\n{ \"name\" \n:\t\"a\" , \"spec\" : [ 1 , 2 , { } , [ ] ] } \r\n"};

/* A list's value in each place where one may be, or not; mostly texts that are refused. */
#define V(text) P("{\"a\":" text "}")
#define S(text) P("{\"a\":\"" text "\"}")
static const struct piece TEXTS[] = {
	/* clang-format off */
	/* no object, or nothing behind it */
	P(""), P(" "), P("\n\n "), P("{}"), P("[]"), P("[1]"), P("\"a\""), P("1"), P("null"), P("nul"), P("1 2"), P("{} x"),
	P("{}{}"), P("{},"), P("{}]"), P("\xef\xbb\xbf{}"), P("{}\0"), P("\0"), P("{}\xff"), P("\xfe\xff{}"), P("{}//"),
	P("{/**/}"), P("{} \n\t\r "), P("{}\v"), P("{}\xc2\xa0"),
	/* punctuation */
	P("{"), P("}"), P("{,}"), P("{\"a\"}"), P("{\"a\":"), P("{\"a\" 1}"), P("{\"a\":1,}"), P("{\"a\":1"), P("{\"a\":1,"),
	P("{\"a\":1 \"b\":2}"), P("{\"a\"::1}"), P("{\"a\":1:2}"), P("{a:1}"), P("{'a':1}"), P("{1:2}"), P("{null:1}"),
	P("{\"a\":1;}"), P("{\"abc"), V(""), V("}"), V("["), V("[}"), V("[1,]"), V("[,]"), V("[1 2]"), V("[1,"), V("[1"),
	V("[[],[[]],{}]"), V("true\"b\""), V(",1"), V("]"), V("{]"), V("\xc3\xa9"), V("?"),
	/* numbers */
	V("-0"), V("0.0"), V("-0.0"), V("-0e5"), V("1E+2"), V("1e400"), V("-1e400"), V("1e-400"), V("9223372036854775807"),
	V("9223372036854775808"), V("-9223372036854775808"), V("-9223372036854775809"), V("01"), V("-01"), V("00"), V("1."),
	V(".5"), V("+1"), V("-"), V("- 1"), V("1e"), V("1e+"), V("1.e5"), V("0x1"), V("1_0"), V("1a"), V("1.5x"), V("-Infinity"),
	V("NaN"), V("1e99999999999999999999"), V("0e99999999999999999999"), V("1e-99999999999999999999"),
	V("1.7976931348623158e308"), V("1.7976931348623159e308"), V("111111111111111111111111111111"),
	V("9223372036854775808.0"), V("99999999999999999999\xff"), V("1\xff"), V("1\xc3\xa9"), V("1\n"), V("-\xff"),
	V("000000000000000000000000000000"),
	V("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798214808651"),
	/* words */
	V("tru"), V("truefalse"), V("true1"), V("True"), V("nulll"), V("nan"), V("true\xff"), V("tru\xff"),
	V("abcdefghijklmnopqrstuvwxyz"),
	/* NUL */
	V("1\0"), V("1\0\0"), V("true\0"), V("1.5\0"), V("null\0,\"b\":1"), V("1\0x"), V("-\0"), V("1.\0"), V("[1\0]"), V("\0001"), V("\0"), V("tr\0ue"), V("{}\0"), V("\"b\"\0"), P("{\0}"), P("{\"a\"\0:1}"), P("{\"a\":1\0"), P("{\"a\":1}\0\0"),
	P("{\"\0\":1}"), S("x\0"), S("\0"), S("\\\0"), S("\\u12\0"), S("xxxxxxxxxxxxxxxxx\\\0"), S("xxxxxxxxxxxxxxxxxx\\\0"),
	S("\xc3\0"), S("\\u0000"), S("\\u0000x"), P("{\"\\u0000\":1}"), P("{\"a\":1,\"a\\u0000\":2}"),
	P("{\"\\u0000\":1,\"\\u0000\":2}"),
	/* escapes and surrogates */
	S("\\\"\\\\\\/\\b\\f\\n\\r\\t"), S("\\u00e9\\u00E9"), S("\\u007f\\u0080\\u07ff\\u0800\\uffff\\ud800\\udc00\\udbff\\udfff"), S("\\a"), S("\\U0041"), S("\\'"), S("\\x41"), S("\\0"), S("\\ "),
	S("\\u"), S("\\u12"), S("\\u12G4"), S("\\u 123"), S("\\ud800"), S("\\ud800x"), S("\\ud800\\"), S("\\ud800\\n"),
	S("\\ud800\\u"), S("\\ud800\\u0041"), S("\\ud800\\ud800"), S("\\udc00"), S("\\udc00\\ud800"), S("\\ud83d\\ude00"),
	S("\\uDBFF\\uDFFF"), S("\\ud800\\q"), S("\\ud800\n"), S("\\ud800 a longer text than is shown"), S("\\ud7ff\\ue000"),
	P("{\"\\ud800\":1}"), P("{\"a\":\"\\ud800"), P("{\"a\":\"\\u12"), P("{\"a\":\"\\"), P("{\"a\":\"abc"), S("\\\xc3\xa9"),
	S("\\u\xc3\xa9"), S("\\u00\xff"), S("\\\xff"),
	/* control characters and UTF-8 */
	S("\n"), S("\r"), S("\t"), S("\x01"), S("\x1f"), S("\x7f"), P("{\"\n\":1}"),
	S("\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), S("\x80"), S("\xbf"), S("\xc0\xaf"),
	S("\xc1\xbf"), S("\xc3"), S("\xc3\x28"), S("\xe0\x80\x80"), S("\xe0\x9f\xbf"), S("\xe2\x82"), S("\xe2\x28\xa1"),
	S("\xed\xa0\x80"), S("\xed\xbf\xbf"), S("\xf0\x80\x80\x80"), S("\xf0\x8f\xbf\xbf"), S("\xf0\x9f\x98"),
	S("\xf4\x90\x80\x80"), S("\xf5\x80\x80\x80"), S("\xf8\x88\x80\x80\x80"), S("\xfe"), S("\xff"), P("{\"a\":\"\xc3"),
	P("{\"a\":\"\xe2\x82"), P("{\"a\":\"\xf0\x9f\x98"), P("{\"\xff\":1}"), V("\xff"), S("a longer text than is shown\xff"),
	/* duplicates */
	P("{\"a\":1,\"a\":2}"), P("{\"a\":1,\"\\u0061\":2}"), P("{\"\":1,\"\":2}"), P("{\"spec\":{\"a\":1,\"a\":1}}"),
	P("{\"a\":[{\"b\":1,\"b\":1}]}"), P("{\"a\":1,\"b\":2,\"a\""), P("{\"a\":1,\"a\":01}"),
	P("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"), P("{\"status\":{\"a\":1,\"a\":1},\"spec\":1}"), P("{\"a\":1,\"a\\ud800\":1}"),
	P("\n\n{\"a\":1\n\n,\r\n\"a\":2}"), P("{\"\xc3\xa9\":1,\"\\u00e9\":2}"),
	P("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"), P("{\"a\":1\n,\n\"\xc3\xa9\xe2\x82\xac\":x}"),
	/* parts of other types */
	P("{\"labels\":[1],\"spec\":{}}"), P("{\"labels\":\"\",\"spec\":{}}"), P("{\"labels\":false,\"spec\":{}}"),
	P("{\"name\":\"a\",\"labels\":\"x\"}"), P("{\"name\":\"a\",\"metadata\":[]}"),
	P("{\"name\":\"a\",\"metadata\":{\"labels\":[]}}"), P("{\"name\":\"a\",\"metadata\":{\"annotations\":7}}"),
	P("{\"name\":\"a\",\"metadata\":{\"namespace\":7}}"), P("{\"name\":[\"a\"]}"),
	P("{\"name\":\"a\",\"labels\":{\"kuma.io/zone\":true}}"), P("{\"name\":\"a\",\"kind\":1}"),
	P("{\"name\":\"a\",\"kind\":\"Dataplane\"}"), P("{\"name\":\"\"}"), P("{\"name\":\"Redis\"}"),
	P("{\"name\":\"a\",\"mesh\":\"*\"}"), P("{\"status\":null}"), P("{\"status\":[]}"),
	P("{\"status\":{\"vips\":{\"ip\":\"241.0.0.1\"}}}"), P("{\"status\":{\"vips\":null}}"),
	P("{\"kind\":null,\"type\":\"MeshService\",\"spec\":1}"),
	P("{\"kind\":\"an unknown kind of more than forty bytes, \xc3\xa9\xc3\xa9\",\"name\":\"a\"}"),
	/* clang-format on */
};
#undef V
#undef S

#define PLAIN "the quick brown fox ~"

static void add(struct seeds *s, const char *text, size_t len) {
	struct seed *items = realloc(s->items, (s->n + 1) * sizeof *items);
	char *copy = malloc(len + 1);
	if (!items || !copy)
		abort();
	memcpy(copy, text, len);
	s->items = items;
	s->items[s->n++] = (struct seed){copy, len};
}

static void add_resources(struct seeds *s, const char *path) {
	json_error_t error;
	json_t *list = json_load_file(path, 0, &error), *item;
	size_t i;
	if (!list) {
		fprintf(stderr, "%s, line %d: %s\n", path, error.line, error.text);
		exit(2);
	}
	json_array_foreach (json_object_get(list, "items"), i, item) {
		char *text = json_dumps(item, i % 2 ? JSON_COMPACT : JSON_INDENT(2));
		add(s, text, strlen(text));
		free(text);
	}
	json_decref(list);
}

static void add_folder(struct seeds *s, const char *folder) {
	char pattern[4096];
	glob_t found;
	snprintf(pattern, sizeof pattern, "%s/*.json", folder);
	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "%s: no documents\n", folder);
		exit(2);
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		add_resources(s, found.gl_pathv[i]);
	globfree(&found);
}

/* `open` so many times, what is in the middle, and as many times `close`. */
static void add_nested(struct seeds *s, const char *open, size_t depth, const char *middle, const char *close) {
	char *text = malloc(depth * (strlen(open) + strlen(close)) + strlen(middle) + 1), *at = text;
	if (!text)
		abort();
	for (size_t i = 0; i < depth; i++)
		at = stpcpy(at, open);
	at = stpcpy(at, middle);
	for (size_t i = 0; i < depth; i++)
		at = stpcpy(at, close);
	add(s, text, (size_t)(at - text));
	free(text);
}

/* A depth that is allowed, one that is not, jansson's own limit, and beyond that. */
static void add_depths(struct seeds *s) {
	static const size_t depths[] = {63, 64, 65, 66, 127, 128, 129, 2047, 2048, 2049, 3000};
	for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
		add_nested(s, "{\"a\":", depths[i], "1", "}");
		add_nested(s, "{\"a\":", depths[i], "{}", "}");
		add_nested(s, "{\"a\":", depths[i], "\"x", "}");
		add_nested(s, "{\"a\":[", depths[i] / 2, "", "]}");
		add_nested(s, "[", depths[i], "", "]");
		add_nested(s, "{\"a\":", depths[i], "1", "");
		add_nested(s, "{\"a\":", depths[i], "{\"b\":1,\"b\":2}", "}");
		add_nested(s, "{\"a\":", depths[i], "1", "} ");
	}
}

/* An object of so many members in no order. `twin`: the last is another's namesake. */
static void add_wide(struct seeds *s, size_t n, bool twin) {
	char *text = malloc(n * 40 + 64), *at = text;
	if (!text)
		abort();
	at = stpcpy(at, "{\"name\":\"a\"");
	for (size_t i = 0; i < n; i++)
		at += sprintf(at, ",\"m%zu\":%zu", i * 7919 % n, i);
	at = stpcpy(at, twin ? ",\"m0\":1}" : "}");
	add(s, text, (size_t)(at - text));
	free(text);
}

/* Strings with something special behind so many plain characters, as these may be read several at a time; also where the text
 * ends there. */
static void add_strings(struct seeds *s) {
	static const char *const special[] = {"\\n",  "\\u0041", "\\",	 "\"",	 "\xc3\xa9", "\x1f",
					      "\x7f", "\xff",	 "\xa2", "\xdc", "\\u0000",  "!#[]~\xe2\x82\xac"};
	char text[128];
	for (int n = 0; n < 20; n++)
		for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
			int len = sprintf(text, "{\"%.*s%s%.*s\":1}", n, PLAIN, special[i], n % 9, PLAIN);
			add(s, text, (size_t)len);
			len = sprintf(text, "{\"a\":\"%.*s%s", n, PLAIN, special[i]);
			add(s, text, (size_t)len);
		}
}

static void add_filled(struct seeds *s, const char *begin, char fill, const char *end, size_t len) {
	char *text = malloc(len);
	if (!text)
		abort();
	memset(text, fill, len);
	memcpy(text, begin, strlen(begin));
	memcpy(text + len - strlen(end), end, strlen(end));
	add(s, text, len);
	free(text);
}

/* Texts of so many bytes: to some length there may be room without an allocation. */
static void add_long(struct seeds *s, size_t len) {
	add_filled(s, "{\"name\":\"a\",\"b\":\"", 'x', "\"}", len);
	add_filled(s, "{\"name\":\"a\",\"b\":", ' ', "1}", len);
	add_filled(s, "{\"name\":\"a\",\"b\":1.", '5', "", len);
	add_filled(s, "{\"name\":\"a\",\"b\":\"", 'x', "", len);
}

void seeds_load(struct seeds *s, const char *folder) {
	static const size_t widths[] = {7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 2000};
	*s = (struct seeds){0};
	add_folder(s, folder);
	for (size_t i = 0; i < sizeof DOCUMENTS / sizeof *DOCUMENTS; i++)
		add(s, DOCUMENTS[i], strlen(DOCUMENTS[i]));
	s->n_documents = s->n;
	for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
		add(s, TEXTS[i].text, TEXTS[i].len);
	add_depths(s);
	add_strings(s);
	for (size_t power = 256; power <= 8192; power *= 2)
		for (size_t len = power - 10; len < power + 4; len++)
			add_long(s, len);
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
		add_wide(s, widths[i], false);
		add_wide(s, widths[i], true);
	}
}

void seeds_free(struct seeds *s) {
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i].text);
	free(s->items);
}

/* Hosts that are the server's own, pages that are not, and what else a request's headers say. */
#include <criterion/criterion.h>
#include <string.h>

#include "api/call/media.h"
#include "api/call/origin.h"
#include "api/call/request.h"
#include "tests/unit/call_support.h"

static enum hf_err judged(const char *url, const char *names, const char *host, const char *origin, const char *site) {
	struct hf_hosts hosts;
	struct hf_api api = {.hosts = &hosts};
	struct hf_call call = {.api = &api};
	hf_hosts_set(url, names, &hosts);
	call.request.headers[HF_HOST] = host;
	call.request.headers[HF_ORIGIN] = origin;
	call.request.headers[HF_SEC_FETCH_SITE] = site;
	return hf_origin_check(&call, NULL);
}

#define LOOPBACK "http://127.0.0.1:8241"
#define ALL "http://0.0.0.0:8241"
#define ALL6 "http://[::]:8241"

Test(origin, a_host_is_the_servers_own_or_not) {
	static const struct {
		const char *url, *names, *host;
		enum hf_err err;
	} cases[] = {
		{LOOPBACK, "", NULL, HF_OK}, /* HTTP/1.0 */
		{LOOPBACK, "", "localhost", HF_OK},
		{LOOPBACK, "", "LocalHost:1", HF_OK},
		{LOOPBACK, "", "localhost.:80", HF_OK},
		{LOOPBACK, "", " localhost:8241 ", HF_OK},
		{LOOPBACK, "", "localhost ", HF_OK},
		{LOOPBACK, "", "127.0.0.1 \t", HF_OK},
		{LOOPBACK, "", "[::1] ", HF_OK},
		{LOOPBACK, "", "localhost:", HF_OK},
		{LOOPBACK, "", "127.0.0.1", HF_OK},
		{LOOPBACK, "", "127.255.0.9:9", HF_OK},
		{LOOPBACK, "", "[::1]:8241", HF_OK},
		{LOOPBACK, "", "[0:0::0:1]", HF_OK},
		{LOOPBACK, "", "[::ffff:127.0.0.1]:8241", HF_OK},
		{LOOPBACK, "", "", HF_E_MISDIRECTED},
		{LOOPBACK, "", ":8241", HF_E_MISDIRECTED},
		{LOOPBACK, "", "evil.example", HF_E_MISDIRECTED},
		{LOOPBACK, "", "evil.example:8241", HF_E_MISDIRECTED},
		{LOOPBACK, "", "localhost.evil.example", HF_E_MISDIRECTED},
		{LOOPBACK, "", "127.0.0.1.evil.example", HF_E_MISDIRECTED},
		{LOOPBACK, "", "xlocalhost", HF_E_MISDIRECTED},
		{LOOPBACK, "", "localhos", HF_E_MISDIRECTED},
		{LOOPBACK, "", "10.0.0.1", HF_E_MISDIRECTED},
		{LOOPBACK, "", "0.0.0.0:8241", HF_E_MISDIRECTED},
		{LOOPBACK, "", "[::]", HF_E_MISDIRECTED},
		{LOOPBACK, "", "[::ffff:10.0.0.1]", HF_E_MISDIRECTED},
		{LOOPBACK, "", "126.255.255.255", HF_E_MISDIRECTED},
		{LOOPBACK, "", "128.0.0.0", HF_E_MISDIRECTED},
		{LOOPBACK, "", "2130706433", HF_E_MISDIRECTED},
		{LOOPBACK, "", "a b", HF_E_INVALID_PARAMETER},
		{LOOPBACK, "", "a/b", HF_E_INVALID_PARAMETER},
		{LOOPBACK, "", "user@localhost", HF_E_INVALID_PARAMETER},
		{LOOPBACK, "", "localhost, localhost", HF_E_INVALID_PARAMETER},
		{LOOPBACK, "", "localhost:x", HF_E_INVALID_PARAMETER},
		{LOOPBACK, "", "localhost:65536", HF_E_INVALID_PARAMETER},
		{LOOPBACK, "", "localhost:1:2", HF_E_INVALID_PARAMETER},
		{LOOPBACK, "", "::1", HF_E_INVALID_PARAMETER},
		{LOOPBACK, "", "[::1", HF_E_INVALID_PARAMETER},
		{LOOPBACK, "", "[127.0.0.1]", HF_E_INVALID_PARAMETER},
		{LOOPBACK, "", "[localhost]", HF_E_INVALID_PARAMETER},
		{LOOPBACK, "", "[::1]x", HF_E_INVALID_PARAMETER},
		{"http://10.0.0.5:80", "", "10.0.0.5", HF_OK},
		{"http://10.0.0.5:80", "", "10.0.0.6", HF_E_MISDIRECTED},
		{"http://10.0.0.5:80", "", "localhost", HF_OK},
		{"http://[fd00::5]:80", "", "[FD00:0::5]:1", HF_OK},
		{"http://[fd00::5]:80", "", "[fd00::6]", HF_E_MISDIRECTED},
		{ALL, "", "192.0.2.7:8241", HF_OK}, /* a probe, or a load balancer */
		{ALL, "", "[2001:db8::7]", HF_OK},
		{ALL6, "", "192.0.2.7", HF_OK},
		{ALL, "", "holdfast", HF_E_MISDIRECTED},
		{ALL, "", "192.0.2.7.evil.example", HF_E_MISDIRECTED},
		{ALL, "holdfast", "holdfast:8241", HF_OK},
		{ALL, "holdfast.mesh.svc, HOLDFAST ,10.96.0.1,[fd00::1],fd00::2", "holdfast", HF_OK},
		{LOOPBACK, "holdfast.mesh.svc,HOLDFAST,10.96.0.1,[fd00::1],fd00::2", "Holdfast.Mesh.svc.", HF_OK},
		{LOOPBACK, "holdfast.mesh.svc,HOLDFAST,10.96.0.1,[fd00::1],fd00::2", "10.96.0.1:8241", HF_OK},
		{LOOPBACK, "holdfast.mesh.svc,HOLDFAST,10.96.0.1,[fd00::1],fd00::2", "[fd00::1]", HF_OK},
		{LOOPBACK, "holdfast.mesh.svc,HOLDFAST,10.96.0.1,[fd00::1],fd00::2", "[fd00::2]", HF_OK},
		{LOOPBACK, "holdfast.mesh.svc,HOLDFAST,10.96.0.1,[fd00::1],fd00::2", "mesh.svc", HF_E_MISDIRECTED},
		{LOOPBACK, "holdfast.mesh.svc,HOLDFAST,10.96.0.1,[fd00::1],fd00::2", "a.holdfast", HF_E_MISDIRECTED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect_eq(judged(cases[i].url, cases[i].names, cases[i].host, NULL, NULL), cases[i].err, "%s: %s", cases[i].url,
			     cases[i].host);
}

Test(origin, a_page_is_of_this_origin_or_not) {
	static const struct {
		const char *host, *origin, *site;
		enum hf_err err;
	} cases[] = {
		{"localhost:8241", "http://localhost:8241", NULL, HF_OK},
		{"localhost:8241", "https://LOCALHOST:8241", NULL, HF_OK}, /* a proxy ends TLS */
		{"localhost", "http://localhost", NULL, HF_OK},
		{"localhost:80", "http://localhost", NULL, HF_OK},
		{"localhost", "http://localhost:80", NULL, HF_OK},
		{"localhost", "https://localhost", NULL, HF_OK},
		{"localhost", "https://localhost:443", NULL, HF_OK},
		{"[::1]:1", "http://[0::1]:1", NULL, HF_OK},
		{"localhost:8241", "http://localhost:3000", NULL, HF_E_CROSS_ORIGIN},
		{"localhost:8241", "http://localhost", NULL, HF_E_CROSS_ORIGIN},
		{"localhost:443", "http://localhost", NULL, HF_E_CROSS_ORIGIN},
		{"localhost:8241", "http://127.0.0.1:8241", NULL, HF_E_CROSS_ORIGIN},
		{"localhost:8241", "https://evil.example", NULL, HF_E_CROSS_ORIGIN},
		{"localhost:8241", "http://localhost:8241.evil.example", NULL, HF_E_CROSS_ORIGIN},
		{"localhost:8241", "http://localhost:8241 http://evil.example", NULL, HF_E_CROSS_ORIGIN},
		{"localhost:8241", "chrome-extension://localhost:8241", NULL, HF_E_CROSS_ORIGIN},
		{"localhost:8241", "null", NULL, HF_E_CROSS_ORIGIN},
		{"localhost:8241", "", NULL, HF_E_CROSS_ORIGIN},
		{"localhost:8241", "http://", NULL, HF_E_CROSS_ORIGIN},
		{NULL, "http://localhost:8241", NULL, HF_E_CROSS_ORIGIN},
		{"localhost", NULL, "same-origin", HF_OK},
		{"localhost", NULL, "none", HF_OK},
		{"localhost", NULL, "same-site", HF_E_CROSS_ORIGIN},
		{"localhost", NULL, "cross-site", HF_E_CROSS_ORIGIN},
		{"localhost", NULL, "", HF_E_CROSS_ORIGIN},
		{"localhost", NULL, "Same-Origin, none", HF_E_CROSS_ORIGIN},
		{"localhost", "http://localhost", "cross-site", HF_E_CROSS_ORIGIN},
		{"localhost", "http://evil.example", "same-origin", HF_E_CROSS_ORIGIN},
		{"evil.example", "http://evil.example", "same-origin", HF_E_MISDIRECTED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect_eq(judged(LOOPBACK, "", cases[i].host, cases[i].origin, cases[i].site), cases[i].err, "%s: %s, %s",
			     cases[i].host, cases[i].origin, cases[i].site);
}

Test(origin, the_host_of_an_absolute_target_counts) {
	struct hf_hosts hosts;
	struct hf_api api = {.hosts = &hosts};
	struct hf_call call = {.api = &api, .authority = "evil.example"};
	hf_hosts_set(LOOPBACK, "", &hosts);
	call.request.headers[HF_HOST] = "localhost";
	cr_expect_eq(hf_origin_check(&call, NULL), HF_E_MISDIRECTED);
	call.authority = "localhost:1";
	call.request.headers[HF_HOST] = "evil.example";
	cr_expect_eq(hf_origin_check(&call, NULL), HF_OK);
}

Test(origin, names_are_checked_where_they_are_set) {
	static const char *const good[] = {"a", "a,b", " a , b,", "10.0.0.1", "[fd00::1]", "fd00::1", "a.b-c_d.", "A"};
	static const char *const bad[] = {"",  " ",   ",",	     "a:80",	     "a,b:80", "http://a", "a/b",
					  "*", "*.a", "10.0.0.1:80", "[fd00::1]:80", "[a]",    "a\xc3\xa9"};
	struct hf_why why;
	char long_name[300] = "";
	memset(long_name, 'a', sizeof long_name - 1);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		cr_expect_eq(hf_hosts_check(good[i], &why), HF_OK, "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_eq(hf_hosts_check(bad[i], &why), HF_E_INVALID_PARAMETER, "%s", bad[i]);
	cr_expect_eq(hf_hosts_check(long_name, &why), HF_E_INVALID_PARAMETER);
}

Test(media, accept_weighs_types_by_the_range_that_is_closest) {
	static const struct {
		const char *accept;
		int quality;
		bool named;
	} cases[] = {
		{"", 0, false},
		{"a/b", 1000, true},
		{"A/B", 1000, true},
		{"a/*", 1000, false},
		{"*/*", 1000, false},
		{"a/c", 0, false},
		{"a/bc", 0, false},
		{"a", 0, false},
		{"a/b;q=0.5", 500, true},
		{"a/b; x=y ; Q=0.125", 125, true},
		{"a/b;q=0", 0, true},
		{"a/b;q=1.000", 1000, true},
		{"a/b ; q=0.3 , */*", 300, true},
		{"*/*, a/*;q=0.2", 200, false},
		{"*/*;q=0.1,a/b;q=0.3,a/*;q=0.2", 300, true},
		{"a/b;q=0.1, a/b;q=0.4", 400, true},
		{"x/y;z=\"a/b,a/b\", a/*;q=0.7", 700, false},
		{"x/y;z=\"\\\",a/b\"", 0, false},
		{"a/b;q=2", 0, false}, /* out of form: passed over */
		{"a/b;q=1.001", 0, false},
		{"a/b;q=0.1234", 0, false},
		{"a/b;q=", 0, false},
		{"a/b;q=inf", 0, false},
		{"a/b;q=-1, */*;q=0.1", 100, false},
		{",, a/b ,", 1000, true},
		{"a/b;q", 1000, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool named = false;
		cr_expect_eq(hf_media_quality(cases[i].accept, "a/b", &named), cases[i].quality, "%s", cases[i].accept);
		cr_expect_eq(named, cases[i].named, "%s", cases[i].accept);
	}
}

Test(media, lists_are_joined_and_nothing_else_comes_twice) {
	struct hf_api api = {0};
	struct hf_call *call = started_call(&api, "/");
	cr_expect_eq(hf_call_header(call, HF_IF_MATCH, "\"1\""), HF_OK);
	cr_expect_str_eq(call->request.headers[HF_IF_MATCH], "\"1\"");
	cr_expect_eq(hf_call_header(call, HF_IF_MATCH, "\"2\""), HF_OK);
	cr_expect_eq(hf_call_header(call, HF_ACCEPT, "a/b"), HF_OK);
	cr_expect_eq(hf_call_header(call, HF_IF_MATCH, ""), HF_OK);
	cr_expect_str_eq(call->request.headers[HF_IF_MATCH], "\"1\", \"2\", ");
	cr_expect_str_eq(call->request.headers[HF_ACCEPT], "a/b");
	cr_expect_eq(hf_call_header(call, HF_HOST, "a"), HF_OK);
	cr_expect_eq(hf_call_header(call, HF_HOST, "a"), HF_E_INVALID_PARAMETER);
	hf_call_end(call);
	cr_expect_null(call->request.headers[HF_IF_MATCH]);
	cr_assert(hf_call_start(call, "/"));
	cr_expect_eq(hf_call_header(call, HF_IF_MATCH, "\"3\""), HF_OK);
	cr_expect_str_eq(call->request.headers[HF_IF_MATCH], "\"3\"");
	ended_call(call);
}

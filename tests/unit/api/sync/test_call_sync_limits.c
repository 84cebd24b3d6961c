/* Syncs that are refused: before their body, by a limit, by the budget; and that all memory comes back at any stage. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/call_support.h"

#define FULL "/v1/zones/east/sync?mode=full&mesh=default"
#define SERVICE(name) "{\"type\":\"MeshService\",\"name\":\"" name "\",\"spec\":{}}\n"

static struct world w;
static char last_event[1024];
static int events;

static void on_event(enum hf_event_level level, const char *message, const char *pairs) {
	(void)level, (void)message;
	snprintf(last_event, sizeof last_event, "%s", pairs);
	events++;
}

static void open_with(size_t body_max_bytes, uint32_t items_max, size_t memory_max_bytes) {
	world_open_with(&w, &(struct hf_syncs_options){body_max_bytes, items_max, memory_max_bytes});
	w.api.event = on_event;
	w.content_type = "application/x-ndjson";
	events = 0;
}

static size_t used_bytes(void) { return hf_syncs_budget(w.api.syncs)->used_bytes; }

static void close_it(const char *name) {
	cr_expect_eq(used_bytes(), 0, "%s: kept %zu bytes", name, used_bytes());
	verify_clean(&w.f, name);
	world_close(&w);
}

#define AT(zone, query) "/v1/zones/" zone "/sync?" query

static const struct {
	const char *name, *target, *content_type, *epoch;
	int status;
	const char *has;
} BEFORE_THE_BODY[] = {
	{"no mode", AT("east", "mesh=default"), NULL, NULL, 400, "mode: it is missing"},
	{"an unknown mode", AT("east", "mode=half&mesh=default"), NULL, NULL, 400, "half"},
	{"no mesh", AT("east", "mode=full"), NULL, NULL, 400, "mesh: it is missing"},
	{"a mesh that is none", AT("east", "mode=full&mesh=A"), NULL, NULL, 400, "mesh"},
	{"an unknown kind", AT("east", "mode=full&mesh=*&kind=Mesh"), NULL, NULL, 400, "kind"},
	{"all kinds", AT("east", "mode=full&mesh=*&kind=*"), NULL, NULL, 400, "kind"},
	{"a zone that is none", AT("EAST", "mode=full&mesh=*"), NULL, NULL, 400, "EAST"},
	{"a percentage out of range", AT("east", "mode=full&mesh=*&maxRelease=101"), NULL, NULL, 400, "maxRelease"},
	{"a percentage below", AT("east", "mode=full&mesh=*&maxRelease=-1"), NULL, NULL, 400, "maxRelease"},
	{"half a percent", AT("east", "mode=full&mesh=*&maxRelease=0.5"), NULL, NULL, 400, "maxRelease"},
	{"neither true nor false", AT("east", "mode=full&mesh=*&dryRun=1"), NULL, NULL, 400, "dryRun"},
	{"force is either", AT("east", "mode=full&mesh=*&force="), NULL, NULL, 400, "force"},
	{"an unknown return", AT("east", "mode=full&mesh=*&return=some"), NULL, NULL, 400, "return"},
	{"an unknown parameter", AT("east", "mode=full&mesh=*&zone=east"), NULL, NULL, 400, "zone"},
	{"an epoch that is no number", AT("east", "mode=full&mesh=*"), NULL, "seven", 400, "Holdfast-Zone-Epoch"},
	{"another media type", AT("east", "mode=full&mesh=*"), "application/yaml", NULL, 415, "application/yaml"},
	{"a manifest has no mode", "/v1/zones/east/manifest?mesh=*&mode=full", NULL, NULL, 400, "mode"},
	{"a manifest of no mesh", "/v1/zones/east/manifest", NULL, NULL, 400, "mesh"},
};

Test(call_sync_limits, parameters_are_refused_before_the_body) {
	open_with(1000, 10, 1 << 20);
	for (size_t i = 0; i < sizeof BEFORE_THE_BODY / sizeof *BEFORE_THE_BODY; i++) {
		w.content_type = BEFORE_THE_BODY[i].content_type ? BEFORE_THE_BODY[i].content_type : "application/x-ndjson";
		w.header_name = BEFORE_THE_BODY[i].epoch ? "Holdfast-Zone-Epoch" : NULL;
		w.header_value = BEFORE_THE_BODY[i].epoch;
		struct hf_call *call = routed(&w, HF_POST, BEFORE_THE_BODY[i].target);
		cr_expect_eq(call->response.status, BEFORE_THE_BODY[i].status, "%s: %d", BEFORE_THE_BODY[i].name,
			     call->response.status);
		hf_call_body(call, SERVICE("a"), strlen(SERVICE("a")));
		cr_expect_eq(used_bytes(), 0, "%s: the body was read", BEFORE_THE_BODY[i].name);
		struct answer a = answered(&w, call);
		cr_expect_eq(a.status, BEFORE_THE_BODY[i].status, "%s", BEFORE_THE_BODY[i].name);
		cr_expect(strstr(a.body, BEFORE_THE_BODY[i].has), "%s: %s", BEFORE_THE_BODY[i].name, a.body);
	}
	cr_expect_eq(events, 0, "nothing of it is worth a line");
	close_it("parameters");
}

#define BIG 300 * 1024

static const struct {
	const char *name;
	size_t body_max_bytes;
	uint32_t items_max;
	size_t memory_max_bytes;
	const char *body;
	int status;
	const char *has, *retry_after;
} LIMITS[] = {
	{"within all", 1 << 20, 3, 1 << 20, SERVICE("a") SERVICE("b") SERVICE("c"), 200, "\"created\":3", ""},
	{"one item too many", 1 << 20, 2, 1 << 20, SERVICE("a") SERVICE("b") SERVICE("c"), 413, "body-too-large", ""},
	{"exactly the bytes", strlen(SERVICE("a")), 9, 1 << 20, SERVICE("a"), 200, "\"created\":1", ""},
	{"one byte too many", strlen(SERVICE("a")), 9, 1 << 20, SERVICE("ab"), 413, "has more than", ""},
	{"no memory", 1 << 20, 9, 1000, SERVICE("a"), 503, "memory", "1"},
};

Test(call_sync_limits, what_is_beyond_a_limit_is_refused_whole) {
	for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
		open_with(LIMITS[i].body_max_bytes, LIMITS[i].items_max, LIMITS[i].memory_max_bytes);
		struct hf_digest before = fixture_digest(&w.f);
		struct answer a = request(&w, HF_POST, FULL, LIMITS[i].body);
		struct hf_digest after = fixture_digest(&w.f);
		cr_expect_eq(a.status, LIMITS[i].status, "%s: %s", LIMITS[i].name, a.body);
		cr_expect(strstr(a.body, LIMITS[i].has), "%s: %s", LIMITS[i].name, a.body);
		cr_expect_str_eq(a.retry_after, LIMITS[i].retry_after, "%s", LIMITS[i].name);
		cr_expect(a.status == 200 || hf_digest_equal(&before, &after), "%s", LIMITS[i].name);
		cr_expect_eq(events, 1, "%s: each sync is one line", LIMITS[i].name);
		cr_expect(a.status == 200 || strstr(last_event, "outcome=refused"), "%s: %s", LIMITS[i].name, last_event);
		close_it(LIMITS[i].name);
	}
}

/* A document of its own limit is rejected alone; a name so long is nobody's. */
Test(call_sync_limits, a_document_that_is_too_large_is_rejected_alone) {
	char *body = malloc(BIG + 1000);
	open_with(1 << 20, 9, 1 << 20);
	cr_expect_eq(request(&w, HF_POST, FULL, SERVICE("a") SERVICE("b")).status, 200);
	int len = sprintf(body, SERVICE("a") "{\"type\":\"MeshService\",\"name\":\"");
	memset(body + len, 'x', BIG);
	strcpy(body + len + BIG, "\"}\n" SERVICE("c"));
	struct answer a = request(&w, HF_POST, FULL, body);
	cr_expect_eq(a.status, 200);
	cr_expect(strstr(a.body, "\"released\":1,\"foreign\":0,\"rejected\":1,\"transferred\":0,\"releaseSkipped\":0}"), "%s",
		  a.body);
	cr_expect(strstr(a.body, "\"line\":2,\"problem\":{\"type\":\"urn:holdfast:problem:body-too-large\""), "%s", a.body);
	cr_expect(strstr(a.body, "\"service\":\"c\",\"outcome\":\"created\""), "%s", a.body);
	free(body);
	close_it("a large document");
}

/* A call that is given up: by the client, by the server, before and after its commit. */
Test(call_sync_limits, memory_comes_back_at_any_stage) {
	static const char body[] = SERVICE("a") SERVICE("b@") SERVICE("c");
	open_with(1 << 20, 9, 1 << 20);
	for (size_t len = 0; len <= strlen(body); len++) {
		struct hf_call *call = routed(&w, HF_POST, FULL);
		hf_call_body(call, body, len);
		cr_expect(len < 70 || used_bytes() > 0);
		ended_call(call);
		cr_assert_eq(used_bytes(), 0, "given up after %zu bytes", len);
	}
	struct hf_call *call = routed(&w, HF_POST, FULL);
	hf_call_body(call, body, strlen(body));
	cr_expect_eq(hf_call_begin(call), HF_STEP_COMMIT);
	cr_expect_gt(used_bytes(), 0);
	ended_call(call);
	cr_expect_eq(used_bytes(), 0, "given up before the commit");
	cr_expect_eq(request(&w, HF_GET, "/v1/zones/east", "").status, 404, "and nothing was written");
	cr_expect_eq(request(&w, HF_POST, FULL, body).status, 200);
	cr_expect_eq(used_bytes(), 0);
	close_it("at any stage");
}

/* Syncs that use it up are refused; what was there before them goes on. */
Test(call_sync_limits, syncs_share_one_budget) {
	open_with(1 << 20, 100000, 300000);
	struct hf_call *first = routed(&w, HF_POST, FULL), *second = routed(&w, HF_POST, "/v1/zones/west/sync?mode=delta");
	hf_call_body(first, SERVICE("a"), strlen(SERVICE("a")));
	char line[128];
	for (int i = 0; second->response.status == 0 && i < 10000; i++) {
		int len = snprintf(line, sizeof line, "{\"type\":\"MeshService\",\"name\":\"s%d\",\"spec\":{}}\n", i);
		hf_call_body(second, line, (size_t)len);
	}
	cr_expect_eq(second->response.status, 503, "it has read all that there was room for");
	hf_call_body(second, "more", 4);
	cr_expect_eq(answered(&w, second).status, 503);
	struct answer a = answered(&w, first);
	cr_expect_eq(a.status, 200, "%s", a.body);
	close_it("one budget");
}

Test(call_sync_limits, no_reader_left_is_overloaded) {
	open_with(1 << 20, 9, 1 << 20);
	struct hf_call *call = routed(&w, HF_POST, FULL);
	call->reader = NULL;
	hf_call_body(call, SERVICE("a"), strlen(SERVICE("a")));
	struct answer a = answered(&w, call);
	cr_expect_eq(a.status, 503);
	cr_expect_str_eq(a.retry_after, "1");
	close_it("no reader");
}

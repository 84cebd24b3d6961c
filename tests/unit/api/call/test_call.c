/* Requests through the API without a socket: what is answered at once, what waits for the committer, what is parsed. */
#include "api/shapes/lease_json.h"
#include "api/text/tape.h"
#include "storage/store/lease_change.h"
#include "storage/store/upkeep.h"
#include "storage/tables/change_table.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/call_support.h"

#define BODY "{\"type\":\"MeshService\",\"name\":\"redis\",\"spec\":{\"ports\":[{\"port\":6379,\"targetPort\":1}]}}"
#define SHUFFLED "{\"spec\":{\"ports\":[{\"targetPort\":1,\"port\":6379}]},\"name\":\"redis\",\"type\":\"MeshService\"}"
#define CHANGED "{\"type\":\"MeshService\",\"name\":\"redis\",\"spec\":{\"ports\":[{\"port\":6380,\"targetPort\":1}]}}"
#define REDIS "/v1/meshes/default/zones/east/services/redis"
#define OTHER "/v1/meshes/default/zones/east/services/other"
#define EAST "/v1/zones/east"

Test(call, an_unchanged_request_never_reaches_the_committer) {
	static const struct {
		const char *name, *target, *body, *outcome;
		int status;
		enum hf_step first;
	} steps[] = {
		{"new", REDIS, BODY, "created", 201, HF_STEP_COMMIT},
		{"the same bytes", REDIS, BODY, "unchanged", 200, HF_STEP_DONE},
		{"other bytes of the same configuration", REDIS, SHUFFLED, "unchanged", 200, HF_STEP_DONE},
		{"nothing stated", REDIS, "", "unchanged", 200, HF_STEP_DONE},
		{"the pool and address it has", REDIS "?pool=meshservice&address=241.0.0.0", BODY, "unchanged", 200, HF_STEP_DONE},
		{"a version", REDIS "?version=7", BODY, "unchanged", 200, HF_STEP_COMMIT},
		{"the same version", REDIS "?version=7", BODY, "unchanged", 200, HF_STEP_DONE},
		{"changed", REDIS, CHANGED, "updated", 200, HF_STEP_COMMIT},
		{"another address", REDIS "?address=241.0.0.9", CHANGED, "", 409, HF_STEP_DONE},
	};
	struct world w;
	world_open(&w);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct answer a = request(&w, HF_PUT, steps[i].target, steps[i].body);
		cr_expect_eq(a.status, steps[i].status, "%s: %s", steps[i].name, a.body);
		cr_expect_eq(a.first, steps[i].first, "%s", steps[i].name);
		cr_expect_str_eq(a.outcome, steps[i].outcome, "%s", steps[i].name);
		cr_expect(a.status == 409 || strstr(a.body, "\"vips\":[{\"ip\":\"241.0.0.0\"}]"), "%s", steps[i].name);
	}
	world_close(&w);
}

/* Each row is answered in one step, from the snapshot, or after a commit. */
Test(call, a_zones_refresh_never_reaches_the_committer) {
	static const struct {
		const char *name;
		enum hf_method method;
		const char *target, *body;
		int status;
		enum hf_step first;
		const char *has; /* the answer */
	} steps[] = {
		{"disconnect nobody", HF_DELETE, EAST "/connection", "", 404, HF_STEP_DONE, "never connected"},
		{"first", HF_PUT, EAST "/connection", "{\"instance\":\"a\"}", 200, HF_STEP_COMMIT,
		 "\"epoch\":1,\"connection\":\"first\",\"sync\":\"full\",\"leases\":0"},
		{"refresh", HF_PUT, EAST "/connection", "{\"instance\":\"a\"}", 200, HF_STEP_DONE, "\"connection\":\"refresh\""},
		{"another ttl", HF_PUT, EAST "/connection", "{\"instance\":\"a\",\"ttl\":\"1m\"}", 200, HF_STEP_COMMIT,
		 "\"epoch\":1,\"connection\":\"refresh\""},
		{"the same in other words", HF_PUT, EAST "/connection", "{\"ttl\":\"60s\",\"instance\":\"a\"}", 200, HF_STEP_DONE,
		 "\"ttl\":\"60s\"}"},
		{"shown", HF_GET, EAST, "", 200, HF_STEP_DONE, "\"instance\":\"a\",\"ttl\":\"60s\","},
		{"none again", HF_PUT, EAST "/connection", "{\"instance\":\"a\"}", 200, HF_STEP_COMMIT, "\"ttl\":null}"},
		{"too short", HF_PUT, EAST "/connection", "{\"instance\":\"a\",\"ttl\":\"4999ms\"}", 400, HF_STEP_DONE,
		 "\"ttl\\\" is not a duration from 5s to 3600s"},
		{"a lease", HF_PUT, REDIS, BODY, 201, HF_STEP_COMMIT, "\"active\""},
		{"a new instance", HF_PUT, EAST "/connection", "{\"instance\":\"b\"}", 200, HF_STEP_COMMIT,
		 "\"epoch\":2,\"connection\":\"reconnect\",\"sync\":\"incremental\",\"leases\":1"},
		{"superseded", HF_PUT, EAST "/connection", "{\"instance\":\"a\"}", 409, HF_STEP_DONE, "stale-epoch"},
		{"disconnect", HF_DELETE, EAST "/connection", "", 200, HF_STEP_COMMIT, "\"state\":\"offline\",\"epoch\":2"},
		{"again", HF_DELETE, EAST "/connection", "", 200, HF_STEP_DONE, "\"instance\":\"b\""},
		{"frozen", HF_DELETE, REDIS, "", 409, HF_STEP_DONE, "zone-offline"},
		{"forced", HF_DELETE, REDIS "?force=true", "", 200, HF_STEP_COMMIT, "\"quarantined\""},
		{"read", HF_GET, EAST, "", 200, HF_STEP_DONE, "\"leases\":{\"active\":0,\"quarantined\":1}"},
	};
	struct world w;
	world_open(&w);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct answer a = request(&w, steps[i].method, steps[i].target, steps[i].body);
		cr_expect_eq(a.status, steps[i].status, "%s: %s", steps[i].name, a.body);
		cr_expect_eq(a.first, steps[i].first, "%s", steps[i].name);
		cr_expect(strstr(a.body, steps[i].has), "%s: %s", steps[i].name, a.body);
	}
	world_close(&w);
}

/* A write, its change and the addresses that it binds bear the caller's name; what nobody asks for does not. */
Test(call, a_change_is_by_its_caller) {
	struct world w;
	world_open(&w);
	w.by = "zone-east";
	cr_assert_eq(request(&w, HF_PUT, REDIS, BODY).status, 201);
	w.by = NULL;
	cr_assert_eq(request(&w, HF_PUT, REDIS, CHANGED).status, 200);
	struct answer feed = request(&w, HF_GET, "/v1/changes?since=2", "");
	cr_expect(strstr(feed.body, "\"type\":\"pool-written\",\"cause\":\"start\",\"by\":\"holdfast\",\"pool\""), "%s", feed.body);
	cr_expect(strstr(feed.body, "\"type\":\"acquired\",\"cause\":\"request\",\"by\":\"zone-east\",\"pool\""), "%s", feed.body);
	cr_expect(strstr(feed.body, "\"type\":\"updated\",\"cause\":\"request\",\"by\":\"anonymous\",\"pool\""), "%s", feed.body);
	struct answer history = request(&w, HF_GET, "/v1/addresses/241.0.0.0/history", "");
	cr_expect(strstr(history.body, "\"to\":null,\"by\":\"zone-east\"}"), "%s", history.body);
	verify_clean(&w.f, "named callers");
	world_close(&w);
}

/* As a lease's rename is written: the feed's entry has both identities. */
Test(call, a_transfer_names_where_it_came_from) {
	struct world w;
	struct hf_batch *batch;
	struct hf_change transfer = {.type = HF_CHANGE_TRANSFERRED,
				     .cause = HF_CAUSE_REQUEST,
				     .pool = "meshservice",
				     .has_lease = true,
				     .id = identity("east", "default", "new"),
				     .from = identity("west", "default", "old"),
				     .generation = 1};
	world_open(&w);
	cr_assert_eq(hf_upkeep_begin(w.f.store, NULL, &batch), HF_OK);
	hf_batch_record(batch, &transfer);
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
	struct answer feed = request(&w, HF_GET, "/v1/changes?since=3&zone=west", "");
	cr_expect(strstr(feed.body, "\"type\":\"transferred\"") && strstr(feed.body, "\"service\":\"new\""), "%s", feed.body);
	cr_expect(strstr(feed.body, "\"vips\":[],\"from\":{\"kind\":\"MeshService\",\"mesh\":\"default\",\"zone\":\"west\","
				    "\"service\":\"old\"}}"),
		  "%s", feed.body);
	world_close(&w);
}

static struct hf_call *changes_call(struct world *w, const char *target) {
	struct hf_call *call = started_call(&w->api, target);
	call->request.method = HF_GET;
	call->reader = w->f.reader;
	hf_call_route(call);
	return call;
}

Test(call, a_long_poll_waits_only_behind_the_last_change) {
	struct world w;
	world_open(&w);
	struct hf_call *call = changes_call(&w, "/v1/changes?since=0&zone=west&wait=8s");
	cr_assert_eq(hf_call_begin(call), HF_STEP_WAIT);
	cr_expect_eq(call->wait_ms, 8000);
	cr_expect_eq(call->wait_revision, 3, "the default pools were looked at");
	cr_assert_eq(hf_call_begin(call), HF_STEP_WAIT, "woken by another zone's change");
	call->no_wait = true;
	cr_assert_eq(hf_call_begin(call), HF_STEP_DONE);
	cr_expect_eq(call->response.status, 200);
	ended_call(call);
	for (int i = 0; i < HF_FEED_EXAMINED_MAX; i++) { /* more than one page looks at */
		struct hf_acquire a = acquire_request(identity("east", "default", "redis"), i % 2 ? "a" : "b");
		cr_assert_eq(acquire(&w.f, &a), HF_OK);
	}
	call = changes_call(&w, "/v1/changes?since=0&zone=west&wait=8s");
	cr_assert_eq(hf_call_begin(call), HF_STEP_DONE, "there are changes that were not looked at");
	hf_buf_add(&call->response.body, "", 1);
	cr_expect(strstr(call->response.body.data, "{\"changes\":[],\"revision\":10000,"), "%s", call->response.body.data);
	ended_call(call);
	world_close(&w);
}

Test(call, a_body_that_is_lost_is_not_an_empty_one) {
	struct world w;
	world_open(&w);
	struct hf_call *call = started_call(&w.api, REDIS);
	call->request.method = HF_PUT;
	call->reader = w.f.reader;
	hf_call_route(call);
	call->request.body.failed = true; /* as when memory runs out */
	cr_assert_eq(hf_call_begin(call), HF_STEP_DONE);
	cr_expect_eq(call->response.status, 503);
	ended_call(call);
	cr_expect_eq(request(&w, HF_GET, REDIS, "").status, 404);
	world_close(&w);
}

static size_t parsed; /* calls of hf_tape_open(), which the linker leads here */

enum hf_err __real_hf_tape_open(const char *text, size_t len, const char *what, struct hf_why *why, struct hf_tape *ret);
enum hf_err __wrap_hf_tape_open(const char *text, size_t len, const char *what, struct hf_why *why, struct hf_tape *ret);

enum hf_err __wrap_hf_tape_open(const char *text, size_t len, const char *what, struct hf_why *why, struct hf_tape *ret) {
	parsed++;
	return __real_hf_tape_open(text, len, what, why, ret);
}

Test(call, bytes_that_were_seen_are_not_parsed_again) {
	struct world w;
	world_open(&w);
	request(&w, HF_PUT, REDIS, BODY);
	cr_assert_eq(parsed, 1);
	parsed = 0;
	cr_expect_str_eq(request(&w, HF_PUT, REDIS, BODY).outcome, "unchanged");
	cr_expect_eq(parsed, 0, "the same bytes were parsed");
	cr_expect_str_eq(request(&w, HF_PUT, REDIS, SHUFFLED).outcome, "unchanged");
	cr_expect_eq(parsed, 1);
	cr_expect_str_eq(request(&w, HF_PUT, REDIS, SHUFFLED).outcome, "unchanged");
	cr_expect_eq(parsed, 1, "other bytes of the same were parsed again");
	parsed = 0;
	/* What is written is read, though its fingerprint is known: a lease that is new to it, and one whose version changes. */
	cr_expect_str_eq(request(&w, HF_PUT, REDIS "?version=2", SHUFFLED).outcome, "unchanged");
	cr_expect_eq(parsed, 1);
	cr_expect_str_eq(request(&w, HF_PUT, OTHER, SHUFFLED).outcome, "created");
	cr_expect_str_eq(request(&w, HF_PUT, REDIS, "{\"spec\":{\"other\":1}}").outcome, "updated");
	cr_expect_str_eq(request(&w, HF_PUT, REDIS, SHUFFLED).outcome, "updated");
	cr_expect_str_eq(request(&w, HF_PUT, REDIS, BODY).outcome, "unchanged");
	/* A raw match is no excuse: conditions and addresses are judged before it, and a quarantined lease is restored. */
	cr_expect_eq(request(&w, HF_PUT, REDIS "?address=241.0.0.1", BODY).status, 409);
	request(&w, HF_DELETE, REDIS, "");
	cr_expect_str_eq(request(&w, HF_PUT, REDIS, BODY).outcome, "restored");
	world_close(&w);
}

Test(call, a_call_that_is_used_again_has_nothing_of_the_request_before) {
	struct world w;
	static char large[8192], target[600];
	world_open(&w);
	memset(large, ' ', sizeof large - 3);
	strcpy(large + sizeof large - 3, "{}");
	struct hf_call *call = hf_call_new(&w.api);
	cr_assert(call && hf_call_start(call, REDIS "?version=1&pool=other&address=10.0.0.1"));
	call->request.method = HF_PUT;
	call->request.headers[HF_IF_NONE_MATCH] = "*";
	call->request.headers[HF_CONTENT_TYPE] = "application/json";
	call->reader = w.f.reader;
	hf_call_route(call);
	hf_call_body(call, large, sizeof large - 1);
	cr_assert_eq(hf_call_begin(call), HF_STEP_COMMIT);
	call->write->err = HF_E_NO_POOL;
	hf_call_committed(call);
	cr_expect_eq(call->response.status, 422);
	hf_call_end(call);
	cr_assert(hf_call_start(call, REDIS));
	call->request.method = HF_PUT;
	call->reader = w.f.reader;
	hf_call_route(call);
	cr_assert_eq(hf_call_begin(call), HF_STEP_COMMIT);
	call->write->err = commit(&w.f, call->write);
	hf_call_committed(call);
	cr_expect_eq(call->response.status, 201);
	hf_buf_add(&call->response.body, "", 1);
	cr_expect(strstr(call->response.body.data, "\"fingerprint\":null,\"revision\""), "%s", call->response.body.data);
	hf_call_end(call);
	memset(target, 'x', sizeof target - 1);
	cr_assert(hf_call_start(call, target));
	hf_call_route(call);
	cr_expect_eq(call->response.status, 400);
	hf_call_end(call);
	hf_call_free(call);
	world_close(&w);
}

static void fill_name(char *name, size_t len) {
	memset(name, 'n', len);
	name[len] = '\0';
}

Test(call, the_longest_lease_is_written_and_a_damaged_one_is_valid_json) {
	struct hf_lease lease = {.id.kind = HF_MESH_MULTIZONE_SERVICE,
				 .state = HF_QUARANTINED,
				 .n_vips = 2,
				 .vips = {{~(hf_u128)0}, {~(hf_u128)0 - 1}},
				 .generation = INT64_MAX, /* jansson reads no more */
				 .revision = INT64_MAX,
				 .created_ms = 253402300799999,
				 .modified_ms = 253402300799999,
				 .quarantined_until_ms = 253402300799999,
				 .fingerprint_version = 1};
	struct hf_buf text = {0};
	struct hf_json json = {.out = &text};
	json_error_t error;
	fill_name(lease.id.mesh, HF_NAME_MAX);
	fill_name(lease.id.zone, HF_NAME_MAX);
	fill_name(lease.id.service, HF_SERVICE_MAX);
	fill_name(lease.pool, HF_NAME_MAX);
	memset(lease.version, '\x01', HF_VERSION_MAX);
	hf_json_lease(&json, &lease);
	json_t *read = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
	cr_assert(read, "%s", error.text);
	cr_expect_str_eq(json_string_value(json_object_get(read, "service")), lease.id.service);
	cr_expect_str_eq(json_string_value(json_object_get(read, "version")), lease.version);
	cr_expect_str_eq(json_string_value(json_object_get(read, "quarantinedUntil")), "9999-12-31T23:59:59.999Z");
	json_decref(read);
	strcpy(lease.id.service, "a\"b\\c\n\xff");
	text.len = 0;
	json.comma = false;
	hf_json_lease(&json, &lease);
	read = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
	cr_assert(read, "%s", error.text);
	cr_expect_str_eq(json_string_value(json_object_get(read, "service")), "a?b?c??");
	json_decref(read);
	hf_buf_free(&text);
}

Test(call, conditions_compare_and_set) {
	static const struct {
		const char *name, *header, *value;
		enum hf_method method;
		const char *body;
		int status;
	} steps[] = {
		{"only if there is one", "If-Match", "*", HF_PUT, BODY, 412},
		{"only if there is none", "If-None-Match", "*", HF_PUT, BODY, 201},
		{"again", "If-None-Match", "*", HF_PUT, BODY, 412},
		{"one of a list", "If-Match", "\"1\", \"4\"", HF_PUT, BODY, 200},
		{"a weak tag does not match strongly", "If-Match", "W/\"4\"", HF_PUT, CHANGED, 412},
		{"a weak tag matches weakly", "If-None-Match", "W/\"4\"", HF_GET, "", 304},
		{"another tag", "If-None-Match", "\"5\"", HF_GET, "", 200},
		{"no tag at all", "If-Match", "4", HF_PUT, BODY, 400},
		{"empty members of a list", "If-Match", ", \"4\", ,", HF_PUT, BODY, 200},
		{"nothing but empty members", "If-Match", ", ,", HF_PUT, BODY, 400},
		{"no comma between", "If-Match", "\"4\" \"5\"", HF_PUT, BODY, 400},
		{"an old tag", "If-Match", "\"3\"", HF_DELETE, "", 412},
		{"the current tag", "If-Match", "\"4\"", HF_DELETE, "", 200},
		{"a quarantined lease exists", "If-None-Match", "*", HF_PUT, BODY, 412},
		{"an epoch of a zone that never connected", "Holdfast-Zone-Epoch", "7", HF_PUT, BODY, 409},
		{"its epoch is 0", "Holdfast-Zone-Epoch", "0", HF_PUT, BODY, 200},
		{"not a number", "Holdfast-Zone-Epoch", "-1", HF_PUT, BODY, 400},
		{"reads are not fenced", "Holdfast-Zone-Epoch", "-1", HF_GET, "", 200},
	};
	struct world w;
	world_open(&w);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		w.header_name = steps[i].header;
		w.header_value = steps[i].value;
		struct answer a = request(&w, steps[i].method, REDIS, steps[i].body);
		cr_expect_eq(a.status, steps[i].status, "%s: %d %s", steps[i].name, a.status, a.body);
	}
	world_close(&w);
}

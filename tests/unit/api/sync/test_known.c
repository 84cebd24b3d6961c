/* Documents that a zone's leases were last stored from: recognised by their bytes, by nobody else's, and never trusted beyond that.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "api/call/call.h"
#include "api/call/metrics.h"
#include "api/routes.h"
#include "api/sync/sync_ledger.h"
#include "storage/requests/move.h"
#include "storage/sync/known.h"
#include "tests/unit/support.h"

#define DOCUMENTS 40 /* more than it takes before anything is looked up */

struct world {
	struct fixture f;
	struct hf_api api;
};

static void world_open(struct world *w) {
	*w = (struct world){0};
	fixture_dir(&w->f);
	fixture_open(&w->f);
	w->api.store = w->f.store;
	w->api.open_to_all = true;
	w->api.routes = HF_ROUTES;
	w->api.n_routes = HF_ROUTES_COUNT;
	w->api.metrics = hf_metrics_new();
	w->api.syncs = hf_syncs_new(&(struct hf_syncs_options){1 << 20, 1000, 1 << 20});
	w->api.body_max_bytes = (size_t)256 << 10;
}

static void world_close(struct world *w) {
	cr_expect_eq(hf_syncs_budget(w->api.syncs)->used_bytes, 0);
	hf_metrics_free(w->api.metrics);
	hf_syncs_free(w->api.syncs);
	fixture_remove(&w->f);
}

/* A call whose body has come; in the documents' status %d stands for their number. */
static struct hf_call *sent(struct world *w, const char *zone, const char *status, const char *more) {
	char target[128], line[256], format[192];
	snprintf(target, sizeof target, "/v1/zones/%s/sync?mode=full&mesh=*%s", zone, more);
	struct hf_call *call = hf_call_new(&w->api);
	cr_assert(call && hf_call_start(call, target));
	call->request.method = HF_POST;
	call->request.headers[HF_CONTENT_TYPE] = "application/x-ndjson";
	call->reader = w->f.reader;
	hf_call_route(call);
	for (int i = 0; i < DOCUMENTS; i++) {
		snprintf(format, sizeof format, "{\"name\":\"s%%02d\",\"spec\":{\"a\":%%d}%s}\n", status);
		int len = snprintf(line, sizeof line, format, i, i, i);
		hf_call_body(call, line, (size_t)len);
	}
	cr_assert_eq(call->response.status, 0);
	return call;
}

static bool answers(struct world *w, struct hf_call *call, int status, const char *part) {
	if (hf_call_begin(call) == HF_STEP_COMMIT) {
		call->write->err = commit(&w->f, call->write);
		hf_call_committed(call);
	}
	hf_buf_add(&call->response.body, "", 1);
	bool right = call->response.status == status && strstr(call->response.body.data, part);
	if (!right)
		fprintf(stderr, "%d %s\n", call->response.status, call->response.body.data);
	hf_call_end(call);
	hf_call_free(call);
	return right;
}

#define ITS_OWN ",\"status\":{\"vips\":[{\"ip\":\"241.0.1.%d\"}]}"
#define ANOTHER ",\"status\":{\"vips\":[{\"ip\":\"10.0.1.%d\"}]}"
#define EMPTY ",\"status\":{\"vips\": [ ]}"
#define ESCAPED ",\"status\":{\"v\\u0069ps\":[{\"ip\":\"241.0.1.%d\"}]}"

Test(known, the_digest_is_of_the_zone_and_the_document) {
	struct hf_digest one = hf_known_digest("east", "{}", 2), other = hf_known_digest("west", "{}", 2);
	cr_expect(!hf_digest_equal(&one, &other));
	struct hf_digest whole = hf_digest_of("east\0{}", 7), bare = hf_digest_of("{}", 2);
	cr_expect(hf_digest_equal(&one, &whole));
	cr_expect(!hf_digest_equal(&one, &bare));
}

Test(known, what_a_sync_stored_is_found_and_of_its_zone_alone) {
	struct world w;
	world_open(&w);
	cr_assert(answers(&w, sent(&w, "east", "", ""), 200, "\"created\":40,"));
	static const char document[] = "{\"name\":\"s07\",\"spec\":{\"a\":7}}";
	struct hf_digest raw = hf_known_digest("east", document, sizeof document - 1);
	static const struct {
		const char *name, *zone;
		size_t max, budget;
		bool found;
	} rows[] = {
		{"its zone", "east", DOCUMENTS, 1 << 20, true},
		{"another zone, whose name begins it", "eas", DOCUMENTS, 1 << 20, false},
		{"too many leases", "east", DOCUMENTS - 1, 1 << 20, false},
		{"too little memory", "east", DOCUMENTS, 1000, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct hf_budget budget = {.max_bytes = rows[i].budget};
		struct hf_known known = {.arena = {.budget = &budget}};
		struct hf_identity id;
		cr_assert_eq(hf_reader_begin(w.f.reader, NULL), HF_OK);
		hf_known_read(w.f.reader, rows[i].zone, rows[i].max, &known);
		hf_reader_end(w.f.reader);
		const struct hf_known_document *found = hf_known_find(&known, &raw);
		cr_expect_eq(found != NULL, rows[i].found, "%s", rows[i].name);
		if (found) {
			cr_assert(hf_identity_decode(found->key, found->key_len, &id));
			cr_expect_str_eq(id.service, "s07");
		}
		cr_expect(found || budget.used_bytes == 0 || i == 1, "%s", rows[i].name); /* knowing nothing of a zone is knowing */
		hf_known_free(&known);
		cr_expect_eq(budget.used_bytes, 0);
	}
	world_close(&w);
}

Test(known, a_body_that_an_acquire_stored_says_nothing_of_whose_it_is) {
	struct world w;
	world_open(&w);
	struct hf_acquire request = acquire_request(identity("east", "default", "other"), "x");
	request.want.raw = hf_digest_of("{\"name\":\"s00\",\"spec\":{\"a\":0}}", 29);
	cr_assert_eq(acquire(&w.f, &request), HF_OK);
	cr_expect(answers(&w, sent(&w, "east", "", "&maxRelease=100&return=none"), 200, "\"created\":40,"));
	world_close(&w);
}

/* The shortcut shows where the lease goes while the list comes: what a document claims was not read, so it cannot be a new lease's.
 */
Test(known, a_document_that_is_known_no_more_is_not_guessed_at) {
	static const struct {
		const char *name, *status, *more;
		bool purge_early;
		int status_code;
		const char *part;
	} rows[] = {
		{"it claims its own address", ITS_OWN, "", false, 503, "changed while its list was read"},
		{"it claims another, and is parsed", ANOTHER, "", false, 200, "\"created\":1,"},
		{"it claims none", "", "", false, 200, "\"created\":1,"},
		{"it says that it claims none", EMPTY, "", false, 200, "\"created\":1,"},
		{"an escape may hide a claim, so it is parsed", ESCAPED, "", false, 200, "\"adopted\":1,"},
		{"its claims were read for the answer", ITS_OWN, "&return=all", false, 200, "\"adopted\":1,"},
		{"it went before the list came", ITS_OWN, "", true, 200, "\"adopted\":1,"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct world w;
		world_open(&w);
		struct hf_identity gone = identity("east", "default", "s39");
		cr_assert(answers(&w, sent(&w, "east", rows[i].status, ""), 200, "\"results\""));
		if (rows[i].purge_early)
			cr_assert_eq(release(&w.f, gone, true, NULL), HF_OK);
		struct hf_call *call = sent(&w, "east", rows[i].status, rows[i].more);
		if (!rows[i].purge_early)
			cr_assert_eq(release(&w.f, gone, true, NULL), HF_OK);
		cr_expect(answers(&w, call, rows[i].status_code, rows[i].part), "%s", rows[i].name);
		world_close(&w);
	}
}

Test(known, a_claim_is_refused_aloud_if_the_lease_moves_while_the_list_comes) {
	struct world w;
	world_open(&w);
	cr_assert(answers(&w, sent(&w, "east", ITS_OWN, ""), 200, "\"adopted\":40,"));
	cr_assert(answers(&w, sent(&w, "east", ITS_OWN, ""), 200, "\"results\":[]"));
	struct hf_call *call = sent(&w, "east", ITS_OWN, "");
	struct hf_move move = {.want = {.id = identity("east", "default", "s39")}};
	hf_move_begin(&move);
	cr_assert_eq(commit(&w.f, &move.write), HF_OK);
	cr_expect(answers(&w, call, 200,
			  "\"service\":\"s39\",\"outcome\":\"unchanged\",\"vips\":[{\"ip\":\"241.0.0.0\"}],"
			  "\"claimRefused\":[{\"address\":\"241.0.1.39\",\"reason\":\"lease-exists\"}]"));
	world_close(&w);
}

Test(known, a_known_document_restores_and_leaves_unchanged_as_a_parsed_one_does) {
	struct world w;
	world_open(&w);
	cr_assert(answers(&w, sent(&w, "east", "", ""), 200, "\"created\":40,"));
	cr_assert_eq(release(&w.f, identity("east", "default", "s39"), false, NULL), HF_OK);
	cr_expect(answers(&w, sent(&w, "east", "", ""), 200, "\"unchanged\":39,\"updated\":0,\"restored\":1,"));
	struct hf_digest before = fixture_digest(&w.f);
	cr_expect(answers(&w, sent(&w, "east", "", ""), 200, "\"unchanged\":40,"));
	struct hf_digest after = fixture_digest(&w.f);
	cr_expect(hf_digest_equal(&before, &after));
	world_close(&w);
}

/* Sets the count of a scope's leases to none, behind the store's back. */
static void forget_count(struct fixture *f, struct hf_identity id) {
	struct hf_txn *txn;
	struct hf_key key;
	struct hf_scope none = {0};
	uint8_t record[HF_SCOPE_RECORD_MAX];
	hf_identity_encode(&id, &key);
	cr_assert_eq(hf_store_begin_alone(f->store, NULL, &txn), HF_OK);
	hf_txn_put(txn, HF_SCOPES, (struct hf_slice){key.bytes, key.scope_len}, hf_scope_encode(&none, record));
	cr_assert_eq(hf_txn_commit(txn, NULL), HF_OK);
}

Test(known, a_damaged_count_of_leases_is_told_and_never_fills_the_table, .timeout = 600) {
	struct fixture f;
	struct hf_budget budget = {.max_bytes = 1 << 20};
	struct hf_known known = {.arena = {.budget = &budget}};
	char name[16];
	fixture_dir(&f);
	fixture_open(&f);
	for (int i = 0; i < 100; i++) { /* more than the fewest slots */
		snprintf(name, sizeof name, "s%d", i);
		struct hf_acquire request = acquire_request(identity("east", "default", name), name);
		cr_assert_eq(acquire(&f, &request), HF_OK);
	}
	forget_count(&f, identity("east", "default", "s0"));
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	hf_known_read(f.reader, "east", 1000, &known);
	cr_expect_null(known.slots);
	cr_expect_eq(hf_txn_fault(f.reader, NULL), HF_E_CORRUPT);
	hf_reader_end(f.reader);
	cr_expect_eq(budget.used_bytes, 0);
	fixture_remove(&f);
}

/* What is told of claims does not depend on whether a document was parsed. */
Test(known, claims_are_told_and_counted_of_known_documents_too) {
	struct world w;
	world_open(&w);
	cr_assert(answers(&w, sent(&w, "east", ANOTHER, ""), 200, "\"created\":40,"));
	for (int i = 0; i < DOCUMENTS; i++) {
		char name[8];
		snprintf(name, sizeof name, "s%02d", i);
		cr_assert_eq(release(&w.f, identity("east", "default", name), false, NULL), HF_OK);
	}
	struct hf_call *call = sent(&w, "east", ANOTHER, "");
	cr_assert_eq(hf_call_begin(call), HF_STEP_COMMIT);
	call->write->err = commit(&w.f, call->write);
	hf_call_committed(call);
	int refused = 0;
	hf_buf_add(&call->response.body, "", 1);
	for (const char *at = call->response.body.data; (at = strstr(at, "claimRefused")); at++)
		refused++;
	cr_expect_eq(refused, DOCUMENTS);
	hf_call_end(call);
	hf_call_free(call);
	struct hf_buf metrics = {0};
	cr_assert(answers(&w, sent(&w, "west", EMPTY, ""), 200, "\"created\":40,"));
	cr_assert(answers(&w, sent(&w, "west", EMPTY, ""), 200, "\"unchanged\":40,"));
	hf_syncs_write_metrics(w.api.syncs, &metrics);
	hf_buf_add(&metrics, "", 1);
	cr_expect(strstr(metrics.data, "holdfast_sync_reallocations_avoided_total 80\n"), "%s", metrics.data);
	hf_buf_free(&metrics);
	world_close(&w);
}

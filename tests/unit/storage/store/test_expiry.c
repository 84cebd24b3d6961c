/* What is due is carried out at the next batch, and not before. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/requests/lease_query.h"
#include "storage/requests/totals.h"
#include "storage/store/expiry.h"
#include "storage/store/upkeep.h"
#include "storage/tables/deadline.h"
#include "tests/unit/support.h"

static struct fixture f;

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(expiry, .init = setup, .fini = teardown);

static struct hf_identity service(int i) {
	char name[16];
	snprintf(name, sizeof name, "s%d", i);
	return identity("east", "default", name);
}

static struct hf_acquire acquired(int i) {
	struct hf_acquire a = acquire_request(service(i), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK, "%s", a.write.why.text);
	return a;
}

static bool exists(int i) {
	struct hf_lease lease;
	struct hf_identity id = service(i);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	enum hf_err err = hf_lease_get(f.reader, &id, NULL, &lease);
	hf_reader_end(f.reader);
	cr_assert(err == HF_OK || err == HF_E_NOT_FOUND);
	return err == HF_OK;
}

/* A batch without writes of its own. */
static void batch(void) {
	struct hf_batch *b;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &b), HF_OK);
	cr_assert_eq(hf_upkeep_commit(b, NULL), HF_OK);
}

static struct hf_totals totals(void) {
	struct hf_totals t;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_totals_read(f.reader, NULL, &t), HF_OK);
	hf_reader_end(f.reader);
	return t;
}

static uint64_t deadlines(void) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	uint64_t n = hf_txn_count(f.reader, HF_DEADLINES);
	hf_reader_end(f.reader);
	return n;
}

static struct hf_change last_change(void) {
	struct hf_change change;
	HF_CURSOR cursor;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	hf_cursor_open(f.reader, HF_CHANGES, &cursor);
	cr_assert(hf_cursor_last(&cursor) && hf_change_decode(cursor.key, cursor.value, &change));
	hf_cursor_close(&cursor);
	hf_reader_end(f.reader);
	return change;
}

static const struct {
	const char *name;
	int64_t after_ms; /* the release */
	bool gone;
} TIMES[] = {
	{"at once", 0, false},
	{"a millisecond before", 3600 * 1000 - 1, false},
	{"at the end", 3600 * 1000, true},
	{"long after", 7200 * 1000, true},
	{"the clock went back", -5000, false},
};

Test(expiry, a_quarantine_ends_in_the_first_batch_after_it_is_due) {
	for (int i = 0; i < (int)(sizeof TIMES / sizeof *TIMES); i++) {
		acquired(i);
		cr_assert_eq(release(&f, service(i), false, NULL), HF_OK);
		int64_t released_ms = f.now_ms;
		f.now_ms += TIMES[i].after_ms;
		cr_expect(exists(i), "%s: time alone changes nothing", TIMES[i].name);
		batch();
		cr_expect_eq(!exists(i), TIMES[i].gone, "%s", TIMES[i].name);
		f.now_ms = released_ms + 3600 * 1000;
		batch();
		cr_expect(!exists(i), "%s", TIMES[i].name);
	}
}

Test(expiry, an_expiry_frees_the_address_and_is_a_change_with_its_cause) {
	struct hf_acquire a = acquired(1);
	cr_assert_eq(release(&f, service(1), false, NULL), HF_OK);
	cr_assert_eq(deadlines(), 1);
	f.now_ms += 3600 * 1000;
	batch();
	struct hf_change change = last_change();
	cr_assert_eq(change.type, HF_CHANGE_EXPIRED);
	cr_assert_eq(change.cause, HF_CAUSE_DEADLINE);
	cr_assert_str_eq(change.id.service, "s1");
	cr_assert_eq(change.vips[0].n, a.lease.vips[0].n);
	cr_assert_eq(change.revision, 6);
	cr_assert_eq(totals().quarantined, 0);
	cr_assert_eq(deadlines(), 1, "that of the history entry");
	struct hf_acquire b = acquire_request(service(2), "{}");
	b.want.addresses[b.want.n_addresses++] = a.lease.vips[0];
	cr_assert_eq(acquire(&f, &b), HF_OK);
}

Test(expiry, restored_before_it_is_due_nothing_expires) {
	acquired(1);
	cr_assert_eq(release(&f, service(1), false, NULL), HF_OK);
	f.now_ms += 3600 * 1000 - 1;
	cr_assert_eq(acquired(1).outcome, HF_RESTORED);
	cr_assert_eq(deadlines(), 0);
	f.now_ms += 7200 * 1000;
	batch();
	cr_assert(exists(1));
	cr_assert_eq(acquired(1).outcome, HF_UNCHANGED);
	cr_assert_eq(release(&f, service(1), false, NULL), HF_OK);
	f.now_ms += 3600 * 1000 - 1;
	batch();
	cr_assert(exists(1), "the second quarantine is as long as the first");
}

Test(expiry, what_was_due_before_a_batch_ends_before_its_own_writes) {
	struct hf_acquire a = acquired(1);
	cr_assert_eq(release(&f, service(1), false, NULL), HF_OK);
	f.now_ms += 3600 * 1000;
	struct hf_acquire again = acquired(1);
	cr_assert_eq(again.outcome, HF_RESTORED, "its address is remembered");
	cr_assert_eq(again.lease.vips[0].n, a.lease.vips[0].n);
	cr_assert_eq(again.lease.created_ms, f.now_ms, "it came too late for its lease");
	cr_assert_eq(again.lease.generation, 1);
}

Test(expiry, a_quarantine_of_no_time_ends_with_the_next_batch) {
	POOL_PUT_REQUEST none = pool_request("meshservice", "241.0.0.0/8", "", 0);
	cr_assert_eq(commit(&f, &none.write), HF_OK);
	acquired(1);
	struct hf_lease lease;
	cr_assert_eq(release(&f, service(1), false, &lease), HF_OK);
	cr_assert_eq(lease.state, HF_QUARANTINED);
	cr_assert_eq(lease.quarantined_until_ms, f.now_ms);
	cr_assert(exists(1));
	batch();
	cr_assert(!exists(1));
}

Test(expiry, deadlines_are_carried_out_earliest_first_within_the_budget) {
	struct hf_batch *b;
	for (int i = 0; i < 10; i++) {
		acquired(i);
		cr_assert_eq(release(&f, service(i), false, NULL), HF_OK);
		f.now_ms += 1000;
	}
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &b), HF_OK);
	f.now_ms += 3600 * 1000;
	hf_batch_abort(b);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &b), HF_OK); /* all are due: a batch's own budget covers them */
	hf_batch_abort(b);
	cr_assert(exists(0), "an aborted batch carried something out");
	f.now_ms -= 3600 * 1000;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &b), HF_OK);
	hf_expiry_sweep(b, 3);
	cr_assert_eq(hf_upkeep_commit(b, NULL), HF_OK);
	for (int i = 0; i < 10; i++)
		cr_expect(exists(i), "%d", i);
	f.now_ms += 3600 * 1000 - 10000 + 4000; /* the first five */
	batch();
	for (int i = 0; i < 10; i++)
		cr_expect_eq(exists(i), i > 4, "%d", i);
}

Test(expiry, a_batch_carries_out_a_bounded_number_and_the_committer_the_rest) {
	struct hf_batch *b;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &b), HF_OK);
	for (int i = 0; i < 600; i++) {
		struct hf_acquire a = acquire_request(service(i), "{}");
		struct hf_release r = {.want.id = a.want.id};
		hf_acquire_begin(&a);
		hf_release_begin(&r);
		cr_assert_eq(a.write.apply(b, &a.write, NULL), HF_OK);
		cr_assert_eq(r.write.apply(b, &r.write, NULL), HF_OK);
	}
	cr_assert_eq(hf_upkeep_commit(b, NULL), HF_OK);
	f.now_ms += 3600 * 1000;
	batch();
	cr_assert_eq(totals().quarantined, 600 - 256);
	int left = 599; /* one that is due and not carried out yet */
	while (!exists(left))
		left--;
	cr_assert_geq(left, 0);
	struct hf_committer_options options = {0};
	struct hf_committer *committer;
	cr_assert_eq(hf_committer_start(f.store, &options, NULL, &committer), HF_OK);
	hf_committer_upkeep(committer);
	hf_committer_stop(committer);
	hf_committer_free(committer);
	cr_assert_eq(totals().quarantined, 0);
}

Test(expiry, deadlines_last_over_a_restart) {
	acquired(1);
	cr_assert_eq(release(&f, service(1), false, NULL), HF_OK);
	fixture_close(&f);
	f.now_ms += 3600 * 1000;
	fixture_open(&f);
	cr_assert(exists(1));
	batch();
	cr_assert(!exists(1));
}

static struct hf_lease lease(int i) {
	struct hf_lease l;
	struct hf_identity id = service(i);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_lease_get(f.reader, &id, NULL, &l), HF_OK);
	hf_reader_end(f.reader);
	return l;
}

Test(expiry, a_quarantine_is_held_while_its_zone_is_offline_and_as_long_again_after) {
	struct hf_zone_connect c;
	struct hf_lease released;
	struct hf_acquire a = acquired(1);
	cr_assert_eq(connect_zone(&f, "east", "a", &c), HF_OK);
	cr_assert_eq(release(&f, service(1), false, &released), HF_OK);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	f.now_ms += 3600 * 1000;
	batch();
	struct hf_lease held = lease(1);
	cr_assert_eq(held.quarantined_until_ms, f.now_ms + 3600 * 1000);
	cr_assert_eq(held.revision, released.revision, "holding is no change");
	cr_assert_eq(held.modified_ms, released.modified_ms);
	cr_assert_eq(last_change().type, HF_CHANGE_RELEASED);
	cr_assert_eq(deadlines(), 1, "moved, not doubled");
	struct hf_digest before = fixture_digest(&f);
	batch();
	struct hf_digest after = fixture_digest(&f);
	cr_assert(hf_digest_equal(&before, &after), "it is not due again");
	f.now_ms += 1800 * 1000;
	cr_assert_eq(connect_zone(&f, "east", "a", &c), HF_OK);
	f.now_ms += 1800 * 1000; /* due again, half an hour after the zone came back */
	batch();
	cr_assert_eq(lease(1).quarantined_until_ms, f.now_ms + 1800 * 1000);
	f.now_ms += 1800 * 1000 - 1;
	batch();
	cr_assert(exists(1));
	f.now_ms += 1;
	batch();
	cr_assert(!exists(1));
	cr_assert_eq(last_change().type, HF_CHANGE_EXPIRED);
	struct hf_acquire b = acquire_request(service(2), "{}");
	b.want.addresses[b.want.n_addresses++] = a.lease.vips[0];
	cr_assert_eq(acquire(&f, &b), HF_OK, "%s", b.write.why.text);
}

Test(expiry, a_held_quarantine_gives_the_same_address_back) {
	struct hf_zone_connect c;
	struct hf_acquire a = acquired(1);
	cr_assert_eq(connect_zone(&f, "east", "a", &c), HF_OK);
	cr_assert_eq(release(&f, service(1), false, NULL), HF_OK);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	for (int day = 0; day < 3; day++) {
		f.now_ms += 24 * 3600 * 1000;
		batch();
	}
	struct hf_acquire again = acquired(1);
	cr_assert_eq(again.outcome, HF_RESTORED);
	cr_assert_eq(again.lease.vips[0].n, a.lease.vips[0].n);
	cr_assert_eq(deadlines(), 0);
}

/* A wrong clock is put right in either direction: nothing loops, and nothing of an offline zone is lost. */
Test(expiry, clock_jumps_neither_loop_nor_free_what_is_frozen) {
	struct hf_zone_connect c;
	static const int64_t year_ms = (int64_t)366 * 24 * 3600 * 1000;
	acquired(1);
	acquired(2);
	cr_assert_eq(connect_zone(&f, "east", "a", &c), HF_OK);
	cr_assert_eq(release(&f, service(1), false, NULL), HF_OK);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	static const int64_t jumps[] = {0, 1, -1, 0};
	int64_t start_ms = f.now_ms;
	for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
		f.now_ms = start_ms + jumps[i] * year_ms;
		batch();
		cr_assert(exists(1), "jump %zu", i);
	}
	f.now_ms = start_ms + year_ms;
	cr_assert_eq(connect_zone(&f, "east", "a", &c), HF_OK); /* a connection in the future, as it turns out */
	f.now_ms = start_ms;
	batch();
	cr_assert_eq(release(&f, service(2), false, NULL), HF_OK);
	f.now_ms += 3600 * 1000;
	batch();
	cr_assert_eq(lease(2).quarantined_until_ms, start_ms + year_ms + 3600 * 1000, "once, to a moment that comes");
	f.now_ms = start_ms + 2 * year_ms;
	batch();
	cr_assert(!exists(1) && !exists(2));
}

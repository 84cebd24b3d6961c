/* Forced releases end on time although their zone is away; a zone that is gone for good is retired, and its epoch lives on. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/admin/restore.h"
#include "storage/requests/lease_query.h"
#include "storage/requests/zone_retire.h"
#include "storage/store/upkeep.h"
#include "tests/unit/support.h"
#include "tests/unit/sync_support.h"

#define HOUR 3600000

static struct fixture f;

static void setup(void) { fixture_new(&f); }

static void teardown(void) {
	verify_clean(&f, "at the end");
	fixture_remove(&f);
}

TestSuite(retire, .init = setup, .fini = teardown);

static struct hf_identity service(const char *name) { return identity("east", "default", name); }

static enum hf_outcome acquired(const char *name) {
	struct hf_acquire a = acquire_request(service(name), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK, "%s", a.write.why.text);
	return a.outcome;
}

static uint64_t connected(const char *instance) {
	struct hf_zone_connect c;
	cr_assert_eq(connect_zone(&f, "east", instance, &c), HF_OK, "%s", c.write.why.text);
	return c.info.zone.epoch;
}

static void batch(void) {
	struct hf_batch *b;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &b), HF_OK);
	cr_assert_eq(hf_upkeep_commit(b, NULL), HF_OK);
}

static bool read_lease(const char *name, struct hf_lease *ret) {
	struct hf_identity id = service(name);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	enum hf_err err = hf_lease_get(f.reader, &id, NULL, ret);
	hf_reader_end(f.reader);
	return err == HF_OK;
}

static bool exists(const char *name) {
	struct hf_lease lease;
	return read_lease(name, &lease);
}

static enum hf_err read_zone(struct hf_zone_info *ret) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	enum hf_err err = hf_zone_get(f.reader, "east", NULL, ret);
	hf_reader_end(f.reader);
	return err;
}

static struct hf_release force_release(const char *name) {
	struct hf_release request = {.want.id = service(name), .want.force = true};
	hf_release_begin(&request);
	cr_assert_eq(commit(&f, &request.write), HF_OK, "%s", request.write.why.text);
	return request;
}

static enum hf_err retire(bool purge, struct hf_zone_retire *ret) {
	*ret = (struct hf_zone_retire){.name = "east", .purge = purge};
	hf_zone_retire_begin(ret);
	return commit(&f, &ret->write);
}

static void retired(bool purge, struct hf_zone_retire *ret) { cr_assert_eq(retire(purge, ret), HF_OK, "%s", ret->write.why.text); }

Test(retire, a_forced_release_ends_on_time_although_its_zone_is_away) {
	acquired("a");
	acquired("b");
	connected("cp");
	cr_assert_eq(release(&f, service("b"), false, NULL), HF_OK);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	int64_t until_ms = force_release("a").lease.quarantined_until_ms;
	cr_expect_eq(until_ms, f.now_ms + HOUR);
	f.now_ms = until_ms - 1;
	batch();
	cr_expect(exists("a"));
	f.now_ms += 1;
	batch();
	cr_expect(!exists("a"));
	cr_expect(exists("b"), "it was not forced: the zone holds it");
}

Test(retire, nor_does_it_wait_when_the_zone_is_back) {
	acquired("a");
	connected("cp");
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	force_release("a");
	f.now_ms += HOUR - 1;
	connected("cp");
	f.now_ms += 1;
	batch();
	cr_expect(!exists("a"));
}

Test(retire, but_for_its_time_after_a_restore) {
	acquired("a");
	connected("cp");
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	force_release("a");
	f.now_ms += HOUR - 1;
	cr_assert_eq(hf_store_raise_epoch(f.store, 0, NULL), HF_OK);
	f.now_ms += HOUR - 1;
	batch();
	cr_expect(exists("a"));
	f.now_ms += 1;
	batch();
	cr_expect(!exists("a"));
}

Test(retire, force_lets_a_quarantine_end_that_the_zone_holds) {
	struct hf_lease lease;
	acquired("a");
	connected("cp");
	cr_assert_eq(release(&f, service("a"), false, NULL), HF_OK);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	f.now_ms += HOUR;
	batch();
	uint64_t revision = force_release("a").lease.revision;
	struct hf_digest before = fixture_digest(&f);
	force_release("a"); /* repeated, it changes nothing */
	struct hf_digest after = fixture_digest(&f);
	cr_expect(hf_digest_equal(&before, &after));
	cr_assert(read_lease("a", &lease));
	cr_expect(lease.forced && lease.revision == revision && lease.quarantined_until_ms == f.now_ms + HOUR);
	f.now_ms += HOUR;
	batch();
	cr_expect(!exists("a"));
}

Test(retire, what_is_restored_and_released_again_is_forced_no_more) {
	acquired("a");
	connected("cp");
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	force_release("a");
	cr_expect_eq(acquired("a"), HF_RESTORED);
	connected("cp");
	cr_assert_eq(release(&f, service("a"), false, NULL), HF_OK);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	f.now_ms += HOUR;
	batch();
	cr_expect(exists("a"));
}

Test(retire, what_a_forced_sync_of_an_offline_zone_releases_ends_on_time) {
	synced(&f, HF_SYNC_FULL, "east", "a b");
	connected("cp");
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	struct hf_sync sync;
	sync_open(&sync, HF_SYNC_FULL, "east", "*");
	sync.force = true;
	cr_assert_eq(sync_list(&sync, "a"), HF_OK);
	cr_assert_eq(sync_run(&f, &sync, NULL), HF_OK, "%s", sync.write.why.text);
	hf_sync_free(&sync);
	f.now_ms += HOUR;
	batch();
	cr_expect(exists("a") && !exists("b"));
}

Test(retire, a_zone_is_retired_with_all_its_leases_and_its_epoch_lives_on) {
	struct hf_zone_retire r;
	struct hf_zone_info info;
	uint64_t counts[HF_ZONE_STATES];
	acquired("a");
	acquired("b");
	acquired("c");
	struct hf_acquire other = acquire_request(identity("eastern", "default", "a"), "{}");
	cr_assert_eq(acquire(&f, &other), HF_OK);
	connected("cp-1");
	uint64_t epoch = connected("cp-2");
	cr_assert_eq(release(&f, service("c"), false, NULL), HF_OK);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	retired(false, &r);
	cr_expect(r.released == 2 && r.purged == 0 && r.info.sum.active == 0 && r.info.sum.quarantined == 3);
	cr_expect_eq(read_zone(&info), HF_E_NOT_FOUND);
	verify_clean(&f, "retired");
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_zones_count(f.reader, NULL, counts), HF_OK);
	hf_reader_end(f.reader);
	cr_expect(counts[HF_ZONE_RETIRED] == 1 && counts[HF_ZONE_UNMANAGED] == 1 && counts[HF_ZONE_OFFLINE] == 0);
	struct hf_acquire late = acquire_request(service("late"), "{}");
	late.want.guard.has_epoch = true;
	late.want.guard.epoch = epoch;
	cr_expect_eq(acquire(&f, &late), HF_E_STALE_EPOCH);
	cr_expect(strstr(late.write.why.text, "retired"), "%s", late.write.why.text);
	cr_expect_eq(disconnect_zone(&f, "east"), HF_E_NOT_FOUND);
	cr_expect_eq(retire(false, &r), HF_E_NOT_FOUND);
	f.now_ms += HOUR;
	batch();
	cr_expect(!exists("a") && !exists("b") && !exists("c"));
	cr_expect_eq(connected("cp-3"), epoch + 1);
	cr_expect_eq(read_zone(&info), HF_OK);
	cr_expect(info.zone.state == HF_ZONE_ONLINE && info.zone.reconnects == 2);
	cr_expect_eq(acquire(&f, &late), HF_E_STALE_EPOCH, "above it");
}

Test(retire, its_quarantines_end_on_time_although_it_comes_back) {
	struct hf_zone_retire r;
	acquired("a");
	acquired("b");
	connected("cp");
	cr_assert_eq(release(&f, service("b"), false, NULL), HF_OK); /* forced by the retirement */
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	retired(false, &r);
	f.now_ms += HOUR - 1;
	connected("cp");
	batch();
	cr_expect(exists("a") && exists("b"));
	f.now_ms += 1;
	batch();
	cr_expect(!exists("a") && !exists("b"));
}

Test(retire, purged_it_has_nothing_left_at_all) {
	struct hf_zone_retire r;
	acquired("a");
	acquired("b");
	cr_assert_eq(release(&f, service("b"), false, NULL), HF_OK);
	retired(true, &r); /* it never connected */
	cr_expect(r.purged == 2 && r.released == 0 && r.info.sum.quarantined == 0);
	cr_expect(!exists("a") && !exists("b"));
	cr_expect_eq(retire(true, &r), HF_E_NOT_FOUND);
}

Test(retire, what_is_left_of_a_retired_zone_can_be_purged) {
	struct hf_zone_retire r;
	acquired("a");
	retired(false, &r);
	cr_expect_eq(retire(false, &r), HF_E_NOT_FOUND);
	retired(true, &r);
	cr_expect_eq(r.purged, 1);
	cr_expect(!exists("a"));
}

static const struct {
	const char *name;
	bool connect, disconnect;
	uint64_t epoch; /* stated; 0: none */
	const char *zone;
	enum hf_err err;
} REFUSALS[] = {
	{"online", true, false, 0, "east", HF_E_ZONE_ONLINE},
	{"online, at its epoch", true, false, 1, "east", HF_E_ZONE_ONLINE},
	{"another epoch", true, true, 2, "east", HF_E_STALE_EPOCH},
	{"global", false, false, 0, "global", HF_E_INVALID_NAME},
	{"no such zone", false, false, 0, "west", HF_E_NOT_FOUND},
};

Test(retire, what_cannot_be_retired_stays_as_it_is) {
	acquired("a");
	struct hf_acquire global = acquire_request(identity("global", "default", "a"), "{}");
	cr_assert_eq(acquire(&f, &global), HF_OK);
	for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
		struct hf_zone_retire r = {.has_epoch = REFUSALS[i].epoch > 0, .epoch = REFUSALS[i].epoch, .purge = true};
		snprintf(r.name, sizeof r.name, "%s", REFUSALS[i].zone);
		if (REFUSALS[i].connect)
			connected("cp");
		if (REFUSALS[i].disconnect)
			cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
		struct hf_digest before = fixture_digest(&f);
		hf_zone_retire_begin(&r);
		enum hf_err err = commit(&f, &r.write);
		cr_expect_eq(err, REFUSALS[i].err, "%s: %s", REFUSALS[i].name, hf_err_slug(err));
		struct hf_digest after = fixture_digest(&f);
		cr_expect(hf_digest_equal(&before, &after), "%s", REFUSALS[i].name);
	}
}

Test(retire, a_lease_brings_a_zone_back_above_its_epoch_and_a_release_does_not) {
	struct hf_zone_retire r;
	struct hf_zone_info info;
	acquired("a");
	uint64_t epoch = connected("cp");
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	retired(false, &r);
	cr_assert_eq(release(&f, service("a"), false, NULL), HF_OK);
	cr_expect_eq(read_zone(&info), HF_E_NOT_FOUND);
	cr_expect_eq(acquired("a"), HF_RESTORED);
	cr_expect_eq(read_zone(&info), HF_OK);
	cr_expect(info.zone.state == HF_ZONE_OFFLINE && info.zone.epoch == epoch + 1 && info.sum.active == 1);
	verify_clean(&f, "back");
	cr_expect_eq(connected("cp"), epoch + 2);
}

Test(retire, one_that_never_connected_comes_back_unmanaged) {
	struct hf_zone_retire r;
	struct hf_zone_info info;
	acquired("a");
	retired(true, &r);
	acquired("b");
	cr_expect_eq(read_zone(&info), HF_OK);
	cr_expect(info.zone.state == HF_ZONE_UNMANAGED && info.zone.epoch == 0);
	retired(true, &r);
	cr_expect_eq(connected("cp"), 1, "its first");
}

Test(retire, a_restore_keeps_it_retired_and_fences_it_off) {
	struct hf_zone_retire r;
	struct hf_zone_info info;
	acquired("a");
	uint64_t epoch = connected("cp");
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	retired(false, &r);
	fixture_close(&f);
	fixture_open(&f);
	cr_assert_eq(hf_store_raise_epoch(f.store, 0, NULL), HF_OK);
	cr_expect_eq(read_zone(&info), HF_E_NOT_FOUND);
	cr_expect_eq(connected("cp"), epoch + 1 + ((uint64_t)1 << HF_BAND_BITS));
}

Test(retire, ten_thousand_leases_end_in_one_transaction) {
	struct hf_zone_retire r;
	struct hf_batch *b;
	char name[16];
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &b), HF_OK);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, "s%d", i);
		struct hf_acquire a = acquire_request(service(name), "{}");
		hf_acquire_begin(&a);
		cr_assert_eq(a.write.apply(b, &a.write, NULL), HF_OK);
	}
	cr_assert_eq(hf_upkeep_commit(b, NULL), HF_OK);
	retired(false, &r);
	cr_expect_eq(r.released, 10000);
	cr_expect_eq(r.info.sum.quarantined, 10000);
}

Test(retire, the_count_of_moved_addresses_outlives_the_process) {
	struct hf_batch *b;
	for (int round = 1; round <= 2; round++) {
		cr_assert_eq(hf_batch_begin(f.store, NULL, &b), HF_OK);
		hf_batch_count_vip_change(b, HF_CAUSE_ADMIN);
		cr_assert_eq(hf_batch_commit(b, NULL), HF_OK);
		cr_assert_eq(hf_batch_begin(f.store, NULL, &b), HF_OK);
		hf_batch_count_vip_change(b, HF_CAUSE_ADMIN);
		hf_batch_abort(b);
		fixture_close(&f);
		fixture_open(&f);
		cr_expect_eq(hf_store_vip_changes(f.store, HF_CAUSE_ADMIN), (uint64_t)round);
		cr_expect_eq(hf_store_vip_changes(f.store, HF_CAUSE_REQUEST), 0);
	}
}

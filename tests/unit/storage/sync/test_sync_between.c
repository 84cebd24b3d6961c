/* What happens between a sync's look at a snapshot and its write: if the zone has changed, everything is decided again. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/sync_support.h"

static struct fixture f;

/* The zone east has a, b and c, and q in quarantine: 241.0.0.0 to .3. The feed keeps few changes. */
static void setup(void) {
	fixture_dir(&f);
	f.options.changes_max = 4;
	fixture_open(&f);
	synced(&f, HF_SYNC_FULL, "east", "a b c q");
	synced(&f, HF_SYNC_DELTA, "east", "-q");
}

static void teardown(void) {
	verify_clean(&f, "at the end");
	cr_expect_eq(sync_budget.used_bytes, 0);
	fixture_remove(&f);
}

TestSuite(sync_between, .init = setup, .fini = teardown);

static void release_a(void) { cr_assert_eq(release(&f, identity("east", "default", "a"), false, NULL), HF_OK); }

static void release_c(void) { cr_assert_eq(release(&f, identity("east", "default", "c"), false, NULL), HF_OK); }

static void purge_a(void) { cr_assert_eq(release(&f, identity("east", "default", "a"), true, NULL), HF_OK); }

static void put(const char *zone, const char *mesh, const char *service, const char *config) {
	struct hf_acquire a = acquire_request(identity(zone, mesh, service), config);
	cr_assert_eq(acquire(&f, &a), HF_OK, "%s", a.write.why.text);
}

static void update_a(void) { put("east", "default", "a", "three"); }

static void update_b_alike(void) { put("east", "default", "b", "two"); }

static void acquire_new(void) { put("east", "default", "new", "{}"); }

static void acquire_unlisted(void) { put("east", "default", "unlisted", "{}"); }

static void acquire_in_another_mesh(void) { put("east", "other", "unlisted", "{}"); }

static void restore_q(void) { put("east", "default", "q", "{}"); }

static void end_quarantine(void) { f.now_ms += 3600 * 1000 + 1; }

static void other_zones(void) {
	put("east-1", "default", "a", "{}");
	put("eas", "default", "a", "{}");
}

static void other_zone_takes_the_claim(void) {
	struct hf_acquire a = acquire_request(identity("west", "default", "a"), "{}");
	a.want.addresses[a.want.n_addresses++] = addr("241.7.7.7");
	cr_assert_eq(acquire(&f, &a), HF_OK);
}

static void pool_edit(void) {
	POOL_PUT_REQUEST edit = pool_request("extra", "10.0.0.0/24", "", 60);
	cr_assert_eq(commit(&f, &edit.write), HF_OK);
}

static void connection(void) {
	struct hf_zone_connect c;
	cr_assert_eq(connect_zone(&f, "east", "one", &c), HF_OK);
}

static void compaction(void) {
	for (int i = 0; i < 10; i++)
		put("west", "default", "a", i % 2 ? "one" : "two");
}

static void nothing(void) {}

/* The sync is the list "a b=two new@241.7.7.7 q", full: c is to be released. */
#define PLANNED "a=unchanged@241.0.0.0 b=updated@241.0.0.1 new=adopted@241.7.7.7 q=restored@241.0.0.3 | c=released@241.0.0.2"

static const struct {
	const char *name;
	void (*meanwhile)(void);
	bool anew;
	const char *results;
} TABLE[] = {
	{"nothing", nothing, false, PLANNED},
	{"other zones' leases", other_zones, false, PLANNED},
	{"a pool", pool_edit, false, PLANNED},
	{"a connection", connection, false, PLANNED},
	{"another zone takes what is claimed", other_zone_takes_the_claim, false,
	 "a=unchanged@241.0.0.0 b=updated@241.0.0.1 new=created@241.0.0.4~ q=restored@241.0.0.3 | c=released@241.0.0.2"},
	{"a release of what was unchanged", release_a, true,
	 "a=restored@241.0.0.0 b=updated@241.0.0.1 new=adopted@241.7.7.7 q=restored@241.0.0.3 | c=released@241.0.0.2"},
	{"a purge of what was unchanged", purge_a, true,
	 "a=created@241.0.0.4 b=updated@241.0.0.1 new=adopted@241.7.7.7 q=restored@241.0.0.3 | c=released@241.0.0.2"},
	{"an update of what was unchanged", update_a, true,
	 "a=updated@241.0.0.0 b=updated@241.0.0.1 new=adopted@241.7.7.7 q=restored@241.0.0.3 | c=released@241.0.0.2"},
	{"the same update", update_b_alike, true,
	 "a=unchanged@241.0.0.0 b=unchanged@241.0.0.1 new=adopted@241.7.7.7 q=restored@241.0.0.3 | c=released@241.0.0.2"},
	{"a release of what is to be released", release_c, true,
	 "a=unchanged@241.0.0.0 b=updated@241.0.0.1 new=adopted@241.7.7.7 q=restored@241.0.0.3"},
	{"the new one is there", acquire_new, true,
	 "a=unchanged@241.0.0.0 b=updated@241.0.0.1 new=unchanged@241.0.0.4~ q=restored@241.0.0.3 | c=released@241.0.0.2"},
	{"one more that is not listed", acquire_unlisted, true, PLANNED " unlisted=released@241.0.0.4"},
	{"one more in another mesh", acquire_in_another_mesh, true, PLANNED},
	{"the one in quarantine is back", restore_q, true,
	 "a=unchanged@241.0.0.0 b=updated@241.0.0.1 new=adopted@241.7.7.7 q=unchanged@241.0.0.3 | c=released@241.0.0.2"},
	{"the quarantine is over", end_quarantine, true,
	 "a=unchanged@241.0.0.0 b=updated@241.0.0.1 new=adopted@241.7.7.7 q=restored@241.0.0.3 | c=released@241.0.0.2"},
	{"the feed is compacted", compaction, true, PLANNED},
};

/* What only deciding sets; `decided` tells whether it was done again. */
#define MARK 77777

static void planned(struct hf_sync *sync, const char *list) {
	bool write;
	sync_open(sync, HF_SYNC_FULL, "east", "default");
	cr_assert_eq(sync_list(sync, list), HF_OK);
	cr_assert_eq(sync_peek(&f, sync, &write), HF_OK);
	cr_assert(write);
	sync->active = MARK;
}

Test(sync_between, a_zone_that_has_changed_is_decided_anew_and_others_do_not_matter) {
	for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
		struct hf_sync sync;
		planned(&sync, "a b=two new@241.7.7.7 q");
		TABLE[i].meanwhile();
		enum hf_err err = sync_commit(&f, &sync);
		cr_expect_eq(err, HF_OK, "%s: %s", TABLE[i].name, sync.write.why.text);
		cr_expect_str_eq(sync_results(&sync), TABLE[i].results, "%s: %s", TABLE[i].name, sync_results(&sync));
		cr_expect_eq(sync.active != MARK, TABLE[i].anew, "%s", TABLE[i].name);
		cr_expect(sync_is_what_is_read(&f, &sync), "%s", TABLE[i].name);
		hf_sync_free(&sync);
		verify_clean(&f, TABLE[i].name);
		fixture_remove(&f);
		setup();
	}
}

/* Up to 1,000 changes and one for each item are looked through. */
Test(sync_between, to_ask_the_feed_never_takes_longer_than_to_decide) {
	fixture_close(&f);
	f.options.changes_max = 0;
	fixture_open(&f);
	for (int more = 0; more <= 1; more++) {
		struct hf_sync sync;
		planned(&sync, more ? "a b=four new q" : "a b=two new q");
		for (int i = 0; i < 1000 + 4 + more; i++)
			put("west", "default", "a", i % 2 ? "one" : "two");
		cr_assert_eq(sync_commit(&f, &sync), HF_OK);
		cr_expect_eq(sync.active != MARK, more);
		hf_sync_free(&sync);
		release_a(); /* so that there is something to do again */
	}
}

/* The releases that are judged are those of the moment of the write. */
Test(sync_between, the_guard_and_the_offline_zone_are_judged_at_the_write) {
	struct hf_sync sync;
	planned(&sync, "a b c d");
	cr_assert_eq(sync.releases, 0);
	acquire_unlisted();
	connection();
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	cr_expect_eq(sync_commit(&f, &sync), HF_E_ZONE_OFFLINE);
	hf_sync_free(&sync);
	connection();
	planned(&sync, "a b unlisted");
	sync.max_release_percent = 0;
	cr_assert_eq(sync.releases, 1);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	struct hf_release forced = {.want.id = identity("east", "default", "c"), .want.force = true};
	hf_release_begin(&forced);
	cr_assert_eq(commit(&f, &forced.write), HF_OK);
	cr_expect_eq(sync_commit(&f, &sync), HF_OK, "there is nothing left to release");
	hf_sync_free(&sync);
	planned(&sync, "a b unlisted x");
	for (int i = 0; i < 11; i++) {
		char name[16];
		snprintf(name, sizeof name, "more-%d", i);
		put("east", "default", name, "{}");
	}
	sync.max_release_percent = 20;
	sync.force = true;
	cr_expect_eq(sync_commit(&f, &sync), HF_E_MASS_RELEASE_GUARD);
	cr_expect_str_eq(sync_summary(&sync), "created=1 unchanged=3 released=11", "%s", sync_summary(&sync));
	hf_sync_free(&sync);
}

/* A zone's state has no revision: it is read again though nothing is decided anew. */
Test(sync_between, a_zone_that_goes_offline_is_frozen) {
	struct hf_sync sync;
	connection();
	planned(&sync, "a b=two");
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	struct hf_digest before = fixture_digest(&f);
	cr_expect_eq(sync_commit(&f, &sync), HF_E_ZONE_OFFLINE);
	struct hf_digest after = fixture_digest(&f);
	cr_expect(hf_digest_equal(&before, &after));
	hf_sync_free(&sync);
}

/* Its answer is wrong in nothing that a reader sees, however often the zone changes before. */
Test(sync_between, many_syncs_that_were_planned_on_one_snapshot) {
	static const char *const lists[] = {"a b", "b c new", "", "q=two a=three", "new@241.0.0.0 c"};
	struct hf_sync syncs[5];
	for (int i = 0; i < 5; i++)
		planned(&syncs[i], lists[i]);
	for (int i = 0; i < 5; i++) {
		cr_assert_eq(sync_commit(&f, &syncs[i]), HF_OK, "%s", syncs[i].write.why.text);
		cr_expect(sync_is_what_is_read(&f, &syncs[i]), "%s", lists[i]);
		cr_expect_eq(syncs[i].summary.of[HF_SYNC_REJECTED], 0);
		hf_sync_free(&syncs[i]);
		verify_clean(&f, lists[i]);
	}
	cr_expect_str_eq(zone_leases(&f, "east"), "(a@241.0.0.0) (b@241.0.0.1) c@241.0.0.2 new@241.0.0.4 (q@241.0.0.3)");
}

/* Renames: a service that shows the address of a lease which the list no longer names gets that lease. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/sync_support.h"

static struct fixture f;

static void setup(void) {
	fixture_new(&f);
	synced(&f, HF_SYNC_DELTA, "east", "a b c other/d asleep");
	synced(&f, HF_SYNC_DELTA, "east", "-asleep");
	synced(&f, HF_SYNC_DELTA, "west", "w");
}

static void teardown(void) { sync_fixture_end(&f); }

TestSuite(sync_renames, .init = setup, .fini = teardown);

/* Leases of east: a .0, asleep .1 (quarantined), b .2, c .3, other/d .4; of west: w .5. */
static const struct {
	const char *name;
	enum hf_sync_mode mode;
	const char *mesh, *list, *results, *summary;
} CASES[] = {
	{"a full list that no longer names it", HF_SYNC_FULL, "default", "a2@241.0.0.0 b c",
	 "a2=transferred@241.0.0.0 b=unchanged@241.0.0.2 c=unchanged@241.0.0.3", "unchanged=2 transferred=1"},
	{"a delta that removes it", HF_SYNC_DELTA, "*", "-a a2@241.0.0.0", "a=unchanged@241.0.0.0 a2=transferred@241.0.0.0",
	 "unchanged=1 transferred=1"},
	{"with another configuration", HF_SYNC_DELTA, "*", "-a a2=two@241.0.0.0", "a=unchanged@241.0.0.0 a2=transferred@241.0.0.0",
	 "unchanged=1 transferred=1"},
	{"to another mesh of the zone", HF_SYNC_FULL, "*", "other/a@241.0.0.0 b c other/d",
	 "other/a=transferred@241.0.0.0 b=unchanged@241.0.0.2 c=unchanged@241.0.0.3 other/d=unchanged@241.0.0.4",
	 "unchanged=3 transferred=1"},
	{"from quarantine", HF_SYNC_FULL, "default", "a b c awake@241.0.0.1",
	 "a=unchanged@241.0.0.0 b=unchanged@241.0.0.2 c=unchanged@241.0.0.3 awake=transferred@241.0.0.1",
	 "unchanged=3 transferred=1"},
	{"a delta that does not remove it", HF_SYNC_DELTA, "*", "a2@241.0.0.0", "a2=created@241.0.0.6~", "created=1"},
	{"a list that still names it", HF_SYNC_FULL, "default", "a a2@241.0.0.0 b c",
	 "a=unchanged@241.0.0.0 a2=created@241.0.0.6~ b=unchanged@241.0.0.2 c=unchanged@241.0.0.3", "created=1 unchanged=3"},
	{"two that show it", HF_SYNC_FULL, "default", "a2@241.0.0.0 a3@241.0.0.0 b c",
	 "a2=created@241.0.0.6~ a3=created@241.0.0.7~ b=unchanged@241.0.0.2 c=unchanged@241.0.0.3 | a=released@241.0.0.0",
	 "created=2 unchanged=2 released=1"},
	{"one that shows two", HF_SYNC_FULL, "default", "ab@241.0.0.0,241.0.0.2 c",
	 "ab=created@241.0.0.6~ c=unchanged@241.0.0.3 | a=released@241.0.0.0 b=released@241.0.0.2",
	 "created=1 unchanged=1 released=2"},
	{"outside the scope", HF_SYNC_FULL, "default", "a b c d2@241.0.0.4",
	 "a=unchanged@241.0.0.0 b=unchanged@241.0.0.2 c=unchanged@241.0.0.3 d2=created@241.0.0.6~", "created=1 unchanged=3"},
	{"of another zone", HF_SYNC_FULL, "default", "a b c w2@241.0.0.5",
	 "a=unchanged@241.0.0.0 b=unchanged@241.0.0.2 c=unchanged@241.0.0.3 w2=created@241.0.0.6~", "created=1 unchanged=3"},
	{"a list with something that nobody can read", HF_SYNC_FULL, "default", "a2@241.0.0.0 b c ?",
	 "a2=created@241.0.0.6~ b=unchanged@241.0.0.2 c=unchanged@241.0.0.3 ?=invalid-json",
	 "created=1 unchanged=2 rejected=1 skipped=1"},
};

Test(sync_renames, only_one_to_one_and_only_what_the_list_no_longer_names) {
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct hf_sync sync;
		sync_open(&sync, CASES[i].mode, "east", CASES[i].mesh);
		sync.renames = sync.dry_run = true;
		cr_assert_eq(sync_list(&sync, CASES[i].list), HF_OK);
		cr_expect_eq(sync_run(&f, &sync, NULL), HF_OK, "%s: %s", CASES[i].name, sync.write.why.text);
		cr_expect_str_eq(sync_results(&sync), CASES[i].results, "%s: %s", CASES[i].name, sync_results(&sync));
		cr_expect_str_eq(sync_summary(&sync), CASES[i].summary, "%s: %s", CASES[i].name, sync_summary(&sync));
		hf_sync_free(&sync);
	}
}

Test(sync_renames, are_asked_for) {
	struct hf_sync sync;
	sync_open(&sync, HF_SYNC_DELTA, "east", "*");
	cr_assert_eq(sync_list(&sync, "-a a2@241.0.0.0"), HF_OK);
	cr_assert_eq(sync_run(&f, &sync, NULL), HF_OK);
	cr_assert_str_eq(sync_results(&sync), "a=released@241.0.0.0 a2=created@241.0.0.6~");
	hf_sync_free(&sync);
}

Test(sync_renames, are_no_releases_for_the_guard) {
	struct hf_sync sync;
	sync_open(&sync, HF_SYNC_FULL, "east", "default");
	sync.renames = true;
	sync.max_release_percent = 0;
	cr_assert_eq(sync_list(&sync, "a2=two@241.0.0.0 b2@241.0.0.2 c2@241.0.0.3"), HF_OK);
	cr_assert_eq(sync_run(&f, &sync, NULL), HF_OK, "%s", sync.write.why.text);
	cr_assert(sync_is_what_is_read(&f, &sync));
	hf_sync_free(&sync);
	cr_assert_str_eq(zone_leases(&f, "east"), "a2@241.0.0.0 (asleep@241.0.0.1) b2@241.0.0.2 c2@241.0.0.3 other/d@241.0.0.4");
	sync_open(&sync, HF_SYNC_FULL, "east", "default");
	sync.renames = true;
	bool written;
	cr_assert_eq(sync_list(&sync, "a2=two@241.0.0.0 b2@241.0.0.2 c2@241.0.0.3"), HF_OK);
	cr_assert_eq(sync_run(&f, &sync, &written), HF_OK);
	cr_assert(!written && sync.summary.of[HF_SYNC_UNCHANGED] == 3, "the same list again writes nothing");
	hf_sync_free(&sync);
}

Test(sync_renames, what_changed_meanwhile_is_decided_again) {
	struct hf_sync sync;
	bool write;
	sync_open(&sync, HF_SYNC_FULL, "east", "default");
	sync.renames = true;
	cr_assert_eq(sync_list(&sync, "a2@241.0.0.0 b c"), HF_OK);
	cr_assert_eq(sync_peek(&f, &sync, &write), HF_OK);
	cr_assert(write);
	cr_assert_eq(release(&f, identity("east", "default", "a"), true, &(struct hf_lease){0}), HF_OK);
	struct hf_acquire other = acquire_request(identity("west", "default", "thief"), "{}");
	other.want.n_addresses = 1;
	other.want.addresses[0] = addr("241.0.0.0");
	cr_assert_eq(acquire(&f, &other), HF_OK);
	cr_assert_eq(sync_commit(&f, &sync), HF_OK, "%s", sync.write.why.text);
	cr_assert_str_eq(sync_summary(&sync), "created=1 unchanged=2");
	hf_sync_free(&sync);
}

/* An address that a document shows was another zone's, so that it showed two leases; then that one is gone. */
Test(sync_renames, what_changed_in_another_zone_is_decided_again) {
	struct hf_sync sync;
	bool write;
	sync_open(&sync, HF_SYNC_FULL, "east", "default");
	sync.renames = true;
	cr_assert_eq(sync_list(&sync, "a2@241.0.0.0,241.0.0.5 b c"), HF_OK);
	cr_assert_eq(sync_peek(&f, &sync, &write), HF_OK);
	cr_assert(write);
	cr_assert_eq(release(&f, identity("west", "default", "w"), true, &(struct hf_lease){0}), HF_OK);
	cr_assert_eq(sync_commit(&f, &sync), HF_OK, "%s", sync.write.why.text);
	cr_assert_str_eq(sync_summary(&sync), "unchanged=2 transferred=1");
	hf_sync_free(&sync);
}

Test(sync_renames, a_second_decision_forgets_the_first) {
	struct hf_sync sync;
	bool write;
	sync_open(&sync, HF_SYNC_FULL, "east", "default");
	sync.renames = true;
	sync.max_release_percent = 100;
	cr_assert_eq(sync_list(&sync, "a2@241.0.0.0 b c"), HF_OK);
	cr_assert_eq(sync_peek(&f, &sync, &write), HF_OK);
	cr_assert(write && sync.first->from);
	struct hf_acquire request = acquire_request(identity("east", "default", "a2"), "a2");
	cr_assert_eq(acquire(&f, &request), HF_OK);
	cr_assert_eq(sync_commit(&f, &sync), HF_OK, "%s", sync.write.why.text);
	cr_assert_null(sync.first->from, "it has a lease of its own now");
	hf_sync_free(&sync);
}

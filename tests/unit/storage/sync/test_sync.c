/* A sync's outcomes: what becomes of each item, in which scope, and that what is unchanged is not written. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/sync_support.h"

static struct fixture f;

static void setup(void) { fixture_new(&f); }

static void teardown(void) { sync_fixture_end(&f); }

TestSuite(sync, .init = setup, .fini = teardown);

static uint64_t revision(void) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	uint64_t revision = hf_meta_read(f.reader).revision;
	hf_reader_end(f.reader);
	return revision;
}

/* The zone east holds old, quiet and sleeper (quarantined) in mesh default, and one each elsewhere that must never be touched. */
static void populate(void) {
	synced(&f, HF_SYNC_DELTA, "east", "old quiet sleeper other/elsewhere +outside");
	synced(&f, HF_SYNC_DELTA, "east", "-sleeper");
	synced(&f, HF_SYNC_DELTA, "east-1", "old");
	synced(&f, HF_SYNC_DELTA, "eas", "old");
}

static const struct {
	const char *name, *list, *results, *summary;
	int revisions; /* that it makes */
} FULL[] = {
	{"new", "old quiet new", "old=unchanged@241.0.0.0 quiet=unchanged@241.0.0.1 new=created@241.0.0.6", "created=1 unchanged=2",
	 1},
	{"unchanged", "quiet old", "quiet=unchanged@241.0.0.1 old=unchanged@241.0.0.0", "unchanged=2", 0},
	{"updated", "old=two quiet", "old=updated@241.0.0.0 quiet=unchanged@241.0.0.1", "unchanged=1 updated=1", 1},
	{"restored", "old quiet sleeper", "old=unchanged@241.0.0.0 quiet=unchanged@241.0.0.1 sleeper=restored@241.0.0.2",
	 "unchanged=2 restored=1", 1},
	{"restored with another configuration", "old quiet sleeper=two",
	 "old=unchanged@241.0.0.0 quiet=unchanged@241.0.0.1 sleeper=restored@241.0.0.2", "unchanged=2 restored=1", 1},
	{"adopted", "old quiet new@241.5.0.1", "old=unchanged@241.0.0.0 quiet=unchanged@241.0.0.1 new=adopted@241.5.0.1",
	 "adopted=1 unchanged=2", 1},
	{"not adopted", "old quiet new@241.0.0.0", "old=unchanged@241.0.0.0 quiet=unchanged@241.0.0.1 new=created@241.0.0.6~",
	 "created=1 unchanged=2", 1},
	{"not listed", "old", "old=unchanged@241.0.0.0 | quiet=released@241.0.0.1", "unchanged=1 released=1", 1},
	{"nothing listed", "", "| old=released@241.0.0.0 quiet=released@241.0.0.1", "released=2", 2},
	{"foreign", "old quiet eas:old eas:absent",
	 "old=unchanged@241.0.0.0 quiet=unchanged@241.0.0.1 eas:old=foreign@241.0.0.5 "
	 "eas:absent=foreign",
	 "unchanged=2 foreign=2", 0},
	{"rejected, and so not released", "!old quiet", "old=invalid-address quiet=unchanged@241.0.0.1", "unchanged=1 rejected=1",
	 0},
	{"unreadable, and so nothing is released", "? new", "?=invalid-json new=created@241.0.0.6",
	 "created=1 rejected=1 skipped=2", 1},
	{"unreadable alone", "?", "?=invalid-json", "rejected=1 skipped=2", 0},
	{"another kind", "old quiet +outside", "old=unchanged@241.0.0.0 quiet=unchanged@241.0.0.1 +outside=invalid-parameter",
	 "unchanged=2 rejected=1", 0},
	{"another mesh", "old quiet other/elsewhere",
	 "old=unchanged@241.0.0.0 quiet=unchanged@241.0.0.1 other/elsewhere=invalid-parameter", "unchanged=2 rejected=1", 0},
	{"twice", "quiet old=two old=three", "quiet=unchanged@241.0.0.1 old=updated@241.0.0.0 old=invalid-parameter",
	 "unchanged=1 updated=1 rejected=1", 1},
	{"rejected first, then again", "quiet !old old=two", "quiet=unchanged@241.0.0.1 old=invalid-address old=invalid-parameter",
	 "unchanged=1 rejected=2", 0},
	{"thrice, the middle one rejected", "quiet old !old old",
	 "quiet=unchanged@241.0.0.1 old=unchanged@241.0.0.0 old=invalid-address "
	 "old=invalid-parameter",
	 "unchanged=2 rejected=2", 0},
	{0},
};

/* Runs it twice, dry and real; what the dry one tells is what the real one does. */
static void check_full(const char *name, const char *list, const char *results, const char *summary, int revisions) {
	struct hf_digest before = fixture_digest(&f);
	uint64_t was = revision();
	bool written = false;
	for (int real = 0; real <= 1; real++) {
		struct hf_sync sync;
		sync_open(&sync, HF_SYNC_FULL, "east", "default");
		sync.dry_run = !real;
		cr_assert_eq(sync_list(&sync, list), HF_OK);
		enum hf_err err = sync_run(&f, &sync, &written);
		cr_assert_eq(err, HF_OK, "%s: %s", name, sync.write.why.text);
		cr_expect_str_eq(sync_results(&sync), results, "%s, %s: %s", name, real ? "real" : "dry", sync_results(&sync));
		cr_expect_str_eq(sync_summary(&sync), summary, "%s: %s", name, sync_summary(&sync));
		cr_expect_eq(sync.revision, was + (uint64_t)revisions, "%s", name);
		cr_expect_eq(written, revisions > 0, "%s", name);
		struct hf_digest after = fixture_digest(&f);
		if (!real || !revisions)
			cr_expect(hf_digest_equal(&before, &after), "%s: something was written", name);
		if (real)
			cr_expect(sync_is_what_is_read(&f, &sync), "%s", name);
		hf_sync_free(&sync);
	}
	verify_clean(&f, name);
}

Test(sync, every_outcome_dry_and_real) {
	for (size_t i = 0; FULL[i].results; i++) {
		populate();
		check_full(FULL[i].name, FULL[i].list, FULL[i].results, FULL[i].summary, FULL[i].revisions);
		fixture_remove(&f);
		setup();
	}
}

Test(sync, a_service_that_is_not_listed_is_released) {
	populate();
	synced(&f, HF_SYNC_FULL, "east", "quiet");
	cr_expect_str_eq(zone_leases(&f, "east"),
			 "(old@241.0.0.0) quiet@241.0.0.1 (sleeper@241.0.0.2) +outside@242.0.0.0 other/elsewhere@241.0.0.3");
	cr_expect_str_eq(zone_leases(&f, "east-1"), "old@241.0.0.4");
	cr_expect_str_eq(zone_leases(&f, "eas"), "old@241.0.0.5");
}

Test(sync, a_service_that_came_without_its_address_is_a_reallocation_avoided) {
	static const struct {
		const char *name, *list;
		uint64_t avoided;
	} table[] = {
		{"brings none", "one two", 2},
		{"brings its own", "one@241.0.0.0 two@241.0.0.1", 0},
		{"brings another's", "one@241.0.0.1 two@241.0.0.1", 1},
		{"new ones do not count", "one@241.0.0.0 two@241.0.0.1 three", 0},
		{"foreign ones do not count", "one@241.0.0.0 two@241.0.0.1 west:one", 0},
		{"an update counts", "one=two two@241.0.0.1", 1},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		synced(&f, HF_SYNC_FULL, "east", "one two");
		struct hf_sync sync;
		sync_open(&sync, HF_SYNC_FULL, "east", "default");
		sync.dry_run = true;
		cr_assert_eq(sync_list(&sync, table[i].list), HF_OK);
		cr_assert_eq(sync_run(&f, &sync, NULL), HF_OK);
		cr_expect_eq(sync.reallocations_avoided, table[i].avoided, "%s: %d", table[i].name,
			     (int)sync.reallocations_avoided);
		hf_sync_free(&sync);
	}
}

Test(sync, the_configuration_and_its_generation_follow) {
	struct hf_acquire again = acquire_request(identity("east", "default", "redis"), "two");
	synced(&f, HF_SYNC_FULL, "east", "redis=one");
	f.now_ms += 1000;
	synced(&f, HF_SYNC_FULL, "east", "redis=two");
	uint64_t was = revision();
	cr_assert_eq(acquire(&f, &again), HF_OK);
	cr_expect_eq(again.outcome, HF_UNCHANGED, "a sync and an acquire are one");
	cr_expect_eq(again.lease.generation, 2);
	cr_expect_eq(again.lease.modified_ms, f.now_ms);
	cr_expect_eq(again.lease.created_ms, f.now_ms - 1000);
	cr_expect_eq(revision(), was);
}

Test(sync, an_empty_sync_of_a_zone_that_is_not_there_makes_none) {
	struct hf_digest before = fixture_digest(&f), none = {{0}};
	struct hf_sync sync;
	bool written;
	sync_open(&sync, HF_SYNC_FULL, "nowhere", "*");
	cr_assert_eq(sync_list(&sync, ""), HF_OK);
	cr_assert_eq(sync_run(&f, &sync, &written), HF_OK);
	struct hf_digest after = fixture_digest(&f);
	cr_expect(!written && !sync.zone_known && hf_digest_equal(&sync.digest, &none) && hf_digest_equal(&before, &after));
	hf_sync_free(&sync);
}

/* Else what is remembered of syncs would grow with every name that anybody makes up. */
Test(sync, a_sync_of_which_nothing_came_true_makes_no_zone) {
	POOL_DELETE_REQUEST del = {.name = "meshservice"};
	struct hf_sync sync;
	sync_open(&sync, HF_SYNC_DELTA, "nowhere", "*");
	hf_pool_delete_begin(&del);
	cr_assert_eq(commit(&f, &del.write), HF_OK);
	cr_assert_eq(sync_list(&sync, "redis"), HF_OK);
	cr_assert_eq(sync_run(&f, &sync, NULL), HF_OK);
	cr_expect_str_eq(sync_results(&sync), "redis=no-pool");
	cr_expect(sync_is_what_is_read(&f, &sync), "the zone is not known");
	hf_sync_free(&sync);
}

/* Places of `items` and of `removed` are counted apart. */
Test(sync, of_one_identity_what_is_listed_stands_whatever_its_place) {
	static const struct {
		const char *name;
		enum hf_sync_role roles[2];
		uint32_t places[2];
		const char *results;
	} table[] = {
		{"a later place first",
		 {HF_SYNC_SERVICE, HF_SYNC_REMOVED},
		 {2, 1},
		 "redis=unchanged@241.0.0.0 redis=invalid-parameter"},
		{"the same place", {HF_SYNC_SERVICE, HF_SYNC_REMOVED}, {1, 1}, "redis=unchanged@241.0.0.0 redis=invalid-parameter"},
		{"removed first", {HF_SYNC_REMOVED, HF_SYNC_SERVICE}, {2, 1}, "redis=invalid-parameter redis=unchanged@241.0.0.0"},
	};
	struct hf_identity id = identity("east", "default", "redis");
	struct hf_acquire like = acquire_request(id, "{}");
	synced(&f, HF_SYNC_FULL, "east", "redis");
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct hf_sync sync;
		bool write;
		sync_open(&sync, HF_SYNC_DELTA, "east", "*");
		for (int k = 0; k < 2; k++) {
			struct hf_sync_input input = {.role = table[i].roles[k], .place = table[i].places[k], .id = &id};
			input.fingerprint = like.want.fingerprint;
			input.fingerprint_version = 1;
			cr_assert_eq(hf_sync_add(&sync, &input, NULL), HF_OK);
		}
		cr_assert_eq(hf_sync_close_list(&sync, NULL), HF_OK);
		cr_assert_eq(sync_peek(&f, &sync, &write), HF_OK);
		cr_expect_str_eq(sync_results(&sync), table[i].results, "%s: %s", table[i].name, sync_results(&sync));
		hf_sync_free(&sync);
	}
}

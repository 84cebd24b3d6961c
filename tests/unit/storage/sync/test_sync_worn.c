/* A zone that is worn away in small steps: what syncs released in the last ten minutes counts with what they release now. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/sync_support.h"

#define MINUTE_MS (60 * 1000)

static struct fixture f;

static void setup(void) { fixture_new(&f); }

static void teardown(void) { sync_fixture_end(&f); }

TestSuite(sync_worn, .init = setup, .fini = teardown);

/* "s00 s01 …": the services from `from` to `to`, with what goes before and behind; a static buffer. */
static const char *words(const char *before, int from, int to, const char *behind) {
	static char text[1 << 14];
	int len = snprintf(text, sizeof text, "%s", before);
	for (int i = from; i < to; i++)
		len += snprintf(text + len, sizeof text - (size_t)len, " s%02d", i);
	snprintf(text + len, sizeof text - (size_t)len, " %s", behind);
	return text;
}

struct options {
	enum hf_sync_mode mode;
	int percent;
	bool dry_run, force;
	const char *mesh; /* NULL: default */
};

static char why[sizeof((struct hf_why *)NULL)->text];

/* How many leases a sync releases; -1: the guard refuses it. */
static int released(const struct options *o, const char *list) {
	struct hf_sync sync;
	sync_open(&sync, o->mode, "east", o->mesh ? o->mesh : "default");
	sync.max_release_percent = o->percent;
	sync.dry_run = o->dry_run;
	sync.force = o->force;
	cr_assert_eq(sync_list(&sync, list), HF_OK);
	enum hf_err err = sync_run(&f, &sync, NULL);
	cr_expect(err == HF_OK || err == HF_E_MASS_RELEASE_GUARD, "%s", hf_err_slug(err));
	snprintf(why, sizeof why, "%s", sync.write.why.text);
	int n = err ? -1 : (int)sync.summary.of[HF_SYNC_RELEASED];
	hf_sync_free(&sync);
	return n;
}

static const struct options FULL = {.mode = HF_SYNC_FULL, .percent = 20}, DELTA = {.mode = HF_SYNC_DELTA, .percent = 20};

Test(sync_worn, steps_are_judged_by_their_sum_against_what_was_there_before_the_first) {
	synced(&f, HF_SYNC_FULL, "east", words("", 0, 100, ""));
	cr_expect_eq(released(&FULL, words("", 10, 100, "")), 10);
	cr_expect_eq(released(&FULL, words("", 20, 100, "")), 10, "20 of 100");
	cr_expect_eq(released(&FULL, words("", 21, 100, "")), -1, "21 of 100");
	cr_expect(strstr(why, "would release 1 of 80 active leases, after 20 of 100 that syncs released in the last ten minutes; "
			      "maxRelease allows 20 percent"),
		  "%s", why);
	cr_expect_eq(released(&DELTA, "-s20"), -1, "nor by name");
	cr_expect_eq(released(&FULL, words("", 20, 100, "new")), 0, "what releases nothing is done");
	cr_expect_eq(released(&(struct options){.percent = 21}, words("", 21, 100, "new")), 1, "21 of 101");
}

Test(sync_worn, by_name_too) {
	synced(&f, HF_SYNC_FULL, "east", words("", 0, 100, ""));
	for (int i = 0; i < 20; i++) {
		char name[8];
		snprintf(name, sizeof name, "-s%02d", i);
		cr_expect_eq(released(&DELTA, name), 1, "%s", name);
	}
	cr_expect_eq(released(&DELTA, "-s20"), -1);
	cr_expect_eq(released(&FULL, words("", 21, 100, "")), -1);
}

Test(sync_worn, a_small_zone_is_not_emptied_one_by_one) {
	synced(&f, HF_SYNC_FULL, "east", "a b c d");
	cr_expect_eq(released(&FULL, "a b c"), 1);
	cr_expect_eq(released(&FULL, "a b"), 1, "half of them");
	cr_expect_eq(released(&FULL, "a"), -1);
	cr_expect_eq(released(&DELTA, "-b"), -1);
}

Test(sync_worn, after_ten_minutes_it_is_over_whatever_the_clock_says) {
	synced(&f, HF_SYNC_FULL, "east", words("", 0, 100, ""));
	cr_expect_eq(released(&FULL, words("", 20, 100, "")), 20);
	f.now_ms += 20 * MINUTE_MS;
	cr_expect_eq(released(&FULL, words("", 21, 100, "")), -1, "the clock was set");
	f.monotonic_ms += 10 * MINUTE_MS - 1;
	cr_expect_eq(released(&FULL, words("", 21, 100, "")), -1);
	f.monotonic_ms += 1;
	cr_expect_eq(released(&FULL, words("", 36, 100, "")), 16, "of 80");
	cr_expect_eq(released(&FULL, words("", 37, 100, "")), -1);
}

/* One after the other for two hours: each counts for ten minutes, and half a minute more at most. */
Test(sync_worn, a_steady_stream_is_held_to_the_percentage_of_ten_minutes) {
	int gone = 0, at[400];
	synced(&f, HF_SYNC_FULL, "east", words("", 0, 100, "") /* s00 … */);
	for (int second = 0; second < 7200 && gone < 90; second += 7, f.monotonic_ms += 7000)
		if (released(&FULL, words("", gone + 1, 100, "")) == 1) {
			int window = 1;
			for (int i = gone - 1; i >= 0 && second - at[i] < 600; i--)
				window++;
			int there = 100 - (gone + 1 - window);
			cr_assert(100 * window <= 20 * there || window <= (there / 2 < 10 ? there / 2 : 10),
				  "at second %d: %d of %d", second, window, there);
			at[gone++] = second;
		}
	cr_expect_gt(gone, 80, "%d are gone", gone);
}

Test(sync_worn, dry_runs_and_refused_syncs_wear_nothing_away) {
	synced(&f, HF_SYNC_FULL, "east", words("", 0, 100, ""));
	struct options dry = {.percent = 20, .dry_run = true};
	cr_expect_eq(released(&dry, words("", 20, 100, "")), 20);
	cr_expect_eq(released(&FULL, words("", 30, 100, "")), -1);
	cr_expect_eq(released(&FULL, words("", 30, 100, "new")), -1, "refused inside the write");
	cr_expect_eq(released(&FULL, words("", 10, 100, "")), 10);
	cr_expect_eq(released(&FULL, words("", 20, 100, "")), 10, "20 of 100, as nothing else was released");
	cr_expect_eq(released(&dry, words("", 21, 100, "")), -1, "a dry run is judged as the real one");
}

Test(sync_worn, what_came_back_was_not_worn_away) {
	synced(&f, HF_SYNC_FULL, "east", words("", 0, 100, ""));
	cr_expect_eq(released(&FULL, words("", 20, 100, "")), 20);
	cr_expect_eq(released(&FULL, words("", 10, 99, "")), 1, "ten come back with it: 11 of 100");
	struct hf_acquire one = acquire_request(identity("east", "default", "s00"), "{}");
	cr_assert_eq(acquire(&f, &one), HF_OK);
	cr_expect_eq(one.outcome, HF_RESTORED);
	cr_expect_eq(released(&FULL, words("s00", 20, 99, "")), 10, "one came back by itself: 20 of 100");
	cr_expect_eq(released(&FULL, words("s00", 21, 99, "")), -1);
	cr_assert_eq(release(&f, identity("east", "default", "s00"), false, NULL), HF_OK);
	cr_assert_eq(acquire(&f, &one), HF_OK);
	cr_expect_eq(released(&FULL, words("s00", 21, 99, "")), -1, "what no sync released does not count for it");
}

Test(sync_worn, what_is_purged_or_expires_stays_worn_away) {
	synced(&f, HF_SYNC_FULL, "east", words("", 0, 100, ""));
	cr_expect_eq(released(&FULL, words("", 20, 100, "")), 20);
	cr_assert_eq(release(&f, identity("east", "default", "s00"), true, NULL), HF_OK);
	cr_expect_eq(released(&FULL, words("", 21, 100, "")), -1);
	f.now_ms += 2 * 3600 * 1000; /* the quarantines are over */
	cr_expect_eq(released(&FULL, words("", 21, 100, "")), -1);
}

Test(sync_worn, other_releases_and_zones_do_not_count) {
	synced(&f, HF_SYNC_FULL, "east", words("", 0, 100, ""));
	for (int i = 0; i < 30; i++) {
		char name[8];
		snprintf(name, sizeof name, "s%02d", i);
		cr_assert_eq(release(&f, identity("east", "default", name), false, NULL), HF_OK);
	}
	cr_expect_eq(released(&FULL, words("", 44, 100, "")), 14, "of 70");
}

Test(sync_worn, what_is_meant_counts_not_and_settles_what_went_before) {
	synced(&f, HF_SYNC_FULL, "east", words("", 0, 100, ""));
	struct options all = {.percent = 100};
	cr_expect_eq(released(&all, words("", 20, 100, "")), 20);
	cr_expect_eq(released(&FULL, words("", 36, 100, "")), 16, "of 80, as before was meant");
	cr_expect_eq(released(&FULL, words("", 37, 100, "")), -1);
	cr_expect_eq(released(&(struct options){.percent = 100, .dry_run = true}, words("", 37, 100, "")), 1);
	cr_expect_eq(released(&FULL, words("", 37, 100, "")), -1, "a dry run settles nothing");
	cr_expect_eq(released(&all, words("", 37, 100, "")), 1);
	cr_expect_eq(released(&FULL, words("", 49, 100, "")), 12, "of 63");
}

Test(sync_worn, force_counts_as_any_other) {
	synced(&f, HF_SYNC_FULL, "east", words("", 0, 100, ""));
	struct options forced = {.percent = 20, .force = true};
	cr_expect_eq(released(&forced, words("", 20, 100, "")), 20);
	cr_expect_eq(released(&forced, words("", 21, 100, "")), -1);
}

Test(sync_worn, each_mesh_and_the_whole_have_their_own) {
	synced(&f, HF_SYNC_DELTA, "east", words("m1/a m1/b m1/c m1/d", 0, 60, "m2/a m2/b m2/c m2/d +a +b"));
	struct options m1 = {.percent = 20, .mesh = "m1"}, all = {.percent = 20, .mesh = "*"};
	cr_expect_eq(released(&m1, "m1/a m1/b"), 2);
	cr_expect_eq(released(&m1, "m1/a"), -1);
	cr_expect_eq(released(&all, words("m1/a", 0, 60, "m2/a m2/b m2/c m2/d")), -1, "nor with the others");
	cr_expect(strstr(why, "1 of 2 active leases of kind MeshService in mesh \"m1\", after 2 of 4 that"), "%s", why);
	cr_expect_eq(released(&all, words("m1/a m1/b", 0, 60, "m2/a m2/b")), 2, "another mesh");
	cr_expect_eq(released(&all, words("m1/a m1/b", 10, 60, "m2/a m2/b")), -1, "14 of 68 in all");
	cr_expect(strstr(why, "10 of 64 active leases, after 4 of 68 that"), "%s", why);
	cr_expect_eq(released(&FULL, words("", 10, 60, "")), 10, "of one mesh alone");
}

Test(sync_worn, a_server_that_starts_knows_of_nothing) {
	synced(&f, HF_SYNC_FULL, "east", words("", 0, 100, ""));
	cr_expect_eq(released(&FULL, words("", 20, 100, "")), 20);
	fixture_close(&f);
	fixture_open(&f);
	cr_expect_eq(released(&FULL, words("", 36, 100, "")), 16);
}

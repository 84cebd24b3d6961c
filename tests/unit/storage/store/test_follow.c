/* The store's time follows a wall clock that steps: quarantines last as long as they were to, history and feed lose nothing. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "storage/admin/restore.h"
#include "storage/requests/lease_query.h"
#include "storage/requests/move.h"
#include "storage/store/follow.h"
#include "tests/unit/follow_support.h"

TestSuite(follow, .init = follow_setup, .fini = follow_teardown);

static const struct {
	const char *name;
	int64_t step_ms; /* half an hour after the release */
} STEPS[] = {
	{"none", 0},
	{"within the tolerance", 1999},
	{"a minute forward", MINUTE},
	{"three days forward", 3 * DAY},
	{"five years forward", 5 * YEAR},
	{"beyond the year 9999, which is not followed", 9000 * YEAR},
	{"a minute back", -MINUTE},
	{"a year back", -YEAR},
};

Test(follow, a_quarantine_lasts_as_long_as_it_was_to_wherever_the_wall_clock_steps) {
	for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
		const char *name = STEPS[i].name;
		acquired("a");
		released("a");
		acquired("b");
		pass(30 * MINUTE, STEPS[i].step_ms);
		int64_t left_ms = until("a") - hf_store_now_ms(f.store);
		cr_expect_eq(left_ms, 30 * MINUTE, "%s: %lld ms are left", name, (long long)left_ms);
		released("b");
		pass(30 * MINUTE - 1, 0);
		cr_expect(exists("a"), "%s", name);
		pass(1, 0);
		cr_expect(!exists("a"), "%s", name);
		cr_expect(exists("b"), "%s: it was released after the step", name);
		pass(MINUTE, -STEPS[i].step_ms);
		cr_expect_eq(until("b") - hf_store_now_ms(f.store), 29 * MINUTE, "%s and back", name);
		pass(29 * MINUTE - 1, 0);
		cr_expect(exists("b"), "%s and back", name);
		pass(1, 0);
		cr_expect(!exists("b"), "%s and back", name);
	}
}

Test(follow, a_release_with_a_clock_years_ahead_is_no_quarantine_of_years) {
	acquired("a");
	pass(0, 5 * YEAR);
	released("a");
	cr_expect_eq(until("a"), f.now_ms + 5 * YEAR + HOUR);
	pass(MINUTE, -5 * YEAR);
	cr_expect_eq(until("a"), f.now_ms + HOUR - MINUTE);
}

Test(follow, what_was_released_before_the_step_was_seen_is_right_too) {
	acquired("a");
	f.shift_ms = 5 * YEAR;
	released("a");
	cr_expect_eq(until("a"), f.now_ms + HOUR, "the store's time is its own");
	upkeep();
	cr_expect_eq(until("a"), f.now_ms + 5 * YEAR + HOUR);
}

Test(follow, a_step_is_news_and_counted_and_no_change) {
	acquired("a");
	released("a");
	uint64_t revision = hf_meta_read(f.reader).revision;
	cr_expect_eq(pass(0, 2000).what, HF_CLOCK_CONTINUES);
	struct hf_clock_news news = pass(0, DAY);
	cr_expect(news.what == HF_CLOCK_STEPPED && news.by_ms == DAY + 2000);
	news = pass(MINUTE, -DAY);
	cr_expect(news.what == HF_CLOCK_STEPPED && news.by_ms == -DAY);
	cr_expect_eq(pass(MINUTE, 0).what, HF_CLOCK_CONTINUES);
	cr_expect(hf_store_clock_steps(f.store, true) == 1 && hf_store_clock_steps(f.store, false) == 1);
	cr_expect_eq(hf_store_clock_offset_ms(f.store), 0);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_expect(hf_meta_read(f.reader).revision == revision || revision == 0);
	hf_reader_end(f.reader);
}

Test(follow, a_clock_that_is_ahead_for_a_moment_is_news_and_not_followed) {
	f.options.follow_after_ms = 0;
	restart(0, 0, false);
	acquired("a");
	struct hf_clock_news news = pass(0, YEAR);
	cr_expect(news.what == HF_CLOCK_STEPPED && news.by_ms == YEAR);
	cr_expect_eq(pass(5000, 0).what, HF_CLOCK_CONTINUES, "it is told once");
	news = pass(4000, DAY);
	cr_expect(news.what == HF_CLOCK_STEPPED && news.by_ms == YEAR + DAY, "farther");
	pass(9999, 0);
	released("a");
	cr_expect_eq(until("a"), f.now_ms + HOUR);
	news = pass(0, -YEAR - DAY);
	cr_expect(news.what == HF_CLOCK_RETURNED && news.by_ms == -YEAR - DAY);
	cr_expect_eq(until("a"), f.now_ms + HOUR);
	cr_expect_eq(pass(MINUTE, 0).what, HF_CLOCK_CONTINUES);
	pass(0, YEAR);
	cr_expect_eq(pass(10000, 0).what, HF_CLOCK_CONTINUES, "it was told");
	cr_expect_eq(hf_store_clock_offset_ms(f.store), 0);
	cr_expect_eq(until("a"), f.now_ms + YEAR + HOUR - MINUTE - 10000);
	cr_expect_eq(pass(0, -YEAR).what, HF_CLOCK_STEPPED, "back, it is followed at once");
	cr_expect_eq(hf_store_clock_offset_ms(f.store), 0);
	cr_expect(hf_store_clock_steps(f.store, true) == 3 && hf_store_clock_steps(f.store, false) == 1);
}

Test(follow, without_a_step_nothing_is_written) {
	acquired("a");
	released("a");
	struct hf_digest before = fixture_digest(&f);
	pass(MINUTE, 1999);
	restart(MINUTE, -1999, false);
	struct hf_digest after = fixture_digest(&f);
	cr_expect(hf_digest_equal(&before, &after));
}

static const struct {
	const char *name;
	int64_t away_ms, step_ms; /* after 20 of 60 minutes, the last change 10 minutes before */
	bool boot;
	int64_t left_ms; /* of the quarantine, after the start */
	enum hf_clock_what what;
} STARTS[] = {
	{"the same boot", 15 * MINUTE, 0, false, 25 * MINUTE, HF_CLOCK_CONTINUES},
	{"the same boot, a clock years ahead", 15 * MINUTE, 4 * YEAR, false, 25 * MINUTE, HF_CLOCK_STEPPED},
	{"the same boot, a clock years behind", 15 * MINUTE, -2 * YEAR, false, 50 * MINUTE, HF_CLOCK_STEPPED},
	{"the same boot, a clock that is not set", 15 * MINUTE, -40 * YEAR, false, 25 * MINUTE, HF_CLOCK_UNSET},
	{"after a boot", 15 * MINUTE, 0, true, 50 * MINUTE, HF_CLOCK_BOOTED},
	{"after a boot, days later", 3 * DAY, 0, true, 50 * MINUTE, HF_CLOCK_BOOTED},
	{"after a boot, a clock years ahead", 15 * MINUTE, 4 * YEAR, true, 50 * MINUTE, HF_CLOCK_BOOTED},
	{"after a boot, a clock years behind", 15 * MINUTE, -2 * YEAR, true, HOUR, HF_CLOCK_BOOTED},
	{"after a boot, a clock that is not set", 15 * MINUTE, -40 * YEAR, true, 50 * MINUTE, HF_CLOCK_UNSET},
};

Test(follow, a_start_ends_nothing_early_whatever_its_wall_clock_says) {
	for (size_t i = 0; i < sizeof STARTS / sizeof *STARTS; i++) {
		const char *name = STARTS[i].name;
		acquired("a");
		released("a");
		pass(10 * MINUTE, 0);
		acquired("b");
		pass(10 * MINUTE, 0);
		struct hf_clock_news news = restart(STARTS[i].away_ms, STARTS[i].step_ms, STARTS[i].boot);
		cr_expect_eq(news.what, STARTS[i].what, "%s: %d", name, news.what);
		int64_t left_ms = STARTS[i].left_ms;
		cr_expect_leq(until("a") - hf_store_now_ms(f.store), HOUR, "%s", name);
		pass(left_ms / 2, 0);
		cr_expect(exists("a"), "%s: half of what is left", name);
		pass(0, -STARTS[i].step_ms); /* the clock is put right */
		cr_expect_leq(until("a") - hf_store_now_ms(f.store), HOUR, "%s, put right", name);
		pass(left_ms - left_ms / 2 - 1, 0);
		cr_expect(exists("a"), "%s: a millisecond is left", name);
		pass(1, 0);
		cr_expect(!exists("a") || news.what == HF_CLOCK_UNSET, "%s", name);
		pass(STARTS[i].away_ms + HOUR, 0);
		cr_expect(!exists("a"), "%s", name);
		cr_expect_eq(hf_store_clock_offset_ms(f.store), 0, "%s", name);
		cr_assert_eq(release(&f, service("b"), true, NULL), HF_OK);
	}
}

Test(follow, a_clock_that_is_not_set_at_a_start_writes_no_times_of_1970) {
	acquired("a");
	int64_t before_ms = f.now_ms;
	restart(MINUTE, 100000 - f.now_ms, true);
	cr_expect_eq(acquired("b").lease.created_ms, before_ms);
	struct hf_clock_news news = pass(MINUTE, -f.shift_ms);
	cr_expect(news.what == HF_CLOCK_STEPPED && news.by_ms == MINUTE, "%lld", (long long)news.by_ms);
	cr_expect_eq(acquired("c").lease.created_ms, f.now_ms);
}

Test(follow, a_clock_that_is_unset_while_running_is_news_once_and_not_followed) {
	pass(0, 100000 - f.now_ms);
	f.shift_ms = 0;
	upkeep();
	struct hf_clock_news news = pass(0, 100000 - f.now_ms);
	cr_expect_eq(news.what, HF_CLOCK_UNSET);
	cr_expect_eq(pass(MINUTE, 0).what, HF_CLOCK_CONTINUES);
	cr_expect_eq(hf_store_now_ms(f.store), f.now_ms);
	cr_expect_lt(hf_store_clock_offset_ms(f.store), -40 * YEAR);
}

Test(follow, a_clock_ahead_cuts_neither_history_nor_feed) {
	struct hf_addr vip = acquired("a").lease.vips[0];
	cr_assert_eq(release(&f, service("a"), true, NULL), HF_OK);
	pass(MINUTE, 5 * YEAR);
	cr_expect_eq(past(vip), 1);
	restart(MINUTE, 0, false); /* nor does a start, while it is ahead */
	cr_expect(past(vip) == 1 && compacted() == 0);
	acquired("b");
	released("b");
	pass(HOUR, 0);
	cr_expect(!exists("b"), "what is held behind it ends in time");
	pass(MINUTE, -5 * YEAR);
	restart(MINUTE, 0, true);
	cr_expect(past(vip) == 1 && compacted() == 0);
	pass(7 * DAY, 0);
	cr_expect_gt(compacted(), 0, "the feed's days have passed");
	cr_expect_eq(past(vip), 1);
	pass(83 * DAY - HOUR - 4 * MINUTE + MINUTE - 1,
	     0); /* 90 days, and the minute before the boot, which nobody can be sure of */
	cr_expect_eq(past(vip), 1);
	pass(1, 0);
	cr_expect_eq(past(vip), 0);
}

Test(follow, a_resumed_machine_keeps_history_for_as_long_as_it_slept) {
	struct hf_addr vip = acquired("a").lease.vips[0];
	cr_assert_eq(release(&f, service("a"), true, NULL), HF_OK);
	pass(0, 10 * DAY);
	pass(90 * DAY - 1, 0);
	cr_expect_eq(past(vip), 1);
	pass(1, 0);
	cr_expect_eq(past(vip), 0);
	cr_expect_eq(hf_store_patient_ms(f.store), hf_store_now_ms(f.store), "nothing is left that is older");
}

/* More than a sweep looks at, and all of one moment. */
Test(follow, quarantines_end_in_time_behind_any_amount_of_history_that_is_held) {
	char name[16];
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof name, "s%d", i);
		acquired(name);
	}
	f.now_ms += 1;
	f.monotonic_ms += 1;
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof name, "s%d", i);
		cr_assert_eq(release(&f, service(name), true, NULL), HF_OK);
	}
	acquired("a");
	pass(0, YEAR);
	released("a");
	pass(HOUR - 1, 0);
	cr_expect(exists("a"));
	pass(1, 0);
	cr_expect(!exists("a"));
	acquired("b");
	released("b");
	pass(HOUR, 0);
	cr_expect(!exists("b"));
}

Test(follow, a_zone_that_is_just_back_holds_for_its_time_over_a_step) {
	static const int64_t steps[] = {YEAR, -YEAR};
	struct hf_zone_connect c;
	for (size_t i = 0; i < 2; i++) {
		acquired("a");
		cr_assert_eq(connect_zone(&f, "east", i ? "b" : "a", &c), HF_OK);
		released("a");
		cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
		pass(HOUR - 10 * MINUTE, 0);
		cr_assert_eq(connect_zone(&f, "east", i ? "b" : "a", &c), HF_OK);
		pass(20 * MINUTE, steps[i]);
		pass(40 * MINUTE - 1, 0);
		cr_expect(exists("a"), "%zu: an hour after it came back", i);
		pass(1, 0);
		cr_expect(!exists("a"), "%zu", i);
	}
}

Test(follow, a_return_in_the_future_holds_for_one_quarantine_and_not_for_years) {
	struct hf_zone_connect c;
	acquired("a");
	pass(0, 5 * YEAR);
	cr_assert_eq(connect_zone(&f, "east", "a", &c), HF_OK);
	pass(DAY, 0); /* no longer recent */
	pass(0, -5 * YEAR);
	released("a");
	pass(HOUR, 0);
	cr_expect(!exists("a"));
}

Test(follow, a_restore_holds_for_its_time_over_a_step) {
	acquired("a");
	released("a");
	cr_assert_eq(hf_store_raise_epoch(f.store, 0, NULL), HF_OK);
	pass(0, -YEAR);
	pass(HOUR - 1, 0);
	cr_expect(exists("a"));
	pass(1, 0);
	cr_expect(!exists("a"));
}

Test(follow, a_store_of_an_older_server_is_healed_of_ends_in_the_far_future) {
	f.options.follow_clock = false;
	fixture_close(&f);
	f.shift_ms = 5 * YEAR;
	fixture_open(&f);
	acquired("a");
	released("a");
	fixture_close(&f);
	f.options.follow_clock = true;
	restart(MINUTE, -5 * YEAR, true);
	cr_expect_eq(until("a"), f.now_ms + HOUR);
}

Test(follow, what_is_not_served_keeps_its_times) {
	f.options.follow_clock = false;
	acquired("a");
	released("a");
	int64_t until_ms = until("a");
	fixture_close(&f);
	f.shift_ms = YEAR;
	fixture_open(&f);
	cr_expect_eq(until("a"), until_ms);
	cr_expect_eq(hf_store_now_ms(f.store), f.now_ms + YEAR);
}

/* Moves a lease to the next address of its pool. */
static struct hf_lease moved(const char *name, int64_t overlap_ms) {
	struct hf_move move = {.want = {.id = service(name), .overlap_seconds = (uint32_t)(overlap_ms / 1000)}};
	hf_move_begin(&move);
	cr_assert_eq(commit(&f, &move.write), HF_OK, "%s", move.write.why.text);
	return move.lease;
}

static struct hf_lease lease_of(const char *name) {
	struct hf_identity id = service(name);
	struct hf_lease lease;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_lease_get(f.reader, &id, NULL, &lease), HF_OK);
	hf_reader_end(f.reader);
	return lease;
}

Test(follow, an_overlap_that_waits_for_a_zone_does_so_across_a_step) {
	acquired("a");
	cr_assert_eq(connect_zone(&f, "east", "one", &(struct hf_zone_connect){0}), HF_OK);
	moved("a", 10 * HOUR);
	pass(HOUR, 0);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	pass(HOUR, 0);
	cr_assert_eq(connect_zone(&f, "east", "two", &(struct hf_zone_connect){0}), HF_OK);
	pass(2 * HOUR, 20 * HOUR);
	pass(8 * HOUR - 1, 0);
	cr_expect_eq(lease_of("a").n_previous, 1, "the zone came back less than ten hours ago");
	pass(1, 0);
	cr_expect_eq(lease_of("a").n_previous, 0);
}

Test(follow, a_quarantine_and_an_overlap_that_are_held_back_at_one_time_both_get_a_later_end) {
	acquired("a");
	cr_assert_eq(connect_zone(&f, "east", "one", &(struct hf_zone_connect){0}), HF_OK);
	moved("a", 2 * HOUR);
	released("a");
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	pass(HOUR, DAY); /* history and feed lag behind */
	pass(HOUR, 0);
	struct hf_lease lease = lease_of("a");
	cr_expect_eq(lease.quarantined_until_ms, hf_store_now_ms(f.store) + 2 * HOUR);
	cr_expect_eq(lease.previous[0].until_ms, hf_store_now_ms(f.store) + 2 * HOUR);
}

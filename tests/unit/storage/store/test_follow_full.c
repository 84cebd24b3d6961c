/* The store's time where a transaction finds no room, or the thread that follows the wall clock is stopped. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "storage/store/follow.h"
#include "storage/store/store_internal.h"
#include "tests/unit/follow_support.h"

TestSuite(follow_full, .init = follow_setup, .fini = follow_teardown);

/* Writes until nothing more fits, a snapshot being kept of all there was. */
static void fill(void) {
	struct hf_zone_connect request;
	enum hf_err err = HF_OK;
	for (int i = 0; !err && i < 10000; i++) {
		char instance[16];
		snprintf(instance, sizeof instance, "i%d", i);
		err = connect_zone(&f, "full", instance, &request);
	}
	cr_assert_eq(err, HF_E_STORAGE_FULL);
}

static void with_a_small_map(void) {
	fixture_remove(&f);
	fixture_dir(&f);
	f.options.follow_clock = true;
	f.options.follow_after_ms = -1;
	f.options.map_size_bytes = 512 << 10;
	fixture_open(&f);
	acquired("a");
	released("a");
}

Test(follow_full, a_step_back_that_finds_no_room_is_news_once_and_followed_when_there_is) {
	struct hf_clock_news news;
	with_a_small_map();
	int64_t end_ms = until("a");
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	fill();
	f.shift_ms = -DAY;
	for (int i = 0; i < 5; i++) {
		cr_expect_eq(hf_follow_clock(f.store, NULL, &news), HF_E_STORAGE_FULL);
		cr_expect_eq(news.what, i == 0 ? HF_CLOCK_STEPPED : HF_CLOCK_CONTINUES, "time %d", i);
	}
	cr_expect_eq(hf_store_clock_steps(f.store, false), 1);
	hf_reader_end(f.reader);
	cr_assert_eq(hf_follow_clock(f.store, NULL, &news), HF_OK);
	cr_expect_eq(news.what, HF_CLOCK_CONTINUES, "it was told");
	cr_expect_eq(until("a"), end_ms - DAY);
	cr_expect_eq(hf_store_clock_steps(f.store, false), 1);
}

/* Files may grow, or nothing fits behind the database's two first pages. */
static void give_room(bool room) {
	struct rlimit limit;
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = room ? limit.rlim_max : 8192;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The machine boots, and its disk is full. */
static void boot_without_room(int64_t ms, int64_t step_ms) {
	struct hf_clock_news news;
	fixture_close(&f);
	f.now_ms += ms;
	f.monotonic_ms = MINUTE;
	f.shift_ms += step_ms;
	f.boot++;
	give_room(false);
	fixture_open(&f);
	enum hf_err err = hf_follow_clock(f.store, NULL, &news);
	cr_expect(err == HF_E_STORAGE_FULL || hf_store_clock_start(f.store).what == HF_CLOCK_UNSET, "%s", hf_err_slug(err));
}

static const struct {
	const char *name;
	int64_t away_ms, step_ms; /* after 20 of 60 minutes, the last change 10 minutes before */
	int64_t later_ms;	  /* the wall clock steps once more before there is room */
	int64_t left_ms;	  /* of the quarantine, once there is */
} FULL[] = {
	{"behind the newest change", 15 * MINUTE, -30 * MINUTE, 0, 55 * MINUTE},
	{"years behind it", 15 * MINUTE, -2 * YEAR, 0, HOUR},
	{"behind, and put right", 15 * MINUTE, -30 * MINUTE, 30 * MINUTE, 55 * MINUTE},
	{"behind, and then farther", 15 * MINUTE, -27 * MINUTE, -3 * MINUTE, 55 * MINUTE},
	{"at the newest change", 15 * MINUTE, -25 * MINUTE, 0, 50 * MINUTE},
	{"ahead", 15 * MINUTE, 4 * YEAR, 0, 50 * MINUTE},
	{"ahead, and put right", 15 * MINUTE, 4 * YEAR, -4 * YEAR, 50 * MINUTE},
	{"not set, and set behind the newest change", 15 * MINUTE, -40 * YEAR, 40 * YEAR - 30 * MINUTE, 55 * MINUTE},
	{"not set, and set right", 15 * MINUTE, -40 * YEAR, 40 * YEAR, 50 * MINUTE},
};

Test(follow_full, a_boot_whose_first_try_finds_no_room_ends_nothing_earlier_than_one_that_finds_some) {
	for (size_t i = 0; i < sizeof FULL / sizeof *FULL; i++) {
		const char *name = FULL[i].name;
		acquired("a");
		released("a");
		pass(10 * MINUTE, 0);
		acquired("b");
		pass(10 * MINUTE, 0);
		boot_without_room(FULL[i].away_ms, FULL[i].step_ms);
		f.shift_ms += FULL[i].later_ms;
		give_room(true);
		upkeep();
		int64_t left_ms = until("a") - hf_store_now_ms(f.store);
		cr_expect_eq(left_ms, FULL[i].left_ms, "%s: %lld ms are left", name, (long long)left_ms);
		cr_expect_eq(hf_store_clock_offset_ms(f.store), 0, "%s", name);
		restart(20 * MINUTE, 0, false);
		left_ms = until("a") - hf_store_now_ms(f.store);
		cr_expect_eq(left_ms, FULL[i].left_ms - 20 * MINUTE, "%s: %lld ms are left behind a restart", name,
			     (long long)left_ms);
		pass(0, -f.shift_ms);
		pass(HOUR, 0);
		cr_expect(!exists("a"), "%s", name);
		cr_assert_eq(release(&f, service("b"), true, NULL), HF_OK);
	}
}

/* The newest change is of a command that ran while the clock was wrong, and the first write comes before the next look at it. */
Test(follow_full, a_boot_that_finds_no_room_judges_nothing_by_a_time_that_is_ahead) {
	struct hf_batch *batch;
	struct hf_addr vip = acquired("z").lease.vips[0];
	cr_assert_eq(release(&f, service("z"), true, NULL), HF_OK);
	acquired("a");
	released("a");
	int64_t until_ms = until("a");
	fixture_close(&f);
	f.options.follow_clock = false;
	f.shift_ms = 4 * YEAR;
	fixture_open(&f);
	cr_assert_eq(hf_batch_begin(f.store, NULL, &batch), HF_OK);
	POOL_PUT_REQUEST put = pool_request("p", "10.0.0.0/24", "", 60);
	hf_pool_put_begin(&put);
	cr_assert_eq(put.write.apply(batch, &put.write, NULL), HF_OK);
	cr_assert_eq(hf_batch_commit(batch, NULL), HF_OK);
	f.options.follow_clock = true;
	boot_without_room(MINUTE, -4 * YEAR);
	give_room(true);
	acquired("c");
	cr_expect_eq(until("a"), until_ms);
	cr_expect_eq(past(vip), 1);
	cr_expect_eq(compacted(), 0);
	upkeep();
	cr_expect_eq(until("a"), until_ms);
	cr_expect_eq(past(vip), 1);
	cr_expect_eq(compacted(), 0);
	cr_expect_eq(hf_store_now_ms(f.store), f.now_ms);
}

/* Between the clocks' reading and the transaction. */
static void stop_a_minute(void *context, uint8_t ret[HF_BOOT_BYTES]) {
	struct fixture *fixture = context;
	memset(ret, 0, HF_BOOT_BYTES);
	memcpy(ret, &fixture->boot, sizeof fixture->boot);
	fixture->now_ms += MINUTE;
	fixture->monotonic_ms += MINUTE;
}

Test(follow_full, a_server_that_is_stopped_while_it_follows_keeps_everything_as_long) {
	struct hf_addr vip = acquired("a").lease.vips[0];
	cr_assert_eq(release(&f, service("a"), true, NULL), HF_OK);
	acquired("b");
	released("b");
	void (*boot)(void *, uint8_t *) = f.store->options.clock.boot;
	f.store->options.clock.boot = stop_a_minute;
	f.shift_ms = 10 * DAY;
	upkeep();
	f.store->options.clock.boot = boot;
	cr_expect_eq(until("b") - hf_store_now_ms(f.store), HOUR - MINUTE);
	pass(90 * DAY - MINUTE - 1, 0);
	cr_expect_eq(past(vip), 1);
	pass(1, 0);
	cr_expect_eq(past(vip), 0);
}

static struct hf_clock whole;
static int stops_before; /* this reading, for a minute */

static void count_reading(void) {
	f.now_ms += stops_before == 0 ? MINUTE : 0;
	f.monotonic_ms += stops_before-- == 0 ? MINUTE : 0;
}

static int64_t stopping_wall(void *context) { return count_reading(), whole.now_ms(context); }
static int64_t stopping_monotonic(void *context) { return count_reading(), whole.monotonic_ms(context); }

Test(follow_full, a_thread_that_is_stopped_between_the_clocks_reports_no_offset_and_no_step) {
	whole = f.store->options.clock;
	f.store->options.clock.now_ms = stopping_wall;
	f.store->options.clock.monotonic_ms = stopping_monotonic;
	for (int i = 0; i < 6; i++) {
		stops_before = i;
		cr_expect_eq(hf_store_clock_offset_ms(f.store), 0, "before reading %d", i);
		stops_before = i;
		cr_expect_eq(upkeep().what, HF_CLOCK_CONTINUES, "before reading %d", i);
	}
	f.store->options.clock = whole;
	cr_expect_eq(hf_store_now_ms(f.store), f.now_ms);
}

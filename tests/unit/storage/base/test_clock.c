/* The arithmetic of the store's time: what a step is, what a start makes of what is known, how far history and feed lag. */
#include <criterion/criterion.h>
#include <string.h>

#include "storage/base/clock.h"

#define NOW 1700000000000
#define HOUR 3600000
#define YEAR ((int64_t)365 * 24 * HOUR)

static const struct {
	const char *name;
	int64_t wall_ms, now_ms, by_ms;
	bool unset;
} STEPS[] = {
	{"the same", NOW, NOW, 0, false},
	{"ahead, within the tolerance", NOW + 2000, NOW, 0, false},
	{"ahead", NOW + 2001, NOW, 2001, false},
	{"behind, within the tolerance", NOW - 2000, NOW, 0, false},
	{"behind", NOW - 2001, NOW, -2001, false},
	{"years ahead", NOW + 5 * YEAR, NOW, 5 * YEAR, false},
	{"not set", 100000, NOW, 0, true},
	{"not set, as ever", 100000, 99000, 0, false},
	{"set at last, for a store that knows no better", NOW, 100000, NOW - 100000, false},
	{"set to the first moment that counts", HF_CLOCK_EARLIEST_MS, NOW, HF_CLOCK_EARLIEST_MS - NOW, false},
	{"the last moment that counts", HF_CLOCK_LATEST_MS, NOW, HF_CLOCK_LATEST_MS - NOW, false},
	{"a moment behind it", HF_CLOCK_LATEST_MS + 1, NOW, 0, true},
	{"a moment before", HF_CLOCK_EARLIEST_MS - 1, NOW, 0, true},
};

Test(clock, a_step_is_what_the_table_says) {
	for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
		int64_t by_ms = hf_clock_step(STEPS[i].wall_ms, STEPS[i].now_ms);
		cr_expect_eq(by_ms, STEPS[i].by_ms, "%s: %lld", STEPS[i].name, (long long)by_ms);
		cr_expect_eq(hf_clock_is_unset(STEPS[i].wall_ms, STEPS[i].now_ms), STEPS[i].unset, "%s", STEPS[i].name);
	}
}

/* An earlier run wrote down NOW at 1,000,000 ms of boot 7; the newest change came a minute later. */
static const struct {
	const char *name;
	uint8_t boot;
	int64_t wall_ms, monotonic_ms;
	int64_t now_ms; /* of the store, before it follows */
} STARTS[] = {
	{"an hour later, the same boot", 7, NOW + HOUR, 1000000 + HOUR, NOW + HOUR},
	{"a second off: the store's time goes on", 7, NOW + HOUR + 1000, 1000000 + HOUR, NOW + HOUR},
	{"the wall clock stepped forward meanwhile", 7, NOW + YEAR, 1000000 + HOUR, NOW + HOUR},
	{"it stepped back, behind the newest change", 7, NOW - YEAR, 1000000 + HOUR, NOW + 60000},
	{"the wall clock bears out a part alone", 7, NOW + HOUR / 2, 1000000 + HOUR, NOW + HOUR / 2},
	{"it was not set yet", 7, 100000, 1000000 + HOUR, NOW + HOUR},
	{"another boot", 8, NOW + HOUR, 5000, NOW + 60000},
	{"another boot, which counts further", 8, NOW + HOUR, 1000000 + 2 * HOUR, NOW + 60000},
	{"another boot, not set yet", 8, 100000, 5000, NOW + 60000},
	{"the same name, but it counts less: another boot", 7, NOW + HOUR, 999999, NOW + 60000},
	{"no name: nobody knows", 0, NOW + HOUR, 1000000 + HOUR, NOW + 60000},
};

Test(clock, a_start_takes_up_what_is_certain) {
	for (size_t i = 0; i < sizeof STARTS / sizeof *STARTS; i++) {
		struct hf_clock_record record = {.boot = {STARTS[i].boot ? 7 : 0}, .at_ms = NOW, .monotonic_ms = 1000000};
		struct hf_clock_reading reading = {
			.wall_ms = STARTS[i].wall_ms, .monotonic_ms = STARTS[i].monotonic_ms, .boot = {STARTS[i].boot}};
		int64_t now_ms = hf_clock_resume(&record, NOW + 60000, &reading);
		cr_expect_eq(now_ms, STARTS[i].now_ms, "%s: %lld", STARTS[i].name, (long long)(now_ms - NOW));
		cr_expect_eq(hf_clock_resume(NULL, NOW + 60000, &reading), NOW + 60000, "%s, without a record", STARTS[i].name);
	}
}

Test(clock, a_lag_grows_by_what_is_set_forward_and_ends_when_it_is_of_no_use) {
	cr_expect_eq(hf_clock_lag(0, 0, HOUR, NOW, YEAR), HOUR);
	cr_expect_eq(hf_clock_lag(HOUR, NOW - YEAR + 1, HOUR, NOW, YEAR), 2 * HOUR);
	cr_expect_eq(hf_clock_lag(HOUR, NOW - YEAR, HOUR, NOW, YEAR), HOUR, "the first was long ago");
	cr_expect_eq(hf_clock_lag(HOUR, NOW, -HOUR / 2, NOW, YEAR), HOUR / 2);
	cr_expect_eq(hf_clock_lag(HOUR, NOW, -YEAR, NOW, YEAR), 0);
	cr_expect_eq(hf_clock_lag(HOUR, NOW - YEAR, 0, NOW, YEAR), 0);
}

Test(clock, no_time_lies_outside_of_1970_to_9999) {
	cr_expect_eq(hf_time_add(HF_TIME_MAX_MS, 1), HF_TIME_MAX_MS);
	cr_expect_eq(hf_time_add(HF_TIME_MAX_MS - 5, 5), HF_TIME_MAX_MS);
	cr_expect_eq(hf_time_add(INT64_MAX, INT64_MAX), HF_TIME_MAX_MS);
	cr_expect_eq(hf_time_add(5, -6), 0);
	cr_expect_eq(hf_time_add(INT64_MIN, -1), 0);
	cr_expect_eq(hf_time_add(5, 6), 11);
}

static int64_t odd_ms;
static int64_t odd(void *context) { return (void)context, odd_ms; }

Test(clock, a_reading_is_brought_into_those_years) {
	const struct hf_clock clock = {.now_ms = odd};
	static const uint8_t unknown[HF_BOOT_BYTES];
	odd_ms = HF_TIME_MAX_MS + 1;
	cr_expect_eq(hf_clock_read(&clock).wall_ms, HF_TIME_MAX_MS);
	odd_ms = -1;
	cr_expect_eq(hf_clock_read(&clock).wall_ms, 0);
	odd_ms = NOW;
	struct hf_clock_reading reading = hf_clock_read(&clock);
	cr_expect(reading.wall_ms == NOW && reading.monotonic_ms >= 0);
	cr_expect_arr_eq(reading.boot, unknown, sizeof unknown);
}

/* A clock whose reader is stopped before some of its readings: monotonic, wall, monotonic, and then wall and monotonic again. */
#define STOPS_MAX 25
static struct {
	const int *stops_ms;
	int readings;
	int64_t passed_ms;
} stopping;

static int64_t stop(int64_t from_ms) {
	cr_assert_lt(stopping.readings, STOPS_MAX, "it reads for ever");
	stopping.passed_ms += stopping.stops_ms[stopping.readings++];
	return from_ms + stopping.passed_ms;
}

static int64_t stopping_wall(void *context) { return (void)context, stop(NOW); }
static int64_t stopping_monotonic(void *context) { return (void)context, stop(HOUR); }

static const struct {
	const char *name;
	int stops_ms[STOPS_MAX];
	int readings, off_ms; /* at most */
} STOPPED[] = {
	{"never", {0}, 3, 0},
	{"before the first reading", {5000}, 3, 0},
	{"between the first two", {0, 5000}, 5, 0},
	{"after the wall clock", {0, 0, 5000}, 5, 0},
	{"for a moment", {0, 4, 6}, 3, 5},
	{"a little longer", {0, 4, 7}, 5, 0},
	{"at the first and the second time", {0, 5000, 0, 0, 5000}, 7, 0},
	{"whenever it reads the wall clock, longer and longer",
	 {0, 100, 0, 200, 0, 300, 0, 400, 0, 500, 0, 600, 0, 700, 0, 800, 0, 900, 0, 1000, 0},
	 21,
	 50},
	{"after each reading, the shortest in between",
	 {0, 0, 900, 0, 800, 0, 700, 0, 20, 0, 500, 0, 400, 0, 300, 0, 200, 0, 200, 0, 200},
	 21,
	 10},
};

Test(clock, a_reader_that_is_stopped_between_the_clocks_sees_no_step) {
	const struct hf_clock clock = {.now_ms = stopping_wall, .monotonic_ms = stopping_monotonic};
	for (size_t i = 0; i < sizeof STOPPED / sizeof *STOPPED; i++) {
		stopping.stops_ms = STOPPED[i].stops_ms;
		stopping.readings = 0;
		stopping.passed_ms = 0;
		struct hf_clock_reading reading = hf_clock_read(&clock);
		int64_t off_ms = reading.wall_ms - reading.monotonic_ms - (NOW - HOUR);
		cr_expect(off_ms <= STOPPED[i].off_ms && off_ms >= -STOPPED[i].off_ms, "%s: %lld ms", STOPPED[i].name,
			  (long long)off_ms);
		cr_expect_eq(stopping.readings, STOPPED[i].readings, "%s: %d", STOPPED[i].name, stopping.readings);
		cr_expect_leq(reading.monotonic_ms, HOUR + stopping.passed_ms, "%s", STOPPED[i].name);
	}
}

Test(clock, the_system_names_its_boot_and_counts_forward) {
	static const uint8_t unknown[HF_BOOT_BYTES];
	struct hf_clock_reading first = hf_clock_read(&HF_SYSTEM_CLOCK), second = hf_clock_read(&HF_SYSTEM_CLOCK);
	cr_expect_arr_eq(first.boot, second.boot, HF_BOOT_BYTES);
	cr_expect_arr_neq(first.boot, unknown, HF_BOOT_BYTES);
	cr_expect_leq(first.monotonic_ms, second.monotonic_ms);
	cr_expect_gt(first.wall_ms, HF_CLOCK_EARLIEST_MS);
}

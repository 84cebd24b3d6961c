/* clock.h — time: where it comes from, and how the store copes with a wrong wall clock.
 *
 * The store reads two clocks. The wall clock shows the time of day, and may step: an administrator or NTP sets it, a virtual
 * machine is resumed, a board starts without a clock. The monotonic clock only measures elapsed time, and starts again with each
 * boot. The store's own time is taken from the wall clock at some moment, and advances with the monotonic clock from there. If the
 * wall clock is found to differ from it by more than HF_CLOCK_TOLERANCE_MS, the store's time is set to the wall clock's, and the
 * same transaction moves the ends of quarantines by the same amount (follow.h), so that the rest of each keeps its length.
 *
 * No rule reads a clock. All functions are thread-safe, and pure except those that read the system's clocks. Times are milliseconds
 * since 1970-01-01 UTC.
 */
#ifndef HF_STORAGE_BASE_CLOCK_H
#define HF_STORAGE_BASE_CLOCK_H

#include "bytes.h"

#define HF_TIME_MAX_MS 253402300799999	   /* the end of the year 9999, the last that RFC 3339 can express: the latest time */
#define HF_CLOCK_TOLERANCE_MS 2000	   /* how far the wall clock may differ before the store's time follows it */
#define HF_CLOCK_EARLIEST_MS 1577836800000 /* 2020-01-01: an earlier clock has not been set, as Holdfast is not that old */
#define HF_CLOCK_LATEST_MS 221845392000000 /* 9000-01-01: a later clock is broken, and times need room to grow */
#define HF_CLOCK_FAR_MS ((int64_t)7 * 24 * 3600 * 1000) /* a start that long after the newest change is worth a warning */
#define HF_BOOT_BYTES 16

/* Where time comes from. Any thread may call any of these functions. */
struct hf_clock {
	int64_t (*now_ms)(void *context); /* the wall clock */
	void *context;
	int64_t (*monotonic_ms)(void *context); /* since an arbitrary moment of this boot, never decreasing; NULL: the system's */
	/* Identifies the boot that the monotonic clock counts from. NULL, or zeros: unknown, so that each start counts as one
	 * after a boot. */
	void (*boot)(void *context, uint8_t ret[HF_BOOT_BYTES]);
};
extern const struct hf_clock HF_SYSTEM_CLOCK;

/* Read the wall clock, clamped to 1970 to 9999, and the monotonic clock. */
int64_t hf_clock_wall(const struct hf_clock *clock);
int64_t hf_clock_monotonic(const struct hf_clock *clock);

/* Both clocks at one moment. If the thread is delayed between the two readings (SIGSTOP, a busy machine), it reads again, a few
 * times, and keeps the pair that is closest together. */
struct hf_clock_reading {
	int64_t wall_ms, monotonic_ms;
	uint8_t boot[HF_BOOT_BYTES];
};
struct hf_clock_reading hf_clock_read(const struct hf_clock *clock);

/* The store's record of its time: storage/FORMAT.md, meta, "clock". */
struct hf_clock_record {
	uint8_t boot[HF_BOOT_BYTES];
	int64_t at_ms, monotonic_ms; /* the store's time when this was written, and the monotonic clock's */
	uint64_t revision;	     /* the store's revision at that moment */
	int64_t lag_ms, lag_from_ms; /* how far the time for history and feed lags behind the store's time (0: not at all), and
					since when */
};
#define HF_CLOCK_RECORD_BYTES 57

struct hf_slice hf_clock_encode(const struct hf_clock_record *record, uint8_t buffer[HF_CLOCK_RECORD_BYTES]);
bool hf_clock_decode(struct hf_slice value, struct hf_clock_record *ret) HF_CHECKED;

/* Returns a + b, clamped to 0 to HF_TIME_MAX_MS. */
int64_t hf_time_add(int64_t a_ms, int64_t b_ms);

/* Returns how far the store's time, `now_ms`, must move to equal the wall clock; 0 if the difference is within the tolerance, or
 * the wall clock is unset. */
int64_t hf_clock_step(int64_t wall_ms, int64_t now_ms);

/* Returns whether the wall clock is unset or broken: it shows an implausible time, while the store's time is plausible. */
bool hf_clock_is_unset(int64_t wall_ms, int64_t now_ms);

/* Returns the store's time at a start, before it follows the wall clock. `record` (may be NULL) was written by an earlier run, and
 * `known_ms` is the latest time in the store. Within one boot the monotonic clock shows how much time has passed since; it is
 * trusted as far as the wall clock confirms it, because the clocks of two containers may be unrelated. After a boot the elapsed
 * time is unknown, and counts as 0. */
int64_t hf_clock_resume(const struct hf_clock_record *record, int64_t known_ms, const struct hf_clock_reading *reading);

/* Returns whether the record was written in the same boot as the reading. */
bool hf_clock_same_boot(const struct hf_clock_record *record, const struct hf_clock_reading *reading);

/* Returns how far the time for history and feed lags the store's time after a step by `by_ms`. `now_ms` is the store's time before
 * the step. A lag older than `age_ms`, the longest time that anything is kept, no longer matters. */
int64_t hf_clock_lag(int64_t lag_ms, int64_t lag_from_ms, int64_t by_ms, int64_t now_ms, int64_t age_ms);

#endif

/* clock.h — time: where it comes from, and what the store makes of a wall clock that is wrong.
 *
 * Two clocks are read. The wall clock says what time it is, and may step: an administrator or NTP sets it, a virtual machine is
 * resumed, a board starts without one. The monotonic clock counts what really passes, and says nothing else; it begins again with
 * each boot. The store's own time is the wall clock's at some moment, and goes on with the monotonic clock from there. When the
 * wall clock is found more than HF_CLOCK_TOLERANCE_MS away from it, the store's time is set to the wall clock's, and in the same
 * transaction the ends of quarantines move along (follow.h), so that what is left of each stays what it was.
 *
 * No rule reads a clock. All functions are pure but for the system's clocks, and thread-safe. Times are milliseconds since
 * 1970-01-01 UTC.
 */
#ifndef HF_STORAGE_BASE_CLOCK_H
#define HF_STORAGE_BASE_CLOCK_H

#include "bytes.h"

#define HF_TIME_MAX_MS 253402300799999	   /* the end of the year 9999, the last that RFC 3339 can write: no time is later */
#define HF_CLOCK_TOLERANCE_MS 2000	   /* the wall clock may be so far from the store's time before that follows it */
#define HF_CLOCK_EARLIEST_MS 1577836800000 /* 2020-01-01: a clock before it was not set yet, as no Holdfast is older */
#define HF_CLOCK_LATEST_MS 221845392000000 /* 9000-01-01: a clock behind it is broken, and a time must have room to grow */
#define HF_CLOCK_FAR_MS ((int64_t)7 * 24 * 3600 * 1000) /* a start that much later than the newest change is worth a warning */
#define HF_BOOT_BYTES 16

/* Where time comes from. Any of them may be called from any thread. */
struct hf_clock {
	int64_t (*now_ms)(void *context); /* the wall clock */
	void *context;
	int64_t (*monotonic_ms)(void *context); /* since some moment of this boot, never going back; NULL: the system's */
	/* Which boot the monotonic clock counts in. NULL, or zeros: not known, which is as if each start were after a boot. */
	void (*boot)(void *context, uint8_t ret[HF_BOOT_BYTES]);
};
extern const struct hf_clock HF_SYSTEM_CLOCK;

/* The wall clock, brought into 1970 to 9999, and the monotonic clock. */
int64_t hf_clock_wall(const struct hf_clock *clock);
int64_t hf_clock_monotonic(const struct hf_clock *clock);

/* Both clocks at one moment: a thread that is stopped between the two readings (SIGSTOP, a busy machine) reads again, a few times,
 * and keeps the two that lie closest together. */
struct hf_clock_reading {
	int64_t wall_ms, monotonic_ms;
	uint8_t boot[HF_BOOT_BYTES];
};
struct hf_clock_reading hf_clock_read(const struct hf_clock *clock);

/* What the store writes down of its time: storage/FORMAT.md, meta, "clock". */
struct hf_clock_record {
	uint8_t boot[HF_BOOT_BYTES];
	int64_t at_ms, monotonic_ms; /* the store's time when this was written, and the monotonic clock's */
	uint64_t revision;	     /* the store's then */
	int64_t lag_ms, lag_from_ms; /* history and feed are judged by a time that lags so far behind; since when. 0: it does not */
};
#define HF_CLOCK_RECORD_BYTES 57

struct hf_slice hf_clock_encode(const struct hf_clock_record *record, uint8_t buffer[HF_CLOCK_RECORD_BYTES]);
bool hf_clock_decode(struct hf_slice value, struct hf_clock_record *ret) HF_CHECKED;

/* a + b, at most HF_TIME_MAX_MS and at least 0. */
int64_t hf_time_add(int64_t a_ms, int64_t b_ms);

/* How far the store's time, `now_ms`, has to be moved to be the wall clock's; 0 if that is within the tolerance, or was not set. */
int64_t hf_clock_step(int64_t wall_ms, int64_t now_ms);

/* Whether the wall clock is not set, or broken: it says what cannot be, and the store knows better. */
bool hf_clock_is_unset(int64_t wall_ms, int64_t now_ms);

/* The store's time at a start, before it follows the wall clock: `record` (NULL: none) is what an earlier run wrote down, and
 * `known_ms` the newest time that the store knows of. Within one boot the monotonic clock says how much has passed since; it is
 * believed as far as the wall clock bears it out, as clocks of two containers may have nothing to do with each other. After a boot
 * nobody knows, and nothing has passed. */
int64_t hf_clock_resume(const struct hf_clock_record *record, int64_t known_ms, const struct hf_clock_reading *reading);

/* Whether the record was written in the boot that the reading is of. */
bool hf_clock_same_boot(const struct hf_clock_record *record, const struct hf_clock_reading *reading);

/* How far the time by which history and feed are judged lags behind the store's after a step by `by_ms`, `now_ms` being the store's
 * time before it. What is kept for `age_ms` at the longest has no use of a lag that is older. */
int64_t hf_clock_lag(int64_t lag_ms, int64_t lag_from_ms, int64_t by_ms, int64_t now_ms, int64_t age_ms);

#endif

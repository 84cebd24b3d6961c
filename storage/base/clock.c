/* clock.c — reading clocks, the record of the store's time, and its arithmetic. */
#include "clock.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RECORD_VERSION 1
#define APART_MS 10 /* readings of two clocks this close together count as simultaneous */
#define READINGS_MAX 10

static int64_t read_ms(clockid_t id) {
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_now_ms(void *context) {
	(void)context;
	return read_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(void *context) {
	(void)context;
	return read_ms(CLOCK_MONOTONIC);
}

/* Reads a UUID, with or without dashes; false if the text is not one. */
static bool parse_boot(const char *text, uint8_t ret[HF_BOOT_BYTES]) {
	uint8_t boot[HF_BOOT_BYTES] = {0};
	int digits = 0;
	for (; isxdigit((unsigned char)*text) || *text == '-'; text++) {
		if (*text == '-')
			continue;
		if (digits == 2 * HF_BOOT_BYTES)
			return false;
		int nibble = isdigit((unsigned char)*text) ? *text - '0' : tolower((unsigned char)*text) - 'a' + 10;
		boot[digits / 2] = (uint8_t)(boot[digits / 2] << 4 | nibble);
		digits++;
	}
	if (digits == 2 * HF_BOOT_BYTES)
		memcpy(ret, boot, HF_BOOT_BYTES);
	return digits == 2 * HF_BOOT_BYTES;
}

/* Reads the kernel's random identifier of this boot. The unit passes it as BOOT_ID to a service that cannot read the file. */
static void system_boot(void *context, uint8_t ret[HF_BOOT_BYTES]) {
	char text[64] = "";
	(void)context;
	memset(ret, 0, HF_BOOT_BYTES);
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t len = read(fd, text, sizeof text - 1);
		text[len > 0 ? len : 0] = '\0';
		close(fd);
	}
	const char *given = getenv("BOOT_ID");
	if (!parse_boot(text, ret) && given)
		parse_boot(given, ret);
}

const struct hf_clock HF_SYSTEM_CLOCK = {system_now_ms, NULL, system_monotonic_ms, system_boot};

static int64_t within(int64_t ms) { return ms < 0 ? 0 : ms > HF_TIME_MAX_MS ? HF_TIME_MAX_MS : ms; }

int64_t hf_time_add(int64_t a_ms, int64_t b_ms) {
	int64_t sum_ms;
	if (__builtin_add_overflow(a_ms, b_ms, &sum_ms))
		return b_ms < 0 ? 0 : HF_TIME_MAX_MS;
	return within(sum_ms);
}

int64_t hf_clock_wall(const struct hf_clock *clock) { return within(clock->now_ms(clock->context)); }

int64_t hf_clock_monotonic(const struct hf_clock *clock) {
	return clock->monotonic_ms ? clock->monotonic_ms(clock->context) : system_monotonic_ms(NULL);
}

struct hf_clock_reading hf_clock_read(const struct hf_clock *clock) {
	struct hf_clock_reading reading = {.wall_ms = 0};
	int64_t before_ms = hf_clock_monotonic(clock), apart_ms = INT64_MAX;
	for (int i = 0; i < READINGS_MAX && apart_ms > APART_MS; i++) {
		int64_t wall_ms = hf_clock_wall(clock), after_ms = hf_clock_monotonic(clock);
		if (after_ms - before_ms < apart_ms) {
			apart_ms = after_ms - before_ms;
			reading.wall_ms = wall_ms;
			reading.monotonic_ms = before_ms + apart_ms / 2;
		}
		before_ms = after_ms;
	}
	if (clock->boot)
		clock->boot(clock->context, reading.boot);
	return reading;
}

struct hf_slice hf_clock_encode(const struct hf_clock_record *record, uint8_t buffer[HF_CLOCK_RECORD_BYTES]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, RECORD_VERSION, 1);
	hf_put_bytes(&w, record->boot, HF_BOOT_BYTES);
	hf_put_uint(&w, (uint64_t)record->at_ms, 8);
	hf_put_uint(&w, (uint64_t)record->monotonic_ms, 8);
	hf_put_uint(&w, record->revision, 8);
	hf_put_uint(&w, (uint64_t)record->lag_ms, 8);
	hf_put_uint(&w, (uint64_t)record->lag_from_ms, 8);
	return hf_writer_end(&w);
}

bool hf_clock_decode(struct hf_slice value, struct hf_clock_record *ret) {
	struct hf_parser p = hf_parser_begin(value);
	if (hf_take_uint(&p, 1) != RECORD_VERSION)
		return false;
	hf_take_copy(&p, ret->boot, HF_BOOT_BYTES);
	ret->at_ms = (int64_t)hf_take_uint(&p, 8);
	ret->monotonic_ms = (int64_t)hf_take_uint(&p, 8);
	ret->revision = hf_take_uint(&p, 8);
	ret->lag_ms = (int64_t)hf_take_uint(&p, 8);
	ret->lag_from_ms = (int64_t)hf_take_uint(&p, 8);
	return hf_parser_end(&p) && ret->at_ms >= 0 && ret->at_ms <= HF_TIME_MAX_MS && ret->monotonic_ms >= 0 && ret->lag_ms >= 0 &&
	       ret->lag_ms <= HF_TIME_MAX_MS && ret->lag_from_ms >= 0 && ret->lag_from_ms <= HF_TIME_MAX_MS;
}

static bool is_plausible(int64_t ms) { return ms >= HF_CLOCK_EARLIEST_MS && ms <= HF_CLOCK_LATEST_MS; }

bool hf_clock_is_unset(int64_t wall_ms, int64_t now_ms) { return !is_plausible(wall_ms) && is_plausible(now_ms); }

int64_t hf_clock_step(int64_t wall_ms, int64_t now_ms) {
	int64_t by_ms = wall_ms - now_ms;
	bool within_tolerance = by_ms <= HF_CLOCK_TOLERANCE_MS && by_ms >= -HF_CLOCK_TOLERANCE_MS;
	return within_tolerance || hf_clock_is_unset(wall_ms, now_ms) ? 0 : by_ms;
}

bool hf_clock_same_boot(const struct hf_clock_record *record, const struct hf_clock_reading *reading) {
	static const uint8_t unknown[HF_BOOT_BYTES];
	return memcmp(record->boot, reading->boot, HF_BOOT_BYTES) == 0 && memcmp(record->boot, unknown, HF_BOOT_BYTES) != 0 &&
	       record->monotonic_ms <= reading->monotonic_ms;
}

int64_t hf_clock_resume(const struct hf_clock_record *record, int64_t known_ms, const struct hf_clock_reading *reading) {
	if (!record || !hf_clock_same_boot(record, reading))
		return known_ms;
	int64_t now_ms = hf_time_add(record->at_ms, reading->monotonic_ms - record->monotonic_ms);
	if (hf_clock_step(reading->wall_ms, now_ms) >= 0) /* the same, later, or not set */
		return now_ms;
	return reading->wall_ms > known_ms ? reading->wall_ms : known_ms;
}

int64_t hf_clock_lag(int64_t lag_ms, int64_t lag_from_ms, int64_t by_ms, int64_t now_ms, int64_t age_ms) {
	if (now_ms - lag_from_ms >= age_ms)
		lag_ms = 0;
	lag_ms = hf_time_add(lag_ms, by_ms);
	return lag_ms;
}

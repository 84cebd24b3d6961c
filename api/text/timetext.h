/* timetext.h — times and durations as text. Times are milliseconds since 1970-01-01 UTC. Pure and thread-safe. */
#ifndef HF_API_TEXT_TIMETEXT_H
#define HF_API_TEXT_TIMETEXT_H

#include <stdbool.h>
#include <stdint.h>

#define HF_TIME_TEXT 40

/* RFC 3339 in UTC with milliseconds: 2026-01-31T12:00:00.000Z. What lies outside the years 1970 to 9999 is the nearest
 * time within them. */
void hf_time_format(int64_t ms, char ret_text[HF_TIME_TEXT]);

/* Reads any RFC 3339 date-time of the years 1970 to 9999: fraction optional, Z or an offset. False if it is none. */
bool hf_time_parse(const char *text, int64_t *ret_ms);

/* Reads a whole number with a unit: 500ms, 30s, 1m. False if it is none or beyond an hour. */
bool hf_duration_parse(const char *text, int64_t *ret_ms);

#endif

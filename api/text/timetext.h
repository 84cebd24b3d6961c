/* timetext.h — times and durations as text. Times are milliseconds since 1970-01-01 UTC. Pure and thread-safe. */
#ifndef HF_API_TEXT_TIMETEXT_H
#define HF_API_TEXT_TIMETEXT_H

#include <stdbool.h>
#include <stdint.h>

#define HF_TIME_TEXT 40

/* Writes RFC 3339 in UTC with milliseconds: 2026-01-31T12:00:00.000Z. A time outside the years 1970 to 9999 becomes the nearest
 * one within them. */
void hf_time_format(int64_t ms, char ret_text[HF_TIME_TEXT]);

/* Reads any RFC 3339 date-time of the years 1970 to 9999: fraction optional, Z or an offset. Returns false if the text is not one.
 */
bool hf_time_parse(const char *text, int64_t *ret_ms);

/* Writes a duration of at least 0 so that hf_duration_parse() reads it: whole seconds as 30s, others as 5500ms. */
#define HF_DURATION_TEXT 24
void hf_duration_format(int64_t ms, char ret_text[HF_DURATION_TEXT]);

/* Reads a whole number with a unit: 500ms, 30s, 1m, 2h, 7d. Returns false if the text is not one or exceeds 366 days. */
bool hf_duration_parse(const char *text, int64_t *ret_ms);

#endif

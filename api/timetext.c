/* timetext.c — times and durations as text. */
#include "timetext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DURATION_MAX_MS ((int64_t)3600 * 1000)

void hf_time_format(int64_t ms, char ret_text[HF_TIME_TEXT]) {
	struct tm tm;
	time_t seconds = (time_t)(ms / 1000);
	gmtime_r(&seconds, &tm);
	size_t n = strftime(ret_text, HF_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret_text + n, HF_TIME_TEXT - n, ".%03dZ", (int)(ms % 1000));
}

/* Reads exactly `n` digits that make a number from `min` to `max`, then the character `then` (0: nothing in particular). */
static bool digits(const char **at, int n, int min, int max, char then, int *ret) {
	int value = 0;
	for (; n > 0; n--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	if (value < min || value > max || (then && *(*at)++ != then))
		return false;
	*ret = value;
	return true;
}

static bool read_offset(const char **at, int *ret_minutes) {
	int sign = **at == '-' ? -1 : 1, hours, minutes;
	if (**at == 'Z' || **at == 'z') {
		(*at)++;
		*ret_minutes = 0;
		return true;
	}
	if (**at != '+' && **at != '-')
		return false;
	(*at)++;
	if (!digits(at, 2, 0, 23, ':', &hours) || !digits(at, 2, 0, 59, 0, &minutes))
		return false;
	*ret_minutes = sign * (hours * 60 + minutes);
	return true;
}

static int days_in_month(int year, int month) {
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

bool hf_time_parse(const char *text, int64_t *ret_ms) {
	struct tm tm = {0};
	const char *at = text;
	int fraction_ms = 0, offset_minutes;
	if (!digits(&at, 4, 1970, 9999, '-', &tm.tm_year) || !digits(&at, 2, 1, 12, '-', &tm.tm_mon) ||
	    !digits(&at, 2, 1, 31, 0, &tm.tm_mday) || !strchr("Tt", *at) || !*at++ || !digits(&at, 2, 0, 23, ':', &tm.tm_hour) ||
	    !digits(&at, 2, 0, 59, ':', &tm.tm_min) || !digits(&at, 2, 0, 60, 0, &tm.tm_sec))
		return false;
	if (*at == '.') {
		if (*++at < '0' || *at > '9')
			return false;
		for (int unit = 100; *at >= '0' && *at <= '9'; at++, unit /= 10)
			fraction_ms += (*at - '0') * unit;
	}
	if (!read_offset(&at, &offset_minutes) || *at != '\0')
		return false;
	if (tm.tm_mday > days_in_month(tm.tm_year, tm.tm_mon))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	time_t seconds = timegm(&tm);
	*ret_ms = ((int64_t)seconds - offset_minutes * 60) * 1000 + fraction_ms;
	return *ret_ms >= 0;
}

bool hf_duration_parse(const char *text, int64_t *ret_ms) {
	char *unit;
	if (*text < '0' || *text > '9' || strlen(text) > 10)
		return false;
	int64_t value = strtoll(text, &unit, 10);
	if (strcmp(unit, "s") == 0)
		value *= 1000;
	else if (strcmp(unit, "m") == 0)
		value *= 60000;
	else if (strcmp(unit, "ms") != 0)
		return false;
	*ret_ms = value;
	return value <= DURATION_MAX_MS;
}

/* media.c — media types. */
#include "media.h"

#include <string.h>

static size_t length(const char *text) { return strcspn(text, "; \t"); }

bool hf_media_type_is(const char *text, const char *type) {
	return length(text) == strlen(type) && strncasecmp(text, type, strlen(type)) == 0;
}

bool hf_media_type_is_json(const char *text) {
	size_t len = length(text);
	return hf_media_type_is(text, "application/json") ||
	       (len > 17 && strncasecmp(text, "application/", 12) == 0 && strncasecmp(text + len - 5, "+json", 5) == 0);
}

static const char *skip_blanks(const char *at) { return at + strspn(at, " \t"); }

static const char *trim(const char *from, const char *end) {
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return end;
}

/* Returns the end of a part, at the first of `stops` outside quotes (RFC 9110, 5.6.4). */
static const char *part_end(const char *at, const char *stops) {
	for (bool quoted = false; *at && (quoted || !strchr(stops, *at)); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (quoted && *at == '\\' && at[1])
			at++;
	}
	return at;
}

/* Returns a qvalue in thousandths (0 to 1 with at most three decimals; RFC 9110, 12.4.2), or -1 if it is malformed. */
static int qvalue(const char *at, const char *end) {
	size_t len = (size_t)(end - at);
	if (len == 0 || len > 5 || (*at != '0' && *at != '1') || (len > 1 && at[1] != '.'))
		return -1;
	int value = (*at - '0') * 1000, unit = 100;
	for (at += 2; at < end; at++, unit /= 10) {
		if (*at < '0' || *at > '9')
			return -1;
		value += (*at - '0') * unit;
	}
	return value <= 1000 ? value : -1;
}

/* Returns how closely a media range matches a type: 3 exactly, 2 by its first half, 1 as any type, 0 not at all. */
static int closeness(const char *range, size_t len, const char *type) {
	size_t half = strcspn(type, "/") + 1;
	if (len == strlen(type) && strncasecmp(range, type, len) == 0)
		return 3;
	if (len == half + 1 && range[half] == '*' && strncasecmp(range, type, half) == 0)
		return 2;
	return len == 3 && memcmp(range, "*/*", 3) == 0;
}

int hf_media_quality(const char *accept, const char *type, bool *ret_named) {
	int best = 0, ret = 0;
	for (const char *at = accept, *next; *at; at = *next ? next + 1 : next) {
		next = part_end(at, ",");
		at = skip_blanks(at);
		const char *end = part_end(at, ";,");
		int close = closeness(at, (size_t)(trim(at, end) - at), type), quality = 1000;
		while (*end == ';') {
			const char *from = skip_blanks(end + 1);
			end = part_end(from, ";,");
			if (strncasecmp(from, "q=", 2) == 0)
				quality = qvalue(from + 2, trim(from, end));
		}
		if (quality < 0 || close < best || close == 0)
			continue;
		ret = close > best || quality > ret ? quality : ret;
		best = close;
	}
	*ret_named = best == 3;
	return ret;
}

/* json.c — writing JSON. */
#include "json.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "timetext.h"

size_t hf_utf8_length(const char *text, size_t len) {
	const unsigned char *s = (const unsigned char *)text;
	if (len == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
	bool surrogate = s[0] == 0xed && s[1] > 0x9f, too_high = s[0] == 0xf4 && s[1] > 0x8f;
	return overlong || surrogate || too_high ? 0 : n;
}

/* Returns whether a character of `n` bytes can control or mislead a terminal: C1 controls, changes of the writing direction, line
 * separators. */
static bool is_tricky(const char *text, size_t n) {
	const unsigned char *s = (const unsigned char *)text;
	if (n == 2)
		return (s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xd8 && s[1] == 0x9c);
	if (n != 3 || s[0] != 0xe2)
		return false;
	return (s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae))) ||
	       (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

const char *hf_text_quote(const char *text, char *ret, size_t size) {
	size_t at = 0, left = strlen(text), n;
	ret[at++] = '"';
	for (; left > 0 && at < size - 6; text += n, left -= n) {
		unsigned char c = (unsigned char)*text;
		n = hf_utf8_length(text, left);
		if (c == '"' || c == '\\') {
			at += (size_t)sprintf(ret + at, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f || n == 0 || is_tricky(text, n)) {
			at += (size_t)sprintf(ret + at, "\\x%02x", c);
			n = 1;
		} else {
			memcpy(ret + at, text, n);
			at += n;
		}
	}
	ret[at++] = '"';
	ret[at] = '\0';
	return ret;
}

const char *hf_text_next(const char *at, const char *end, char c) {
	while (at < end && memchr(" \t\r\n", *at, 4))
		at++;
	return at < end && *at == c ? at + 1 : NULL;
}

static void escape(struct hf_buf *out, unsigned char c) {
	static const char short_form[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};
	if (c < sizeof short_form && short_form[c])
		hf_buf_printf(out, "\\%c", short_form[c]);
	else
		hf_buf_printf(out, "\\u%04x", c);
}

size_t hf_json_plain_length(const char *text, size_t len) {
	const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
	size_t n = 0;
	for (uint64_t bytes; n + sizeof bytes <= len; n += sizeof bytes) {
		memcpy(&bytes, text + n, sizeof bytes);
		bytes = le64toh(bytes);
		/* The lowest byte with its high bit set here is the first one that is a quote, a backslash, a control or not ASCII;
		 * the borrow of a subtraction affects only the bytes after it. */
		uint64_t quote = bytes ^ ones * '"', backslash = bytes ^ ones * '\\';
		uint64_t found = ((quote - ones) | (backslash - ones) | (bytes - ones * 0x20) | bytes) & high;
		if (found)
			return n + (size_t)__builtin_ctzll(found) / 8;
	}
	for (; n < len; n++) {
		unsigned char c = (unsigned char)text[n];
		if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
			break;
	}
	return n;
}

void hf_json_quote(struct hf_buf *out, const char *text, size_t len) {
	size_t done = 0, at = 0;
	hf_buf_add(out, "\"", 1);
	while (at < len) {
		unsigned char c = (unsigned char)text[at];
		size_t n = hf_json_plain_length(text + at, len - at);
		if (n == 0 && c >= 0x80)
			n = hf_utf8_length(text + at, len - at);
		if (n > 0) {
			at += n;
			continue;
		}
		hf_buf_add(out, text + done, at - done);
		if (c >= 0x80)
			hf_buf_text(out, "\xef\xbf\xbd");
		else
			escape(out, c);
		done = ++at;
	}
	hf_buf_add(out, text + done, len - done);
	hf_buf_add(out, "\"", 1);
}

/* Begins every value except a member's. */
static void separate(struct hf_json *json) {
	if (json->comma)
		hf_buf_add(json->out, ",", 1);
	json->comma = true;
}

void hf_json_open(struct hf_json *json, char bracket) {
	separate(json);
	hf_buf_add(json->out, &bracket, 1);
	json->comma = false;
}

void hf_json_close(struct hf_json *json, char bracket) {
	hf_buf_add(json->out, &bracket, 1);
	json->comma = true;
}

/* Writes a member's name and the opening of its value: a quote, or nothing. */
static void add_key(struct hf_json *json, const char *name, const char *opening) {
	size_t len = strlen(name);
	char *to = hf_buf_reserve(json->out, len + 5), *at = to;
	if (!to)
		return;
	if (json->comma)
		*at++ = ',';
	*at++ = '"';
	at = mempcpy(at, name, len);
	*at++ = '"';
	*at++ = ':';
	if (*opening)
		*at++ = *opening;
	json->out->len += (size_t)(at - to);
}

void hf_json_key(struct hf_json *json, const char *name) {
	add_key(json, name, "");
	json->comma = false;
}

/* Writes a member whose text needs no escapes. */
static void add_plain(struct hf_json *json, const char *name, const char *text, size_t len) {
	add_key(json, name, "\"");
	hf_buf_add(json->out, text, len);
	hf_buf_add(json->out, "\"", 1);
	json->comma = true;
}

void hf_json_string(struct hf_json *json, const char *text) {
	separate(json);
	hf_json_quote(json->out, text, strlen(text));
}

void hf_json_uint(struct hf_json *json, uint64_t value) {
	char text[HF_COUNT_TEXT];
	separate(json);
	hf_buf_text(json->out, hf_count_format(value, text));
}

void hf_json_bool(struct hf_json *json, bool value) {
	separate(json);
	hf_buf_text(json->out, value ? "true" : "false");
}

void hf_json_null(struct hf_json *json) {
	separate(json);
	hf_buf_text(json->out, "null");
}

void hf_json_member(struct hf_json *json, const char *name, const char *text) {
	hf_json_key(json, name);
	hf_json_string(json, text);
}

void hf_json_member_or_null(struct hf_json *json, const char *name, const char *text) {
	hf_json_key(json, name);
	if (text[0])
		hf_json_string(json, text);
	else
		hf_json_null(json);
}

void hf_json_member_bool(struct hf_json *json, const char *name, bool value) {
	hf_json_key(json, name);
	hf_json_bool(json, value);
}

void hf_json_member_open(struct hf_json *json, const char *name, char bracket) {
	hf_json_key(json, name);
	hf_json_open(json, bracket);
}

void hf_json_member_uint(struct hf_json *json, const char *name, uint64_t value) {
	hf_json_key(json, name);
	hf_json_uint(json, value);
}

void hf_json_member_time(struct hf_json *json, const char *name, int64_t ms) {
	char text[HF_TIME_TEXT];
	hf_time_format(ms, text);
	add_plain(json, name, text, strlen(text));
}

void hf_json_member_duration(struct hf_json *json, const char *name, int64_t ms) {
	char text[HF_DURATION_TEXT];
	hf_duration_format(ms, text);
	hf_json_member_or_null(json, name, ms ? text : "");
}

void hf_json_count(struct hf_json *json, const char *name, hf_u128 n) {
	char text[HF_COUNT_TEXT];
	hf_json_member(json, name, hf_count_format(n, text));
}

void hf_json_member_digest(struct hf_json *json, const char *name, const struct hf_digest *digest) {
	char text[HF_DIGEST_TEXT];
	hf_digest_format(digest, text);
	add_plain(json, name, text, HF_DIGEST_TEXT - 1);
}

void hf_json_vips(struct hf_json *json, const struct hf_addr *vips, int n) {
	char text[HF_ADDR_TEXT];
	hf_json_open(json, '[');
	for (int i = 0; i < n; i++) {
		hf_addr_format(vips[i], text);
		hf_json_open(json, '{');
		hf_json_member(json, "ip", text);
		hf_json_close(json, '}');
	}
	hf_json_close(json, ']');
}

void hf_json_identity(struct hf_json *json, const struct hf_identity *id) {
	hf_json_member(json, "kind", hf_kind_name(id->kind));
	hf_json_member(json, "mesh", id->mesh);
	hf_json_member(json, "zone", id->zone);
	hf_json_member(json, "service", id->service);
}

/* address.c — IP addresses and ranges as numbers. */
#include "address.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#define MAPPED ((hf_u128)0xffff << 32)

static const struct hf_range MAPPED_RANGE = {{MAPPED}, {MAPPED | 0xffffffff}};

enum hf_family hf_addr_family(struct hf_addr a) { return a.n >> 32 == 0xffff ? HF_IPV4 : HF_IPV6; }

void hf_addr_put(struct hf_addr a, uint8_t bytes[HF_ADDR_BYTES]) {
	uint64_t halves[] = {htobe64((uint64_t)(a.n >> 64)), htobe64((uint64_t)a.n)};
	memcpy(bytes, halves, HF_ADDR_BYTES);
}

struct hf_addr hf_addr_read(const uint8_t bytes[HF_ADDR_BYTES]) {
	uint64_t halves[2];
	memcpy(halves, bytes, HF_ADDR_BYTES);
	return (struct hf_addr){(hf_u128)be64toh(halves[0]) << 64 | be64toh(halves[1])};
}

enum hf_err hf_addr_parse(const char *text, struct hf_why *why, struct hf_addr *ret) {
	uint8_t v4[4], v6[HF_ADDR_BYTES];
	if (inet_pton(AF_INET, text, v4) == 1) {
		ret->n = MAPPED | (hf_u128)v4[0] << 24 | (hf_u128)v4[1] << 16 | (hf_u128)v4[2] << 8 | v4[3];
		return HF_OK;
	}
	if (inet_pton(AF_INET6, text, v6) != 1)
		return hf_fail(why, HF_E_INVALID_ADDRESS, "\"%.60s\" is not an IP address", text);
	struct hf_addr a = hf_addr_read(v6);
	if (hf_addr_family(a) == HF_IPV4)
		return hf_fail(why, HF_E_INVALID_ADDRESS, "\"%.60s\" is an IPv4-mapped address; write it as IPv4", text);
	*ret = a;
	return HF_OK;
}

enum hf_err hf_addr_parse_loosely(const char *text, struct hf_addr *ret) {
	char head[HF_ADDR_TEXT];
	uint8_t v6[HF_ADDR_BYTES];
	text += strspn(text, HF_ADDR_BLANKS);
	size_t len = strlen(text);
	while (len > 0 && strchr(HF_ADDR_BLANKS, text[len - 1]))
		len--;
	const char *slash = memchr(text, '/', len), *single = memchr(text, ':', len) ? "/128" : "/32";
	if (slash && (size_t)(text + len - slash) == strlen(single) && memcmp(slash, single, strlen(single)) == 0)
		len = (size_t)(slash - text);
	if (len >= sizeof head)
		return HF_E_INVALID_ADDRESS;
	memcpy(head, text, len);
	head[len] = '\0';
	if (inet_pton(AF_INET6, head, v6) != 1)
		return hf_addr_parse(head, NULL, ret);
	*ret = hf_addr_read(v6);
	return HF_OK;
}

static void format_ipv4(uint32_t a, char *to) {
	for (int shift = 24; shift >= 0; shift -= 8) {
		unsigned part = a >> shift & 0xff;
		if (part >= 100)
			*to++ = (char)('0' + part / 100);
		if (part >= 10)
			*to++ = (char)('0' + part / 10 % 10);
		*to++ = (char)('0' + part % 10);
		*to++ = shift ? '.' : '\0';
	}
}

void hf_addr_format(struct hf_addr a, char ret_text[HF_ADDR_TEXT]) {
	uint8_t bytes[HF_ADDR_BYTES];
	if (hf_addr_family(a) == HF_IPV4) {
		format_ipv4((uint32_t)a.n, ret_text);
		return;
	}
	hf_addr_put(a, bytes);
	if (a.n >> 16 != 0 && a.n >> 32 == 0) /* inet_ntop() would write this as an embedded IPv4 address */
		snprintf(ret_text, HF_ADDR_TEXT, "::%x:%x", (unsigned)(a.n >> 16), (unsigned)(a.n & 0xffff));
	else
		inet_ntop(AF_INET6, bytes, ret_text, HF_ADDR_TEXT);
}

/* Returns the mask of the host bits: the number of addresses in a prefix of `length` bits, less one. */
static hf_u128 host_mask(enum hf_family family, unsigned length) {
	unsigned host = (family == HF_IPV4 ? 32 : 128) - length;
	return host == 128 ? ~(hf_u128)0 : ((hf_u128)1 << host) - 1;
}

static bool parse_length(const char *text, unsigned max, unsigned *ret) {
	size_t n = strspn(text, "0123456789");
	if (n == 0 || n > 3 || text[n] != '\0' || (n > 1 && text[0] == '0'))
		return false;
	unsigned length = 0;
	for (; *text; text++)
		length = length * 10 + (unsigned)(*text - '0');
	*ret = length;
	return length <= max;
}

enum hf_err hf_cidr_parse(const char *text, struct hf_why *why, struct hf_range *ret) {
	const char *slash = strchr(text, '/');
	char head[HF_ADDR_TEXT];
	if (!slash || (size_t)(slash - text) >= sizeof head)
		return hf_fail(why, HF_E_INVALID_ADDRESS, "\"%.60s\" is not a CIDR such as 241.0.0.0/8", text);
	memcpy(head, text, (size_t)(slash - text));
	head[slash - text] = '\0';
	struct hf_addr first;
	enum hf_err err = hf_addr_parse(head, why, &first);
	if (err)
		return err;
	enum hf_family family = hf_addr_family(first);
	unsigned length;
	if (!parse_length(slash + 1, family == HF_IPV4 ? 32 : 128, &length))
		return hf_fail(why, HF_E_INVALID_ADDRESS, "\"%.60s\": the prefix length is not a number from 0 to %d", text,
			       family == HF_IPV4 ? 32 : 128);
	hf_u128 mask = host_mask(family, length);
	if (first.n & mask)
		return hf_fail(why, HF_E_INVALID_ADDRESS, "\"%.60s\" has host bits set", text);
	struct hf_range r = {first, {first.n | mask}};
	if (family == HF_IPV6 && hf_range_overlaps(r, MAPPED_RANGE))
		return hf_fail(why, HF_E_INVALID_ADDRESS, "\"%.60s\" overlaps ::ffff:0:0/96, the IPv4-mapped addresses", text);
	*ret = r;
	return HF_OK;
}

enum hf_err hf_range_parse(const char *text, struct hf_why *why, struct hf_range *ret) {
	if (strchr(text, '/'))
		return hf_cidr_parse(text, why, ret);
	const char *dash = strchr(text, '-');
	char head[HF_ADDR_TEXT];
	size_t len = dash ? (size_t)(dash - text) : strlen(text);
	if (len >= sizeof head)
		return hf_fail(why, HF_E_INVALID_ADDRESS, "\"%.60s\" is not a range", text);
	memcpy(head, text, len);
	head[len] = '\0';
	struct hf_range r;
	enum hf_err err = hf_addr_parse(head, why, &r.first);
	r.last = r.first;
	if (!err && dash)
		err = hf_addr_parse(dash + 1, why, &r.last);
	if (err)
		return err;
	if (hf_addr_family(r.first) != hf_addr_family(r.last) || r.last.n < r.first.n)
		return hf_fail(why, HF_E_INVALID_ADDRESS, "\"%.80s\" does not run from a first to a last address of one family",
			       text);
	if (hf_addr_family(r.first) == HF_IPV6 && hf_range_overlaps(r, MAPPED_RANGE))
		return hf_fail(why, HF_E_INVALID_ADDRESS, "\"%.80s\" overlaps ::ffff:0:0/96, the IPv4-mapped addresses", text);
	*ret = r;
	return HF_OK;
}

/* Returns the prefix length of a range that is a CIDR. */
static int prefix_length(struct hf_range r) {
	int length = hf_addr_family(r.first) == HF_IPV4 ? 32 : 128;
	for (hf_u128 mask = r.first.n ^ r.last.n; mask; mask >>= 1)
		length--;
	return length;
}

void hf_range_format(struct hf_range r, char ret_text[HF_RANGE_TEXT]) {
	char first[HF_ADDR_TEXT], last[HF_ADDR_TEXT];
	hf_addr_format(r.first, first);
	hf_addr_format(r.last, last);
	if (hf_range_is_cidr(r))
		snprintf(ret_text, HF_RANGE_TEXT, "%s/%d", first, prefix_length(r));
	else
		snprintf(ret_text, HF_RANGE_TEXT, "%s-%s", first, last);
}

bool hf_range_is_cidr(struct hf_range r) {
	hf_u128 mask = r.first.n ^ r.last.n;
	return (mask & (mask + 1)) == 0 && (r.first.n & mask) == 0;
}

bool hf_range_is_sound(struct hf_range r) {
	enum hf_family family = hf_addr_family(r.first);
	return r.first.n <= r.last.n && hf_addr_family(r.last) == family &&
	       (family == HF_IPV4 || !hf_range_overlaps(r, MAPPED_RANGE));
}

bool hf_range_has(struct hf_range r, struct hf_addr a) { return r.first.n <= a.n && a.n <= r.last.n; }

bool hf_range_inside(struct hf_range inner, struct hf_range outer) {
	return outer.first.n <= inner.first.n && inner.last.n <= outer.last.n;
}

bool hf_range_overlaps(struct hf_range a, struct hf_range b) { return a.first.n <= b.last.n && b.first.n <= a.last.n; }

hf_u128 hf_range_size(struct hf_range r) { return r.last.n - r.first.n + 1; }

const char *hf_count_format(hf_u128 n, char ret_text[HF_COUNT_TEXT]) {
	char digits[HF_COUNT_TEXT];
	size_t at = sizeof digits;
	digits[--at] = '\0';
	for (; n > UINT64_MAX; n /= 10)
		digits[--at] = (char)('0' + (int)(n % 10));
	uint64_t small = (uint64_t)n; /* a 64-bit division is one instruction */
	do
		digits[--at] = (char)('0' + small % 10);
	while ((small /= 10) > 0);
	return memcpy(ret_text, digits + at, sizeof digits - at);
}

/* address.c — addresses and ranges: read as RFC 4291 writes them, written as RFC 5952 wants them. */
#include "storage/base/address.h"

#include <stdlib.h>
#include <string.h>

#include "contract.h"
#include "fuzz.h"

#define MAPPED ((hf_u128)0xffff << 32)

static bool is_ipv4(hf_u128 n) { return n >> 32 == 0xffff; }

/* RFC 5952, 4 and 5. */
static void write_address(hf_u128 n, char *to) {
	unsigned group[8];
	int best = 0, best_len = 1;
	for (int i = 0; i < 8; i++)
		group[i] = (unsigned)(n >> 16 * (7 - i) & 0xffff);
	if (is_ipv4(n)) {
		sprintf(to, "%u.%u.%u.%u", group[6] >> 8, group[6] & 255, group[7] >> 8, group[7] & 255);
		return;
	}
	for (int i = 0, len = 0; i < 8; i++) {
		len = group[i] == 0 ? len + 1 : 0;
		if (len > best_len) {
			best_len = len;
			best = i + 1 - len;
		}
	}
	for (int i = 0; i < 8; i++) {
		bool gap = best_len > 1 && i == best;
		to += gap ? sprintf(to, "::") : sprintf(to, "%x%s", group[i], i == 7 || (best_len > 1 && i + 1 == best) ? "" : ":");
		i += gap ? best_len - 1 : 0;
	}
}

static const char *difference_of_text(hf_u128 n) {
	char written[HF_ADDR_TEXT], expected[64];
	hf_addr_format((struct hf_addr){n}, written);
	write_address(n, expected);
	return strcmp(written, expected) == 0 ? NULL : "how an address is written";
}

static const char *difference_of_addresses(const char *text) {
	contract_address expected = 0, loose = 0;
	struct hf_addr a = {0}, b = {0};
	bool is_one = contract_address_read(text, strlen(text), false, &expected);
	if ((hf_addr_parse(text, NULL, &a) == HF_OK) != is_one || (is_one && a.n != expected))
		return "an address";
	is_one = contract_address_read_loosely(text, &loose);
	if ((hf_addr_parse_loosely(text, &b) == HF_OK) != is_one || (is_one && b.n != loose))
		return "an address of another program";
	return is_one ? difference_of_text(loose) : NULL;
}

/* "address/length", without host bits. */
static bool read_prefix(const char *text, const char *slash, struct hf_range *ret) {
	contract_address n;
	char *end, again[16];
	unsigned long length = strtoul(slash + 1, &end, 10);
	sprintf(again, "%lu", length % 1000);
	if (strcmp(again, slash + 1) != 0 || !contract_address_read(text, (size_t)(slash - text), false, &n))
		return false;
	unsigned long bits = is_ipv4(n) ? 32 : 128;
	if (length > bits)
		return false;
	contract_address hosts = 0;
	for (; length < bits; length++)
		hosts = hosts * 2 + 1;
	*ret = (struct hf_range){{n}, {n + hosts}};
	return n % 2 <= 1 && (n & hosts) == 0;
}

static bool read_range(const char *text, struct hf_range *ret) {
	const char *slash = strchr(text, '/'), *dash = strchr(text, '-');
	bool good;
	if (slash)
		good = read_prefix(text, slash, ret);
	else if (dash)
		good = contract_address_read(text, (size_t)(dash - text), false, &ret->first.n) &&
		       contract_address_read(dash + 1, strlen(dash + 1), false, &ret->last.n);
	else if ((good = contract_address_read(text, strlen(text), false, &ret->first.n)))
		ret->last = ret->first;
	if (!good || is_ipv4(ret->first.n) != is_ipv4(ret->last.n) || ret->first.n > ret->last.n)
		return false;
	return is_ipv4(ret->first.n) || ret->last.n < MAPPED || ret->first.n > MAPPED + 0xffffffff;
}

static bool same_range(struct hf_range a, struct hf_range b) { return a.first.n == b.first.n && a.last.n == b.last.n; }

static const char *difference_of_ranges(const char *text) {
	struct hf_range expected = {{0}, {0}}, range = {{0}, {0}}, cidr = {{0}, {0}}, again = {{0}, {0}};
	char written[HF_RANGE_TEXT];
	bool is_one = read_range(text, &expected), is_cidr = is_one && strchr(text, '/');
	if ((hf_range_parse(text, NULL, &range) == HF_OK) != is_one || (is_one && !same_range(range, expected)))
		return "a range";
	if ((hf_cidr_parse(text, NULL, &cidr) == HF_OK) != is_cidr || (is_cidr && !same_range(cidr, expected)))
		return "a CIDR";
	if (!is_one)
		return NULL;
	hf_range_format(range, written);
	if (hf_range_parse(written, NULL, &again) || !same_range(range, again))
		return "a range that was written and read again";
	if (is_cidr && !strchr(written, '/'))
		return "whether a range is a CIDR";
	const char *differs = difference_of_text(range.first.n);
	return differs ? differs : difference_of_text(range.last.n);
}

const char *fuzz_address(const char *text, size_t len) {
	char *copy = memcpy(naive_take(len + 1), text, len);
	if (strlen(copy) < len)
		return NULL;
	const char *differs = difference_of_addresses(copy);
	return differs ? differs : difference_of_ranges(copy);
}

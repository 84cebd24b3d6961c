/* IP addresses, CIDRs and ranges as text and as numbers. */
#include <criterion/criterion.h>
#include <string.h>

#include "storage/base/address.h"

static const struct {
	const char *name, *text;
	const char *formatted; /* NULL: refused */
	enum hf_family family;
} ADDRESSES[] = {
	{"IPv4", "241.0.0.1", "241.0.0.1", HF_IPV4},
	{"the first IPv4", "0.0.0.0", "0.0.0.0", HF_IPV4},
	{"the last IPv4", "255.255.255.255", "255.255.255.255", HF_IPV4},
	{"IPv6", "fd00::1", "fd00::1", HF_IPV6},
	{"written out", "FD00:0:0:0:0:0:0:1", "fd00::1", HF_IPV6},
	{"the longest run of zeros, the first of two", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1", HF_IPV6},
	{"one zero is not shortened", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", HF_IPV6},
	{"the first IPv6", "::", "::", HF_IPV6},
	{"the second", "::1", "::1", HF_IPV6},
	{"the last IPv6", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", HF_IPV6},
	{"below the mapped block", "::fffe:ffff:ffff", "::fffe:ffff:ffff", HF_IPV6},
	{"behind the mapped block", "::1:0:0:0", "::1:0:0:0", HF_IPV6},
	{"low numbers are not IPv4", "::1:2", "::1:2", HF_IPV6},
	{"low numbers with a zero", "::1:0", "::1:0", HF_IPV6},
	{"mapped", "::ffff:241.0.0.1", NULL, HF_IPV6},
	{"mapped, in hexadecimal", "::ffff:f100:1", NULL, HF_IPV6},
	{"empty", "", NULL, HF_IPV4},
	{"three numbers", "241.0.1", NULL, HF_IPV4},
	{"five numbers", "241.0.0.0.1", NULL, HF_IPV4},
	{"too large a number", "241.0.0.256", NULL, HF_IPV4},
	{"a leading zero", "241.0.0.01", NULL, HF_IPV4},
	{"a space", " 241.0.0.1", NULL, HF_IPV4},
	{"a space behind", "241.0.0.1 ", NULL, HF_IPV4},
	{"a port", "241.0.0.1:80", NULL, HF_IPV4},
	{"brackets", "[fd00::1]", NULL, HF_IPV6},
	{"a zone index", "fe80::1%eth0", NULL, HF_IPV6},
	{"two runs", "fd00::1::2", NULL, HF_IPV6},
	{"a name", "localhost", NULL, HF_IPV4},
};

Test(address, addresses_are_read_and_written_as_the_table_says) {
	for (size_t i = 0; i < sizeof ADDRESSES / sizeof *ADDRESSES; i++) {
		struct hf_addr a = {7};
		struct hf_why why = {""};
		char text[HF_ADDR_TEXT];
		enum hf_err err = hf_addr_parse(ADDRESSES[i].text, &why, &a);
		cr_expect_eq(err, ADDRESSES[i].formatted ? HF_OK : HF_E_INVALID_ADDRESS, "%s", ADDRESSES[i].name);
		if (err) {
			cr_expect(strstr(why.text, ADDRESSES[i].text), "%s: says \"%s\"", ADDRESSES[i].name, why.text);
			cr_expect_eq(a.n, 7, "%s: the output was touched", ADDRESSES[i].name);
			continue;
		}
		hf_addr_format(a, text);
		cr_expect_str_eq(text, ADDRESSES[i].formatted, "%s: %s", ADDRESSES[i].name, text);
		cr_expect_eq(hf_addr_family(a), ADDRESSES[i].family, "%s", ADDRESSES[i].name);
		uint8_t bytes[HF_ADDR_BYTES];
		hf_addr_put(a, bytes);
		cr_expect_eq(hf_addr_read(bytes).n, a.n, "%s", ADDRESSES[i].name);
	}
}

Test(address, an_ipv4_address_is_the_number_of_its_mapped_form) {
	static const uint8_t want[HF_ADDR_BYTES] = {[10] = 0xff, [11] = 0xff, [12] = 241, [13] = 1, [14] = 2, [15] = 3};
	struct hf_addr a;
	uint8_t bytes[HF_ADDR_BYTES];
	cr_assert_eq(hf_addr_parse("241.1.2.3", NULL, &a), HF_OK);
	hf_addr_put(a, bytes);
	cr_assert_arr_eq(bytes, want, HF_ADDR_BYTES);
}

static const struct {
	const char *name, *text;
	const char *formatted; /* NULL: refused */
	const char *size;
} RANGES[] = {
	{"a /8", "241.0.0.0/8", "241.0.0.0/8", "16777216"},
	{"a /32", "241.0.0.1/32", "241.0.0.1/32", "1"},
	{"all of IPv4", "0.0.0.0/0", "0.0.0.0/0", "4294967296"},
	{"a /64", "fd00::/64", "fd00::/64", "18446744073709551616"},
	{"a /128", "fd00::1/128", "fd00::1/128", "1"},
	{"a /1", "8000::/1", "8000::/1", "170141183460469231731687303715884105728"},
	{"beside the mapped block", "::fffe:0:0/96", "::fffe:0:0/96", "4294967296"},
	{"host bits", "241.0.0.1/8", NULL, NULL},
	{"IPv6 host bits", "fd00::1/64", NULL, NULL},
	{"one bit too many", "241.0.0.128/24", NULL, NULL},
	{"an IPv4 prefix too long", "241.0.0.0/33", NULL, NULL},
	{"an IPv6 prefix too long", "fd00::/129", NULL, NULL},
	{"a negative prefix", "241.0.0.0/-1", NULL, NULL},
	{"no prefix", "241.0.0.0/", NULL, NULL},
	{"a leading zero", "241.0.0.0/08", NULL, NULL},
	{"a prefix and more", "241.0.0.0/8x", NULL, NULL},
	{"two prefixes", "241.0.0.0/8/8", NULL, NULL},
	{"a mask", "241.0.0.0/255.0.0.0", NULL, NULL},
	{"no address", "/8", NULL, NULL},
	{"the mapped block", "::ffff:0:0/96", NULL, NULL},
	{"within the mapped block", "::ffff:f100:0/104", NULL, NULL},
	{"around the mapped block", "::/80", NULL, NULL},
	{"everything", "::/0", NULL, NULL},
	{"a very long text", "fd00:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/64", NULL, NULL},
	{"one address", "241.0.0.7", "241.0.0.7/32", "1"},
	{"one IPv6 address", "fd00::7", "fd00::7/128", "1"},
	{"first and last", "241.0.0.1-241.0.0.9", "241.0.0.1-241.0.0.9", "9"},
	{"first and last of a CIDR", "241.0.0.0-241.0.0.255", "241.0.0.0/24", "256"},
	{"as large as a CIDR, but beside one", "241.0.0.128-241.0.1.127", "241.0.0.128-241.0.1.127", "256"},
	{"the same twice", "241.0.0.1-241.0.0.1", "241.0.0.1/32", "1"},
	{"IPv6 first and last", "fd00::1-fd00::ff", "fd00::1-fd00::ff", "255"},
	{"swapped", "241.0.0.9-241.0.0.1", NULL, NULL},
	{"two families", "241.0.0.1-fd00::1", NULL, NULL},
	{"from IPv6 to IPv4", "::1-241.0.0.1", NULL, NULL},
	{"across the mapped block", "::1-fd00::", NULL, NULL},
	{"three", "241.0.0.1-241.0.0.2-241.0.0.3", NULL, NULL},
	{"no last", "241.0.0.1-", NULL, NULL},
	{"no first", "-241.0.0.1", NULL, NULL},
	{"spaces", "241.0.0.1 - 241.0.0.9", NULL, NULL},
	{"empty", "", NULL, NULL},
};

Test(address, ranges_are_read_and_written_as_the_table_says) {
	for (size_t i = 0; i < sizeof RANGES / sizeof *RANGES; i++) {
		struct hf_range r, back;
		struct hf_why why = {""};
		char text[HF_RANGE_TEXT], count[HF_COUNT_TEXT];
		enum hf_err err = hf_range_parse(RANGES[i].text, &why, &r);
		cr_expect_eq(err, RANGES[i].formatted ? HF_OK : HF_E_INVALID_ADDRESS, "%s", RANGES[i].name);
		if (err) {
			cr_expect_str_not_empty(why.text, "%s", RANGES[i].name);
			continue;
		}
		hf_range_format(r, text);
		cr_expect_str_eq(text, RANGES[i].formatted, "%s: %s", RANGES[i].name, text);
		cr_expect_str_eq(hf_count_format(hf_range_size(r), count), RANGES[i].size, "%s: %s", RANGES[i].name, count);
		cr_expect_eq(hf_range_parse(text, NULL, &back), HF_OK, "%s", RANGES[i].name);
		cr_expect(back.first.n == r.first.n && back.last.n == r.last.n, "%s", RANGES[i].name);
	}
}

Test(address, a_cidr_needs_its_prefix) {
	struct hf_range r;
	cr_assert_eq(hf_cidr_parse("241.0.0.0", NULL, &r), HF_E_INVALID_ADDRESS);
	cr_assert_eq(hf_cidr_parse("241.0.0.0-241.0.0.255", NULL, &r), HF_E_INVALID_ADDRESS);
}

static const struct {
	const char *a, *b;
	bool a_inside_b, overlap;
} PAIRS[] = {
	{"10.0.0.0/8", "10.0.0.0/8", true, true},
	{"10.1.0.0/16", "10.0.0.0/8", true, true},
	{"10.0.0.0/8", "10.1.0.0/16", false, true},
	{"10.0.0.0/25", "10.0.0.128/25", false, false},
	{"10.0.0.0-10.0.0.9", "10.0.0.9-10.0.0.12", false, true},
	{"10.0.0.0/8", "fd00::/8", false, false},
};

Test(address, ranges_lie_inside_each_other_or_overlap) {
	for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
		struct hf_range a, b;
		cr_assert(hf_range_parse(PAIRS[i].a, NULL, &a) == HF_OK && hf_range_parse(PAIRS[i].b, NULL, &b) == HF_OK);
		cr_expect_eq(hf_range_inside(a, b), PAIRS[i].a_inside_b, "%s in %s", PAIRS[i].a, PAIRS[i].b);
		cr_expect_eq(hf_range_overlaps(a, b), PAIRS[i].overlap, "%s and %s", PAIRS[i].a, PAIRS[i].b);
		cr_expect_eq(hf_range_overlaps(b, a), PAIRS[i].overlap, "%s and %s", PAIRS[i].b, PAIRS[i].a);
		cr_expect(hf_range_has(a, a.first) && hf_range_has(a, a.last));
		cr_expect(!hf_range_has(a, (struct hf_addr){a.last.n + 1}) && !hf_range_has(a, (struct hf_addr){a.first.n - 1}));
	}
}

Test(address, counts_are_decimal_up_to_the_largest) {
	char text[HF_COUNT_TEXT];
	cr_assert_str_eq(hf_count_format(0, text), "0");
	cr_assert_str_eq(hf_count_format(10, text), "10");
	cr_assert_str_eq(hf_count_format((hf_u128)1 << 64, text), "18446744073709551616");
	cr_assert_str_eq(hf_count_format(~(hf_u128)0, text), "340282366920938463463374607431768211455");
}

/* Lists of ranges: look-ups and places, against walks from the beginning. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "storage/model/ranges.h"
#include "tests/unit/support.h"

static unsigned roll(unsigned n) {
	static uint64_t state = 20261128;
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

/* Up to 60 ranges that do not overlap: IPv6 below and above IPv4, some of them neighbours, in random order. */
static int random_list(struct hf_range *ret) {
	const hf_u128 starts[] = {addr("::fffe:ffff:0").n, addr("10.0.0.0").n, addr("fd00::").n};
	int n = 0;
	for (int part = 0; part < 3; part++) {
		hf_u128 at = starts[part];
		for (int i = (int)roll(20); i > 0; i--) {
			hf_u128 first = at + roll(4), size = roll(2) ? 1 : 1 + roll(9);
			ret[n++] = (struct hf_range){{first}, {first + size - 1}};
			at = first + size;
		}
	}
	for (int i = n - 1; i > 0; i--) {
		int k = (int)roll((unsigned)i + 1);
		struct hf_range swap = ret[i];
		ret[i] = ret[k], ret[k] = swap;
	}
	return n;
}

static int index_of(const struct hf_range *list, int n, struct hf_addr a) {
	for (int i = 0; i < n; i++)
		if (hf_range_has(list[i], a))
			return i;
	return -1;
}

/* Walks one part of the number space around the ranges, address by address. */
static void check_part(const struct hf_ranges *ranges, const char *from, unsigned addresses, hf_u128 place[HF_FAMILIES]) {
	for (unsigned i = 0; i < addresses; i++) {
		struct hf_addr a = {addr(from).n + i};
		enum hf_family family = hf_addr_family(a);
		int at = index_of(ranges->at, ranges->n, a);
		cr_assert_eq(hf_ranges_find(ranges, a), at < 0 ? NULL : &ranges->at[at]);
		cr_assert(hf_ranges_place(ranges, family, a) == place[family], "address %u from %s", i, from);
		if (at < 0)
			continue;
		cr_assert(hf_ranges_address(ranges, family, place[family]).n == a.n, "place of address %u from %s", i, from);
		place[family]++;
	}
}

static void check_overlaps(const struct hf_ranges *ranges) {
	for (int i = 0; i < 50; i++) {
		hf_u128 first = addr("10.0.0.0").n + roll(120);
		struct hf_range with = {{first}, {first + roll(6)}};
		const struct hf_range *overlap = NULL, *around = NULL;
		for (int k = ranges->n - 1; k >= 0; k--) {
			overlap = hf_range_overlaps(ranges->at[k], with) ? &ranges->at[k] : overlap;
			around = hf_range_inside(with, ranges->at[k]) ? &ranges->at[k] : around;
		}
		cr_assert_eq(hf_ranges_overlap(ranges, with), overlap);
		cr_assert_eq(hf_ranges_around(ranges, with), around);
	}
}

Test(ranges, look_ups_find_what_a_walk_finds) {
	for (int round = 0; round < 300; round++) {
		struct hf_range list[60];
		hf_u128 place[HF_FAMILIES] = {0, 0};
		int n = random_list(list);
		HF_RANGES ranges = {.n = 0};
		cr_assert(hf_ranges_make(list, n, &ranges));
		cr_assert_eq(ranges.n, n);
		for (int i = 1; i < n; i++)
			cr_assert(ranges.at[i - 1].last.n < ranges.at[i].first.n);
		check_part(&ranges, "::fffe:fffe:fff0", 320, place);
		check_part(&ranges, "9.255.255.250", 300, place);
		check_part(&ranges, "fcff:ffff:ffff:ffff:ffff:ffff:ffff:fffa", 300, place);
		cr_assert(hf_ranges_total(&ranges, HF_IPV4) == place[HF_IPV4] &&
			  hf_ranges_total(&ranges, HF_IPV6) == place[HF_IPV6]);
		check_overlaps(&ranges);
	}
}

Test(ranges, an_empty_list_has_nothing) {
	HF_RANGES none = {.n = 0};
	cr_assert(hf_ranges_make(NULL, 0, &none) && none.n == 0 && !none.block);
	HF_RANGES copy = hf_ranges_share(&none);
	cr_assert(hf_ranges_equal(&none, &copy) && !hf_ranges_find(&none, addr("10.0.0.1")));
	cr_assert(hf_ranges_total(&none, HF_IPV4) == 0 && hf_ranges_place(&none, HF_IPV6, addr("fd00::")) == 0);
	cr_assert(hf_ranges_address(&none, HF_IPV4, 0).n == 0 && hf_ranges_from(&none, addr("10.0.0.1")) == 0);
}

Test(ranges, copies_share_what_they_have_and_outlive_each_other) {
	struct hf_ranges first = ranges_of("10.0.0.0/8 fd00::/64"), second = hf_ranges_share(&first);
	cr_assert_eq(first.at, second.at);
	hf_ranges_drop(&first);
	cr_assert(first.n == 0 && !first.at);
	cr_assert(second.n == 2 && hf_ranges_find(&second, addr("10.1.2.3")));
	HF_RANGES other = ranges_of("10.0.0.0/8 fd00::/64"), less = ranges_of("10.0.0.0/8");
	cr_assert(hf_ranges_equal(&second, &other) && !hf_ranges_equal(&second, &less) && !hf_ranges_equal(&first, &second));
	hf_ranges_drop(&second);
	hf_ranges_drop(&second);
}

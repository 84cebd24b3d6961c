/* ranges.c — a shared list of ranges, and binary searches in it. */
#include "ranges.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Allocated with room for the sums and the ranges. */
struct hf_ranges_block {
	atomic_int copies;
	int first_ipv4, n_ipv4; /* IPv4 is one stretch; IPv6 is what lies before and after it */
	hf_u128 total[HF_FAMILIES];
	hf_u128 before[]; /* of each range: how many addresses of its family precede it. The ranges follow */
};

static int by_first(const void *a, const void *b) {
	hf_u128 x = ((const struct hf_range *)a)->first.n, y = ((const struct hf_range *)b)->first.n;
	return x < y ? -1 : x > y;
}

static void sum_up(struct hf_ranges_block *block, const struct hf_range *at, int n) {
	for (int i = 0; i < n; i++) {
		enum hf_family family = hf_addr_family(at[i].first);
		if (family == HF_IPV4 && block->n_ipv4++ == 0)
			block->first_ipv4 = i;
		block->before[i] = block->total[family];
		block->total[family] += hf_range_size(at[i]);
	}
}

bool hf_ranges_make(const struct hf_range *from, int n, struct hf_ranges *ret) {
	*ret = (struct hf_ranges){.n = 0};
	if (n == 0)
		return true;
	size_t each = sizeof(hf_u128) + sizeof *from;
	struct hf_ranges_block *block = malloc(sizeof *block + each * (size_t)n);
	if (!block)
		return false;
	struct hf_range *at = (struct hf_range *)(block->before + n);
	memset(block, 0, sizeof *block);
	atomic_init(&block->copies, 1);
	memcpy(at, from, sizeof *from * (size_t)n);
	for (int i = 1; i < n; i++)
		if (at[i].first.n < at[i - 1].first.n) {
			qsort(at, (size_t)n, sizeof *at, by_first);
			break;
		}
	sum_up(block, at, n);
	*ret = (struct hf_ranges){n, at, block};
	return true;
}

struct hf_ranges hf_ranges_share(const struct hf_ranges *ranges) {
	if (ranges->block)
		atomic_fetch_add_explicit(&ranges->block->copies, 1, memory_order_relaxed);
	return *ranges;
}

void hf_ranges_drop(struct hf_ranges *ranges) {
	if (ranges->block && atomic_fetch_sub_explicit(&ranges->block->copies, 1, memory_order_acq_rel) == 1)
		free(ranges->block);
	*ranges = (struct hf_ranges){.n = 0};
}

int hf_ranges_from(const struct hf_ranges *ranges, struct hf_addr a) {
	int low = 0, high = ranges->n;
	while (low < high) {
		int middle = (low + high) / 2;
		if (ranges->at[middle].last.n < a.n)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct hf_range *hf_ranges_around(const struct hf_ranges *ranges, struct hf_range inner) {
	int i = hf_ranges_from(ranges, inner.first);
	return i < ranges->n && hf_range_inside(inner, ranges->at[i]) ? &ranges->at[i] : NULL;
}

const struct hf_range *hf_ranges_find(const struct hf_ranges *ranges, struct hf_addr a) {
	return hf_ranges_around(ranges, (struct hf_range){a, a});
}

const struct hf_range *hf_ranges_overlap(const struct hf_ranges *ranges, struct hf_range with) {
	int i = hf_ranges_from(ranges, with.first);
	return i < ranges->n && hf_range_overlaps(with, ranges->at[i]) ? &ranges->at[i] : NULL;
}

hf_u128 hf_ranges_total(const struct hf_ranges *ranges, enum hf_family family) {
	return ranges->block ? ranges->block->total[family] : 0;
}

static int count_of(const struct hf_ranges *ranges, enum hf_family family) {
	return family == HF_IPV4 ? ranges->block->n_ipv4 : ranges->n - ranges->block->n_ipv4;
}

/* Returns the index of the k-th range of a family. */
static int index_of(const struct hf_ranges *ranges, enum hf_family family, int k) {
	const struct hf_ranges_block *block = ranges->block;
	if (family == HF_IPV4)
		return block->first_ipv4 + k;
	return block->n_ipv4 == 0 || k < block->first_ipv4 ? k : k + block->n_ipv4;
}

/* Returns the index of the last range of a family that begins at or before an address, or at or before a place; -1: none does. */
static int last_until(const struct hf_ranges *ranges, enum hf_family family, hf_u128 value, bool is_place) {
	int low = 0, high = ranges->block ? count_of(ranges, family) : 0;
	while (low < high) {
		int middle = (low + high) / 2, i = index_of(ranges, family, middle);
		if ((is_place ? ranges->block->before[i] : ranges->at[i].first.n) <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? -1 : index_of(ranges, family, low - 1);
}

struct hf_addr hf_ranges_address(const struct hf_ranges *ranges, enum hf_family family, hf_u128 place) {
	int i = last_until(ranges, family, place, true);
	if (i < 0)
		return (struct hf_addr){0};
	return (struct hf_addr){ranges->at[i].first.n + (place - ranges->block->before[i])};
}

hf_u128 hf_ranges_place(const struct hf_ranges *ranges, enum hf_family family, struct hf_addr a) {
	int i = last_until(ranges, family, a.n, false);
	if (i < 0)
		return 0;
	const struct hf_range *range = &ranges->at[i];
	return ranges->block->before[i] + (a.n > range->last.n ? hf_range_size(*range) : a.n - range->first.n);
}

bool hf_ranges_equal(const struct hf_ranges *a, const struct hf_ranges *b) {
	return a->n == b->n && (a->at == b->at || memcmp(a->at, b->at, sizeof *a->at * (size_t)a->n) == 0);
}

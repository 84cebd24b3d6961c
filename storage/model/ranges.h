/* ranges.h — a list of address ranges in ascending order, immutable and shared: look-ups cost O(log n), copies O(1).
 *
 * A pool has thousands of ranges, and every allocation asks where an address lies. So a list is made once, with its sums, and its
 * copies share one block of memory, which goes with the last of them. A zeroed struct is the empty list. Ranges of a list do not
 * overlap; of IPv4 and IPv6 ranges the numbers decide the order, so IPv4 may lie between two IPv6 ranges. Thread-safe, as nothing
 * alters a list; one struct belongs to one thread.
 */
#ifndef HF_STORAGE_MODEL_RANGES_H
#define HF_STORAGE_MODEL_RANGES_H

#include "storage/base/address.h"

struct hf_ranges_block;

struct hf_ranges {
	int n;
	const struct hf_range *at;     /* n of them */
	struct hf_ranges_block *block; /* what the copies share; NULL: the list is empty */
};

/* Makes a list of `n` ranges, which are copied and put in order. False: out of memory. The caller drops the list; what *ret was is
 * overwritten. */
bool hf_ranges_make(const struct hf_range *from, int n, struct hf_ranges *ret) HF_CHECKED;

/* Another copy, which the caller drops. */
struct hf_ranges hf_ranges_share(const struct hf_ranges *ranges);

/* Gives a copy up; the list is empty then. */
void hf_ranges_drop(struct hf_ranges *ranges);

#define HF_RANGES __attribute__((cleanup(hf_ranges_drop))) struct hf_ranges

/* Returns the index of the first range that ends at or after an address; n if none does. */
int hf_ranges_from(const struct hf_ranges *ranges, struct hf_addr a);

/* The range that holds an address, that holds another range whole, or the first that overlaps another. NULL: none does. */
const struct hf_range *hf_ranges_find(const struct hf_ranges *ranges, struct hf_addr a);
const struct hf_range *hf_ranges_around(const struct hf_ranges *ranges, struct hf_range inner);
const struct hf_range *hf_ranges_overlap(const struct hf_ranges *ranges, struct hf_range with);

/* Returns the number of a family's addresses. */
hf_u128 hf_ranges_total(const struct hf_ranges *ranges, enum hf_family family);

/* The addresses of a family counted through its ranges in order, from 0: returns the address at a place below the total, and how
 * many of them precede any address. */
struct hf_addr hf_ranges_address(const struct hf_ranges *ranges, enum hf_family family, hf_u128 place);
hf_u128 hf_ranges_place(const struct hf_ranges *ranges, enum hf_family family, struct hf_addr a);

bool hf_ranges_equal(const struct hf_ranges *a, const struct hf_ranges *b);

#endif

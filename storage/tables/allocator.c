/* allocator.c — free extents. The layout is storage/FORMAT.md's table "free". */
#include "allocator.h"

#include <stdlib.h>

#include "affinity.h"
#include "storage/base/digest.h"

#define RECORD_VERSION 1
#define SKIP_SHARE 16
#define PREFIX_BYTES 5 /* pool id and family */
#define KEY_BYTES (PREFIX_BYTES + HF_ADDR_BYTES)
#define VALUE_BYTES (1 + HF_ADDR_BYTES)

static struct hf_slice encode_key(uint32_t pool_id, enum hf_family family, struct hf_addr first, uint8_t buffer[KEY_BYTES]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, pool_id, 4);
	hf_put_uint(&w, family == HF_IPV4 ? 4 : 6, 1);
	hf_put_addr(&w, first);
	return hf_writer_end(&w);
}

static void put_extent(struct hf_txn *txn, uint32_t pool_id, struct hf_range extent) {
	uint8_t key[KEY_BYTES], value[VALUE_BYTES];
	struct hf_writer w = hf_writer_begin(value);
	hf_put_uint(&w, RECORD_VERSION, 1);
	hf_put_addr(&w, extent.last);
	hf_txn_put(txn, HF_FREE, encode_key(pool_id, hf_addr_family(extent.first), extent.first, key), hf_writer_end(&w));
}

static void del_extent(struct hf_txn *txn, uint32_t pool_id, struct hf_addr first) {
	uint8_t key[KEY_BYTES];
	hf_txn_del(txn, HF_FREE, encode_key(pool_id, hf_addr_family(first), first, key));
}

bool hf_allocator_decode(struct hf_slice key, struct hf_slice value, uint32_t *ret_pool_id, struct hf_range *ret) {
	struct hf_parser k = hf_parser_begin(key), p = hf_parser_begin(value);
	*ret_pool_id = (uint32_t)hf_take_uint(&k, 4);
	uint64_t family = hf_take_uint(&k, 1);
	ret->first = hf_take_addr(&k);
	uint64_t version = hf_take_uint(&p, 1);
	ret->last = hf_take_addr(&p);
	return hf_parser_end(&k) && hf_parser_end(&p) && version == RECORD_VERSION && ret->first.n <= ret->last.n &&
	       family == (hf_addr_family(ret->first) == HF_IPV4 ? 4 : 6) && hf_addr_family(ret->first) == hf_addr_family(ret->last);
}

/* Reads the extent at the cursor, if it belongs to the pool and family. */
static bool read_extent(struct hf_cursor *cursor, uint32_t pool_id, enum hf_family family, struct hf_range *ret) {
	uint32_t of;
	if (!hf_allocator_decode(cursor->key, cursor->value, &of, ret))
		return hf_txn_damaged(cursor->txn, HF_FREE);
	return of == pool_id && hf_addr_family(ret->first) == family;
}

/* Finds the extent that contains an address. */
static bool extent_of(struct hf_cursor *cursor, const struct hf_pool *pool, struct hf_addr a, struct hf_range *ret) {
	uint8_t key[KEY_BYTES];
	enum hf_family family = hf_addr_family(a);
	return hf_cursor_seek_back(cursor, encode_key(pool->id, family, a, key)) && read_extent(cursor, pool->id, family, ret) &&
	       hf_range_has(*ret, a);
}

/* Finds the first extent that begins at or after an address. */
static bool extent_after(struct hf_cursor *cursor, const struct hf_pool *pool, enum hf_family family, struct hf_addr a,
			 struct hf_range *ret) {
	uint8_t key[KEY_BYTES];
	return hf_cursor_seek(cursor, encode_key(pool->id, family, a, key)) && read_extent(cursor, pool->id, family, ret);
}

bool hf_allocator_find(struct hf_txn *txn, const struct hf_pool *pool, enum hf_family family, struct hf_addr start,
		       struct hf_addr *ret) {
	HF_CURSOR cursor;
	struct hf_range extent;
	hf_cursor_open(txn, HF_FREE, &cursor);
	if (start.n != 0 && hf_addr_family(start) == family && extent_of(&cursor, pool, start, &extent)) {
		*ret = start;
		return true;
	}
	if (!extent_after(&cursor, pool, family, start, &extent) &&
	    !extent_after(&cursor, pool, family, (struct hf_addr){0}, &extent))
		return hf_affinity_oldest(txn, pool, family, ret, NULL);
	*ret = extent.first;
	return true;
}

/* Returns how far a cursor is moved for one store epoch. */
static hf_u128 skip_of(hf_u128 capacity) { return capacity / SKIP_SHARE > HF_SKIP_MIN ? capacity / SKIP_SHARE : HF_SKIP_MIN; }

bool hf_allocator_skips_enough(const struct hf_pool *pool, enum hf_family family, uint64_t epochs) {
	struct hf_pool_usage usage;
	hf_pool_usage(pool, family, &usage);
	return usage.capacity == 0 || epochs <= usage.capacity / 2 / skip_of(usage.capacity);
}

void hf_allocator_skip(struct hf_pool *pool, enum hf_family family, uint64_t epochs) {
	struct hf_pool_usage usage;
	hf_pool_usage(pool, family, &usage);
	if (usage.capacity == 0)
		return;
	hf_u128 ahead = skip_of(usage.capacity), most = 0;
	for (uint64_t i = 0; i < epochs && most < usage.capacity - 1; i++)
		most += (usage.capacity - most) / 2;
	ahead = ahead > most / epochs ? most : ahead * epochs;
	hf_u128 place = hf_ranges_place(&pool->config.cidrs, family, pool->count[family].cursor) + ahead;
	pool->count[family].cursor = hf_ranges_address(&pool->config.cidrs, family, place % usage.capacity);
}

struct hf_addr hf_allocator_start(const struct hf_pool *pool, enum hf_family family, const struct hf_identity *id) {
	if (pool->config.strategy == HF_SEQUENTIAL)
		return pool->count[family].cursor;
	struct hf_key key;
	hf_identity_encode(id, &key);
	struct hf_digest digest = hf_digest_of(key.bytes, key.len);
	hf_u128 capacity = hf_ranges_total(&pool->config.cidrs, family);
	if (capacity == 0)
		return (struct hf_addr){0};
	return hf_ranges_address(&pool->config.cidrs, family, hf_addr_read(digest.bytes).n % capacity);
}

bool hf_allocator_is_free(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a) {
	HF_CURSOR cursor;
	struct hf_range extent;
	hf_cursor_open(txn, HF_FREE, &cursor);
	return extent_of(&cursor, pool, a, &extent) || hf_affinity_has(txn, pool, a);
}

/* Takes an address out of its extent; returns false if it is in none. */
static bool take_from_extent(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a) {
	struct hf_range extent;
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_FREE, &cursor);
	bool found = extent_of(&cursor, pool, a, &extent);
	hf_cursor_close(&cursor);
	if (!found)
		return false;
	if (extent.first.n < a.n)
		put_extent(txn, pool->id, (struct hf_range){extent.first, {a.n - 1}});
	else
		del_extent(txn, pool->id, a);
	if (a.n < extent.last.n)
		put_extent(txn, pool->id, (struct hf_range){{a.n + 1}, extent.last});
	return true;
}

void hf_allocator_take(struct hf_txn *txn, struct hf_pool *pool, struct hf_addr a) {
	struct hf_memory memory;
	struct hf_key id;
	if (take_from_extent(txn, pool, a))
		return;
	if (!hf_affinity_has(txn, pool, a) || !hf_affinity_of(txn, a, &id, &memory))
		hf_txn_corrupt(txn, HF_FREE, "an address to take is not free");
	else
		hf_affinity_drop(txn, pool, &id, a);
}

void hf_allocator_reserve(struct hf_txn *txn, struct hf_pool *pool, struct hf_addr a) {
	if (!take_from_extent(txn, pool, a))
		hf_affinity_hide(txn, pool, a);
}

void hf_allocator_unreserve(struct hf_txn *txn, struct hf_pool *pool, struct hf_range cidr, struct hf_addr a) {
	if (!hf_affinity_show(txn, pool, a))
		hf_allocator_give(txn, pool, cidr, a);
}

void hf_allocator_give(struct hf_txn *txn, const struct hf_pool *pool, struct hf_range cidr, struct hf_addr a) {
	struct hf_range joined = {a, a}, low, high;
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_FREE, &cursor);
	bool below = a.n > cidr.first.n && extent_of(&cursor, pool, (struct hf_addr){a.n - 1}, &low);
	bool above = a.n < cidr.last.n && extent_of(&cursor, pool, (struct hf_addr){a.n + 1}, &high);
	hf_cursor_close(&cursor);
	if (above) {
		joined.last = high.last;
		del_extent(txn, pool->id, high.first);
	}
	if (below)
		joined.first = low.first;
	put_extent(txn, pool->id, joined); /* replaces the lower neighbour, if any */
}

/* Moves to the first held address of a range, at or after the cursor's position. */
static bool held_in(struct hf_cursor *addresses, bool found, struct hf_range range, struct hf_addr *ret) {
	if (!found || addresses->key.len != HF_ADDR_BYTES)
		return false;
	*ret = hf_addr_read(addresses->key.data);
	return ret->n <= range.last.n;
}

static bool seek_held(struct hf_cursor *addresses, struct hf_range range, struct hf_addr *ret) {
	uint8_t key[HF_ADDR_BYTES];
	hf_addr_put(range.first, key);
	return held_in(addresses, hf_cursor_seek(addresses, (struct hf_slice){key, sizeof key}), range, ret);
}

bool hf_allocator_first_held(struct hf_txn *txn, struct hf_range range, struct hf_addr *ret) {
	HF_CURSOR addresses;
	hf_cursor_open(txn, HF_ADDRESSES, &addresses);
	return seek_held(&addresses, range, ret);
}

bool hf_allocator_any_held(struct hf_txn *txn, struct hf_range range) {
	struct hf_addr a;
	return hf_allocator_first_held(txn, range, &a);
}

static uint64_t count_held(struct hf_txn *txn, struct hf_range range) {
	HF_CURSOR addresses;
	struct hf_addr a;
	uint64_t n = 0;
	hf_cursor_open(txn, HF_ADDRESSES, &addresses);
	for (bool found = seek_held(&addresses, range, &a); found;
	     found = held_in(&addresses, hf_cursor_next(&addresses), range, &a))
		n++;
	return n;
}

/* Remembered addresses that are in no extent, ascending. */
struct kept {
	struct hf_freed *list;
	size_t n, at; /* at: the first that is not before the range at hand */
};

/* Returns the next address of a range that is held or remembered; ranges and addresses ascend. */
static bool next_taken(struct hf_cursor *addresses, bool *at_held, struct hf_addr *held, struct kept *kept, struct hf_range range,
		       struct hf_addr *ret) {
	bool at_kept = kept->at < kept->n && kept->list[kept->at].address.n <= range.last.n;
	if (at_kept && (!*at_held || kept->list[kept->at].address.n < held->n)) {
		*ret = kept->list[kept->at++].address;
		return true;
	}
	if (!*at_held)
		return false;
	*ret = *held;
	*at_held = held_in(addresses, hf_cursor_next(addresses), range, held);
	return true;
}

/* Puts the runs of a range that are neither held nor remembered. */
static void put_free(struct hf_txn *txn, uint32_t pool_id, struct hf_range range, struct kept *kept) {
	HF_CURSOR addresses;
	struct hf_addr held, a;
	hf_u128 from = range.first.n;
	hf_cursor_open(txn, HF_ADDRESSES, &addresses);
	bool at_held = seek_held(&addresses, range, &held);
	while (next_taken(&addresses, &at_held, &held, kept, range, &a)) {
		if (a.n > from)
			put_extent(txn, pool_id, (struct hf_range){{from}, {a.n - 1}});
		if (a.n == range.last.n)
			return;
		from = a.n + 1;
	}
	put_extent(txn, pool_id, (struct hf_range){{from}, range.last});
}

static int by_address(const void *a, const void *b) {
	hf_u128 x = ((const struct hf_freed *)a)->address.n, y = ((const struct hf_freed *)b)->address.n;
	return x < y ? -1 : x > y;
}

/* Counts what the pool remembers, and forgets what it cannot hand out. Returns the rest, ascending. */
static struct kept keep_remembered(struct hf_txn *txn, struct hf_pool *pool) {
	struct kept kept = {.n = 0};
	struct hf_holder holder;
	size_t n;
	kept.list = hf_affinity_list(txn, pool, &n);
	pool->count[HF_IPV4].remembered = pool->count[HF_IPV6].remembered = 0;
	for (size_t i = 0; i < n; i++)
		pool->count[hf_addr_family(kept.list[i].address)].remembered++;
	for (size_t i = 0; i < n; i++)
		if (hf_pool_place(pool, kept.list[i].address, NULL) == HF_ALLOCATABLE &&
		    !hf_holders_present(txn, kept.list[i].address, &holder))
			kept.list[kept.n++] = kept.list[i];
		else
			hf_affinity_drop_freed(txn, pool, &kept.list[i]);
	if (kept.n > 0)
		qsort(kept.list, kept.n, sizeof *kept.list, by_address);
	return kept;
}

void hf_allocator_rebuild(struct hf_txn *txn, struct hf_pool *pool) {
	struct kept kept = keep_remembered(txn, pool);
	hf_allocator_clear(txn, pool->id);
	for (int family = 0; family < HF_FAMILIES; family++)
		pool->count[family].overlaid_reserved = pool->count[family].overlaid_draining = 0;
	for (int i = 0; i < pool->draining.n; i++)
		pool->count[hf_addr_family(pool->draining.at[i].first)].overlaid_draining += count_held(txn, pool->draining.at[i]);
	for (int i = 0, r = 0; i < pool->config.cidrs.n; i++) {
		struct hf_range cidr = pool->config.cidrs.at[i];
		hf_u128 from = cidr.first.n;
		bool whole = true; /* whether anything of the CIDR follows its last reserved range */
		for (; r < pool->config.reserved.n && hf_range_inside(pool->config.reserved.at[r], cidr); r++) {
			struct hf_range reserved = pool->config.reserved.at[r];
			if (reserved.first.n > from)
				put_free(txn, pool->id, (struct hf_range){{from}, {reserved.first.n - 1}}, &kept);
			pool->count[hf_addr_family(reserved.first)].overlaid_reserved += count_held(txn, reserved);
			from = reserved.last.n + 1;
			whole = reserved.last.n < cidr.last.n;
		}
		if (whole)
			put_free(txn, pool->id, (struct hf_range){{from}, cidr.last}, &kept);
	}
	free(kept.list);
}

void hf_allocator_clear(struct hf_txn *txn, uint32_t pool_id) {
	uint8_t prefix[4];
	struct hf_writer w = hf_writer_begin(prefix);
	hf_put_uint(&w, pool_id, 4);
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_FREE, &cursor);
	for (bool found = hf_cursor_seek(&cursor, hf_writer_end(&w)); found && memcmp(cursor.key.data, prefix, sizeof prefix) == 0;
	     found = hf_cursor_next(&cursor))
		hf_cursor_del(&cursor);
}

void hf_allocator_drop_drained(struct hf_txn *txn, struct hf_pool *pool, const struct hf_addr *freed) {
	struct hf_ranges left;
	int kept = 0, n = pool->draining.n;
	const struct hf_range *of = freed ? hf_ranges_find(&pool->draining, *freed) : NULL;
	if (n == 0 || (freed && (!of || hf_allocator_any_held(txn, *of))))
		return;
	struct hf_range *list = malloc(sizeof *list * (size_t)n);
	for (int i = 0; list && i < n; i++)
		if (of ? &pool->draining.at[i] != of : hf_allocator_any_held(txn, pool->draining.at[i]))
			list[kept++] = pool->draining.at[i];
	if (!list || (kept < n && !hf_ranges_make(list, kept, &left)))
		hf_txn_no_memory(txn);
	else if (kept < n) {
		hf_ranges_drop(&pool->draining);
		pool->draining = left;
		pool->edited = true;
	}
	free(list);
}

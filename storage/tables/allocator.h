/* allocator.h — free addresses as extents: which are free, taking one, giving one back. Inside storage/ only.
 *
 * The table "free" holds each pool's free addresses as maximal runs, never joined across two CIDRs, reserved and held addresses
 * left out. Every function costs O(log n) of the number of extents, at any fill and any size of the pool, but for
 * hf_allocator_rebuild(). Faults stick to the transaction.
 */
#ifndef HF_STORAGE_TABLES_ALLOCATOR_H
#define HF_STORAGE_TABLES_ALLOCATOR_H

#include "storage/lmdb/txn.h"
#include "storage/model/pool.h"

/* The first free address at or behind `start`, else from the family's lowest on. False: the family has none left. */
bool hf_allocator_find(struct hf_txn *txn, const struct hf_pool *pool, enum hf_family family, struct hf_addr start,
		       struct hf_addr *ret);

/* Where the pool's strategy begins to search for an identity. */
struct hf_addr hf_allocator_start(const struct hf_pool *pool, enum hf_family family, const struct hf_identity *id);

bool hf_allocator_is_free(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a);

/* Takes a free address out; HF_E_CORRUPT sticks if it is not free. */
void hf_allocator_take(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a);

/* Gives an address of `cidr` back, joined with its free neighbours in it. */
void hf_allocator_give(struct hf_txn *txn, const struct hf_pool *pool, struct hf_range cidr, struct hf_addr a);

/* Lays the pool's extents anew from its configuration and the held addresses, and counts the overlaid ones into the pool. O(held
 * addresses): for an administrator's edit. */
void hf_allocator_rebuild(struct hf_txn *txn, struct hf_pool *pool);

/* Removes all extents of a pool. */
void hf_allocator_clear(struct hf_txn *txn, uint32_t pool_id);

#define HF_SKIP_MIN 4096 /* addresses */

/* Moves the family's cursor ahead, for each store epoch over max(4096, 1/16 of the addresses), but at most half of those that are
 * left: beyond what was handed out since a backup, also after an earlier restore of it. From its end a family goes on at its
 * beginning. */
void hf_allocator_skip(struct hf_pool *pool, enum hf_family family, uint64_t epochs);

/* True if a skip of so many store epochs goes past everything that can have been handed out in them: it spans at most half of the
 * family's addresses. A family without addresses has nothing to skip. */
bool hf_allocator_skips_enough(const struct hf_pool *pool, enum hf_family family, uint64_t epochs);

/* Whether any address of a range is held. */
bool hf_allocator_any_held(struct hf_txn *txn, struct hf_range range);

/* Drops the pool's draining ranges in which nobody holds an address: they go with their last one. */
void hf_allocator_drop_drained(struct hf_txn *txn, struct hf_pool *pool);

/* Decodes an extent, for verify. */
bool hf_allocator_decode(struct hf_slice key, struct hf_slice value, uint32_t *ret_pool_id, struct hf_range *ret) HF_CHECKED;

#endif

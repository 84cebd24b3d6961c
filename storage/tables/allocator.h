/* allocator.h — free addresses as extents: finding one, taking one, giving one back.
 *
 * The table "free" holds each pool's free addresses as maximal runs, never joined across two CIDRs, without reserved and held
 * addresses, and without remembered ones (affinity.h): those are free too, but handed out last. Every function except
 * hf_allocator_rebuild() costs O(log n) of the number of extents and remembered addresses, however full or large the pool. Faults
 * stick to the transaction.
 */
#ifndef HF_STORAGE_TABLES_ALLOCATOR_H
#define HF_STORAGE_TABLES_ALLOCATOR_H

#include "storage/lmdb/txn.h"
#include "storage/model/pool.h"

/* Finds the first free address at or after `start`, else the family's lowest; if all that is free is remembered, the one that was
 * freed first. Returns false if the family has none left. */
bool hf_allocator_find(struct hf_txn *txn, const struct hf_pool *pool, enum hf_family family, struct hf_addr start,
		       struct hf_addr *ret);

/* Returns where the pool's strategy begins to search for an identity. */
struct hf_addr hf_allocator_start(const struct hf_pool *pool, enum hf_family family, const struct hf_identity *id);

bool hf_allocator_is_free(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a);

/* Takes a free address, which is then remembered for nobody; HF_E_CORRUPT sticks if it is not free. */
void hf_allocator_take(struct hf_txn *txn, struct hf_pool *pool, struct hf_addr a);

/* Sets a free address apart, so that it is free for nobody; undoes that. To be undone before the batch is committed. `cidr`: the
 * address's. */
void hf_allocator_reserve(struct hf_txn *txn, struct hf_pool *pool, struct hf_addr a);
void hf_allocator_unreserve(struct hf_txn *txn, struct hf_pool *pool, struct hf_range cidr, struct hf_addr a);

/* Gives an address of `cidr` back, and joins it with its free neighbours in that CIDR. */
void hf_allocator_give(struct hf_txn *txn, const struct hf_pool *pool, struct hf_range cidr, struct hf_addr a);

/* Recreates the pool's extents from its configuration and the held addresses, and counts the overlaid and the remembered addresses
 * into the pool. Forgets remembered addresses that are held, or that the pool can no longer hand out. O(n log n) of the held and
 * remembered addresses: for an administrator's edit. */
void hf_allocator_rebuild(struct hf_txn *txn, struct hf_pool *pool);

/* Removes all extents of a pool. */
void hf_allocator_clear(struct hf_txn *txn, uint32_t pool_id);

#define HF_SKIP_MIN 4096 /* addresses */

/* Moves the family's cursor ahead by max(4096, 1/16 of the addresses) for each store epoch, but by at most half of the free ones:
 * past the addresses assigned since a backup, even after an earlier restore of it. Wraps around at the family's end. */
void hf_allocator_skip(struct hf_pool *pool, enum hf_family family, uint64_t epochs);

/* Returns whether a skip of that many store epochs passes every address that may have been assigned in them: it spans at most half
 * of the family's addresses. True for a family without addresses. */
bool hf_allocator_skips_enough(const struct hf_pool *pool, enum hf_family family, uint64_t epochs);

/* Returns whether any address of a range is held; the second also sets the first such address. */
bool hf_allocator_any_held(struct hf_txn *txn, struct hf_range range);
bool hf_allocator_first_held(struct hf_txn *txn, struct hf_range range, struct hf_addr *ret);

/* Drops the pool's draining ranges without held addresses, and marks the pool as edited if there are any. If `freed` is not NULL,
 * examines only the range of that address, which was just freed, at the cost of one look-up; NULL: all ranges. */
void hf_allocator_drop_drained(struct hf_txn *txn, struct hf_pool *pool, const struct hf_addr *freed);

/* Decodes an extent, for verify. Returns false if it is damaged. */
bool hf_allocator_decode(struct hf_slice key, struct hf_slice value, uint32_t *ret_pool_id, struct hf_range *ret) HF_CHECKED;

#endif

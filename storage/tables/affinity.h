/* affinity.h — whose a free address was: the tables "affinity" and "remembered".
 *
 * When a quarantine is over, its addresses are free, but they are *remembered* for the identity that had them: kept out of the free
 * extents, and handed out to others only when nothing else is left, the one that was freed first before the others. "affinity" has
 * what is remembered by identity, "remembered" has it in the order in which it is handed out. By address it is found through the
 * history: the last past holder of a free address is the one that it can be remembered for.
 *
 * A remembered address is not held, can be handed out by its pool, and has its last holder in the history; its identity has no
 * lease. Every function costs O(log n). Faults stick to the transaction.
 */
#ifndef HF_STORAGE_TABLES_AFFINITY_H
#define HF_STORAGE_TABLES_AFFINITY_H

#include "holders.h"
#include "storage/model/pool.h"

/* What is remembered of an identity. */
struct hf_memory {
	uint32_t pool_id;
	int64_t freed_ms;		       /* when the addresses became free */
	int n;				       /* 0: nothing is */
	struct hf_addr addresses[HF_FAMILIES]; /* at most one of a family, IPv4 first */
};

/* A row of "remembered". */
struct hf_remembered {
	uint32_t pool_id;
	int64_t freed_ms;
	struct hf_addr address;
	struct hf_identity id;
};

/* A remembered address, and since when it is. */
struct hf_freed {
	struct hf_addr address;
	int64_t freed_ms;
};

bool hf_memory_has(const struct hf_memory *memory, struct hf_addr a);

/* Reads what is remembered of an identity; returns false if nothing is. */
bool hf_affinity_read(struct hf_txn *txn, const struct hf_key *id, struct hf_memory *ret);

/* Drops the addresses from it that are set apart (hf_affinity_hide()). */
void hf_affinity_leave_apart(struct hf_txn *txn, struct hf_memory *memory);

/* Finds the identity that a free address is remembered for; returns false if the address is not remembered. */
bool hf_affinity_of(struct hf_txn *txn, struct hf_addr a, struct hf_key *ret_id, struct hf_memory *ret);

/* Whether an address is remembered in a pool, and not set apart. Does not look into the tables if the pool remembers none. */
bool hf_affinity_has(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a);

/* Finds the remembered address of a pool and family that was freed first; returns false if none is. `ret_id`
 * may be NULL. */
bool hf_affinity_oldest(struct hf_txn *txn, const struct hf_pool *pool, enum hf_family family, struct hf_addr *ret,
			struct hf_key *ret_id);

/* Remembers an address of a pool, which is in no extent, for an identity, and counts it. Returns false, and does nothing, if an
 * address of the same family, of another pool, or of another time is remembered for it. */
bool hf_affinity_add(struct hf_txn *txn, struct hf_pool *pool, const struct hf_key *id, int64_t freed_ms, struct hf_addr a);

/* Forgets one address of an identity, and counts it no more; the caller gives it back to the extents, or binds it. Returns false if
 * it was set apart for somebody, and is not to be given back. */
bool hf_affinity_drop(struct hf_txn *txn, struct hf_pool *pool, const struct hf_key *id, struct hf_addr a);

/* Set a remembered address apart, so that it is handed out to nobody, and undo that. To be undone before the batch is committed.
 * Undoing returns false if the address is not remembered any more. */
void hf_affinity_hide(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a);
bool hf_affinity_show(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a);

/* Returns what a pool remembers, in the order of its rows; *ret_n is 0 if that is nothing, or after a fault. The caller frees it.
 */
struct hf_freed *hf_affinity_list(struct hf_txn *txn, const struct hf_pool *pool, size_t *ret_n);

/* hf_affinity_drop() of a member of that list. */
void hf_affinity_drop_freed(struct hf_txn *txn, struct hf_pool *pool, const struct hf_freed *freed);

/* Forgets everything that a pool remembers. */
void hf_affinity_forget_pool(struct hf_txn *txn, struct hf_pool *pool);

/* Decode a record, for verify and export. Return false if it is damaged. */
bool hf_affinity_decode(struct hf_slice key, struct hf_slice value, struct hf_identity *ret_id, struct hf_memory *ret) HF_CHECKED;
bool hf_affinity_decode_row(struct hf_slice key, struct hf_slice value, struct hf_remembered *ret) HF_CHECKED;

#endif

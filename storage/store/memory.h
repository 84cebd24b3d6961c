/* memory.h — what a batch remembers of leases that are gone, and when it forgets that; affinity.h says what it is for. Inside
 * storage/ only.
 *
 * hf_batch_change() remembers the addresses of a quarantine that ended, and forgets what it remembered of an identity once that has
 * a lease again. The memory of an address ends, besides, with its last past holder in the history, when its pool remembers too
 * many, and with an edit of its pool (allocator.h).
 */
#ifndef HF_STORAGE_STORE_MEMORY_H
#define HF_STORAGE_STORE_MEMORY_H

#include "batch.h"
#include "storage/tables/affinity.h"

/* Whether the store remembers anything; costs no look-up. */
bool hf_batch_remembers(struct hf_batch *batch);

/* Returns the pool with an id; NULL: none has it. */
struct hf_pool *hf_batch_pool_of_id(struct hf_batch *batch, uint32_t id);

/* Reads what is remembered of an identity, except addresses that are set apart (hf_affinity_hide()). Costs one look-up if the store
 * remembers anything. */
struct hf_memory hf_batch_recall(struct hf_batch *batch, const struct hf_identity *id);

/* Remembers the addresses of a lease whose quarantine has just ended, as far as its pool can hand them out. If that makes too many
 * of the pool and family, forgets those that were freed first. */
void hf_batch_remember(struct hf_batch *batch, const struct hf_lease *lease);

/* Forgets what is remembered of an identity: it is plain free space then. Costs nothing if hf_batch_recall() has just found that
 * this is nothing. */
void hf_batch_forget(struct hf_batch *batch, const struct hf_key *id);

/* Forgets an address whose past holder, bound by that revision, is about to leave the history, if it is the last one. */
void hf_batch_forget_address(struct hf_batch *batch, struct hf_addr a, uint64_t from_revision);

#endif

/* sync_internal.h — shared by deciding, judging and applying a sync; for sync/ alone. */
#ifndef HF_STORAGE_SYNC_SYNC_INTERNAL_H
#define HF_STORAGE_SYNC_SYNC_INTERNAL_H

#include "storage/lmdb/txn.h"
#include "storage/store/wear.h"
#include "sync.h"

/* Decides every item on the transaction's snapshot: its result, its action, and the leases to release.
 * Fails with HF_E_STALE_EPOCH if the stated zone epoch is not the current one.
 * Fails with HF_E_OVERLOADED if the budget is exceeded.
 * Fails with the transaction's fault. */
enum hf_err hf_sync_decide(struct hf_sync *sync, struct hf_txn *txn, struct hf_why *why) HF_CHECKED;

/* Returns whether a scope of the zone (zone, NUL, mesh, NUL, kind) is within the sync's. */
bool hf_sync_in_scope(const struct hf_sync *sync, struct hf_slice scope);

/* Judges whether the decided releases are allowed, together with recent ones (`wear`). Those are known only inside a write; NULL
 * before it. They can only make the judgement stricter.
 * Fails with HF_E_ZONE_OFFLINE and HF_E_MASS_RELEASE_GUARD as hf_sync_peek() does. */
enum hf_err hf_sync_judge(struct hf_sync *sync, const struct hf_wear *wear, int64_t now_ms, struct hf_why *why) HF_CHECKED;

/* Finds the services that were renamed, after every item was decided and before the unlisted leases are found. A lease is renamed
 * only if one item alone shows its addresses, and that item shows no other lease's.
 * Fails with HF_E_OVERLOADED beyond the budget. A fault sticks to the transaction. */
enum hf_err hf_sync_find_renamed(struct hf_sync *sync, struct hf_txn *txn, struct hf_why *why) HF_CHECKED;

/* Returns whether a lease is one that a service is renamed from. */
bool hf_sync_is_renamed(const struct hf_sync *sync, struct hf_slice key);

/* Makes a new item, not yet in any list. NULL: the budget is exceeded. */
struct hf_sync_item *hf_sync_new_item(struct hf_sync *sync, enum hf_sync_role role, const uint8_t *key, size_t key_len);

/* Returns an item's identity bytes. */
static inline struct hf_slice hf_sync_key(const struct hf_sync_item *item) { return (struct hf_slice){item->key, item->key_len}; }

/* Returns how many claims an item has, in a form that shows a compiler that refused[] has room for them. */
static inline int hf_sync_claims(const struct hf_sync_item *item) {
	return item->n_claims < HF_CLAIMS_MAX ? item->n_claims : HF_CLAIMS_MAX;
}

/* Returns the position of the first sorted item at or after a key; n_sorted if all precede it. */
uint32_t hf_sync_find(const struct hf_sync *sync, struct hf_slice key);

/* Fails with HF_E_OVERLOADED, and explains which limit was reached. */
enum hf_err hf_sync_no_memory(const struct hf_sync *sync, struct hf_why *why);

/* Fills in a request for one item; leaves the members that all items share. */
void hf_sync_fill_acquire(const struct hf_sync_item *item, struct hf_lease_request *ret);

/* Sets an item's result from its lease (NULL: it has no lease). */
void hf_sync_set_lease(struct hf_sync *sync, struct hf_sync_item *item, const struct hf_lease *lease);

/* Sets an item's outcome, and counts it in place of the previous one. */
void hf_sync_set_outcome(struct hf_sync *sync, struct hf_sync_item *item, enum hf_sync_outcome outcome);

/* Rejects an item, and copies the reason.
 * Fails with HF_E_OVERLOADED if the budget is exceeded. */
enum hf_err hf_sync_reject(struct hf_sync *sync, struct hf_sync_item *item, enum hf_err err, const char *text) HF_CHECKED;

#endif

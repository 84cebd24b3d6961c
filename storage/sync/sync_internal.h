/* sync_internal.h — what deciding and carrying out a sync share. Inside storage/ only. */
#ifndef HF_STORAGE_SYNC_SYNC_INTERNAL_H
#define HF_STORAGE_SYNC_SYNC_INTERNAL_H

#include "storage/lmdb/txn.h"
#include "storage/store/wear.h"
#include "sync.h"

/* Decides every item by what the transaction sees: results, what is to do, what is to be released. HF_E_STALE_EPOCH,
 * HF_E_OVERLOADED or a fault. */
enum hf_err hf_sync_decide(struct hf_sync *sync, struct hf_txn *txn, struct hf_why *why) HF_CHECKED;

/* Whether a scope (zone, NUL, mesh, NUL, kind) of the zone is within the sync's. */
bool hf_sync_in_scope(const struct hf_sync *sync, struct hf_slice scope);

/* Judges what was decided: whether its releases are allowed, with what was released lately; that (wear) is known inside a write
 * alone, and can only make the judgement stricter. HF_E_ZONE_OFFLINE, HF_E_MASS_RELEASE_GUARD. */
enum hf_err hf_sync_judge(struct hf_sync *sync, const struct hf_wear *wear, int64_t now_ms, struct hf_why *why) HF_CHECKED;

/* A new item, not yet in any list. NULL: beyond the budget. */
struct hf_sync_item *hf_sync_new_item(struct hf_sync *sync, enum hf_sync_role role, const uint8_t *key, size_t key_len);

/* An item's identity bytes. */
static inline struct hf_slice hf_sync_key(const struct hf_sync_item *item) { return (struct hf_slice){item->key, item->key_len}; }

/* The first of the sorted items that is not before a key; n_sorted if there is none. */
uint32_t hf_sync_find(const struct hf_sync *sync, struct hf_slice key);

/* HF_E_OVERLOADED in words. */
enum hf_err hf_sync_no_memory(const struct hf_sync *sync, struct hf_why *why);

/* Fills a request for one item; what does not differ from item to item is left alone. */
void hf_sync_fill_acquire(const struct hf_sync_item *item, struct hf_acquire *ret);

/* Sets an item's result from the lease that it has; NULL: from having none. */
void hf_sync_set_lease(const struct hf_sync *sync, struct hf_sync_item *item, const struct hf_lease *lease);

/* Sets an item's outcome, and counts it instead of the one before. */
void hf_sync_set_outcome(struct hf_sync *sync, struct hf_sync_item *item, enum hf_sync_outcome outcome);

/* Rejects an item. The words are copied. HF_E_OVERLOADED: there is no room for them. */
enum hf_err hf_sync_reject(struct hf_sync *sync, struct hf_sync_item *item, enum hf_err err, const char *text) HF_CHECKED;

#endif

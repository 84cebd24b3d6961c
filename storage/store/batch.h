/* batch.h — one write transaction and what it has changed: the committer's workbench.
 *
 * A batch works on the writer's copies: the meta record and the pools live in the store and are written once, at the commit;
 * scopes are cached during the batch. One batch at a time, on one thread.
 *
 * Everything else about a lease is derived from its record. hf_batch_change() is the only way to alter one: it compares the record
 * before and after, and derives the addresses, free extents, history, deadlines, counters, digests and the feed entry from the
 * difference. So they cannot disagree.
 */
#ifndef HF_STORAGE_STORE_BATCH_H
#define HF_STORAGE_STORE_BATCH_H

#include "storage/model/zone.h"
#include "storage/tables/lease_table.h"
#include "store.h"

struct hf_batch;
struct hf_wear;

/* Begins a batch; blocks while another one is open.
 * Fails with HF_E_OVERLOADED if memory runs out.
 * Fails with HF_E_STORAGE as hf_txn_begin() does.
 * Fails with HF_E_PANIC as hf_txn_begin() does. */
enum hf_err hf_batch_begin(struct hf_store *store, struct hf_why *why, struct hf_batch **ret) HF_CHECKED;

/* Commits durably, or just ends the transaction if nothing was written. After an error nothing has changed. Frees the batch.
 * Fails with the transaction's fault, or as hf_txn_commit() does. */
enum hf_err hf_batch_commit(struct hf_batch *batch, struct hf_why *why) HF_CHECKED;
void hf_batch_abort(struct hf_batch *batch);

/* Sets who asks for the changes that follow, at most HF_BY_MAX bytes. A batch begins with HF_BY_HOLDFAST: what nobody asks for
 * comes first. */
void hf_batch_set_by(struct hf_batch *batch, const char *by);
const char *hf_batch_by(const struct hf_batch *batch);

/* Writes the copies early, so that the transaction can be read as it would be committed. */
void hf_batch_write(struct hf_batch *batch);

struct hf_txn *hf_batch_txn(struct hf_batch *batch);
int64_t hf_batch_now_ms(const struct hf_batch *batch);
struct hf_store *hf_batch_store(struct hf_batch *batch);

/* Returns the batch's copy of the meta record; the commit writes it if it changed. */
struct hf_meta *hf_batch_meta(struct hf_batch *batch);

/* Return the writer's pools, sorted by name, and one of them (NULL: unknown); borrowed until the batch ends or a pool is added or
 * dropped. A caller that alters one sets its `touched` or `edited`, so that the commit writes it. */
int hf_batch_pools(struct hf_batch *batch, struct hf_pool *const **ret_pools);
struct hf_pool *hf_batch_pool(struct hf_batch *batch, const char *name);

/* Returns the pool in whose ranges an address lies, draining ones too; NULL: no pool has it. */
struct hf_pool *hf_batch_pool_at(struct hf_batch *batch, struct hf_addr a);

/* Adds an empty pool of that name to the writer's copies; hf_batch_drop_pool() removes one from them, and its record.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_batch_add_pool(struct hf_batch *batch, const char *name, struct hf_pool **ret) HF_CHECKED;
void hf_batch_drop_pool(struct hf_batch *batch, struct hf_pool *pool);

/* Returns a scope, which is cached and written at the commit; creates its zone if it is new. NULL after a fault. */
struct hf_scope *hf_batch_scope(struct hf_batch *batch, const struct hf_key *key);

/* Revives a retired zone that gets an active lease. */
void hf_batch_revive_zone(struct hf_batch *batch, const char *name);

/* Returns the sum over a zone's scopes in the batch. (hf_zone_sum() reads the tables, and misses the cached scopes.) */
struct hf_scope hf_batch_zone_sum(struct hf_batch *batch, const char *zone);

/* Stores a zone's record. */
void hf_batch_put_zone(struct hf_batch *batch, const struct hf_zone *zone);

/* Returns the store's count of recent releases by syncs (wear.h), as the batch changes it. */
struct hf_wear **hf_batch_wear(struct hf_batch *batch);

/* Counts a changed address of a lease. The batch writes the count; after the commit hf_store_vip_changes() includes it. */
/* Returns an identity that was looked up last and of which nothing is remembered, so that it is not looked up twice (memory.h);
 * len 0: not known. */
struct hf_key *hf_batch_blank(struct hf_batch *batch);

void hf_batch_count_vip_change(struct hf_batch *batch, enum hf_cause cause);

#endif

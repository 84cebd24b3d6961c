/* batch.h — one write transaction and what it has changed: the committer's workbench. Inside storage/ only (and tests).
 *
 * A batch works on the writer's copies: the meta record and the pools live in the store and are written once, at the commit; scopes
 * are cached for the length of the batch. One batch at a time, on one thread.
 *
 * All that is known of a lease follows from its record. hf_batch_change() is the only way to alter one: it takes the record before
 * and after, and derives from the difference the addresses, free extents, history, deadlines, counters, digests and the entry in
 * the feed. So they cannot disagree.
 */
#ifndef HF_STORAGE_STORE_BATCH_H
#define HF_STORAGE_STORE_BATCH_H

#include "storage/model/zone.h"
#include "storage/tables/lease_table.h"
#include "store.h"

struct hf_batch;
struct hf_wear;

/* Begins. Blocks while another batch is open. HF_E_STORAGE, HF_E_PANIC. */
enum hf_err hf_batch_begin(struct hf_store *store, struct hf_why *why, struct hf_batch **ret) HF_CHECKED;

/* Commits durably, or not at all if nothing was written. On any error nothing is changed. Frees the batch. */
enum hf_err hf_batch_commit(struct hf_batch *batch, struct hf_why *why) HF_CHECKED;
void hf_batch_abort(struct hf_batch *batch);

/* Writes the copies before their time, so that the transaction can be read as it would be committed. */
void hf_batch_write(struct hf_batch *batch);

struct hf_txn *hf_batch_txn(struct hf_batch *batch);
int64_t hf_batch_now_ms(const struct hf_batch *batch);
struct hf_store *hf_batch_store(struct hf_batch *batch);

/* The batch's copy of the meta record; it is written at the commit if it changed. */
struct hf_meta *hf_batch_meta(struct hf_batch *batch);

/* The writer's pools, sorted by name; borrowed until the batch ends or a pool is added or dropped. Whoever alters one sets its
 * `touched`, so that it is written at the commit. */
int hf_batch_pools(struct hf_batch *batch, struct hf_pool *const **ret_pools);
struct hf_pool *hf_batch_pool(struct hf_batch *batch, const char *name);

/* Adds an empty pool of that name to the writer's copies, or drops one from them and its record. HF_E_STORAGE: out of memory. */
enum hf_err hf_batch_add_pool(struct hf_batch *batch, const char *name, struct hf_pool **ret) HF_CHECKED;
void hf_batch_drop_pool(struct hf_batch *batch, struct hf_pool *pool);

/* A scope, cached and written at the commit; its zone is made if it is new. NULL after a fault. */
struct hf_scope *hf_batch_scope(struct hf_batch *batch, const struct hf_key *key);

/* Brings a zone back that was retired, as it gets an active lease. */
void hf_batch_revive_zone(struct hf_batch *batch, const char *name);

/* The sum over a zone's scopes as the batch has them: hf_zone_sum() of the tables misses those that it has in its cache. */
struct hf_scope hf_batch_zone_sum(struct hf_batch *batch, const char *zone);

/* Stores a zone's record. */
void hf_batch_put_zone(struct hf_batch *batch, const struct hf_zone *zone);

/* What syncs released lately (wear.h); the store's, as the batch changes it. */
struct hf_wear **hf_batch_wear(struct hf_batch *batch);

/* Notes that a lease's address changed; it is written with the batch, and hf_store_vip_changes() tells once that is committed. */
void hf_batch_count_vip_change(struct hf_batch *batch, enum hf_cause cause);

/* Alters a lease from `before` (NULL: new) to `after` (NULL: gone): a change with the next revision, which is set in *after. An
 * address that it gets is held by nobody; it may be of another pool than before. */
void hf_batch_change(struct hf_batch *batch, const struct hf_lease *before, struct hf_lease *after, enum hf_change_type type,
		     enum hf_cause cause);

/* Stores a lease of which only the version string, the raw digest or the end of its quarantine differ: no revision, no change. */
void hf_batch_relabel(struct hf_batch *batch, const struct hf_lease *before, const struct hf_lease *after);

/* Appends to the feed under the next revision, which it returns. */
uint64_t hf_batch_record(struct hf_batch *batch, struct hf_change *change);

#endif

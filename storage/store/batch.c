/* batch.c — a write transaction and the writer's copies of meta, pools and scopes. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "batch.h"

#include <stdlib.h>
#include <uthash.h>

#include "storage/model/zone_rules.h"
#include "storage/tables/pool_table.h"
#include "store_internal.h"

struct scope_entry {
	uint8_t key[HF_SCOPE_MAX];
	unsigned key_len;
	bool lost; /* could not be added to the hash table: out of memory */
	struct hf_scope scope;
	UT_hash_handle hh;
};

struct hf_batch {
	struct hf_store *store;
	struct hf_txn *txn;
	int64_t now_ms;
	struct hf_meta meta;
	char by[HF_BY_MAX + 1];
	struct scope_entry *scopes;
	struct hf_key blank;   /* hf_batch_blank() */
	struct hf_moves moves; /* made by this batch */
};

static void free_batch(struct hf_batch *batch) {
	struct scope_entry *entry, *next;
	HASH_ITER (hh, batch->scopes, entry, next) {
		HASH_DEL(batch->scopes, entry);
		free(entry);
	}
	free(batch);
}

enum hf_err hf_batch_begin(struct hf_store *store, struct hf_why *why, struct hf_batch **ret) {
	struct hf_batch *batch = calloc(1, sizeof *batch);
	if (!batch)
		return hf_no_memory(why);
	enum hf_err err = hf_txn_begin(store->env, why, &batch->txn);
	if (err) {
		free(batch);
		return err;
	}
	if (store->pools_stale)
		err = hf_store_load_pools(store, batch->txn, why);
	if (!err && store->ttl_stale)
		err = hf_store_load_ttl(store, batch->txn, why);
	if (err) {
		hf_txn_abort(batch->txn);
		free(batch);
		return err;
	}
	batch->store = store;
	batch->now_ms = hf_store_now_ms(store);
	batch->meta = store->meta;
	hf_batch_set_by(batch, HF_BY_HOLDFAST);
	*ret = batch;
	return HF_OK;
}

void hf_batch_set_by(struct hf_batch *batch, const char *by) { strncpy(batch->by, by, HF_BY_MAX); }

const char *hf_batch_by(const struct hf_batch *batch) { return batch->by; }

static bool meta_equal(const struct hf_meta *a, const struct hf_meta *b) {
	return a->revision == b->revision && a->compacted == b->compacted && a->next_pool_id == b->next_pool_id &&
	       a->store_epoch == b->store_epoch && a->restored_ms == b->restored_ms;
}

/* Ends a batch that changed nothing on disk; if it altered the writer's copies, the next batch reads them again. */
static void discard(struct hf_batch *batch, bool altered) {
	hf_wear_settle(batch->store->wear, false);
	hf_ttl_settle(batch->store->ttl, false);
	if (altered) {
		batch->store->pools_stale = true;
		batch->store->next_deadline_ms = 0;
		batch->store->passed_over = (struct hf_deadline){0};
		batch->store->ttl_stale = batch->store->ttl_stale || batch->store->zones_put;
	}
	batch->store->zones_put = false;
	free_batch(batch);
}

void hf_batch_write(struct hf_batch *batch) {
	for (int i = 0; i < batch->store->n_pools; i++) {
		const struct hf_pool *pool = batch->store->pools[i];
		if (pool->edited)
			hf_pool_store(batch->txn, pool);
		if (pool->touched)
			hf_usage_store(batch->txn, pool);
	}
	struct scope_entry *entry, *next;
	HASH_ITER (hh, batch->scopes, entry, next) {
		uint8_t record[HF_SCOPE_RECORD_MAX];
		hf_txn_put(batch->txn, HF_SCOPES, (struct hf_slice){entry->key, entry->key_len},
			   hf_scope_encode(&entry->scope, record));
	}
	if (hf_moves_any(&batch->moves)) {
		struct hf_moves moves = {.by_cause = {0}};
		for (int cause = 1; cause <= HF_CAUSES; cause++)
			moves.by_cause[cause] = batch->store->vip_changes[cause] + batch->moves.by_cause[cause];
		hf_moves_write(batch->txn, &moves);
	}
	if (!meta_equal(&batch->meta, &batch->store->meta))
		hf_meta_write(batch->txn, &batch->meta);
}

enum hf_err hf_batch_commit(struct hf_batch *batch, struct hf_why *why) {
	struct hf_store *store = batch->store;
	hf_batch_write(batch);
	if (hf_txn_writes(batch->txn) == 0) {
		enum hf_err err = hf_txn_fault(batch->txn, why);
		hf_txn_abort(batch->txn);
		discard(batch, err != HF_OK);
		return err;
	}
	enum hf_err err = hf_txn_commit(batch->txn, why);
	if (!err) {
		store->meta = batch->meta;
		hf_wear_settle(store->wear, true);
		hf_ttl_settle(store->ttl, true);
		store->revision = store->meta.revision;
		for (int cause = 1; cause <= HF_CAUSES; cause++)
			store->vip_changes[cause] += batch->moves.by_cause[cause];
	}
	for (int i = 0; !err && i < store->n_pools; i++)
		store->pools[i]->touched = store->pools[i]->edited = false;
	discard(batch, err != HF_OK);
	return err;
}

void hf_batch_abort(struct hf_batch *batch) {
	hf_txn_abort(batch->txn);
	discard(batch, true);
}

struct hf_txn *hf_batch_txn(struct hf_batch *batch) {
	return batch->txn;
}

int64_t hf_batch_now_ms(const struct hf_batch *batch) { return batch->now_ms; }

struct hf_store *hf_batch_store(struct hf_batch *batch) {
	return batch->store;
}

struct hf_wear **hf_batch_wear(struct hf_batch *batch) {
	return &batch->store->wear;
}

struct hf_meta *hf_batch_meta(struct hf_batch *batch) {
	return &batch->meta;
}

struct hf_key *hf_batch_blank(struct hf_batch *batch) {
	return &batch->blank;
}

void hf_batch_count_vip_change(struct hf_batch *batch, enum hf_cause cause) { batch->moves.by_cause[cause]++; }

int hf_batch_pools(struct hf_batch *batch, struct hf_pool *const **ret_pools) {
	*ret_pools = batch->store->pools;
	return batch->store->n_pools;
}

struct hf_pool *hf_batch_pool(struct hf_batch *batch, const char *name) {
	for (int i = 0; i < batch->store->n_pools; i++)
		if (strcmp(batch->store->pools[i]->name, name) == 0)
			return batch->store->pools[i];
	return NULL;
}

struct hf_pool *hf_batch_pool_at(struct hf_batch *batch, struct hf_addr a) {
	for (int i = 0; i < batch->store->n_pools; i++)
		if (hf_pool_place(batch->store->pools[i], a, NULL) != HF_OUTSIDE)
			return batch->store->pools[i];
	return NULL;
}

enum hf_err hf_batch_add_pool(struct hf_batch *batch, const char *name, struct hf_pool **ret) {
	struct hf_store *store = batch->store;
	struct hf_pool **pools = realloc(store->pools, sizeof *pools * (size_t)(store->n_pools + 1));
	if (!pools)
		return HF_E_STORAGE;
	store->pools = pools;
	struct hf_pool *pool = calloc(1, sizeof *pool);
	if (!pool)
		return HF_E_STORAGE;
	strncpy(pool->name, name, HF_NAME_MAX);
	pool->touched = pool->edited = true;
	pool->id = batch->meta.next_pool_id++;
	int at = store->n_pools++;
	for (; at > 0 && strcmp(pools[at - 1]->name, name) > 0; at--)
		pools[at] = pools[at - 1];
	pools[at] = pool;
	*ret = pool;
	return HF_OK;
}

void hf_batch_drop_pool(struct hf_batch *batch, struct hf_pool *pool) {
	struct hf_store *store = batch->store;
	hf_pool_erase(batch->txn, pool); /* nothing yet if this batch added the pool */
	int at = 0;
	while (store->pools[at] != pool)
		at++;
	for (store->n_pools--; at < store->n_pools; at++)
		store->pools[at] = store->pools[at + 1];
	hf_pool_drop(pool);
	free(pool);
}

void hf_batch_put_zone(struct hf_batch *batch, const struct hf_zone *zone) {
	uint8_t record[HF_ZONE_RECORD_MAX];
	hf_txn_put(batch->txn, HF_ZONES, (struct hf_slice){zone->name, strlen(zone->name)}, hf_zone_encode(zone, record));
	batch->store->zones_put = true;
	if (!hf_ttl_set(batch->store->ttl, zone, hf_store_monotonic_ms(batch->store)))
		hf_txn_no_memory(batch->txn);
}

/* Creates the zone of a first lease, unless it connected before. */
static void ensure_zone(struct hf_batch *batch, const struct hf_key *key) {
	struct hf_zone zone;
	if (hf_zone_read(batch->txn, (const char *)key->bytes, &zone)) /* an identity begins with its zone and a NUL */
		return;
	zone.created_ms = zone.changed_ms = batch->now_ms;
	hf_batch_put_zone(batch, &zone);
}

void hf_batch_revive_zone(struct hf_batch *batch, const char *name) {
	struct hf_zone zone;
	if (!hf_zone_read(batch->txn, name, &zone) || zone.state != HF_ZONE_RETIRED)
		return;
	zone = hf_zone_rules_revived(&zone, batch->now_ms);
	hf_batch_put_zone(batch, &zone);
}

struct hf_scope *hf_batch_scope(struct hf_batch *batch, const struct hf_key *key) {
	struct scope_entry *entry;
	struct hf_slice value;
	HASH_FIND(hh, batch->scopes, key->bytes, key->scope_len, entry);
	if (entry)
		return &entry->scope;
	entry = calloc(1, sizeof *entry);
	if (entry) {
		memcpy(entry->key, key->bytes, key->scope_len);
		entry->key_len = key->scope_len;
		HASH_ADD(hh, batch->scopes, key, entry->key_len, entry);
	}
	if (!entry || entry->lost) {
		free(entry);
		hf_txn_no_memory(batch->txn);
		return NULL;
	}
	if (!hf_txn_get(batch->txn, HF_SCOPES, (struct hf_slice){key->bytes, key->scope_len}, &value))
		ensure_zone(batch, key);
	else if (!hf_scope_decode(value, &entry->scope))
		hf_txn_damaged(batch->txn, HF_SCOPES);
	return &entry->scope;
}

static bool is_cached(void *context, struct hf_slice key) {
	struct hf_batch *batch = context;
	struct scope_entry *entry;
	HASH_FIND(hh, batch->scopes, key.data, key.len, entry);
	return entry != NULL;
}

struct hf_scope hf_batch_zone_sum(struct hf_batch *batch, const char *zone) {
	struct hf_scope sum = hf_zone_sum_except(batch->txn, zone, is_cached, batch);
	size_t len = strlen(zone) + 1; /* with its NUL, so that it matches no other zone's scopes */
	struct scope_entry *entry, *next;
	HASH_ITER (hh, batch->scopes, entry, next)
		if (entry->key_len > len && memcmp(entry->key, zone, len) == 0)
			hf_scope_add(&sum, &entry->scope);
	return sum;
}

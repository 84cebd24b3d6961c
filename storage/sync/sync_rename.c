/* sync_rename.c — services that were renamed: they show the address of a lease that the list no longer names. */
#include <stdlib.h>

#include "storage/model/move_rules.h"
#include "storage/requests/pool_requests.h"
#include "storage/tables/holders.h"
#include "storage/tables/lease_table.h"
#include "sync_internal.h"

static struct hf_slice from_of(const struct hf_sync_item *item) { return (struct hf_slice){item->from, item->from_len}; }

static int by_from(const void *a, const void *b) {
	return hf_slice_compare(from_of(*(struct hf_sync_item *const *)a), from_of(*(struct hf_sync_item *const *)b));
}

static int key_to_item(const void *key, const void *item) {
	return hf_slice_compare(*(const struct hf_slice *)key, from_of(*(struct hf_sync_item *const *)item));
}

bool hf_sync_is_renamed(const struct hf_sync *sync, struct hf_slice key) {
	return sync->n_renamed > 0 && bsearch(&key, sync->renamed, sync->n_renamed, sizeof *sync->renamed, key_to_item);
}

/* Returns the item that has a key; NULL: the list does not name it. */
static struct hf_sync_item *item_of(const struct hf_sync *sync, const struct hf_key *key) {
	struct hf_slice bytes = {key->bytes, key->len};
	uint32_t at = hf_sync_find(sync, bytes);
	return at < sync->n_sorted && hf_slice_compare(hf_sync_key(sync->sorted[at]), bytes) == 0 ? sync->sorted[at] : NULL;
}

/* Whether the list no longer names an identity of its zone: a full list does not have it though it is in the scope, a delta removes
 * it. */
static bool is_gone(const struct hf_sync *sync, const struct hf_key *key) {
	const struct hf_sync_item *item = item_of(sync, key);
	if (sync->mode == HF_SYNC_DELTA)
		return item && item->role == HF_SYNC_REMOVED && !item->in_error;
	return !item && hf_sync_in_scope(sync, (struct hf_slice){key->bytes, key->scope_len});
}

/* A search, and the pool that it read last: the leases of a zone are mostly of one pool. */
struct search {
	struct hf_sync *sync;
	struct hf_txn *txn;
	struct hf_pool pool; /* without a name: none */
};

/* Whether the lease's pool, which has its addresses, serves an identity as well as the lease's own. */
static bool is_served(struct search *search, const struct hf_lease *lease, const struct hf_identity *id) {
	if (strcmp(search->pool.name, lease->pool) != 0) {
		hf_pool_drop(&search->pool);
		search->pool = (struct hf_pool){.id = 0};
		if (hf_pool_read(search->txn, lease->pool, NULL, &search->pool))
			return false;
	}
	return hf_rules_transfer(&lease->id, lease, id, NULL, &search->pool, NULL) == HF_OK;
}

/* Finds the one lease of the zone that all claims of an item are bound to, as far as they are bound. */
static bool find_lease(struct search *search, const struct hf_sync_item *item, struct hf_key *ret_key, struct hf_lease *ret) {
	const struct hf_sync *sync = search->sync;
	struct hf_txn *txn = search->txn;
	struct hf_identity found, id;
	struct hf_holder holder;
	bool any = false;
	for (int i = 0; i < item->n_claims; i++) {
		if (!hf_holders_present(txn, item->claims[i], &holder))
			continue;
		if (strcmp(holder.id.zone, sync->zone) != 0 || (any && !hf_identity_equal(&holder.id, &found)))
			return false;
		found = holder.id;
		any = true;
	}
	if (!any || !hf_identity_decode(item->key, item->key_len, &id))
		return false;
	hf_identity_encode(&found, ret_key);
	return is_gone(sync, ret_key) && hf_lease_read(txn, ret_key, ret) && is_served(search, ret, &id);
}

/* Notes which lease an item would be renamed from, if no other item shows it. */
static enum hf_err note(struct search *search, struct hf_sync_item *item, struct hf_why *why) {
	struct hf_sync *sync = search->sync;
	struct hf_lease lease;
	struct hf_key key;
	item->from = NULL;
	if (item->todo != HF_SYNC_CREATE || item->n_claims == 0 || !find_lease(search, item, &key, &lease))
		return HF_OK;
	uint8_t *from = hf_arena_alloc(&sync->arena, key.len);
	if (!from)
		return hf_sync_no_memory(sync, why);
	memcpy(from, key.bytes, key.len);
	item->from = from;
	item->from_len = key.len;
	sync->renamed[sync->n_renamed++] = item;
	return HF_OK;
}

/* Keeps the items that alone show a lease, and sets their results. */
static void keep_single(struct hf_sync *sync, struct hf_txn *txn) {
	struct hf_sync_item **renamed = sync->renamed;
	uint32_t n = sync->n_renamed, kept = 0;
	qsort(renamed, n, sizeof *renamed, by_from);
	for (uint32_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && by_from(&renamed[i], &renamed[next]) == 0;)
			renamed[next++]->from = NULL;
		if (next > i + 1)
			renamed[i]->from = NULL;
		else
			renamed[kept++] = renamed[i];
	}
	sync->n_renamed = kept;
	for (uint32_t i = 0; i < kept; i++) {
		struct hf_key key = {.len = renamed[i]->from_len};
		struct hf_lease lease;
		memcpy(key.bytes, renamed[i]->from, key.len);
		if (!hf_lease_read(txn, &key, &lease))
			return; /* a fault, which sticks */
		hf_sync_set_lease(sync, renamed[i], &lease);
		hf_sync_set_outcome(sync, renamed[i], HF_SYNC_TRANSFERRED);
		renamed[i]->todo = HF_SYNC_RENAME;
		struct hf_sync_item *removed = sync->mode == HF_SYNC_DELTA ? item_of(sync, &key) : NULL;
		if (removed && removed->todo == HF_SYNC_RELEASE) {
			removed->todo = HF_SYNC_DONE;
			hf_sync_set_outcome(sync, removed, HF_SYNC_UNCHANGED);
			sync->releases--;
		}
	}
}

enum hf_err hf_sync_find_renamed(struct hf_sync *sync, struct hf_txn *txn, struct hf_why *why) {
	enum hf_err err = HF_OK;
	uint32_t n = 0;
	sync->n_renamed = 0;
	/* A list that names something nobody can read may name any lease by it. */
	if (!sync->renames || sync->mode == HF_SYNC_MANIFEST || (sync->mode == HF_SYNC_FULL && sync->n_unreadable > 0))
		return HF_OK;
	for (uint32_t i = 0; i < sync->n_sorted; i++)
		n += sync->sorted[i]->todo == HF_SYNC_CREATE && sync->sorted[i]->n_claims > 0;
	sync->renamed = n ? hf_arena_alloc(&sync->arena, sizeof *sync->renamed * n) : NULL;
	if (n && !sync->renamed)
		return hf_sync_no_memory(sync, why);
	struct search search = {.sync = sync, .txn = txn};
	for (uint32_t i = 0; n && !err && i < sync->n_sorted; i++)
		err = note(&search, sync->sorted[i], why);
	hf_pool_drop(&search.pool);
	if (!err && n)
		keep_single(sync, txn);
	return err;
}

/* pool_requests.c — the requests on pools. */
#include "pool_requests.h"

#include <inttypes.h>

#include "storage/store/batch.h"
#include "storage/store/lease_change.h"
#include "storage/tables/allocator.h"

static enum hf_err overlap(const struct hf_pool *other, struct hf_range theirs, struct hf_range ours, struct hf_why *why) {
	char a[HF_RANGE_TEXT], b[HF_RANGE_TEXT];
	hf_range_format(ours, a);
	hf_range_format(theirs, b);
	return hf_fail(why, HF_E_POOL_OVERLAP, "\"cidrs\": %s overlaps %s of pool \"%s\"", a, b, other->name);
}

static enum hf_err check_others(struct hf_batch *batch, const struct hf_pool_put *request, struct hf_why *why) {
	struct hf_pool *const *pools;
	struct hf_range ours, theirs;
	int n = hf_batch_pools(batch, &pools);
	for (int p = 0; p < n; p++)
		if (strcmp(pools[p]->name, request->name) != 0 && hf_pool_overlaps(&request->config, pools[p], &ours, &theirs))
			return overlap(pools[p], theirs, ours, why);
	return HF_OK;
}

/* Adds the parts of `range` that the new CIDRs omit and that have leases to `draining`. Fails if that is not allowed. */
static enum hf_err keep_draining(struct hf_batch *batch, const struct hf_pool_put *request, struct hf_range range, bool allowed,
				 struct hf_why *why, struct hf_range draining[HF_POOL_DRAINING_MAX], int *n_draining) {
	char text[HF_RANGE_TEXT];
	int first = *n_draining, n = first;
	if (!hf_allocator_any_held(hf_batch_txn(batch), range))
		return HF_OK;
	bool fits = hf_range_subtract(range, request->config.cidrs, request->config.n_cidrs, draining, HF_POOL_DRAINING_MAX, &n);
	if (!fits && first < HF_POOL_DRAINING_MAX) { /* try halves: most pieces may be free, and a single address always fits */
		hf_u128 half = (hf_range_size(range) >> 1) - 1;
		struct hf_range low = {range.first, {range.first.n + half}}, high = {{range.first.n + half + 1}, range.last};
		enum hf_err err = keep_draining(batch, request, low, allowed, why, draining, n_draining);
		return err ? err : keep_draining(batch, request, high, allowed, why, draining, n_draining);
	}
	if (!fits)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"cidrs\": the edit would leave more than %d draining ranges",
			       HF_POOL_DRAINING_MAX);
	for (int i = first; i < n; i++) {
		if (!hf_allocator_any_held(hf_batch_txn(batch), draining[i]))
			continue;
		if (!allowed) {
			hf_range_format(draining[i], text);
			return hf_fail(why, HF_E_POOL_IN_USE, "\"cidrs\": %s has leases; take it away with drain=true", text);
		}
		draining[(*n_draining)++] = draining[i];
	}
	return HF_OK;
}

static enum hf_err find_draining(struct hf_batch *batch, const struct hf_pool_put *request, const struct hf_pool *pool,
				 struct hf_why *why, struct hf_range draining[HF_POOL_DRAINING_MAX], int *ret_n) {
	enum hf_err err = HF_OK;
	int n = 0;
	for (int i = 0; !err && i < pool->config.n_cidrs; i++)
		err = keep_draining(batch, request, pool->config.cidrs[i], request->drain, why, draining, &n);
	for (int i = 0; !err && i < pool->n_draining; i++)
		err = keep_draining(batch, request, pool->draining[i], true, why, draining, &n);
	if (!err)
		*ret_n = n;
	return err;
}

static uint64_t record(struct hf_batch *batch, const char *name, enum hf_change_type type) {
	struct hf_change change = {.type = type, .cause = HF_CAUSE_REQUEST};
	memcpy(change.pool, name, sizeof change.pool);
	return hf_batch_record(batch, &change);
}

static enum hf_err apply_put(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct hf_pool_put *request = (struct hf_pool_put *)write;
	struct hf_pool *pool = hf_batch_pool(batch, request->name);
	struct hf_range draining[HF_POOL_DRAINING_MAX];
	int n_draining = 0;
	if (pool && hf_pool_config_equal(&pool->config, &request->config)) {
		request->outcome = HF_POOL_UNCHANGED;
		request->pool = *pool;
		return HF_OK;
	}
	request->outcome = pool ? HF_POOL_UPDATED : HF_POOL_CREATED;
	enum hf_err err = check_others(batch, request, why);
	if (!err && pool)
		err = find_draining(batch, request, pool, why, draining, &n_draining);
	if (!err && !pool)
		err = hf_batch_add_pool(batch, request->name, &pool);
	if (err)
		return err;
	bool same_ranges = hf_pool_ranges_equal(&pool->config, &request->config);
	pool->config = request->config;
	pool->n_draining = n_draining;
	memcpy(pool->draining, draining, sizeof draining[0] * (size_t)n_draining);
	pool->touched = true;
	pool->modified_ms = hf_batch_now_ms(batch);
	if (request->outcome == HF_POOL_CREATED)
		pool->created_ms = pool->modified_ms;
	if (!same_ranges)
		hf_allocator_rebuild(hf_batch_txn(batch), pool);
	pool->revision = record(batch, pool->name, HF_CHANGE_POOL_WRITTEN);
	request->pool = *pool;
	return HF_OK;
}

void hf_pool_put_begin(struct hf_pool_put *request) { request->write.apply = apply_put; }

static enum hf_err apply_delete(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct hf_pool_delete *request = (struct hf_pool_delete *)write;
	struct hf_pool *pool = hf_batch_pool(batch, request->name);
	if (!pool)
		return hf_fail(why, HF_E_NOT_FOUND, "pool \"%s\" does not exist", request->name);
	if (pool->active + pool->quarantined)
		return hf_fail(why, HF_E_POOL_IN_USE, "pool \"%s\" has %" PRIu64 " active leases and %" PRIu64 " in quarantine",
			       request->name, pool->active, pool->quarantined);
	request->pool = *pool;
	hf_allocator_clear(hf_batch_txn(batch), pool->id);
	hf_batch_drop_pool(batch, pool);
	record(batch, request->name, HF_CHANGE_POOL_DELETED);
	return HF_OK;
}

void hf_pool_delete_begin(struct hf_pool_delete *request) { request->write.apply = apply_delete; }

/* Reads the pool at the cursor. False: there is none (`found` is false), or its record is damaged. */
static bool pool_at(struct hf_cursor *cursor, bool found, struct hf_pool *ret) {
	return found && (hf_pool_decode(cursor->key, cursor->value, ret) || hf_txn_damaged(cursor->txn, HF_POOLS));
}

enum hf_err hf_pool_read(struct hf_txn *reader, const char *name, struct hf_why *why, struct hf_pool *ret) {
	struct hf_slice key = {name, strlen(name)}, value;
	bool found = hf_txn_get(reader, HF_POOLS, key, &value);
	if (found && !hf_pool_decode(key, value, ret))
		hf_txn_damaged(reader, HF_POOLS);
	enum hf_err err = hf_txn_fault(reader, why);
	if (!err && !found)
		err = hf_fail(why, HF_E_NOT_FOUND, "pool \"%s\" does not exist", name);
	return err;
}

enum hf_err hf_pools_each(struct hf_txn *reader, void (*each)(void *context, const struct hf_pool *pool), void *context,
			  struct hf_why *why) {
	struct hf_pool pool;
	HF_CURSOR cursor;
	hf_cursor_open(reader, HF_POOLS, &cursor);
	while (pool_at(&cursor, hf_cursor_next(&cursor), &pool))
		each(context, &pool);
	return hf_txn_fault(reader, why);
}

enum hf_err hf_pools_page(struct hf_txn *reader, const char *after, bool (*take)(void *context, const struct hf_pool *pool),
			  void *context, struct hf_why *why, bool *ret_more) {
	struct hf_pool pool;
	HF_CURSOR cursor;
	bool more = false;
	hf_cursor_open(reader, HF_POOLS, &cursor);
	bool found = hf_cursor_seek_after(&cursor, (struct hf_slice){after, strlen(after)});
	for (; !more && pool_at(&cursor, found, &pool); found = hf_cursor_next(&cursor))
		more = !take(context, &pool);
	*ret_more = more;
	return hf_txn_fault(reader, why);
}

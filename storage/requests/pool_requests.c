/* pool_requests.c — the requests on pools. */
#include "pool_requests.h"

#include <inttypes.h>
#include <stdlib.h>

#include "storage/store/batch.h"
#include "storage/store/lease_change.h"
#include "storage/tables/affinity.h"
#include "storage/tables/allocator.h"
#include "storage/tables/pool_table.h"

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

/* Ranges that are to drain, with room for one too many. */
struct leaving {
	int n;
	struct hf_range at[HF_POOL_RANGES_MAX + 1];
};

/* Adds the parts of `range` that the new CIDRs omit and that have leases. Fails if that is not allowed. */
static enum hf_err keep_draining(struct hf_batch *batch, const struct hf_pool_put *request, struct hf_range range, bool allowed,
				 struct hf_why *why, struct leaving *leaving) {
	const struct hf_ranges *cidrs = &request->config.cidrs;
	char text[HF_RANGE_TEXT];
	struct hf_range rest = range;
	struct hf_addr held;
	while (hf_allocator_first_held(hf_batch_txn(batch), rest, &held)) {
		const struct hf_range *kept = hf_ranges_find(cidrs, held);
		struct hf_range left = kept ? *kept : hf_pool_left_around(held, range, cidrs);
		hf_range_format(left, text);
		if (!kept && !allowed)
			return hf_fail(why, HF_E_POOL_IN_USE, "\"cidrs\": %s has leases; take it away with drain=true", text);
		if (!kept)
			leaving->at[leaving->n++] = left;
		if (leaving->n > HF_POOL_RANGES_MAX)
			return hf_fail(why, HF_E_INVALID_PARAMETER, "\"cidrs\": the edit would leave more than %d draining ranges",
				       HF_POOL_RANGES_MAX);
		if (left.last.n >= range.last.n)
			break;
		rest.first.n = left.last.n + 1;
	}
	return HF_OK;
}

static enum hf_err find_leaving(struct hf_batch *batch, const struct hf_pool_put *request, const struct hf_pool *pool,
				struct hf_why *why, struct leaving *leaving) {
	enum hf_err err = HF_OK;
	for (int i = 0; !err && i < pool->config.cidrs.n; i++)
		err = keep_draining(batch, request, pool->config.cidrs.at[i], request->drain, why, leaving);
	for (int i = 0; !err && i < pool->draining.n; i++)
		err = keep_draining(batch, request, pool->draining.at[i], true, why, leaving);
	return err;
}

static enum hf_err find_draining(struct hf_batch *batch, const struct hf_pool_put *request, const struct hf_pool *pool,
				 struct hf_why *why, struct hf_ranges *ret) {
	struct leaving *leaving = malloc(sizeof *leaving);
	if (!leaving)
		return hf_no_memory(why);
	leaving->n = 0;
	enum hf_err err = find_leaving(batch, request, pool, why, leaving);
	if (!err && !hf_ranges_make(leaving->at, leaving->n, ret))
		err = hf_no_memory(why);
	free(leaving);
	return err;
}

static uint64_t record(struct hf_batch *batch, const char *name, enum hf_change_type type) {
	struct hf_change change = {.type = type, .cause = HF_CAUSE_REQUEST};
	memcpy(change.pool, name, sizeof change.pool);
	return hf_batch_record(batch, &change);
}

enum hf_err hf_pool_judge(const struct hf_condition *if_match, const struct hf_condition *if_none_match, const struct hf_pool *pool,
			  struct hf_why *why) {
	char tag[HF_ETAG_TEXT];
	if (pool)
		hf_pool_etag(pool, tag);
	enum hf_err err = hf_condition_if_match(if_match, pool ? tag : NULL, "pool", why);
	return err ? err : hf_condition_if_none_match(if_none_match, pool ? tag : NULL, "pool", why);
}

/* Gives the pool its new configuration. */
static void edit(struct hf_batch *batch, struct hf_pool_put *request, struct hf_pool *pool, struct hf_ranges draining) {
	bool same_ranges = hf_pool_ranges_equal(&pool->config, &request->config);
	hf_pool_config_drop(&pool->config);
	hf_pool_config_copy(&request->config, &pool->config);
	hf_ranges_drop(&pool->draining);
	pool->draining = draining;
	pool->touched = pool->edited = true;
	pool->modified_ms = hf_batch_now_ms(batch);
	if (request->outcome == HF_POOL_CREATED)
		pool->created_ms = pool->modified_ms;
	if (!same_ranges)
		hf_allocator_rebuild(hf_batch_txn(batch), pool);
	pool->revision = record(batch, pool->name, HF_CHANGE_POOL_WRITTEN);
}

static enum hf_err apply_put(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct hf_pool_put *request = (struct hf_pool_put *)write;
	struct hf_pool *pool = hf_batch_pool(batch, request->name);
	struct hf_ranges draining = {.n = 0};
	hf_pool_drop(&request->pool); /* of an earlier attempt */
	enum hf_err err = hf_pool_judge(&request->if_match, &request->if_none_match, pool, why);
	if (err)
		return err;
	if (pool && hf_pool_config_equal(&pool->config, &request->config)) {
		request->outcome = HF_POOL_UNCHANGED;
		hf_pool_copy(pool, &request->pool);
		return HF_OK;
	}
	request->outcome = pool ? HF_POOL_UPDATED : HF_POOL_CREATED;
	err = check_others(batch, request, why);
	if (!err && pool)
		err = find_draining(batch, request, pool, why, &draining);
	if (!err && !pool)
		err = hf_batch_add_pool(batch, request->name, &pool);
	if (err)
		return err;
	edit(batch, request, pool, draining);
	hf_pool_copy(pool, &request->pool);
	return HF_OK;
}

void hf_pool_put_begin(struct hf_pool_put *request) { request->write.apply = apply_put; }

void hf_pool_put_end(struct hf_pool_put *request) {
	hf_pool_config_drop(&request->config);
	hf_pool_drop(&request->pool);
}

static enum hf_err apply_delete(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct hf_pool_delete *request = (struct hf_pool_delete *)write;
	struct hf_pool *pool = hf_batch_pool(batch, request->name);
	enum hf_err err = hf_pool_judge(&request->if_match, &request->if_none_match, pool, why);
	if (err)
		return err;
	if (!pool)
		return hf_fail(why, HF_E_NOT_FOUND, "pool \"%s\" does not exist", request->name);
	uint64_t previous = pool->count[HF_IPV4].previous + pool->count[HF_IPV6].previous;
	if (pool->active + pool->quarantined == 0 && previous > 0)
		return hf_fail(why, HF_E_POOL_IN_USE,
			       "pool \"%s\" has %" PRIu64
			       " previous addresses of leases that moved; they are freed as their overlap ends",
			       request->name, previous);
	if (pool->active + pool->quarantined)
		return hf_fail(why, HF_E_POOL_IN_USE, "pool \"%s\" has %" PRIu64 " active leases and %" PRIu64 " in quarantine",
			       request->name, pool->active, pool->quarantined);
	hf_pool_drop(&request->pool); /* of an earlier attempt */
	hf_pool_copy(pool, &request->pool);
	hf_affinity_forget_pool(hf_batch_txn(batch), pool);
	hf_allocator_clear(hf_batch_txn(batch), pool->id);
	hf_batch_drop_pool(batch, pool);
	record(batch, request->name, HF_CHANGE_POOL_DELETED);
	return HF_OK;
}

void hf_pool_delete_begin(struct hf_pool_delete *request) { request->write.apply = apply_delete; }

void hf_pool_delete_end(struct hf_pool_delete *request) { hf_pool_drop(&request->pool); }

enum hf_err hf_pool_read(struct hf_txn *reader, const char *name, struct hf_why *why, struct hf_pool *ret) {
	struct hf_slice key = {name, strlen(name)};
	HF_CURSOR pools;
	hf_cursor_open(reader, HF_POOLS, &pools);
	bool found = hf_cursor_seek(&pools, key) && hf_slice_compare(pools.key, key) == 0;
	if (found && hf_pool_at(&pools, ret))
		return HF_OK;
	enum hf_err err = hf_txn_fault(reader, why);
	return err ? err : hf_fail(why, HF_E_NOT_FOUND, "pool \"%s\" does not exist", name);
}

enum hf_err hf_pools_each(struct hf_txn *reader, void (*each)(void *context, const struct hf_pool *pool), void *context,
			  struct hf_why *why) {
	struct hf_pool pool;
	HF_CURSOR cursor;
	hf_cursor_open(reader, HF_POOLS, &cursor);
	while (hf_cursor_next(&cursor) && hf_pool_at(&cursor, &pool)) {
		each(context, &pool);
		hf_pool_drop(&pool);
	}
	return hf_txn_fault(reader, why);
}

enum hf_err hf_pools_page(struct hf_txn *reader, const char *after, bool (*take)(void *context, const struct hf_pool *pool),
			  void *context, struct hf_why *why, bool *ret_more) {
	struct hf_pool pool;
	HF_CURSOR cursor;
	bool more = false;
	hf_cursor_open(reader, HF_POOLS, &cursor);
	bool found = hf_cursor_seek_after(&cursor, (struct hf_slice){after, strlen(after)});
	for (; found && !more && hf_pool_at(&cursor, &pool); found = hf_cursor_next(&cursor)) {
		more = !take(context, &pool);
		hf_pool_drop(&pool);
	}
	*ret_more = more;
	return hf_txn_fault(reader, why);
}

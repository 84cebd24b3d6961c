/* store.c — the store's meta record, the writer's pools, readers. */
#include "store.h"

#include <stdlib.h>
#include <unistd.h>

#include "presence.h"
#include "storage/base/monotonic.h"
#include "storage/disk/lock_file.h"
#include "storage/tables/holders.h"
#include "storage/tables/pool_table.h"
#include "store_internal.h"

static void free_pools(struct hf_pool **pools, int n) {
	for (int i = 0; i < n; i++) {
		hf_pool_drop(pools[i]);
		free(pools[i]);
	}
	free(pools);
}

/* The copy of the pool at the cursor, if its configuration is as it was committed. Pools come by name. */
static const struct hf_pool *known(struct hf_pool *const *pools, int n, int *at, struct hf_slice name) {
	int order = -1;
	for (; *at < n; (*at)++) {
		const struct hf_pool *pool = pools[*at];
		order = hf_slice_compare((struct hf_slice){pool->name, strlen(pool->name)}, name);
		if (order >= 0)
			break;
	}
	return order == 0 && !pools[*at]->edited ? pools[*at] : NULL;
}

static enum hf_err read_pools(struct hf_txn *txn, struct hf_pool *const *old, int n_old, struct hf_pool **pools, int *n,
			      struct hf_why *why) {
	HF_CURSOR cursor;
	int at = 0;
	hf_cursor_open(txn, HF_POOLS, &cursor);
	while (hf_cursor_next(&cursor)) {
		struct hf_pool *pool = pools[*n] = malloc(sizeof *pool);
		if (!pool)
			return hf_no_memory(why);
		const struct hf_pool *copy = known(old, n_old, &at, cursor.key);
		if (!(copy ? hf_pool_at_known(&cursor, copy, pool) : hf_pool_at(&cursor, pool))) {
			free(pool);
			break;
		}
		(*n)++;
	}
	return hf_txn_fault(txn, why);
}

enum hf_err hf_store_load_pools(struct hf_store *store, struct hf_txn *txn, struct hf_why *why) {
	int n = 0;
	struct hf_pool **pools = calloc(hf_txn_count(txn, HF_POOLS) + 1, sizeof *pools);
	if (!pools)
		return hf_no_memory(why);
	enum hf_err err = read_pools(txn, store->pools, store->n_pools, pools, &n, why);
	if (err) {
		free_pools(pools, n);
		return err; /* the copies stay stale */
	}
	free_pools(store->pools, store->n_pools);
	store->pools = pools;
	store->n_pools = n;
	store->pools_stale = false;
	return HF_OK;
}

enum hf_err hf_store_load_ttl(struct hf_store *store, struct hf_txn *txn, struct hf_why *why) {
	int64_t now_ms = hf_store_monotonic_ms(store);
	struct hf_zone zone;
	HF_CURSOR cursor;
	hf_ttl_clear(store->ttl);
	hf_cursor_open(txn, HF_ZONES, &cursor);
	while (hf_cursor_next(&cursor))
		if (hf_zone_decode(cursor.key, cursor.value, &zone) && !hf_ttl_set_again(store->ttl, &zone, now_ms))
			return hf_no_memory(why);
	enum hf_err err = hf_txn_fault(txn, why);
	store->ttl_stale = err != HF_OK;
	return err;
}

void hf_store_close(struct hf_store *store) {
	if (!store)
		return;
	free_pools(store->pools, store->n_pools);
	hf_wear_free(store->wear);
	hf_ttl_free(store->ttl);
	bool in_order =
		store->is_open && store->lock_fd >= 0 && !hf_env_is_doubtful(store->env) && hf_store_look(store, NULL) == HF_OK;
	hf_env_close(store->env);
	if (in_order)
		hf_lock_file_closed(store->lock_fd, &store->meta, store->file);
	if (store->file_fd >= 0)
		close(store->file_fd);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store);
}

int64_t hf_store_checked_ms(const struct hf_store *store) { return store->checked_ms; }

bool hf_store_is_new(const struct hf_store *store) { return store->is_new; }

unsigned hf_store_format_found(const struct hf_store *store, const char **ret_aside) {
	*ret_aside = store->aside;
	return store->format;
}

int64_t hf_store_monotonic_ms(const struct hf_store *store) { return hf_clock_monotonic(&store->options.clock); }

int64_t hf_store_now_ms(const struct hf_store *store) {
	if (!store->options.follow_clock)
		return hf_clock_wall(&store->options.clock);
	return hf_time_add(store->offset_ms, hf_store_monotonic_ms(store));
}

int64_t hf_store_patient_ms(const struct hf_store *store) {
	int64_t now_ms = hf_store_now_ms(store);
	return now_ms - hf_clock_lag(store->lag_ms, store->lag_from_ms, 0, now_ms, hf_store_longest_kept_ms(store));
}

int64_t hf_store_longest_kept_ms(const struct hf_store *store) {
	return store->options.changes_age_ms > HF_HISTORY_AGE_MS ? store->options.changes_age_ms : HF_HISTORY_AGE_MS;
}

struct hf_clock_news hf_store_clock_start(const struct hf_store *store) {
	return store->clock_start;
}

uint64_t hf_store_clock_steps(const struct hf_store *store, bool forward) { return store->clock_steps[forward]; }

int64_t hf_store_clock_offset_ms(const struct hf_store *store) {
	if (!store->options.follow_clock)
		return 0;
	struct hf_clock_reading reading = hf_clock_read(&store->options.clock);
	return reading.wall_ms - hf_time_add(store->offset_ms, reading.monotonic_ms);
}

void hf_store_size(const struct hf_store *store, uint64_t *ret_used_bytes, uint64_t *ret_map_bytes) {
	hf_env_size(store->env, ret_used_bytes, ret_map_bytes);
}

void hf_store_known(const struct hf_store *store, uint8_t ret_store_id[16], uint64_t *ret_store_epoch, uint64_t *ret_revision) {
	memcpy(ret_store_id, store->meta.store_id, sizeof store->meta.store_id);
	*ret_store_epoch = store->meta.store_epoch; /* neither changes while it is open to requests */
	*ret_revision = store->revision;
}

uint64_t hf_store_vip_changes(const struct hf_store *store, enum hf_cause cause) { return store->vip_changes[cause]; }

enum hf_err hf_reader_open(struct hf_store *store, struct hf_why *why, struct hf_txn **ret) {
	return hf_txn_open_read(store->env, why, ret);
}

enum hf_err hf_reader_begin(struct hf_txn *reader, struct hf_why *why) { return hf_txn_renew(reader, why); }

void hf_reader_end(struct hf_txn *reader) { hf_txn_reset(reader); }

void hf_reader_close(struct hf_txn *reader) { hf_txn_close(reader); }

const struct hf_meta *hf_store_meta(const struct hf_store *store) { return &store->meta; }

enum hf_err hf_store_begin_alone(struct hf_store *store, struct hf_why *why, struct hf_txn **ret) {
	enum hf_err err = hf_txn_begin(store->env, why, ret);
	if (err)
		return err;
	store->pools_stale = true;
	for (int i = 0; i < store->n_pools; i++)
		store->pools[i]->edited = true; /* their ranges are read again, too */
	return HF_OK;
}

int hf_store_share_lock(const struct hf_store *store) { return dup(store->lock_fd); }

int64_t hf_store_oldest_reader_ms(const struct hf_store *store) {
	int64_t since_us = store->oldest_since_us;
	return since_us ? (hf_monotonic_us() - since_us) / 1000 : 0;
}

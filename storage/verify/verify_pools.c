/* verify_pools.c — checks each pool's ranges and counters. */
#include "verify_pass.h"

#include <inttypes.h>
#include <stdlib.h>

#include "storage/tables/allocator.h"

/* A range and its owner. */
struct owned {
	struct hf_range range;
	const struct hf_pool *pool;
};

static int by_first(const void *a, const void *b) {
	hf_u128 x = ((const struct owned *)a)->range.first.n, y = ((const struct owned *)b)->range.first.n;
	return x < y ? -1 : x > y;
}

/* Checks that no two ranges overlap, within one pool or between two, draining or not. */
static enum hf_err check_overlaps(struct hf_verify *v, struct hf_why *why) {
	size_t n = 0;
	struct owned *all = calloc((size_t)v->n_pools * (HF_POOL_CIDRS_MAX + HF_POOL_DRAINING_MAX) + 1, sizeof *all);
	if (!all)
		return hf_no_memory(why);
	for (int p = 0; p < v->n_pools; p++) {
		const struct hf_pool *pool = &v->pools[p].pool;
		for (int i = 0; i < pool->config.n_cidrs; i++)
			all[n++] = (struct owned){pool->config.cidrs[i], pool};
		for (int i = 0; i < pool->n_draining; i++)
			all[n++] = (struct owned){pool->draining[i], pool};
	}
	qsort(all, n, sizeof *all, by_first);
	for (size_t i = 1; i < n; i++) {
		char low[HF_RANGE_TEXT], high[HF_RANGE_TEXT];
		if (!hf_range_overlaps(all[i - 1].range, all[i].range))
			continue;
		hf_range_format(all[i - 1].range, low);
		hf_range_format(all[i].range, high);
		hf_verify_say(v, HF_POOLS, "%s of pool \"%s\" overlaps %s of pool \"%s\"", low, all[i - 1].pool->name, high,
			      all[i].pool->name);
	}
	free(all);
	return HF_OK;
}

enum hf_err hf_verify_load_pools(struct hf_verify *v, struct hf_why *why) {
	HF_CURSOR pools;
	v->pools = calloc(hf_txn_count(v->txn, HF_POOLS) + 1, sizeof *v->pools);
	if (!v->pools)
		return hf_no_memory(why);
	hf_cursor_open(v->txn, HF_POOLS, &pools);
	for (; hf_cursor_next(&pools); v->counts.pools++) {
		if (hf_pool_decode(pools.key, pools.value, &v->pools[v->n_pools].pool))
			v->n_pools++;
		else
			hf_verify_damaged(v, HF_POOLS, pools.key);
	}
	enum hf_err err = check_overlaps(v, why);
	if (err)
		free(v->pools);
	return err;
}

static void check_ranges(struct hf_verify *v, const struct hf_pool *pool, const struct hf_range *ranges, int n) {
	char text[HF_RANGE_TEXT];
	for (int i = 0; i < n; i++)
		if (ranges[i].last.n < ranges[i].first.n || !hf_range_is_cidr(ranges[i])) {
			hf_range_format(ranges[i], text);
			hf_verify_say(v, HF_POOLS, "pool \"%s\": %s is not a CIDR", pool->name, text);
		}
}

static void check_cursors(struct hf_verify *v, const struct hf_pool *pool) {
	char text[HF_ADDR_TEXT];
	for (int family = 0; family < HF_FAMILIES; family++) {
		if (hf_pool_cursor_is_sound(pool, (enum hf_family)family))
			continue;
		hf_addr_format(pool->count[family].cursor, text);
		hf_verify_say(v, HF_POOLS, "pool \"%s\": the cursor %s is of the wrong family", pool->name, text);
	}
}

static void check_config(struct hf_verify *v, const struct hf_pool *pool) {
	struct hf_pool_config config = pool->config;
	struct hf_why why = {""};
	if (hf_pool_config_check(&config, &why))
		hf_verify_say(v, HF_POOLS, "pool \"%s\": %s", pool->name, why.text);
	else if (!hf_pool_ranges_equal(&config, &pool->config))
		hf_verify_say(v, HF_POOLS, "pool \"%s\": its ranges are not in ascending order", pool->name);
	check_ranges(v, pool, pool->config.cidrs, pool->config.n_cidrs);
	check_ranges(v, pool, pool->draining, pool->n_draining);
	check_cursors(v, pool);
	if (pool->id == 0 || pool->id >= v->meta.next_pool_id)
		hf_verify_say(v, HF_POOLS, "pool \"%s\": id %" PRIu32 " was never given out; the next one is %" PRIu32, pool->name,
			      pool->id, v->meta.next_pool_id);
	if (pool->revision == 0 || pool->revision > v->meta.revision)
		hf_verify_say(v, HF_POOLS, "pool \"%s\": revision %" PRIu64 " is not one of the store's, up to %" PRIu64,
			      pool->name, pool->revision, v->meta.revision);
	struct hf_change change;
	if (pool->revision > v->meta.compacted && hf_verify_change(v, pool->revision, &change) &&
	    (change.type != HF_CHANGE_POOL_WRITTEN || strcmp(change.pool, pool->name) != 0))
		hf_verify_say(v, HF_CHANGES, "revision %" PRIu64 " is expected to be the last edit of pool \"%s\"", pool->revision,
			      pool->name);
	for (const struct hf_verify_pool *other = v->pools; &other->pool != pool; other++)
		if (other->pool.id == pool->id)
			hf_verify_say(v, HF_POOLS, "pools \"%s\" and \"%s\" have one id, %" PRIu32, other->pool.name, pool->name,
				      pool->id);
}

static void check_draining(struct hf_verify *v, const struct hf_pool *pool) {
	char text[HF_RANGE_TEXT];
	for (int i = 0; i < pool->n_draining; i++)
		if (!hf_allocator_any_held(v->txn, pool->draining[i])) {
			hf_range_format(pool->draining[i], text);
			hf_verify_say(v, HF_POOLS, "pool \"%s\": %s drains, but nobody holds an address there", pool->name, text);
		}
}

static void check_count(struct hf_verify *v, const struct hf_pool *pool, const char *what, uint64_t stored, uint64_t counted) {
	if (stored != counted)
		hf_verify_say(v, HF_POOLS, "pool \"%s\": %s is %" PRIu64 "; there are %" PRIu64, pool->name, what, stored, counted);
}

static void check_counts(struct hf_verify *v, const struct hf_verify_pool *p) {
	static const char *const WHAT[HF_FAMILIES][5] = {
		{"leased IPv4 addresses", "quarantined IPv4 addresses", "held reserved IPv4 addresses",
		 "held draining IPv4 addresses", "previous IPv4 addresses"},
		{"leased IPv6 addresses", "quarantined IPv6 addresses", "held reserved IPv6 addresses",
		 "held draining IPv6 addresses", "previous IPv6 addresses"},
	};
	check_count(v, &p->pool, "active leases", p->pool.active, p->active);
	check_count(v, &p->pool, "quarantined leases", p->pool.quarantined, p->quarantined);
	for (int family = 0; family < HF_FAMILIES; family++) {
		const struct hf_pool_count *stored = &p->pool.count[family], *counted = &p->count[family];
		check_count(v, &p->pool, WHAT[family][0], stored->leased, counted->leased);
		check_count(v, &p->pool, WHAT[family][1], stored->quarantined, counted->quarantined);
		check_count(v, &p->pool, WHAT[family][2], stored->overlaid_reserved, counted->overlaid_reserved);
		check_count(v, &p->pool, WHAT[family][3], stored->overlaid_draining, counted->overlaid_draining);
		check_count(v, &p->pool, WHAT[family][4], stored->previous, counted->previous);
	}
}

void hf_verify_pools(struct hf_verify *v) {
	for (int p = 0; p < v->n_pools; p++) {
		check_config(v, &v->pools[p].pool);
		check_counts(v, &v->pools[p]);
		check_draining(v, &v->pools[p].pool);
	}
}

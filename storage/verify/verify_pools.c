/* verify_pools.c — checks each pool's ranges and counters. */
#include "verify_pass.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/tables/allocator.h"
#include "storage/tables/pool_table.h"

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
	for (int p = 0; p < v->n_pools; p++)
		n += (size_t)(v->pools[p].pool.config.cidrs.n + v->pools[p].pool.draining.n);
	struct owned *all = calloc(n + 1, sizeof *all);
	if (!all)
		return hf_no_memory(why);
	n = 0;
	for (int p = 0; p < v->n_pools; p++) {
		const struct hf_pool *pool = &v->pools[p].pool;
		for (int i = 0; i < pool->config.cidrs.n; i++)
			all[n++] = (struct owned){pool->config.cidrs.at[i], pool};
		for (int i = 0; i < pool->draining.n; i++)
			all[n++] = (struct owned){pool->draining.at[i], pool};
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

void hf_verify_free_pools(struct hf_verify *v) {
	for (int p = 0; p < v->n_pools; p++)
		hf_pool_drop(&v->pools[p].pool);
	free(v->pools);
}

static enum hf_err load_pool(struct hf_verify *v, const struct hf_cursor *pools, struct hf_why *why) {
	struct hf_verify_pool *p = &v->pools[v->n_pools];
	enum hf_err err = hf_pool_decode(pools->key, pools->value, &p->has_counts, &p->pool);
	if (err == HF_E_OVERLOADED)
		return hf_no_memory(why);
	if (err) {
		hf_verify_damaged(v, HF_POOLS, pools->key);
		return HF_OK;
	}
	v->n_pools++;
	if (p->has_counts && v->format >= HF_FORMAT)
		hf_verify_say(v, HF_POOLS, "pool \"%s\": its record is of an older format than the store", p->pool.name);
	if (!p->has_counts && hf_usage_read(v->txn, &p->pool))
		p->has_counts = true;
	else if (!p->has_counts)
		hf_verify_say(v, HF_USAGE, "pool \"%s\": its counters are missing or damaged", p->pool.name);
	return HF_OK;
}

enum hf_err hf_verify_load_pools(struct hf_verify *v, struct hf_why *why) {
	enum hf_err err = HF_OK;
	HF_CURSOR pools;
	v->pools = calloc(hf_txn_count(v->txn, HF_POOLS) + 1, sizeof *v->pools);
	if (!v->pools)
		return hf_no_memory(why);
	hf_cursor_open(v->txn, HF_POOLS, &pools);
	for (; !err && hf_cursor_next(&pools); v->counts.pools++)
		err = load_pool(v, &pools, why);
	if (!err)
		err = check_overlaps(v, why);
	if (err)
		hf_verify_free_pools(v);
	return err;
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
	struct hf_pool_config config;
	struct hf_why why = {""};
	hf_pool_config_copy(&pool->config, &config);
	if (hf_pool_config_check(&config, &why))
		hf_verify_say(v, HF_POOLS, "pool \"%s\": %s", pool->name, why.text);
	else if (!hf_pool_ranges_equal(&config, &pool->config))
		hf_verify_say(v, HF_POOLS, "pool \"%s\": its reserved ranges overlap", pool->name);
	hf_pool_config_drop(&config);
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
	for (int i = 0; i < pool->draining.n; i++)
		if (!hf_allocator_any_held(v->txn, pool->draining.at[i])) {
			hf_range_format(pool->draining.at[i], text);
			hf_verify_say(v, HF_POOLS, "pool \"%s\": %s drains, but nobody holds an address there", pool->name, text);
		}
}

static void check_count(struct hf_verify *v, const struct hf_pool *pool, const char *what, uint64_t stored, uint64_t counted) {
	if (stored != counted)
		hf_verify_say(v, HF_USAGE, "pool \"%s\": %s is %" PRIu64 "; there are %" PRIu64, pool->name, what, stored, counted);
}

static void check_family(struct hf_verify *v, const struct hf_verify_pool *p, enum hf_family family) {
	const struct hf_pool_count *stored = &p->pool.count[family], *counted = &p->count[family];
	const struct {
		const char *what;
		uint64_t stored, counted;
	} counts[] = {
		{"leased", stored->leased, counted->leased},
		{"quarantined", stored->quarantined, counted->quarantined},
		{"previous", stored->previous, counted->previous},
		{"remembered", stored->remembered, counted->remembered},
		{"held reserved", stored->overlaid_reserved, counted->overlaid_reserved},
		{"held draining", stored->overlaid_draining, counted->overlaid_draining},
	};
	char what[64];
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		snprintf(what, sizeof what, "%s IPv%d addresses", counts[i].what, family == HF_IPV4 ? 4 : 6);
		check_count(v, &p->pool, what, counts[i].stored, counts[i].counted);
	}
}

static void check_counts(struct hf_verify *v, const struct hf_verify_pool *p) {
	check_count(v, &p->pool, "active leases", p->pool.active, p->active);
	check_count(v, &p->pool, "quarantined leases", p->pool.quarantined, p->quarantined);
	check_family(v, p, HF_IPV4);
	check_family(v, p, HF_IPV6);
}

/* Every record of counters belongs to a pool. */
static void check_usage(struct hf_verify *v) {
	uint8_t bytes[HF_USAGE_KEY_BYTES];
	HF_CURSOR usage;
	hf_cursor_open(v->txn, HF_USAGE, &usage);
	while (hf_cursor_next(&usage)) {
		int p = 0;
		while (p < v->n_pools && hf_slice_compare(hf_usage_key(v->pools[p].pool.id, bytes), usage.key) != 0)
			p++;
		if (p == v->n_pools && usage.key.len == HF_USAGE_KEY_BYTES) {
			struct hf_parser id = hf_parser_begin(usage.key);
			hf_verify_say(v, HF_USAGE, "counters of a pool of id %" PRIu32 ", which does not exist",
				      (uint32_t)hf_take_uint(&id, HF_USAGE_KEY_BYTES));
		} else if (p == v->n_pools) {
			hf_verify_damaged(v, HF_USAGE, usage.key);
		}
	}
}

void hf_verify_pools(struct hf_verify *v) {
	for (int p = 0; p < v->n_pools; p++) {
		check_config(v, &v->pools[p].pool);
		if (v->pools[p].has_counts)
			check_counts(v, &v->pools[p]);
		check_draining(v, &v->pools[p].pool);
	}
	check_usage(v);
}

/* pool_table.c — the records of pools. The layouts are storage/FORMAT.md's tables "pools" and "usage". */
#include "pool_table.h"

#include <stdlib.h>

#define POOL_VERSION 2
#define POOL_VERSION_1 1 /* of formats 1 to 3: with the counters, and lists whose length is one byte */
#define USAGE_VERSION 1
#define RANGE_BYTES (2 * HF_ADDR_BYTES)
#define HEAD_BYTES 35 /* up to the lists */

/* A record's parts, borrowed. */
struct record {
	bool is_version_1;
	struct hf_pool head; /* without lists; with the counters of version 1 */
	struct hf_slice cidrs, draining, reserved;
	struct hf_parser names;
};

/* --- writing --- */

static void put_ranges(struct hf_writer *w, const struct hf_ranges *ranges) {
	hf_put_uint(w, (uint64_t)ranges->n, 2);
	for (int i = 0; i < ranges->n; i++) {
		hf_put_addr(w, ranges->at[i].first);
		hf_put_addr(w, ranges->at[i].last);
	}
}

static void put_names(struct hf_writer *w, const struct hf_names *names) {
	hf_put_uint(w, (uint64_t)names->n, 1);
	for (int i = 0; i < names->n; i++)
		hf_put_text(w, names->names[i]);
}

static size_t names_bytes(const struct hf_names *names) {
	size_t bytes = 1;
	for (int i = 0; i < names->n; i++)
		bytes += 1 + strlen(names->names[i]);
	return bytes;
}

size_t hf_pool_record_bytes(const struct hf_pool *pool) {
	const struct hf_pool_config *c = &pool->config;
	size_t ranges = (size_t)c->cidrs.n + (size_t)c->reserved.n + (size_t)pool->draining.n;
	return HEAD_BYTES + 3 * 2 + ranges * RANGE_BYTES + names_bytes(&c->meshes) + names_bytes(&c->zones);
}

struct hf_slice hf_pool_encode(const struct hf_pool *pool, uint8_t *buffer) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, POOL_VERSION, 1);
	hf_put_uint(&w, pool->id, 4);
	hf_put_uint(&w, pool->config.strategy, 1);
	hf_put_uint(&w, pool->config.quarantine_seconds, 4);
	hf_put_uint(&w, pool->config.kinds, 1);
	hf_put_uint(&w, pool->revision, 8);
	hf_put_uint(&w, (uint64_t)pool->created_ms, 8);
	hf_put_uint(&w, (uint64_t)pool->modified_ms, 8);
	put_ranges(&w, &pool->config.cidrs);
	put_ranges(&w, &pool->draining);
	put_ranges(&w, &pool->config.reserved);
	put_names(&w, &pool->config.meshes);
	put_names(&w, &pool->config.zones);
	return hf_writer_end(&w);
}

struct hf_slice hf_usage_key(uint32_t pool_id, uint8_t buffer[HF_USAGE_KEY_BYTES]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, pool_id, HF_USAGE_KEY_BYTES);
	return hf_writer_end(&w);
}

struct hf_slice hf_usage_encode(const struct hf_pool *pool, uint8_t buffer[HF_USAGE_RECORD_BYTES]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, USAGE_VERSION, 1);
	hf_put_uint(&w, pool->active, 8);
	hf_put_uint(&w, pool->quarantined, 8);
	for (int family = 0; family < HF_FAMILIES; family++) {
		const struct hf_pool_count *count = &pool->count[family];
		hf_put_uint(&w, count->leased, 8);
		hf_put_uint(&w, count->quarantined, 8);
		hf_put_uint(&w, count->previous, 8);
		hf_put_uint(&w, count->remembered, 8);
		hf_put_uint(&w, count->overlaid_reserved, 8);
		hf_put_uint(&w, count->overlaid_draining, 8);
		hf_put_addr(&w, count->cursor);
	}
	return hf_writer_end(&w);
}

void hf_pool_store(struct hf_txn *txn, const struct hf_pool *pool) {
	uint8_t *buffer = malloc(hf_pool_record_bytes(pool));
	if (buffer)
		hf_txn_put(txn, HF_POOLS, (struct hf_slice){pool->name, strlen(pool->name)}, hf_pool_encode(pool, buffer));
	else
		hf_txn_no_memory(txn);
	free(buffer);
}

void hf_usage_store(struct hf_txn *txn, const struct hf_pool *pool) {
	uint8_t key[HF_USAGE_KEY_BYTES], record[HF_USAGE_RECORD_BYTES];
	hf_txn_put(txn, HF_USAGE, hf_usage_key(pool->id, key), hf_usage_encode(pool, record));
}

void hf_pool_erase(struct hf_txn *txn, const struct hf_pool *pool) {
	uint8_t bytes[HF_USAGE_KEY_BYTES];
	struct hf_slice name = {pool->name, strlen(pool->name)}, key = hf_usage_key(pool->id, bytes), value;
	if (hf_txn_get(txn, HF_POOLS, name, &value))
		hf_txn_del(txn, HF_POOLS, name);
	if (hf_txn_get(txn, HF_USAGE, key, &value))
		hf_txn_del(txn, HF_USAGE, key);
}

/* --- reading --- */

static struct hf_slice take_ranges(struct hf_parser *p, int width_bytes, int max) {
	int n = (int)hf_take_uint(p, width_bytes);
	if (n > max)
		p->bad = true;
	const uint8_t *at = hf_take_bytes(p, (size_t)n * RANGE_BYTES);
	return at ? (struct hf_slice){at, (size_t)n * RANGE_BYTES} : (struct hf_slice){NULL, 0};
}

static void take_names(struct hf_parser *p, struct hf_names *ret) {
	ret->n = (int)hf_take_uint(p, 1);
	if (ret->n > HF_POOL_SELECTOR_MAX) {
		p->bad = true;
		ret->n = 0;
	}
	for (int i = 0; i < ret->n; i++)
		hf_take_text(p, HF_NAME_MAX, ret->names[i]);
}

static void take_counts_1(struct hf_parser *p, struct hf_pool *ret) {
	ret->active = hf_take_uint(p, 8);
	ret->quarantined = hf_take_uint(p, 8);
	for (int family = 0; family < HF_FAMILIES; family++) {
		struct hf_pool_count *count = &ret->count[family];
		count->leased = hf_take_uint(p, 8);
		count->quarantined = hf_take_uint(p, 8);
		count->overlaid_reserved = hf_take_uint(p, 8);
		count->overlaid_draining = hf_take_uint(p, 8);
		count->cursor = hf_take_addr(p);
	}
}

/* Finds the parts of a record; O(1) in its ranges. */
static bool open_record(struct hf_slice key, struct hf_slice value, struct record *ret) {
	struct hf_parser p = hf_parser_begin(value);
	struct hf_pool *head = &ret->head;
	uint64_t version = hf_take_uint(&p, 1);
	if (key.len == 0 || key.len > HF_NAME_MAX || (version != POOL_VERSION && version != POOL_VERSION_1))
		return false;
	memset(ret, 0, sizeof *ret);
	ret->is_version_1 = version == POOL_VERSION_1;
	memcpy(head->name, key.data, key.len);
	head->id = (uint32_t)hf_take_uint(&p, 4);
	head->config.strategy = (enum hf_strategy)hf_take_uint(&p, 1);
	head->config.quarantine_seconds = (uint32_t)hf_take_uint(&p, 4);
	head->config.kinds = (unsigned)hf_take_uint(&p, 1);
	head->revision = hf_take_uint(&p, 8);
	head->created_ms = (int64_t)hf_take_uint(&p, 8);
	head->modified_ms = (int64_t)hf_take_uint(&p, 8);
	if (ret->is_version_1)
		take_counts_1(&p, head);
	int width_bytes = ret->is_version_1 ? 1 : 2;
	ret->cidrs = take_ranges(&p, width_bytes, HF_POOL_RANGES_MAX);
	ret->draining = take_ranges(&p, width_bytes, HF_POOL_RANGES_MAX);
	ret->reserved = take_ranges(&p, width_bytes, HF_POOL_RANGES_MAX);
	ret->names = p;
	return !p.bad && (head->config.strategy == HF_SEQUENTIAL || head->config.strategy == HF_HASHED);
}

static int count_of(struct hf_slice ranges) { return (int)(ranges.len / RANGE_BYTES); }

static struct hf_range range_at(struct hf_slice ranges, int i) {
	const uint8_t *at = (const uint8_t *)ranges.data + (size_t)i * RANGE_BYTES;
	return (struct hf_range){hf_addr_read(at), hf_addr_read(at + HF_ADDR_BYTES)};
}

/* Fails with HF_E_CORRUPT if a range is invalid, or they are not in ascending order; version 1 kept no order of draining ranges. */
static enum hf_err make_ranges(struct hf_slice ranges, bool any_order, struct hf_ranges *ret) {
	int n = count_of(ranges);
	struct hf_range *list = n ? malloc(sizeof *list * (size_t)n) : NULL;
	enum hf_err err = n && !list ? HF_E_OVERLOADED : HF_OK;
	for (int i = 0; !err && i < n; i++) {
		list[i] = range_at(ranges, i);
		if (!hf_range_is_sound(list[i]) || (i > 0 && !any_order && list[i].first.n < list[i - 1].first.n))
			err = HF_E_CORRUPT;
	}
	if (!err && !hf_ranges_make(list, n, ret))
		err = HF_E_OVERLOADED;
	free(list);
	return err;
}

static enum hf_err fill_in(struct record *record, struct hf_pool *ret) {
	struct hf_pool_config *config = &ret->config;
	enum hf_err err = make_ranges(record->cidrs, false, &config->cidrs);
	if (!err)
		err = make_ranges(record->reserved, false, &config->reserved);
	if (!err)
		err = make_ranges(record->draining, record->is_version_1, &ret->draining);
	if (err)
		return err;
	take_names(&record->names, &config->meshes);
	take_names(&record->names, &config->zones);
	return hf_parser_end(&record->names) ? HF_OK : HF_E_CORRUPT;
}

enum hf_err hf_pool_decode(struct hf_slice key, struct hf_slice value, bool *ret_has_usage, struct hf_pool *ret) {
	struct record record;
	memset(ret, 0, sizeof *ret);
	if (!open_record(key, value, &record))
		return HF_E_CORRUPT;
	*ret = record.head;
	enum hf_err err = fill_in(&record, ret);
	if (err) {
		hf_pool_drop(ret);
		return err;
	}
	if (ret_has_usage)
		*ret_has_usage = record.is_version_1;
	return HF_OK;
}

bool hf_usage_decode(struct hf_slice value, struct hf_pool *pool) {
	struct hf_parser p = hf_parser_begin(value);
	uint64_t version = hf_take_uint(&p, 1);
	if (version != USAGE_VERSION || value.len != HF_USAGE_RECORD_BYTES)
		return false;
	pool->active = hf_take_uint(&p, 8);
	pool->quarantined = hf_take_uint(&p, 8);
	for (int family = 0; family < HF_FAMILIES; family++) {
		struct hf_pool_count *count = &pool->count[family];
		count->leased = hf_take_uint(&p, 8);
		count->quarantined = hf_take_uint(&p, 8);
		count->previous = hf_take_uint(&p, 8);
		count->remembered = hf_take_uint(&p, 8);
		count->overlaid_reserved = hf_take_uint(&p, 8);
		count->overlaid_draining = hf_take_uint(&p, 8);
		count->cursor = hf_take_addr(&p);
	}
	return hf_parser_end(&p);
}

bool hf_usage_read(struct hf_txn *txn, struct hf_pool *pool) {
	uint8_t key[HF_USAGE_KEY_BYTES];
	struct hf_slice value;
	return hf_txn_get(txn, HF_USAGE, hf_usage_key(pool->id, key), &value) && hf_usage_decode(value, pool);
}

/* Reads the counters; after a fault the pool is dropped. */
static bool with_usage(struct hf_txn *txn, struct hf_pool *ret) {
	if (hf_usage_read(txn, ret))
		return true;
	hf_txn_corrupt(txn, HF_USAGE, "the counters of a pool are missing or damaged");
	hf_pool_drop(ret);
	return false;
}

bool hf_pool_at(struct hf_cursor *pools, struct hf_pool *ret) {
	bool has_usage;
	enum hf_err err = hf_pool_decode(pools->key, pools->value, &has_usage, ret);
	if (err == HF_E_OVERLOADED)
		hf_txn_no_memory(pools->txn);
	else if (err)
		hf_txn_damaged(pools->txn, HF_POOLS);
	return !err && (has_usage || with_usage(pools->txn, ret));
}

bool hf_pool_at_known(struct hf_cursor *pools, const struct hf_pool *known, struct hf_pool *ret) {
	struct record record;
	if (!open_record(pools->key, pools->value, &record) || record.is_version_1 || record.head.id != known->id ||
	    record.head.revision != known->revision)
		return hf_pool_at(pools, ret);
	hf_pool_copy(known, ret);
	ret->touched = ret->edited = false;
	return with_usage(pools->txn, ret);
}

/* Whether one of the ranges of a record, which are in ascending order, has an address. */
static bool has(struct hf_slice ranges, struct hf_addr a) {
	int low = 0, high = count_of(ranges);
	while (low < high) {
		int middle = (low + high) / 2;
		if (range_at(ranges, middle).last.n < a.n)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count_of(ranges) && hf_range_has(range_at(ranges, low), a);
}

enum hf_place hf_pool_place_of(struct hf_txn *txn, struct hf_addr a, char ret_name[HF_NAME_MAX + 1]) {
	struct record record;
	HF_CURSOR pools;
	hf_cursor_open(txn, HF_POOLS, &pools);
	while (hf_cursor_next(&pools)) {
		if (!open_record(pools.key, pools.value, &record)) {
			hf_txn_damaged(txn, HF_POOLS);
			break;
		}
		bool drains = has(record.draining, a);
		if (!drains && !has(record.cidrs, a))
			continue;
		memcpy(ret_name, record.head.name, sizeof record.head.name);
		return drains ? HF_DRAINING : has(record.reserved, a) ? HF_RESERVED : HF_ALLOCATABLE;
	}
	return HF_OUTSIDE;
}

/* affinity.c — the tables "affinity" and "remembered"; their layouts are in storage/FORMAT.md. */
#include "affinity.h"

#include <stdlib.h>

#define RECORD_VERSION 1
#define ROW_KEY_BYTES (4 + 1 + 8 + HF_ADDR_BYTES)
#define ROW_VALUE_MAX (1 + HF_KEY_MAX)
#define RECORD_MAX (1 + 4 + 8 + 1 + HF_FAMILIES * HF_ADDR_BYTES)

static unsigned family_byte(enum hf_family family) { return family == HF_IPV4 ? 4 : 6; }

static struct hf_slice id_key(const struct hf_key *id) { return (struct hf_slice){id->bytes, id->len}; }

static struct hf_slice row_key(uint32_t pool_id, int64_t freed_ms, struct hf_addr a, uint8_t buffer[ROW_KEY_BYTES]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, pool_id, 4);
	hf_put_uint(&w, family_byte(hf_addr_family(a)), 1);
	hf_put_uint(&w, (uint64_t)freed_ms, 8);
	hf_put_addr(&w, a);
	return hf_writer_end(&w);
}

static void put_record(struct hf_txn *txn, const struct hf_key *id, const struct hf_memory *memory) {
	uint8_t record[RECORD_MAX];
	struct hf_writer w = hf_writer_begin(record);
	hf_put_uint(&w, RECORD_VERSION, 1);
	hf_put_uint(&w, memory->pool_id, 4);
	hf_put_uint(&w, (uint64_t)memory->freed_ms, 8);
	hf_put_uint(&w, (uint64_t)memory->n, 1);
	for (int i = 0; i < memory->n; i++)
		hf_put_addr(&w, memory->addresses[i]);
	hf_txn_put(txn, HF_AFFINITY, id_key(id), hf_writer_end(&w));
}

static void put_row(struct hf_txn *txn, const struct hf_key *id, const struct hf_memory *memory, struct hf_addr a) {
	uint8_t key[ROW_KEY_BYTES], value[ROW_VALUE_MAX];
	struct hf_writer w = hf_writer_begin(value);
	hf_put_uint(&w, RECORD_VERSION, 1);
	hf_put_bytes(&w, id->bytes, id->len);
	hf_txn_put(txn, HF_REMEMBERED, row_key(memory->pool_id, memory->freed_ms, a, key), hf_writer_end(&w));
}

static bool decode_record(struct hf_slice value, struct hf_memory *ret) {
	struct hf_parser p = hf_parser_begin(value);
	if (hf_take_uint(&p, 1) != RECORD_VERSION)
		return false;
	ret->pool_id = (uint32_t)hf_take_uint(&p, 4);
	ret->freed_ms = (int64_t)hf_take_uint(&p, 8);
	ret->n = (int)hf_take_uint(&p, 1);
	if (p.bad || ret->n < 1 || ret->n > HF_FAMILIES)
		return false;
	for (int i = 0; i < ret->n; i++)
		ret->addresses[i] = hf_take_addr(&p);
	return hf_parser_end(&p) &&
	       (ret->n == 1 || (hf_addr_family(ret->addresses[0]) == HF_IPV4 && hf_addr_family(ret->addresses[1]) == HF_IPV6));
}

bool hf_affinity_decode(struct hf_slice key, struct hf_slice value, struct hf_identity *ret_id, struct hf_memory *ret) {
	return hf_identity_decode(key.data, key.len, ret_id) && decode_record(value, ret);
}

bool hf_affinity_decode_row(struct hf_slice key, struct hf_slice value, struct hf_remembered *ret) {
	struct hf_parser k = hf_parser_begin(key), p = hf_parser_begin(value);
	ret->pool_id = (uint32_t)hf_take_uint(&k, 4);
	uint64_t family = hf_take_uint(&k, 1);
	ret->freed_ms = (int64_t)hf_take_uint(&k, 8);
	ret->address = hf_take_addr(&k);
	if (!hf_parser_end(&k) || family != family_byte(hf_addr_family(ret->address)) || hf_take_uint(&p, 1) != RECORD_VERSION)
		return false;
	return !p.bad && hf_identity_decode(p.at, (size_t)(p.end - p.at), &ret->id);
}

bool hf_memory_has(const struct hf_memory *memory, struct hf_addr a) {
	for (int i = 0; i < memory->n; i++)
		if (memory->addresses[i].n == a.n)
			return true;
	return false;
}

static bool has_row(struct hf_txn *txn, const struct hf_memory *memory, struct hf_addr a) {
	uint8_t key[ROW_KEY_BYTES];
	struct hf_slice value;
	return hf_txn_get(txn, HF_REMEMBERED, row_key(memory->pool_id, memory->freed_ms, a, key), &value);
}

bool hf_affinity_read(struct hf_txn *txn, const struct hf_key *id, struct hf_memory *ret) {
	struct hf_slice value;
	ret->n = 0;
	if (!hf_txn_get(txn, HF_AFFINITY, id_key(id), &value))
		return false;
	if (decode_record(value, ret))
		return true;
	ret->n = 0;
	return hf_txn_damaged(txn, HF_AFFINITY);
}

void hf_affinity_leave_apart(struct hf_txn *txn, struct hf_memory *memory) {
	int kept = 0;
	for (int i = 0; i < memory->n; i++)
		if (has_row(txn, memory, memory->addresses[i]))
			memory->addresses[kept++] = memory->addresses[i];
	memory->n = kept;
}

bool hf_affinity_of(struct hf_txn *txn, struct hf_addr a, struct hf_key *ret_id, struct hf_memory *ret) {
	struct hf_holder last;
	if (!hf_holders_last_past(txn, a, &last))
		return false;
	hf_identity_encode(&last.id, ret_id);
	return hf_affinity_read(txn, ret_id, ret) && hf_memory_has(ret, a);
}

bool hf_affinity_has(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a) {
	struct hf_memory memory;
	struct hf_key id;
	return pool->count[hf_addr_family(a)].remembered > 0 && hf_affinity_of(txn, a, &id, &memory) &&
	       memory.pool_id == pool->id && has_row(txn, &memory, a);
}

/* Reads the row at the cursor, if it belongs to the pool and family. */
static bool read_row(struct hf_cursor *rows, bool found, uint32_t pool_id, enum hf_family family, struct hf_remembered *ret) {
	if (!found)
		return false;
	if (!hf_affinity_decode_row(rows->key, rows->value, ret))
		return hf_txn_damaged(rows->txn, HF_REMEMBERED);
	return ret->pool_id == pool_id && hf_addr_family(ret->address) == family;
}

static bool first_row(struct hf_cursor *rows, uint32_t pool_id, enum hf_family family, struct hf_remembered *ret) {
	uint8_t prefix[5];
	struct hf_writer w = hf_writer_begin(prefix);
	hf_put_uint(&w, pool_id, 4);
	hf_put_uint(&w, family_byte(family), 1);
	return read_row(rows, hf_cursor_seek(rows, hf_writer_end(&w)), pool_id, family, ret);
}

bool hf_affinity_oldest(struct hf_txn *txn, const struct hf_pool *pool, enum hf_family family, struct hf_addr *ret,
			struct hf_key *ret_id) {
	struct hf_remembered row;
	if (pool->count[family].remembered == 0)
		return false;
	HF_CURSOR rows;
	hf_cursor_open(txn, HF_REMEMBERED, &rows);
	if (!first_row(&rows, pool->id, family, &row))
		return false;
	*ret = row.address;
	if (ret_id)
		hf_identity_encode(&row.id, ret_id);
	return true;
}

bool hf_affinity_add(struct hf_txn *txn, struct hf_pool *pool, const struct hf_key *id, int64_t freed_ms, struct hf_addr a) {
	struct hf_memory memory;
	enum hf_family family = hf_addr_family(a);
	if (hf_affinity_read(txn, id, &memory)) {
		if (memory.pool_id != pool->id || memory.freed_ms != freed_ms || memory.n == HF_FAMILIES ||
		    hf_addr_family(memory.addresses[0]) == family)
			return false;
		memory.addresses[family == HF_IPV4] = memory.addresses[0];
		memory.addresses[family != HF_IPV4] = a;
		memory.n = HF_FAMILIES;
	} else {
		memory = (struct hf_memory){.pool_id = pool->id, .freed_ms = freed_ms, .n = 1, .addresses = {a}};
	}
	put_record(txn, id, &memory);
	put_row(txn, id, &memory, a);
	pool->count[family].remembered++;
	pool->touched = true;
	return true;
}

bool hf_affinity_drop(struct hf_txn *txn, struct hf_pool *pool, const struct hf_key *id, struct hf_addr a) {
	uint8_t key[ROW_KEY_BYTES];
	struct hf_memory memory;
	int kept = 0;
	if (!hf_affinity_read(txn, id, &memory) || !hf_memory_has(&memory, a)) {
		hf_txn_corrupt(txn, HF_AFFINITY, "an address to forget is not remembered for its last holder");
		return false;
	}
	bool has = has_row(txn, &memory, a);
	if (has)
		hf_txn_del(txn, HF_REMEMBERED, row_key(memory.pool_id, memory.freed_ms, a, key));
	for (int i = 0; i < memory.n; i++)
		if (memory.addresses[i].n != a.n)
			memory.addresses[kept++] = memory.addresses[i];
	memory.n = kept;
	if (kept > 0)
		put_record(txn, id, &memory);
	else
		hf_txn_del(txn, HF_AFFINITY, id_key(id));
	pool->count[hf_addr_family(a)].remembered--;
	pool->touched = true;
	return has;
}

void hf_affinity_hide(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a) {
	uint8_t key[ROW_KEY_BYTES];
	struct hf_memory memory;
	struct hf_key id;
	if (hf_affinity_of(txn, a, &id, &memory) && memory.pool_id == pool->id)
		hf_txn_del(txn, HF_REMEMBERED, row_key(memory.pool_id, memory.freed_ms, a, key));
	else
		hf_txn_corrupt(txn, HF_AFFINITY, "an address to set apart is not remembered");
}

bool hf_affinity_show(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a) {
	struct hf_memory memory;
	struct hf_key id;
	if (pool->count[hf_addr_family(a)].remembered == 0 || !hf_affinity_of(txn, a, &id, &memory) || memory.pool_id != pool->id)
		return false;
	put_row(txn, &id, &memory, a);
	return true;
}

/* Reads the addresses of one family behind those that the list has. Returns false if out of memory. */
static bool list_family(struct hf_txn *txn, const struct hf_pool *pool, enum hf_family family, struct hf_freed **list, size_t *n) {
	struct hf_remembered row;
	HF_CURSOR rows;
	hf_cursor_open(txn, HF_REMEMBERED, &rows);
	for (bool found = first_row(&rows, pool->id, family, &row); found;
	     found = read_row(&rows, hf_cursor_next(&rows), pool->id, family, &row)) {
		if ((*n & (*n - 1)) == 0) { /* full, at each power of two */
			struct hf_freed *more = realloc(*list, sizeof *more * (*n ? 2 * *n : 1));
			if (!more)
				return false;
			*list = more;
		}
		(*list)[(*n)++] = (struct hf_freed){row.address, row.freed_ms};
	}
	return true;
}

struct hf_freed *hf_affinity_list(struct hf_txn *txn, const struct hf_pool *pool, size_t *ret_n) {
	struct hf_freed *list = NULL;
	*ret_n = 0;
	if (!list_family(txn, pool, HF_IPV4, &list, ret_n) || !list_family(txn, pool, HF_IPV6, &list, ret_n))
		hf_txn_no_memory(txn);
	return list;
}

void hf_affinity_drop_freed(struct hf_txn *txn, struct hf_pool *pool, const struct hf_freed *freed) {
	uint8_t buffer[ROW_KEY_BYTES];
	struct hf_remembered row;
	struct hf_slice key = row_key(pool->id, freed->freed_ms, freed->address, buffer), value;
	struct hf_key id;
	if (!hf_txn_get(txn, HF_REMEMBERED, key, &value) || !hf_affinity_decode_row(key, value, &row)) {
		hf_txn_damaged(txn, HF_REMEMBERED);
		return;
	}
	hf_identity_encode(&row.id, &id);
	hf_affinity_drop(txn, pool, &id, freed->address);
}

void hf_affinity_forget_pool(struct hf_txn *txn, struct hf_pool *pool) {
	size_t n;
	struct hf_freed *list = hf_affinity_list(txn, pool, &n);
	for (size_t i = 0; i < n; i++)
		hf_affinity_drop_freed(txn, pool, &list[i]);
	free(list);
}

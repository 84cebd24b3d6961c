/* verify_affinity.c — checks what is remembered of identities without a lease, by identity and in the order of its hand-out. */
#include "verify_pass.h"

#include <inttypes.h>

#include "storage/tables/affinity.h"
#include "storage/tables/allocator.h"

#define EXTENT_KEY_BYTES (4 + 1 + HF_ADDR_BYTES)

bool hf_verify_last_past(struct hf_txn *txn, struct hf_addr a, struct hf_holder *ret) {
	uint8_t key[HF_ADDR_BYTES + 8];
	struct hf_addr of;
	struct hf_writer w = hf_writer_begin(key);
	HF_CURSOR history;
	hf_put_addr(&w, a);
	hf_put_uint(&w, UINT64_MAX, 8);
	hf_cursor_open(txn, HF_HISTORY, &history);
	return hf_cursor_seek_back(&history, hf_writer_end(&w)) && hf_holders_decode(history.key, history.value, &of, ret) &&
	       of.n == a.n;
}

/* Reads what is remembered of an identity; returns false if that is nothing, or damaged. */
static bool read_memory(struct hf_txn *txn, const struct hf_identity *id, struct hf_memory *ret) {
	struct hf_identity same;
	struct hf_slice value;
	struct hf_key key;
	hf_identity_encode(id, &key);
	struct hf_slice k = {key.bytes, key.len};
	return hf_txn_get(txn, HF_AFFINITY, k, &value) && hf_affinity_decode(k, value, &same, ret);
}

bool hf_verify_is_remembered(struct hf_verify *v, const struct hf_pool *pool, struct hf_addr a) {
	struct hf_memory memory;
	struct hf_holder last;
	return hf_verify_last_past(v->txn, a, &last) && read_memory(v->txn, &last.id, &memory) && memory.pool_id == pool->id &&
	       hf_memory_has(&memory, a);
}

bool hf_verify_next_remembered(struct hf_verify *v, const struct hf_pool *pool, struct hf_range range, struct hf_addr *ret) {
	uint8_t key[HF_ADDR_BYTES];
	HF_CURSOR history;
	hf_addr_put(range.first, key);
	hf_cursor_open(v->txn, HF_HISTORY, &history);
	for (bool found = hf_cursor_seek(&history, (struct hf_slice){key, sizeof key}); found; found = hf_cursor_next(&history)) {
		if (history.key.len < HF_ADDR_BYTES)
			continue;
		*ret = hf_addr_read(history.key.data);
		if (ret->n > range.last.n)
			return false;
		if (hf_verify_is_remembered(v, pool, *ret))
			return true;
	}
	return false;
}

static struct hf_verify_pool *find_pool(struct hf_verify *v, uint32_t id) {
	for (int p = 0; p < v->n_pools; p++)
		if (v->pools[p].pool.id == id)
			return &v->pools[p];
	return NULL;
}

static bool is_in_extent(struct hf_verify *v, const struct hf_pool *pool, struct hf_addr a) {
	uint8_t key[EXTENT_KEY_BYTES];
	struct hf_range extent;
	uint32_t pool_id;
	struct hf_writer w = hf_writer_begin(key);
	HF_CURSOR extents;
	hf_put_uint(&w, pool->id, 4);
	hf_put_uint(&w, hf_addr_family(a) == HF_IPV4 ? 4 : 6, 1);
	hf_put_addr(&w, a);
	hf_cursor_open(v->txn, HF_FREE, &extents);
	return hf_cursor_seek_back(&extents, hf_writer_end(&w)) &&
	       hf_allocator_decode(extents.key, extents.value, &pool_id, &extent) && pool_id == pool->id && hf_range_has(extent, a);
}

/* What makes it impossible that an address is remembered for an identity; NULL: nothing does. */
static const char *contradiction(struct hf_verify *v, const struct hf_pool *pool, const struct hf_identity *id,
				 const struct hf_memory *memory, struct hf_addr a) {
	struct hf_holder holder;
	struct hf_lease lease;
	if (!pool)
		return "its pool does not exist";
	if (hf_verify_lease(v, id, &lease))
		return "that has a lease";
	if (hf_pool_place(pool, a, NULL) != HF_ALLOCATABLE)
		return "its pool cannot hand it out";
	if (hf_verify_holder(v, a, &holder))
		return "it is held";
	if (!hf_verify_last_past(v->txn, a, &holder) || !hf_identity_equal(&holder.id, id))
		return "its last holder in the history is another";
	return holder.to_ms == memory->freed_ms ? NULL : "the history has another time at which it became free";
}

bool hf_verify_may_remember(struct hf_verify *v, const struct hf_pool *pool, const struct hf_identity *id,
			    const struct hf_memory *memory, struct hf_addr a) {
	return contradiction(v, pool, id, memory, a) == NULL;
}

static void check_record(struct hf_verify *v, const struct hf_identity *id, const struct hf_memory *memory) {
	struct hf_verify_pool *p = find_pool(v, memory->pool_id);
	char name[HF_IDENTITY_WORDS_MAX], text[HF_ADDR_TEXT];
	hf_identity_words(id, name, sizeof name);
	for (int i = 0; i < memory->n; i++) {
		struct hf_addr a = memory->addresses[i];
		const char *wrong = contradiction(v, p ? &p->pool : NULL, id, memory, a);
		hf_addr_format(a, text);
		if (wrong)
			hf_verify_say(v, HF_AFFINITY, "%s is remembered for %s, but %s", text, name, wrong);
		if (!p)
			continue;
		p->count[hf_addr_family(a)].remembered++;
		if (is_in_extent(v, &p->pool, a))
			hf_verify_say(v, HF_FREE, "pool \"%s\": %s is in an extent, although it is remembered for %s", p->pool.name,
				      text, name);
	}
}

/* Every row is of a record, and every address of a record has its row. */
static void check_row(struct hf_verify *v, const struct hf_remembered *row) {
	struct hf_memory memory;
	char name[HF_IDENTITY_WORDS_MAX], text[HF_ADDR_TEXT];
	hf_addr_format(row->address, text);
	hf_identity_words(&row->id, name, sizeof name);
	if (!read_memory(v->txn, &row->id, &memory) || !hf_memory_has(&memory, row->address))
		hf_verify_say(v, HF_REMEMBERED, "%s is in the order for %s, for whom it is not remembered", text, name);
	else if (memory.pool_id != row->pool_id || memory.freed_ms != row->freed_ms)
		hf_verify_say(v, HF_REMEMBERED, "%s has another pool or time in the order than what is remembered of %s", text,
			      name);
}

void hf_verify_affinity(struct hf_verify *v) {
	struct hf_remembered row;
	struct hf_memory memory;
	struct hf_identity id;
	uint64_t addresses = 0;
	HF_CURSOR records, rows;
	hf_cursor_open(v->txn, HF_AFFINITY, &records);
	while (hf_cursor_next(&records)) {
		if (!hf_affinity_decode(records.key, records.value, &id, &memory)) {
			hf_verify_damaged(v, HF_AFFINITY, records.key);
			continue;
		}
		addresses += (uint64_t)memory.n;
		check_record(v, &id, &memory);
	}
	hf_cursor_open(v->txn, HF_REMEMBERED, &rows);
	for (; hf_cursor_next(&rows); v->counts.remembered++) {
		if (hf_affinity_decode_row(rows.key, rows.value, &row))
			check_row(v, &row);
		else
			hf_verify_damaged(v, HF_REMEMBERED, rows.key);
	}
	if (v->counts.remembered != addresses)
		hf_verify_say(v, HF_REMEMBERED, "%" PRIu64 " addresses are in the order of hand-out; %" PRIu64 " are remembered",
			      v->counts.remembered, addresses);
}

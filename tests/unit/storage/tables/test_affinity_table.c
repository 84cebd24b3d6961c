/* The tables of remembered addresses have the bytes of storage/FORMAT.md's examples. */
#include <criterion/criterion.h>

#include "storage/store/upkeep.h"
#include "storage/tables/affinity.h"
#include "tests/unit/format_support.h"
#include "tests/unit/support.h"

#define FREED_MS 1700000001000

Test(format_affinity, records_are_those_of_the_document) {
	uint8_t key_bytes[VECTOR_MAX], value_bytes[VECTOR_MAX];
	struct hf_pool pool = {.id = 4};
	struct hf_identity redis = identity("east", "default", "redis"), id;
	struct hf_memory memory;
	struct hf_remembered row;
	struct hf_key key;
	struct fixture f;
	struct hf_batch *batch;
	fixture_new(&f);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK); /* never committed */
	struct hf_txn *txn = hf_batch_txn(batch);
	hf_identity_encode(&redis, &key);
	cr_assert(hf_affinity_add(txn, &pool, &key, FREED_MS, addr("fd00::7")));
	cr_assert(hf_affinity_add(txn, &pool, &key, FREED_MS, addr("241.0.0.7")));
	cr_expect(!hf_affinity_add(txn, &pool, &key, FREED_MS, addr("241.0.0.8")), "one of a family");
	HF_CURSOR records, rows;
	hf_cursor_open(txn, HF_AFFINITY, &records);
	hf_cursor_open(txn, HF_REMEMBERED, &rows);
	cr_assert(hf_cursor_first(&records));
	expect_bytes("affinity key", records.key);
	expect_bytes("affinity value", records.value);
	cr_assert(hf_cursor_first(&rows));
	expect_bytes("remembered key", rows.key);
	expect_bytes("remembered value", rows.value);
	cr_assert(hf_affinity_decode(vector("affinity key", key_bytes), vector("affinity value", value_bytes), &id, &memory));
	cr_expect(hf_identity_equal(&id, &redis) && memory.pool_id == 4 && memory.freed_ms == FREED_MS && memory.n == 2);
	cr_expect(memory.addresses[0].n == addr("241.0.0.7").n && memory.addresses[1].n == addr("fd00::7").n);
	cr_assert(hf_affinity_decode_row(vector("remembered key", key_bytes), vector("remembered value", value_bytes), &row));
	cr_expect(hf_identity_equal(&row.id, &redis) && row.pool_id == 4 && row.freed_ms == FREED_MS);
	cr_expect_eq(row.address.n, addr("241.0.0.7").n);
	cr_expect(pool.touched && pool.count[HF_IPV4].remembered == 1 && pool.count[HF_IPV6].remembered == 1);
	struct hf_slice value = vector("affinity value", value_bytes);
	cr_expect(
		!hf_affinity_decode(vector("affinity key", key_bytes), (struct hf_slice){value.data, value.len - 1}, &id, &memory));
	value_bytes[0] = 9;
	cr_expect(!hf_affinity_decode(vector("affinity key", key_bytes), value, &id, &memory), "another version");
	hf_cursor_close(&records);
	hf_cursor_close(&rows);
	cr_assert_eq(hf_txn_fault(txn, NULL), HF_OK);
	hf_batch_abort(batch);
	fixture_remove(&f);
}

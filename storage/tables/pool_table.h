/* pool_table.h — the tables "pools" (configurations) and "usage" (counters and cursors): their records, reads and writes.
 *
 * A configuration can have thousands of ranges, and its record 400 KB: it is written by an edit, and when a draining range goes.
 * The record of "usage" is small, and is written by each commit that touches the pool. Faults stick to the transaction.
 */
#ifndef HF_STORAGE_TABLES_POOL_TABLE_H
#define HF_STORAGE_TABLES_POOL_TABLE_H

#include "storage/lmdb/txn.h"
#include "storage/model/pool.h"

#define HF_USAGE_KEY_BYTES 4
#define HF_USAGE_RECORD_BYTES 145

/* Returns the length of a pool's record in "pools"; encodes it into a buffer of that length. */
size_t hf_pool_record_bytes(const struct hf_pool *pool);
struct hf_slice hf_pool_encode(const struct hf_pool *pool, uint8_t *buffer);

/* Decodes a record of "pools" into *ret, which the caller drops; its counters are zeros. A record of a format before 4 has its
 * counters itself: *ret_has_usage is set (may be NULL).
 * HF_E_CORRUPT: it is damaged. HF_E_OVERLOADED: out of memory. */
enum hf_err hf_pool_decode(struct hf_slice key, struct hf_slice value, bool *ret_has_usage, struct hf_pool *ret) HF_CHECKED;

struct hf_slice hf_usage_key(uint32_t pool_id, uint8_t buffer[HF_USAGE_KEY_BYTES]);
struct hf_slice hf_usage_encode(const struct hf_pool *pool, uint8_t buffer[HF_USAGE_RECORD_BYTES]);

/* Decodes a record of "usage" into the pool's counters and cursors. */
bool hf_usage_decode(struct hf_slice value, struct hf_pool *pool) HF_CHECKED;

/* Reads the counters and cursors of a pool; returns false if the record is missing or damaged, which is no fault. */
bool hf_usage_read(struct hf_txn *txn, struct hf_pool *pool) HF_CHECKED;

/* Decodes the pool at a cursor on "pools", with its counters; the caller drops it. False: a fault, and *ret is empty. */
bool hf_pool_at(struct hf_cursor *pools, struct hf_pool *ret) HF_CHECKED;

/* The same if the configuration is still the one that `known` has, whose ranges are then shared: nothing of O(ranges) is done. */
bool hf_pool_at_known(struct hf_cursor *pools, const struct hf_pool *known, struct hf_pool *ret) HF_CHECKED;

/* Writes the record of the configuration, or of the counters and cursors. */
void hf_pool_store(struct hf_txn *txn, const struct hf_pool *pool);
void hf_usage_store(struct hf_txn *txn, const struct hf_pool *pool);

/* Deletes what a pool has of the two records. */
void hf_pool_erase(struct hf_txn *txn, const struct hf_pool *pool);

/* Finds the pool in one of whose ranges an address lies, draining ones included, and its place there: O(log n) in the ranges of
 * each pool, as no record is decoded. HF_OUTSIDE: no pool has it. */
enum hf_place hf_pool_place_of(struct hf_txn *txn, struct hf_addr a, char ret_name[HF_NAME_MAX + 1]);

#endif

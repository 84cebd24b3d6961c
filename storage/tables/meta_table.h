/* meta_table.h — the table "meta": records that exist once in a store. Faults stick to the transaction. Inside storage/ only. */
#ifndef HF_STORAGE_TABLES_META_TABLE_H
#define HF_STORAGE_TABLES_META_TABLE_H

#include "storage/base/clock.h"
#include "storage/lmdb/txn.h"
#include "storage/model/meta.h"

/* Returns the snapshot's record of the store; zeros, and a fault, if it cannot be read. */
struct hf_meta hf_meta_read(struct hf_txn *txn);
void hf_meta_write(struct hf_txn *txn, const struct hf_meta *meta);

/* Returns whether the snapshot's store is as it was created, so that nothing would be lost with it. Every change except a zone's
 * creates a revision. */
bool hf_meta_is_untouched(struct hf_txn *txn);

/* Reads the format number of the tables.
 * Fails with HF_E_CORRUPT if it is missing or damaged.
 * Fails with HF_E_NEWER_FORMAT if it is above HF_FORMAT. */
enum hf_err hf_format_read(struct hf_txn *txn, struct hf_why *why, unsigned *ret) HF_CHECKED;

/* Writes HF_FORMAT. */
void hf_format_write(struct hf_txn *txn);

/* Reads the record of the store's time. Returns false if it was never written, or is damaged, which is a fault. */
bool hf_clock_record_read(struct hf_txn *txn, struct hf_clock_record *ret);
void hf_clock_record_write(struct hf_txn *txn, const struct hf_clock_record *record);

/* Returns false if that record is damaged. */
bool hf_clock_record_is_sound(struct hf_txn *txn);

#endif

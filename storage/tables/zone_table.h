/* zone_table.h — the tables "zones" and "scopes": reads on any transaction. Faults stick to it. */
#ifndef HF_STORAGE_TABLES_ZONE_TABLE_H
#define HF_STORAGE_TABLES_ZONE_TABLE_H

#include "storage/lmdb/txn.h"
#include "storage/model/zone.h"

/* Reads a zone's record. Returns false if it does not exist, or after a fault: *ret is then a zone that never connected, of epoch
 * 0. */
bool hf_zone_read(struct hf_txn *txn, const char *name, struct hf_zone *ret);

/* Reads the first zone after a name; `name` may be ret's. Returns false if there are no more zones, or after a fault. */
bool hf_zone_next(struct hf_txn *txn, const char *name, struct hf_zone *ret);

/* Decodes the zone at a cursor on the table "zones". `found` is the result of the cursor's last move. Returns false if it is
 * false, or the record is damaged. */
bool hf_zone_at(struct hf_cursor *zones, bool found, struct hf_zone *ret);

/* Returns the sum over the zone's scopes in the transaction's tables. */
struct hf_scope hf_zone_sum(struct hf_txn *txn, const char *name);

/* Returns the sum without the scopes for whose keys `skip` (may be NULL) returns true. */
struct hf_scope hf_zone_sum_except(struct hf_txn *txn, const char *name, bool (*skip)(void *context, struct hf_slice key),
				   void *context);

#endif

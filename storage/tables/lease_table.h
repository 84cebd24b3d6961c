/* lease_table.h — reads that verbs and queries share, on any transaction. Faults stick to it. */
#ifndef HF_STORAGE_TABLES_LEASE_TABLE_H
#define HF_STORAGE_TABLES_LEASE_TABLE_H

#include "storage/lmdb/txn.h"
#include "storage/model/lease.h"
#include "storage/model/zone.h"

/* Reads a lease; false if there is none (or a fault). */
bool hf_lease_read(struct hf_txn *txn, const struct hf_key *key, struct hf_lease *ret);

/* The same by a cursor on the table, for one key after the other in order: the next one is near, and found without a search. */
bool hf_lease_seek(struct hf_cursor *leases, struct hf_slice key, struct hf_lease *ret);

/* Reads a zone's record. False if there is none (or a fault): *ret is then a zone that never connected, of epoch 0. */
bool hf_zone_read(struct hf_txn *txn, const char *name, struct hf_zone *ret);

/* Reads the first zone behind a name; `name` may be ret's. False if there is none, or a fault. */
bool hf_zone_next(struct hf_txn *txn, const char *name, struct hf_zone *ret);

/* The sum over the zone's scopes as the transaction's tables have them. */
struct hf_scope hf_zone_sum(struct hf_txn *txn, const char *name);

/* The same without the scopes whose key `skip` (NULL: none) picks out. */
struct hf_scope hf_zone_sum_except(struct hf_txn *txn, const char *name, bool (*skip)(void *context, struct hf_slice key),
				   void *context);

#endif

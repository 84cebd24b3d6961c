/* lease_table.h — the table "leases": reads on any transaction. Faults stick to it. */
#ifndef HF_STORAGE_TABLES_LEASE_TABLE_H
#define HF_STORAGE_TABLES_LEASE_TABLE_H

#include "storage/lmdb/txn.h"
#include "storage/model/lease.h"
#include "zone_table.h"

/* Reads a lease; returns false if it does not exist, or after a fault. */
bool hf_lease_read(struct hf_txn *txn, const struct hf_key *key, struct hf_lease *ret);

/* Reads a lease with a cursor on the table. Fast for keys in ascending order: the next one is near, and is found without a
 * search. */
bool hf_lease_seek(struct hf_cursor *leases, struct hf_slice key, struct hf_lease *ret);

/* Decodes the lease at a cursor. `found` is the result of the cursor's last move. Returns false if it is false, or the record is
 * damaged. */
bool hf_lease_at(struct hf_cursor *leases, bool found, struct hf_lease *ret);

#endif

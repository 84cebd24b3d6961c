/* read.h — reads that verbs and queries share, on any transaction. Faults stick to it. */
#ifndef HF_STORAGE_READ_H
#define HF_STORAGE_READ_H

#include "kv.h"
#include "lease.h"

/* Reads a lease; false if there is none (or a fault). */
bool hf_lease_read(struct hf_txn *txn, const struct hf_key *key, struct hf_lease *ret);

/* The epoch of a zone; 0 if it never connected. */
uint64_t hf_zone_epoch(struct hf_txn *txn, const char *zone);

#endif

/* read.c — reads on any transaction. */
#include "read.h"

#include "zone.h"

bool hf_lease_read(struct hf_txn *txn, const struct hf_key *key, struct hf_lease *ret) {
	struct hf_slice k = {key->bytes, key->len}, value;
	if (!hf_txn_get(txn, HF_LEASES, k, &value))
		return false;
	if (hf_lease_decode(k, value, ret))
		return true;
	hf_txn_corrupt(txn, HF_LEASES, "a record is damaged");
	return false;
}

uint64_t hf_zone_epoch(struct hf_txn *txn, const char *zone) {
	struct hf_slice key = {zone, strlen(zone)}, value;
	struct hf_zone record;
	if (!hf_txn_get(txn, HF_ZONES, key, &value))
		return 0;
	if (hf_zone_decode(key, value, &record))
		return record.epoch;
	hf_txn_corrupt(txn, HF_ZONES, "a record is damaged");
	return 0;
}

/* lease_table.c — the table "leases"; the record's layout is in storage/FORMAT.md. */
#include "lease_table.h"

bool hf_lease_read(struct hf_txn *txn, const struct hf_key *key, struct hf_lease *ret) {
	struct hf_slice k = {key->bytes, key->len}, value;
	return hf_txn_get(txn, HF_LEASES, k, &value) && (hf_lease_decode(k, value, ret) || hf_txn_damaged(txn, HF_LEASES));
}

bool hf_lease_at(struct hf_cursor *leases, bool found, struct hf_lease *ret) {
	return found && (hf_lease_decode(leases->key, leases->value, ret) || hf_txn_damaged(leases->txn, HF_LEASES));
}

bool hf_lease_seek(struct hf_cursor *leases, struct hf_slice key, struct hf_lease *ret) {
	return hf_lease_at(leases, hf_cursor_seek(leases, key) && hf_slice_compare(leases->key, key) == 0, ret);
}

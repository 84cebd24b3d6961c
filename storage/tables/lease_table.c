/* lease_table.c — reads on any transaction. */
#include "lease_table.h"

static bool decode_lease(struct hf_txn *txn, struct hf_slice key, struct hf_slice value, struct hf_lease *ret) {
	if (hf_lease_decode(key, value, ret))
		return true;
	hf_txn_corrupt(txn, HF_LEASES, "a record is damaged");
	return false;
}

bool hf_lease_read(struct hf_txn *txn, const struct hf_key *key, struct hf_lease *ret) {
	struct hf_slice k = {key->bytes, key->len}, value;
	return hf_txn_get(txn, HF_LEASES, k, &value) && decode_lease(txn, k, value, ret);
}

bool hf_lease_seek(struct hf_cursor *leases, struct hf_slice key, struct hf_lease *ret) {
	return hf_cursor_seek(leases, key) && hf_slice_compare(leases->key, key) == 0 &&
	       decode_lease(leases->txn, key, leases->value, ret);
}

bool hf_zone_read(struct hf_txn *txn, const char *name, struct hf_zone *ret) {
	struct hf_slice key = {name, strlen(name)}, value;
	if (hf_txn_get(txn, HF_ZONES, key, &value)) {
		if (hf_zone_decode(key, value, ret))
			return true;
		hf_txn_corrupt(txn, HF_ZONES, "a record is damaged");
	}
	*ret = (struct hf_zone){.state = HF_ZONE_UNMANAGED};
	strncpy(ret->name, name, HF_NAME_MAX);
	return false;
}

bool hf_zone_next(struct hf_txn *txn, const char *name, struct hf_zone *ret) {
	HF_CURSOR zones;
	hf_cursor_open(txn, HF_ZONES, &zones);
	bool found = hf_cursor_seek(&zones, (struct hf_slice){name, strlen(name) + 1}); /* with its NUL: behind it */
	if (found && !hf_zone_decode(zones.key, zones.value, ret)) {
		hf_txn_corrupt(txn, HF_ZONES, "a record is damaged");
		return false;
	}
	return found;
}

struct hf_scope hf_zone_sum_except(struct hf_txn *txn, const char *name, bool (*skip)(void *context, struct hf_slice key),
				   void *context) {
	struct hf_scope sum = {0}, scope;
	struct hf_slice prefix = {name, strlen(name) + 1}; /* with its NUL, as no zone's name begins another's scopes */
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_SCOPES, &cursor);
	for (bool found = hf_cursor_seek(&cursor, prefix); found && hf_slice_extends(cursor.key, prefix);
	     found = hf_cursor_next(&cursor)) {
		if (skip && skip(context, cursor.key))
			continue;
		if (!hf_scope_decode(cursor.value, &scope)) {
			hf_txn_corrupt(txn, HF_SCOPES, "a record is damaged");
			break;
		}
		hf_scope_add(&sum, &scope);
	}
	return sum;
}

struct hf_scope hf_zone_sum(struct hf_txn *txn, const char *name) {
	return hf_zone_sum_except(txn, name, NULL, NULL);
}

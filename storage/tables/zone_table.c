/* zone_table.c — the tables "zones" and "scopes"; their layouts are in storage/FORMAT.md. */
#include "zone_table.h"

bool hf_zone_read(struct hf_txn *txn, const char *name, struct hf_zone *ret) {
	struct hf_slice key = {name, strlen(name)}, value;
	if (hf_txn_get(txn, HF_ZONES, key, &value) && (hf_zone_decode(key, value, ret) || hf_txn_damaged(txn, HF_ZONES)))
		return true;
	*ret = (struct hf_zone){.state = HF_ZONE_UNMANAGED};
	strncpy(ret->name, name, HF_NAME_MAX);
	return false;
}

bool hf_zone_at(struct hf_cursor *zones, bool found, struct hf_zone *ret) {
	return found && (hf_zone_decode(zones->key, zones->value, ret) || hf_txn_damaged(zones->txn, HF_ZONES));
}

bool hf_zone_next(struct hf_txn *txn, const char *name, struct hf_zone *ret) {
	HF_CURSOR zones;
	hf_cursor_open(txn, HF_ZONES, &zones);
	return hf_zone_at(&zones, hf_cursor_seek(&zones, (struct hf_slice){name, strlen(name) + 1}),
			  ret); /* with its NUL: after it */
}

struct hf_scope hf_zone_sum_except(struct hf_txn *txn, const char *name, bool (*skip)(void *context, struct hf_slice key),
				   void *context) {
	struct hf_scope sum = {0}, scope;
	struct hf_slice prefix = {name, strlen(name) + 1}; /* with its NUL, so that it matches no other zone's scopes */
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_SCOPES, &cursor);
	for (bool found = hf_cursor_seek(&cursor, prefix); found && hf_slice_extends(cursor.key, prefix);
	     found = hf_cursor_next(&cursor)) {
		if (skip && skip(context, cursor.key))
			continue;
		if (!hf_scope_decode(cursor.value, &scope) && !hf_txn_damaged(txn, HF_SCOPES))
			break;
		hf_scope_add(&sum, &scope);
	}
	return sum;
}

struct hf_scope hf_zone_sum(struct hf_txn *txn, const char *name) {
	return hf_zone_sum_except(txn, name, NULL, NULL);
}

/* lease_filter.h — selects leases: a filter, and a walk over the leases that can pass it. */
#ifndef HF_STORAGE_REQUESTS_LEASE_FILTER_H
#define HF_STORAGE_REQUESTS_LEASE_FILTER_H

#include "storage/lmdb/txn.h"
#include "storage/model/lease.h"

/* Selects leases; "" and 0 match any. */
struct hf_filter {
	bool has_kind;
	enum hf_kind kind;
	char zone[HF_NAME_MAX + 1], mesh[HF_NAME_MAX + 1], pool[HF_NAME_MAX + 1];
	char service[HF_SERVICE_MAX + 1];
	bool service_is_prefix; /* `service` is a prefix of the name */
	enum hf_lease_state state;
};

bool hf_filter_passes(const struct hf_filter *filter, const struct hf_lease *lease);

/* A walk in key order over all leases whose keys can pass a filter. It is valid as long as its transaction's snapshot. The caller
 * closes the cursor. */
struct hf_lease_walk {
	struct hf_cursor cursor;
	struct hf_key prefix;
	bool at_entry; /* the cursor is at an entry that begins with the prefix */
};

/* Starts at the first lease after the key `after` (NULL: at the first lease). */
void hf_lease_walk_begin(struct hf_lease_walk *walk, struct hf_txn *txn, const struct hf_filter *filter,
			 const struct hf_key *after);
void hf_lease_walk_next(struct hf_lease_walk *walk);

/* Reads the lease at the cursor. Call it only if at_entry is true. Returns false if the record is damaged. */
bool hf_lease_walk_read(struct hf_lease_walk *walk, struct hf_lease *ret);

#endif

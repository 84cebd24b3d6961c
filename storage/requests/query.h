/* query.h — reading leases and addresses: one, a page, a whole snapshot. */
#ifndef HF_STORAGE_REQUESTS_QUERY_H
#define HF_STORAGE_REQUESTS_QUERY_H

#include "storage/model/lease.h"
#include "storage/store/store.h"
#include "storage/tables/holders.h"

/* Reads one lease. HF_E_NOT_FOUND, or a fault. */
enum hf_err hf_lease_get(struct hf_txn *reader, const struct hf_identity *id, struct hf_why *why, struct hf_lease *ret) HF_CHECKED;

/* Which leases; "" and 0 mean any. */
struct hf_filter {
	bool has_kind;
	enum hf_kind kind;
	char zone[HF_NAME_MAX + 1], mesh[HF_NAME_MAX + 1], pool[HF_NAME_MAX + 1];
	char service[HF_SERVICE_MAX + 1];
	bool service_is_prefix; /* `service` is how the name begins */
	enum hf_lease_state state;
};

#define HF_LIST_EXAMINED_MAX 10000

struct hf_list_page {
	bool more;	    /* there may be further leases: */
	struct hf_key last; /* … behind this key */
	uint64_t revision;  /* of the snapshot */
};

/* Calls `each` for the leases behind the key `after` (NULL: from the start) that pass the filter, in key order, at most `limit`;
 * examines HF_LIST_EXAMINED_MAX keys at most. */
enum hf_err hf_lease_list(struct hf_txn *reader, const struct hf_filter *filter, const struct hf_key *after, int limit,
			  void (*each)(void *context, const struct hf_lease *lease), void *context, struct hf_why *why,
			  struct hf_list_page *ret) HF_CHECKED;

/* All leases of one snapshot, one after the other, in bounded memory. An open snapshot keeps old pages alive: whoever opened it
 * sees to its expiry. */
struct hf_snapshot;

enum hf_err hf_snapshot_open(struct hf_store *store, const struct hf_filter *filter, struct hf_why *why,
			     struct hf_snapshot **ret) HF_CHECKED;
uint64_t hf_snapshot_revision(const struct hf_snapshot *snapshot);

/* The next lease. HF_E_NOT_FOUND: there are no more. HF_E_OVERLOADED: it has expired. Or a fault. */
enum hf_err hf_snapshot_next(struct hf_snapshot *snapshot, struct hf_lease *ret) HF_CHECKED;

/* Lets go of the snapshot's pages: at once, or with the record that is being read. Never blocks; from any thread, before the close.
 */
void hf_snapshot_expire(struct hf_snapshot *snapshot);
void hf_snapshot_close(struct hf_snapshot *snapshot);

enum hf_address_state { HF_ADDRESS_LEASED, HF_ADDRESS_QUARANTINED, HF_ADDRESS_RESERVED, HF_ADDRESS_FREE, HF_ADDRESS_UNMANAGED };
const char *hf_address_state_name(enum hf_address_state state);

struct hf_address_info {
	enum hf_address_state state;
	char pool[HF_NAME_MAX + 1]; /* "" if unmanaged */
	bool has_lease;		    /* leased or quarantined */
	struct hf_lease lease;
};

enum hf_err hf_address_read(struct hf_txn *reader, struct hf_addr a, struct hf_why *why, struct hf_address_info *ret) HF_CHECKED;

/* What the store holds, for status and metrics. */
struct hf_totals {
	uint64_t active, quarantined;	/* leases */
	uint64_t pools, zones, changes; /* zones but for those that were retired */
};
enum hf_err hf_totals_read(struct hf_txn *reader, struct hf_why *why, struct hf_totals *ret) HF_CHECKED;

#endif

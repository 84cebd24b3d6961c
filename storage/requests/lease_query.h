/* lease_query.h — reads leases: one, or a page. */
#ifndef HF_STORAGE_REQUESTS_LEASE_QUERY_H
#define HF_STORAGE_REQUESTS_LEASE_QUERY_H

#include "lease_filter.h"

/* Reads one lease.
 * Fails with HF_E_NOT_FOUND if the identity has no lease.
 * Fails with the reader's fault. */
enum hf_err hf_lease_get(struct hf_txn *reader, const struct hf_identity *id, struct hf_why *why, struct hf_lease *ret) HF_CHECKED;

#define HF_LIST_EXAMINED_MAX 10000

struct hf_list_page {
	bool more;	    /* more leases may follow … */
	struct hf_key last; /* … this key */
	uint64_t revision;  /* of the snapshot */
};

/* Calls `each`, in key order, for the leases that pass the filter, starting after the key `after` (NULL: at the first lease).
 * Stops after `limit` leases or HF_LIST_EXAMINED_MAX examined keys.
 * Fails with the reader's fault. */
enum hf_err hf_lease_list(struct hf_txn *reader, const struct hf_filter *filter, const struct hf_key *after, int limit,
			  void (*each)(void *context, const struct hf_lease *lease), void *context, struct hf_why *why,
			  struct hf_list_page *ret) HF_CHECKED;

#endif

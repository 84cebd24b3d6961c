/* lease_query.h — reading leases: one, or a page. */
#ifndef HF_STORAGE_REQUESTS_LEASE_QUERY_H
#define HF_STORAGE_REQUESTS_LEASE_QUERY_H

#include "lease_filter.h"

/* Reads one lease.
 * HF_E_NOT_FOUND: the identity has no lease. Or a fault of the reader. */
enum hf_err hf_lease_get(struct hf_txn *reader, const struct hf_identity *id, struct hf_why *why, struct hf_lease *ret) HF_CHECKED;

#define HF_LIST_EXAMINED_MAX 10000

struct hf_list_page {
	bool more;	    /* there may be further leases: */
	struct hf_key last; /* … after this key */
	uint64_t revision;  /* of the snapshot */
};

/* Calls `each` for the leases after the key `after` (NULL: from the start) that pass the filter, in key order, for at most `limit`;
 * examines at most HF_LIST_EXAMINED_MAX keys. Fails with a fault of the reader. */
enum hf_err hf_lease_list(struct hf_txn *reader, const struct hf_filter *filter, const struct hf_key *after, int limit,
			  void (*each)(void *context, const struct hf_lease *lease), void *context, struct hf_why *why,
			  struct hf_list_page *ret) HF_CHECKED;

#endif

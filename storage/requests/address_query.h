/* address_query.h — what an address is used for. */
#ifndef HF_STORAGE_REQUESTS_ADDRESS_QUERY_H
#define HF_STORAGE_REQUESTS_ADDRESS_QUERY_H

#include "storage/lmdb/txn.h"
#include "storage/model/lease.h"

enum hf_address_state { HF_ADDRESS_LEASED, HF_ADDRESS_QUARANTINED, HF_ADDRESS_RESERVED, HF_ADDRESS_FREE, HF_ADDRESS_UNMANAGED };
const char *hf_address_state_name(enum hf_address_state state); /* "leased" … */

struct hf_address_info {
	enum hf_address_state state;
	char pool[HF_NAME_MAX + 1]; /* "" if unmanaged */
	bool has_lease;		    /* leased or quarantined */
	struct hf_lease lease;
};

/* Reads an address's state.
 * Fails with HF_E_CORRUPT if the address points to a missing lease.
 * Fails with the reader's fault. */
enum hf_err hf_address_read(struct hf_txn *reader, struct hf_addr a, struct hf_why *why, struct hf_address_info *ret) HF_CHECKED;

#endif

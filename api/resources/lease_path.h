/* lease_path.h — what the handlers of one lease share: its path, the addresses that a query states, and the answer. */
#ifndef HF_API_RESOURCES_LEASE_PATH_H
#define HF_API_RESOURCES_LEASE_PATH_H

#include "api/call/call.h"
#include "storage/model/lease.h"

/* Reads the identity from the route and the path's variables.
 * Fails with HF_E_INVALID_NAME if one of them is not a name. */
enum hf_err hf_lease_path_identity(struct hf_call *call, struct hf_identity *ret) HF_CHECKED;

/* Reads the parameters `address`; *ret_n is 0 if there are none.
 * Fails with HF_E_INVALID_ADDRESS if one is not an address.
 * Fails with HF_E_INVALID_PARAMETER if two are of one family. */
enum hf_err hf_lease_path_addresses(struct hf_call *call, int *ret_n, struct hf_addr ret[HF_FAMILIES]) HF_CHECKED;

/* Answers with a lease and its entity tag. */
void hf_lease_path_answer(struct hf_call *call, int status, const struct hf_lease *lease);

#endif

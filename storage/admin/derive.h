/* derive.h — what follows from the leases, the past holders and the pools' configurations. Inside storage/ only.
 *
 * That is: the reverse index, lease and history deadlines, the scopes' sums, the pools' counters, their draining ranges (which go
 * with the last address) and the free extents. Leases are given in the order of their keys; each one's rows are written as it
 * comes, so memory is that of the pools, and the transaction may be committed and begun again between any two calls. Two users: an
 * import makes a store of records (build.h), a repair rebuilds these tables (repair.h).
 */
#ifndef HF_STORAGE_ADMIN_DERIVE_H
#define HF_STORAGE_ADMIN_DERIVE_H

#include "export.h"

struct hf_derive {
	int n_pools;
	struct hf_pool **pools;		 /* sorted by name */
	uint8_t scope_key[HF_SCOPE_MAX]; /* of the scope at hand */
	size_t scope_len;		 /* 0: none yet */
	struct hf_scope scope;
};

/* Adds a pool, as it is stored except its counters; pools come by name. HF_E_STORAGE: out of memory. */
enum hf_err hf_derive_pool(struct hf_derive *d, const struct hf_pool *pool, struct hf_why *why) HF_CHECKED;

/* Returns the pool of that name, or NULL. */
struct hf_pool *hf_derive_find_pool(const struct hf_derive *d, const char *name);

/* Writes what follows from a lease, whose own record and zone are the caller's. Refuses it, and has written nothing, if that cannot
 * be told: HF_E_CORRUPT, with words that name the lease's pool, zone or address: the pool or the zone is not there, the address is
 * outside the pool or another lease has it. Other faults stick to the transaction. */
enum hf_err hf_derive_lease(struct hf_derive *d, struct hf_txn *txn, const struct hf_lease *lease,
			    const struct hf_bound bound[HF_FAMILIES], struct hf_why *why) HF_CHECKED;

/* Writes a past holder's deadline. */
void hf_derive_past(struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder);

/* Writes a scope that has no lease. */
void hf_derive_empty_scope(struct hf_txn *txn, const struct hf_identity *scope);

/* After the last lease: writes the last scope, the pools and their free extents. */
void hf_derive_end(struct hf_derive *d, struct hf_txn *txn);

void hf_derive_free(struct hf_derive *d);

#endif

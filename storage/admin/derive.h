/* derive.h — writes what follows from the leases, the past holders and the pools' configurations. Inside storage/ only.
 *
 * These are the reverse index, the deadlines of leases and history, the scopes' sums, the pools' counters and free extents, the
 * order in which remembered addresses are handed out, and which draining ranges remain. Leases are given in the order of their
 * keys, and the rows of each are written at once. So memory grows with the pools only, and the transaction may be committed and
 * begun again between any two calls. An import builds a store this way (build.h), and a repair rebuilds these tables (repair.h).
 */
#ifndef HF_STORAGE_ADMIN_DERIVE_H
#define HF_STORAGE_ADMIN_DERIVE_H

#include "export.h"

struct hf_derive {
	int n_pools;
	struct hf_pool **pools;		 /* sorted by name */
	uint8_t scope_key[HF_SCOPE_MAX]; /* of the current scope */
	size_t scope_len;		 /* 0: before the first scope */
	struct hf_scope scope;
};

/* Adds a pool, as it is stored except for its counters. Pools are given by name.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_derive_pool(struct hf_derive *d, const struct hf_pool *pool, struct hf_why *why) HF_CHECKED;

/* Returns the pool of that name, or NULL. */
struct hf_pool *hf_derive_find_pool(const struct hf_derive *d, const char *name);

/* Returns the pool of that id, or NULL. */
struct hf_pool *hf_derive_pool_of_id(const struct hf_derive *d, uint32_t id);

/* Writes everything that follows from a lease. The caller writes the lease's own record and its zone. Writes nothing if it refuses
 * the lease. Other faults stick to the transaction.
 * Fails with HF_E_CORRUPT if the lease's pool or zone does not exist, or one of its addresses is outside the pool or held by
 * another lease; `why` names it. */
enum hf_err hf_derive_lease(struct hf_derive *d, struct hf_txn *txn, const struct hf_lease *lease,
			    const struct hf_bound bound[HF_BOUND_MAX], struct hf_why *why) HF_CHECKED;

/* Writes a past holder's deadline. */
void hf_derive_past(struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder);

/* Writes that a free address is remembered for a past holder, its last one. HF_E_CORRUPT: it is held, no pool can hand it out, or
 * the holder has a lease, or another address that does not go with it. */
enum hf_err hf_derive_memory(struct hf_derive *d, struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder,
			     struct hf_why *why) HF_CHECKED;

/* Writes a scope that has no lease. */
void hf_derive_empty_scope(struct hf_txn *txn, const struct hf_identity *scope);

/* Writes the last scope, the pools and their free extents. Call it after the last lease. */
void hf_derive_end(struct hf_derive *d, struct hf_txn *txn);

void hf_derive_free(struct hf_derive *d);

#endif

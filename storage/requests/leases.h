/* leases.h — acquire and release: the verbs on one lease.
 *
 * Each verb comes in two halves that judge by the same rules (lease_rules.h). `peek` looks at a reader's snapshot: a request that
 * needs no write, or is refused, ends there. `begin` makes the struct a write for the committer, which judges again inside the
 * write transaction. Results are plain copies in the request's struct.
 */
#ifndef HF_STORAGE_REQUESTS_LEASES_H
#define HF_STORAGE_REQUESTS_LEASES_H

#include "storage/model/lease_rules.h"
#include "storage/store/store.h"
#include "storage/store/write.h"

/* Acquire a lease. The caller fills `want`; the store fills the result. */
struct hf_acquire {
	struct hf_write write;
	struct hf_lease_request want; /* names checked */
	/* The result. */
	enum hf_outcome outcome;
	struct hf_lease lease;
	enum hf_refusal refused[HF_CLAIMS_MAX]; /* of each claim */
};

/* Release a lease. */
struct hf_release {
	struct hf_write write;
	struct hf_release_request want;
	/* The result: the lease as it is now; after a purge, as it was. */
	struct hf_lease lease;
};

/* HF_E_STALE_EPOCH, HF_E_PRECONDITION_FAILED, HF_E_LEASE_EXISTS, or a storage fault. */
enum hf_err hf_acquire_peek(struct hf_txn *reader, struct hf_acquire *request, struct hf_why *why, enum hf_peek *ret) HF_CHECKED;

/* Makes it a write; the body must have been read if there was one. The write's errors: those of peek, and HF_E_NO_POOL,
 * HF_E_ADDRESS_OUTSIDE_POOL, HF_E_ADDRESS_TAKEN, HF_E_POOL_EXHAUSTED. */
void hf_acquire_begin(struct hf_acquire *request);

/* HF_E_STALE_EPOCH, HF_E_PRECONDITION_FAILED, HF_E_NOT_FOUND, HF_E_ZONE_OFFLINE, or a storage fault. Never HF_PEEK_READ_BODY. */
enum hf_err hf_release_peek(struct hf_txn *reader, struct hf_release *request, struct hf_why *why, enum hf_peek *ret) HF_CHECKED;
void hf_release_begin(struct hf_release *request);

#endif

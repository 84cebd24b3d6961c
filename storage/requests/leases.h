/* leases.h — acquire and release, the requests on one lease.
 *
 * Each request has two halves that judge by the same rules (lease_rules.h). `peek` judges it on a reader's snapshot: a request
 * that needs no write, or is refused, ends there. `begin` prepares the write for the committer, which judges it again inside the
 * write transaction. Results are plain copies in the request's struct. A write has succeeded only after it is durable.
 */
#ifndef HF_STORAGE_REQUESTS_LEASES_H
#define HF_STORAGE_REQUESTS_LEASES_H

#include "storage/model/lease_rules.h"
#include "storage/store/store.h"
#include "storage/store/write.h"

/* Acquires a lease. The caller fills `want`; the store fills the result. */
struct hf_acquire {
	struct hf_write write;
	struct hf_lease_request want; /* names checked */
	/* The result. */
	enum hf_outcome outcome;
	struct hf_lease lease;
	enum hf_refusal refused[HF_CLAIMS_MAX]; /* one for each claim */
};

/* Releases a lease. The caller fills `want`; the store fills the result. */
struct hf_release {
	struct hf_write write;
	struct hf_release_request want;
	/* The result: the lease after the release or, for a purge, before it. */
	struct hf_lease lease;
};

/* Judges an acquire on the reader's snapshot; *ret says whether it is done, needs a write, or needs its body read first.
 * Fails with HF_E_STALE_EPOCH if the stated epoch is not the zone's current one.
 * Fails with HF_E_PRECONDITION_FAILED if a condition does not hold.
 * Fails with HF_E_LEASE_EXISTS if the request names another pool or address than the lease has.
 * Fails with the reader's fault. */
enum hf_err hf_acquire_peek(struct hf_txn *reader, struct hf_acquire *request, struct hf_why *why, enum hf_peek *ret) HF_CHECKED;

/* Prepares the write. If the request has a body, it must have been read. The write fails with the errors of hf_acquire_peek(),
 * and:
 * Fails with HF_E_NO_POOL if the named pool does not exist, or no pool matches.
 * Fails with HF_E_FORBIDDEN if the pool's selector does not match, and the request may not be in such a pool.
 * Fails with HF_E_ADDRESS_OUTSIDE_POOL if the pool does not contain a requested address.
 * Fails with HF_E_ADDRESS_TAKEN if a requested address is held or reserved.
 * Fails with HF_E_POOL_EXHAUSTED if the pool has no free address of one of its families. */
void hf_acquire_begin(struct hf_acquire *request);

/* Judges a release on the reader's snapshot. *ret is never HF_PEEK_READ_BODY.
 * Fails with HF_E_STALE_EPOCH if the stated epoch is not the zone's current one.
 * Fails with HF_E_PRECONDITION_FAILED if a condition does not hold.
 * Fails with HF_E_NOT_FOUND if no lease exists.
 * Fails with HF_E_ZONE_OFFLINE if the zone is offline and `force` is not set.
 * Fails with the reader's fault. */
enum hf_err hf_release_peek(struct hf_txn *reader, struct hf_release *request, struct hf_why *why, enum hf_peek *ret) HF_CHECKED;

/* Prepares the write, which fails with the errors of hf_release_peek(). */
void hf_release_begin(struct hf_release *request);

#endif

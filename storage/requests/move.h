/* move.h — moves a lease to another address, by an administrator's act.
 *
 * Use as in leases.h: `peek` on a reader's snapshot, then `begin` and the committer. The move is durable once the write is done.
 */
#ifndef HF_STORAGE_REQUESTS_MOVE_H
#define HF_STORAGE_REQUESTS_MOVE_H

#include "storage/model/move_rules.h"
#include "storage/store/store.h"
#include "storage/store/write.h"

/* Moves a lease. The caller fills `want`; the store fills the result. */
struct hf_move {
	struct hf_write write;
	struct hf_move_request want;
	/* The result: the lease as it is now. */
	struct hf_lease lease;
};

/* Judges a move on the reader's snapshot; *ret is HF_PEEK_DONE if the lease is already there. Never HF_PEEK_READ_BODY.
 * Fails as hf_rules_move() does, or with the reader's fault. */
enum hf_err hf_move_peek(struct hf_txn *reader, struct hf_move *request, struct hf_why *why, enum hf_peek *ret) HF_CHECKED;

/* Prepares the write. It chooses the pool that is named, else the one that has the first address stated, if its selector matches,
 * else the lease's own; and of each family of the pool the address stated, else the next free one. A lease that stays in its pool
 * keeps the address of a family for which none is stated, if one is stated for the other. The write fails as hf_move_peek() does,
 * and: Fails with HF_E_NO_POOL if the named pool does not exist. Fails with HF_E_ADDRESS_OUTSIDE_POOL if the pool does not contain
 * a stated address. Fails with HF_E_ADDRESS_TAKEN if a stated address is held by another lease, or reserved. Fails with
 * HF_E_LEASE_EXISTS if the lease has too many previous addresses. Fails with HF_E_POOL_EXHAUSTED if the pool has no free address of
 * one of its families. */
void hf_move_begin(struct hf_move *request);

#endif

/* verify.h — checks the store's invariants on one snapshot.
 *
 * Every relation between two tables is checked both ways: leases and addresses, free extents and held addresses, remembered
 * addresses and history, deadlines, the feed, and each counter and digest against what it covers. Nothing is repaired. The tables
 * are walked in order, side by side, so that memory does not grow with the number of leases, only with the pools.
 */
#ifndef HF_STORAGE_VERIFY_VERIFY_H
#define HF_STORAGE_VERIFY_VERIFY_H

#include "storage/lmdb/txn.h"

/* The records that were checked, and the violations found. */
struct hf_verify_counts {
	uint64_t leases, addresses, extents, pools, zones, scopes, deadlines, changes, holders, remembered; /* records */
	uint64_t violations;
};

/* Checks the reader's snapshot. Calls `violation` (may be NULL) for each violation, with the table and a sentence that names the
 * key and what was expected; the text is valid only during the call. A broken invariant may be reported more than once, from each
 * side. Violations are not an error. Takes as long as reading the whole store; never blocks the
 * writer, but an open snapshot keeps old pages alive.
 * Fails with HF_E_CORRUPT if the meta record or a page cannot be read, so the check ended early.
 * Fails with HF_E_OVERLOADED if memory runs out, or the check was stopped (hf_txn_stop_on()).
 * Fails with HF_E_STORAGE if the system refuses. */
enum hf_err hf_verify(struct hf_txn *reader, void (*violation)(void *context, enum hf_table table, const char *what), void *context,
		      struct hf_why *why, struct hf_verify_counts *ret) HF_CHECKED;

/* Checks the reader's snapshot as hf_verify() does, and fails if it finds a violation. `subject` names the store in `why`. In
 * that case *ret is set, too.
 * Fails with HF_E_CORRUPT if invariants are broken (`why` has their number and the first), or as hf_verify() does.
 * Fails with HF_E_OVERLOADED as hf_verify() does.
 * Fails with HF_E_STORAGE as hf_verify() does. */
enum hf_err hf_verify_sound(struct hf_txn *reader, const char *subject, struct hf_why *why,
			    struct hf_verify_counts *ret) HF_CHECKED;

#endif

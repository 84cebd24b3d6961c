/* verify.h — the store's invariants (design, section 6), checked on one snapshot.
 *
 * Whatever one table says of another is looked up both ways: leases and addresses, free extents and held addresses, deadlines,
 * history, the feed, and every counter and digest against what it counts. Nothing is repaired. The tables are walked in order, side
 * by side, so that memory is that of the pools, whatever the number of leases.
 */
#ifndef HF_STORAGE_VERIFY_VERIFY_H
#define HF_STORAGE_VERIFY_VERIFY_H

#include "storage/lmdb/txn.h"

/* What was looked at, and how often it was wrong. */
struct hf_verify_counts {
	uint64_t leases, addresses, extents, pools, zones, scopes, deadlines, changes, holders; /* records */
	uint64_t violations;
};

/* Checks the reader's snapshot. Calls `violation` (may be NULL) for each thing that is wrong: the table, and a sentence that names
 * the key and what was expected; the text is the callee's only during the call. An invariant that is broken may be reported more
 * than once, from each side. The time is that of reading the whole store; it never blocks the writer, but an open snapshot keeps
 * old pages alive. Sets *ret also when there are violations, which are no error.
 * HF_E_CORRUPT: the meta record or a page cannot be read, so that the check ended early. HF_E_STORAGE: out of memory, or a fault.
 */
enum hf_err hf_verify(struct hf_txn *reader, void (*violation)(void *context, enum hf_table table, const char *what), void *context,
		      struct hf_why *why, struct hf_verify_counts *ret) HF_CHECKED;

/* Checks the reader's snapshot as hf_verify() does, and makes a violation an error. `subject` names the store in `why`. Sets *ret
 * also then. HF_E_CORRUPT: invariants are broken (`why` has their number and the first), or as above. HF_E_STORAGE: as above. */
enum hf_err hf_verify_sound(struct hf_txn *reader, const char *subject, struct hf_why *why,
			    struct hf_verify_counts *ret) HF_CHECKED;

#endif

/* deadline.h — the table "deadlines": what becomes due when.
 *
 * A deadline is the end of a lease's quarantine, or the end of a history entry's 90 days. The committer processes it at the start
 * of the first batch after it is due; until then it has no effect. A quarantine that is due while its zone holds it back gets a
 * later deadline instead (zone_rules.h).
 */
#ifndef HF_STORAGE_TABLES_DEADLINE_H
#define HF_STORAGE_TABLES_DEADLINE_H

#include "storage/base/identity.h"
#include "storage/lmdb/txn.h"

struct hf_deadline {
	int64_t at_ms;
	bool is_lease;		/* a lease's quarantine; else a history entry */
	struct hf_key lease;	/* if is_lease */
	struct hf_addr address; /* else */
	uint64_t from_revision;
};

void hf_deadline_put(struct hf_txn *txn, const struct hf_deadline *deadline);
void hf_deadline_del(struct hf_txn *txn, const struct hf_deadline *deadline);

/* Reads the earliest deadline; returns false if the table is empty. */
bool hf_deadline_first(struct hf_txn *txn, struct hf_deadline *ret);

/* Read the last deadline, or the nearest one after `deadline` (with `back`, before it), whether or not `deadline` itself exists.
 * Return false if no such entry exists. `ret` may be `deadline`. */
bool hf_deadline_last(struct hf_txn *txn, struct hf_deadline *ret);
bool hf_deadline_next(struct hf_txn *txn, const struct hf_deadline *deadline, bool back, struct hf_deadline *ret);

/* Returns whether exactly this deadline exists, for verify. */
bool hf_deadline_has(struct hf_txn *txn, const struct hf_deadline *deadline);

bool hf_deadline_decode(struct hf_slice key, struct hf_deadline *ret) HF_CHECKED;

#endif

/* moves.h — how many addresses of existing leases ever changed, by cause: the count that proves guarantee 4. Inside storage/ only.
 *
 * It is kept in the store, so that what an offline command moved is seen by the server that starts after it, and nothing is
 * forgotten by a restart. It is written in the transaction of the change, and only with one.
 */
#ifndef HF_STORAGE_TABLES_MOVES_H
#define HF_STORAGE_TABLES_MOVES_H

#include "storage/lmdb/txn.h"
#include "storage/model/change.h"

struct hf_moves {
	uint64_t by_cause[HF_CAUSES + 1]; /* the first is no cause */
};

/* Reads what the store has counted; zeros if nothing yet. A damaged record sticks to the transaction. */
struct hf_moves hf_moves_read(struct hf_txn *txn);

/* Writes it. */
void hf_moves_write(struct hf_txn *txn, const struct hf_moves *moves);

/* Whether anything was counted. */
bool hf_moves_any(const struct hf_moves *moves);

#endif

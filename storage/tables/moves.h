/* moves.h — how many addresses of existing leases ever changed, by cause: the count behind guarantee 4. Inside storage/ only.
 *
 * It is kept in the store, so that a server sees what earlier offline commands moved, and a restart forgets nothing. It is written
 * only together with a change, in the same transaction.
 */
#ifndef HF_STORAGE_TABLES_MOVES_H
#define HF_STORAGE_TABLES_MOVES_H

#include "storage/lmdb/txn.h"
#include "storage/model/change.h"

struct hf_moves {
	uint64_t by_cause[HF_CAUSES + 1]; /* index 0 is not a cause */
};

/* Reads the store's count; zeros if nothing was counted yet. A damaged record sticks to the transaction. */
struct hf_moves hf_moves_read(struct hf_txn *txn);

/* Writes the count. */
void hf_moves_write(struct hf_txn *txn, const struct hf_moves *moves);

/* Returns whether anything was counted. */
bool hf_moves_any(const struct hf_moves *moves);

#endif

/* moves.c — the count of moved addresses; its layout is in storage/FORMAT.md, meta, "moves". */
#include "moves.h"

#define RECORD_VERSION 1
#define RECORD_MAX (2 + 8 * HF_CAUSES)

static const struct hf_slice KEY = {"moves", 5};

struct hf_moves hf_moves_read(struct hf_txn *txn) {
	struct hf_moves moves = {.by_cause = {0}};
	struct hf_slice value;
	if (!hf_txn_get(txn, HF_META, KEY, &value))
		return moves;
	struct hf_parser p = hf_parser_begin(value);
	uint64_t version = hf_take_uint(&p, 1), n = hf_take_uint(&p, 1);
	for (uint64_t cause = 1; cause <= n && cause <= HF_CAUSES; cause++)
		moves.by_cause[cause] = hf_take_uint(&p, 8);
	if (version == RECORD_VERSION && n <= HF_CAUSES && hf_parser_end(&p))
		return moves;
	hf_txn_corrupt(txn, HF_META, "the count of moved addresses is damaged");
	return (struct hf_moves){.by_cause = {0}};
}

void hf_moves_write(struct hf_txn *txn, const struct hf_moves *moves) {
	uint8_t record[RECORD_MAX];
	struct hf_writer w = hf_writer_begin(record);
	hf_put_uint(&w, RECORD_VERSION, 1);
	hf_put_uint(&w, HF_CAUSES, 1);
	for (int cause = 1; cause <= HF_CAUSES; cause++)
		hf_put_uint(&w, moves->by_cause[cause], 8);
	hf_txn_put(txn, HF_META, KEY, hf_writer_end(&w));
}

bool hf_moves_any(const struct hf_moves *moves) {
	for (int cause = 1; cause <= HF_CAUSES; cause++)
		if (moves->by_cause[cause])
			return true;
	return false;
}

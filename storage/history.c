/* history.c — the table "history"; its layout is in storage/FORMAT.md. */
#include "history.h"

#include "deadline.h"

#define RECORD_VERSION 1
#define KEY_BYTES (HF_ADDR_BYTES + 8)
#define VALUE_MAX (1 + 8 + 8 + HF_KEY_MAX)

static struct hf_slice encode_key(struct hf_addr a, uint64_t from_revision, uint8_t buffer[KEY_BYTES]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_addr(&w, a);
	hf_put_uint(&w, from_revision, 8);
	return hf_writer_end(&w);
}

bool hf_history_decode(struct hf_slice key, struct hf_slice value, struct hf_addr *ret_addr, struct hf_holder *ret) {
	struct hf_parser k = hf_parser_begin(key), p = hf_parser_begin(value);
	*ret_addr = hf_take_addr(&k);
	ret->from_revision = hf_take_uint(&k, 8);
	if (!hf_parser_end(&k) || hf_take_uint(&p, 1) != RECORD_VERSION)
		return false;
	ret->from_ms = (int64_t)hf_take_uint(&p, 8);
	ret->to_ms = (int64_t)hf_take_uint(&p, 8);
	return !p.bad && hf_identity_decode(p.at, (size_t)(p.end - p.at), &ret->id);
}

static void put(struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder) {
	uint8_t key[KEY_BYTES], value[VALUE_MAX];
	struct hf_key id;
	struct hf_writer w = hf_writer_begin(value);
	hf_identity_encode(&holder->id, &id);
	hf_put_uint(&w, RECORD_VERSION, 1);
	hf_put_uint(&w, (uint64_t)holder->from_ms, 8);
	hf_put_uint(&w, (uint64_t)holder->to_ms, 8);
	hf_put_bytes(&w, id.bytes, id.len);
	hf_txn_put(txn, HF_HISTORY, encode_key(a, holder->from_revision, key), hf_writer_end(&w));
}

/* The entry that the cursor found, if it is one of the address. */
static bool read_entry(struct hf_cursor *cursor, bool found, struct hf_addr a, struct hf_holder *ret) {
	struct hf_addr of;
	if (!found)
		return false;
	if (!hf_history_decode(cursor->key, cursor->value, &of, ret)) {
		hf_txn_corrupt(cursor->txn, HF_HISTORY, "a record is damaged");
		return false;
	}
	return of.n == a.n;
}

static bool newest(struct hf_cursor *cursor, struct hf_addr a, struct hf_holder *ret) {
	uint8_t key[KEY_BYTES];
	return read_entry(cursor, hf_cursor_seek_back(cursor, encode_key(a, UINT64_MAX, key)), a, ret);
}

static struct hf_deadline deadline_of(struct hf_addr a, const struct hf_holder *holder) {
	return (struct hf_deadline){
		.at_ms = holder->to_ms + HF_HISTORY_AGE_MS, .address = a, .from_revision = holder->from_revision};
}

void hf_history_open(struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder) {
	struct hf_holder old;
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_HISTORY, &cursor);
	int n = 0;
	for (bool found = newest(&cursor, a, &old); found && ++n < HF_HISTORY_HOLDERS;)
		found = read_entry(&cursor, hf_cursor_prev(&cursor), a, &old);
	hf_cursor_close(&cursor);
	if (n == HF_HISTORY_HOLDERS) {
		struct hf_deadline deadline = deadline_of(a, &old);
		hf_deadline_del(txn, &deadline);
		hf_history_drop(txn, a, old.from_revision);
	}
	put(txn, a, holder);
}

void hf_history_close(struct hf_txn *txn, struct hf_addr a, int64_t to_ms) {
	struct hf_holder holder;
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_HISTORY, &cursor);
	bool found = newest(&cursor, a, &holder);
	hf_cursor_close(&cursor);
	if (!found || holder.to_ms != 0) {
		hf_txn_corrupt(txn, HF_HISTORY, "a held address has no holder");
		return;
	}
	holder.to_ms = to_ms;
	put(txn, a, &holder);
	struct hf_deadline deadline = deadline_of(a, &holder);
	hf_deadline_put(txn, &deadline);
}

void hf_history_drop(struct hf_txn *txn, struct hf_addr a, uint64_t from_revision) {
	uint8_t key[KEY_BYTES];
	hf_txn_del(txn, HF_HISTORY, encode_key(a, from_revision, key));
}

int hf_history_read(struct hf_txn *reader, struct hf_addr a, int64_t at_ms, int64_t now_ms, struct hf_holder ret[HF_HISTORY_HOLDERS]) {
	HF_CURSOR cursor;
	int n = 0;
	struct hf_holder holder;
	hf_cursor_open(reader, HF_HISTORY, &cursor);
	for (bool found = newest(&cursor, a, &holder); found && n < HF_HISTORY_HOLDERS;
	     found = read_entry(&cursor, hf_cursor_prev(&cursor), a, &holder)) {
		bool kept = holder.to_ms == 0 || holder.to_ms + HF_HISTORY_AGE_MS > now_ms;
		bool asked = at_ms < 0 || (holder.from_ms <= at_ms && (holder.to_ms == 0 || at_ms < holder.to_ms));
		if (kept && asked)
			ret[n++] = holder;
		if (at_ms >= 0 && n == 1)
			break;
	}
	return n;
}

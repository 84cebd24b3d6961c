/* deadline.c — the table "deadlines"; its layout is in storage/FORMAT.md. */
#include "deadline.h"

#define RECORD_VERSION 1
#define KEY_MAX (8 + HF_KEY_MAX)
#define HISTORY_MARK 0 /* no identity begins with a NUL */
#define HISTORY_KEY_BYTES (8 + 1 + HF_ADDR_BYTES + 8)

static struct hf_slice encode(const struct hf_deadline *deadline, uint8_t buffer[KEY_MAX]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, (uint64_t)deadline->at_ms, 8);
	if (deadline->is_lease) {
		hf_put_bytes(&w, deadline->lease.bytes, deadline->lease.len);
	} else {
		hf_put_uint(&w, HISTORY_MARK, 1);
		hf_put_addr(&w, deadline->address);
		hf_put_uint(&w, deadline->from_revision, 8);
	}
	return hf_writer_end(&w);
}

bool hf_deadline_decode(struct hf_slice key, struct hf_deadline *ret) {
	struct hf_parser p = hf_parser_begin(key);
	*ret = (struct hf_deadline){.at_ms = (int64_t)hf_take_uint(&p, 8)};
	if (p.bad || p.at == p.end)
		return false;
	ret->is_lease = *p.at != HISTORY_MARK;
	if (ret->is_lease) {
		struct hf_identity id;
		if (!hf_identity_decode(p.at, (size_t)(p.end - p.at), &id))
			return false;
		hf_identity_encode(&id, &ret->lease);
		return true;
	}
	hf_take_uint(&p, 1);
	ret->address = hf_take_addr(&p);
	ret->from_revision = hf_take_uint(&p, 8);
	return key.len == HISTORY_KEY_BYTES && hf_parser_end(&p);
}

void hf_deadline_put(struct hf_txn *txn, const struct hf_deadline *deadline) {
	static const uint8_t value[] = {RECORD_VERSION};
	uint8_t key[KEY_MAX];
	hf_txn_put(txn, HF_DEADLINES, encode(deadline, key), (struct hf_slice){value, sizeof value});
}

void hf_deadline_del(struct hf_txn *txn, const struct hf_deadline *deadline) {
	uint8_t key[KEY_MAX];
	hf_txn_del(txn, HF_DEADLINES, encode(deadline, key));
}

bool hf_deadline_has(struct hf_txn *txn, const struct hf_deadline *deadline) {
	uint8_t key[KEY_MAX];
	struct hf_slice value;
	return hf_txn_get(txn, HF_DEADLINES, encode(deadline, key), &value);
}

static bool read(struct hf_cursor *cursor, bool found, struct hf_deadline *ret) {
	return found && (hf_deadline_decode(cursor->key, ret) || hf_txn_damaged(cursor->txn, HF_DEADLINES));
}

bool hf_deadline_first(struct hf_txn *txn, struct hf_deadline *ret) {
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_DEADLINES, &cursor);
	return read(&cursor, hf_cursor_first(&cursor), ret);
}

bool hf_deadline_last(struct hf_txn *txn, struct hf_deadline *ret) {
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_DEADLINES, &cursor);
	return read(&cursor, hf_cursor_last(&cursor), ret);
}

bool hf_deadline_next(struct hf_txn *txn, const struct hf_deadline *deadline, bool back, struct hf_deadline *ret) {
	uint8_t buffer[KEY_MAX];
	HF_CURSOR cursor;
	struct hf_slice key = encode(deadline, buffer);
	hf_cursor_open(txn, HF_DEADLINES, &cursor);
	bool found = back ? hf_cursor_seek_back(&cursor, key) : hf_cursor_seek(&cursor, key);
	if (found && hf_slice_compare(cursor.key, key) == 0)
		found = back ? hf_cursor_prev(&cursor) : hf_cursor_next(&cursor);
	return read(&cursor, found, ret);
}

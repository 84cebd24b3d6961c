/* holders.c — the tables "addresses" and "history"; their layouts are in storage/FORMAT.md. */
#include "holders.h"

/* Version 1 has no `by`, and is still written where nobody is named. */
#define RECORD_VERSION 1
#define RECORD_VERSION_BY 2
#define PAST_KEY_BYTES (HF_ADDR_BYTES + 8)
#define VALUE_MAX (1 + 8 + 8 + 1 + HF_BY_MAX + HF_KEY_MAX)

static struct hf_slice present_key(struct hf_addr a, uint8_t buffer[HF_ADDR_BYTES]) {
	hf_addr_put(a, buffer);
	return (struct hf_slice){buffer, HF_ADDR_BYTES};
}

static struct hf_slice past_key(struct hf_addr a, uint64_t from_revision, uint8_t buffer[PAST_KEY_BYTES]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_addr(&w, a);
	hf_put_uint(&w, from_revision, 8);
	return hf_writer_end(&w);
}

/* Both tables' values are a version, two numbers, who asked, and an identity. */
static struct hf_slice encode(uint64_t first, int64_t second, const struct hf_holder *holder, uint8_t buffer[VALUE_MAX]) {
	struct hf_writer w = hf_writer_begin(buffer);
	struct hf_key key;
	hf_identity_encode(&holder->id, &key);
	hf_put_uint(&w, holder->by[0] ? RECORD_VERSION_BY : RECORD_VERSION, 1);
	hf_put_uint(&w, first, 8);
	hf_put_uint(&w, (uint64_t)second, 8);
	if (holder->by[0])
		hf_put_text(&w, holder->by);
	hf_put_bytes(&w, key.bytes, key.len);
	return hf_writer_end(&w);
}

static bool decode(struct hf_slice value, uint64_t *ret_first, int64_t *ret_second, struct hf_holder *ret) {
	struct hf_parser p = hf_parser_begin(value);
	uint64_t version = hf_take_uint(&p, 1);
	if (version != RECORD_VERSION && version != RECORD_VERSION_BY)
		return false;
	ret->by[0] = '\0';
	*ret_first = hf_take_uint(&p, 8);
	*ret_second = (int64_t)hf_take_uint(&p, 8);
	if (version == RECORD_VERSION_BY)
		hf_take_text(&p, HF_BY_MAX, ret->by);
	return !p.bad && hf_identity_decode(p.at, (size_t)(p.end - p.at), &ret->id);
}

bool hf_holders_decode_present(struct hf_slice key, struct hf_slice value, struct hf_addr *ret_addr, struct hf_holder *ret) {
	struct hf_parser k = hf_parser_begin(key);
	*ret_addr = hf_take_addr(&k);
	ret->to_ms = 0;
	return hf_parser_end(&k) && decode(value, &ret->from_revision, &ret->from_ms, ret);
}

bool hf_holders_decode(struct hf_slice key, struct hf_slice value, struct hf_addr *ret_addr, struct hf_holder *ret) {
	struct hf_parser k = hf_parser_begin(key);
	uint64_t from_ms;
	*ret_addr = hf_take_addr(&k);
	ret->from_revision = hf_take_uint(&k, 8);
	if (!hf_parser_end(&k) || !decode(value, &from_ms, &ret->to_ms, ret))
		return false;
	ret->from_ms = (int64_t)from_ms;
	return true;
}

bool hf_holders_present(struct hf_txn *txn, struct hf_addr a, struct hf_holder *ret) {
	uint8_t buffer[HF_ADDR_BYTES];
	struct hf_addr of;
	struct hf_slice key = present_key(a, buffer), value;
	if (!hf_txn_get(txn, HF_ADDRESSES, key, &value))
		return false;
	return hf_holders_decode_present(key, value, &of, ret) || hf_txn_damaged(txn, HF_ADDRESSES);
}

void hf_holders_open(struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder) {
	uint8_t key[HF_ADDR_BYTES], value[VALUE_MAX];
	hf_txn_insert(txn, HF_ADDRESSES, present_key(a, key), encode(holder->from_revision, holder->from_ms, holder, value));
}

/* Reads the past holder that the cursor found, if it held the address. */
static bool read_past(struct hf_cursor *cursor, bool found, struct hf_addr a, struct hf_holder *ret) {
	struct hf_addr of;
	if (!found)
		return false;
	if (!hf_holders_decode(cursor->key, cursor->value, &of, ret))
		return hf_txn_damaged(cursor->txn, HF_HISTORY);
	return of.n == a.n;
}

static bool newest_past(struct hf_cursor *cursor, struct hf_addr a, struct hf_holder *ret) {
	uint8_t key[PAST_KEY_BYTES];
	return read_past(cursor, hf_cursor_seek_back(cursor, past_key(a, UINT64_MAX, key)), a, ret);
}

bool hf_holders_last_past(struct hf_txn *txn, struct hf_addr a, struct hf_holder *ret) {
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_HISTORY, &cursor);
	return newest_past(&cursor, a, ret);
}

struct hf_deadline hf_holders_deadline(struct hf_addr a, const struct hf_holder *holder) {
	return (struct hf_deadline){
		.at_ms = holder->to_ms + HF_HISTORY_AGE_MS, .address = a, .from_revision = holder->from_revision};
}

/* Drops the oldest past holder if the limit is reached, before another is added. */
static void make_room(struct hf_txn *txn, struct hf_addr a) {
	struct hf_holder old;
	HF_CURSOR cursor;
	int n = 0;
	hf_cursor_open(txn, HF_HISTORY, &cursor);
	for (bool found = newest_past(&cursor, a, &old); found && ++n < HF_HISTORY_HOLDERS;)
		found = read_past(&cursor, hf_cursor_prev(&cursor), a, &old);
	hf_cursor_close(&cursor);
	if (n < HF_HISTORY_HOLDERS)
		return;
	struct hf_deadline deadline = hf_holders_deadline(a, &old);
	hf_deadline_del(txn, &deadline);
	hf_holders_drop(txn, a, old.from_revision);
}

void hf_holders_put(struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder) {
	uint8_t key[PAST_KEY_BYTES], value[VALUE_MAX];
	hf_txn_put(txn, HF_HISTORY, past_key(a, holder->from_revision, key),
		   encode((uint64_t)holder->from_ms, holder->to_ms, holder, value));
}

void hf_holders_close(struct hf_txn *txn, struct hf_addr a, int64_t to_ms) {
	uint8_t key[HF_ADDR_BYTES];
	struct hf_holder holder;
	if (!hf_holders_present(txn, a, &holder)) {
		hf_txn_corrupt(txn, HF_ADDRESSES, "an address to free is not held");
		return;
	}
	holder.to_ms = to_ms;
	make_room(txn, a);
	hf_txn_del(txn, HF_ADDRESSES, present_key(a, key));
	hf_holders_put(txn, a, &holder);
	struct hf_deadline deadline = hf_holders_deadline(a, &holder);
	hf_deadline_put(txn, &deadline);
}

void hf_holders_drop(struct hf_txn *txn, struct hf_addr a, uint64_t from_revision) {
	uint8_t key[PAST_KEY_BYTES];
	hf_txn_del(txn, HF_HISTORY, past_key(a, from_revision, key));
}

static bool asked(const struct hf_holder *holder, int64_t at_ms, int64_t now_ms) {
	if (holder->to_ms != 0 && holder->to_ms + HF_HISTORY_AGE_MS <= now_ms)
		return false;
	return at_ms < 0 || (holder->from_ms <= at_ms && (holder->to_ms == 0 || at_ms < holder->to_ms));
}

int hf_holders_read(struct hf_txn *reader, struct hf_addr a, int64_t at_ms, int64_t now_ms,
		    struct hf_holder ret[HF_HISTORY_HOLDERS]) {
	int n = 0, max = at_ms < 0 ? HF_HISTORY_HOLDERS : 1;
	struct hf_holder holder;
	HF_CURSOR cursor;
	if (hf_holders_present(reader, a, &holder) && asked(&holder, at_ms, now_ms))
		ret[n++] = holder;
	hf_cursor_open(reader, HF_HISTORY, &cursor);
	for (bool found = newest_past(&cursor, a, &holder); found && n < max;
	     found = read_past(&cursor, hf_cursor_prev(&cursor), a, &holder))
		if (asked(&holder, at_ms, now_ms))
			ret[n++] = holder;
	return n;
}

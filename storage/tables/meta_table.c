/* meta_table.c — the records of the table "meta"; their layout is in storage/FORMAT.md. */
#include "meta_table.h"

#define META_VERSION 2
#define META_VERSION_1 1 /* of format 1: it ends before restored_ms */
#define META_BYTES 61

static const struct hf_slice FORMAT = {"format", 6}, STORE = {"store", 5}, CLOCK = {"clock", 5};

void hf_meta_write(struct hf_txn *txn, const struct hf_meta *meta) {
	uint8_t record[META_BYTES];
	struct hf_writer w = hf_writer_begin(record);
	hf_put_uint(&w, META_VERSION, 1);
	hf_put_bytes(&w, meta->store_id, sizeof meta->store_id);
	hf_put_uint(&w, meta->store_epoch, 8);
	hf_put_uint(&w, meta->revision, 8);
	hf_put_uint(&w, meta->compacted, 8);
	hf_put_uint(&w, meta->next_pool_id, 4);
	hf_put_uint(&w, (uint64_t)meta->created_ms, 8);
	hf_put_uint(&w, (uint64_t)meta->restored_ms, 8);
	hf_txn_put(txn, HF_META, STORE, hf_writer_end(&w));
}

struct hf_meta hf_meta_read(struct hf_txn *txn) {
	struct hf_meta meta = {0};
	struct hf_slice value = {NULL, 0};
	if (hf_txn_get(txn, HF_META, STORE, &value)) {
		struct hf_parser p = hf_parser_begin(value);
		uint64_t version = hf_take_uint(&p, 1);
		hf_take_copy(&p, meta.store_id, sizeof meta.store_id);
		meta.store_epoch = hf_take_uint(&p, 8);
		meta.revision = hf_take_uint(&p, 8);
		meta.compacted = hf_take_uint(&p, 8);
		meta.next_pool_id = (uint32_t)hf_take_uint(&p, 4);
		meta.created_ms = (int64_t)hf_take_uint(&p, 8);
		if (version != META_VERSION_1)
			meta.restored_ms = (int64_t)hf_take_uint(&p, 8);
		if ((version == META_VERSION || version == META_VERSION_1) && hf_parser_end(&p))
			return meta;
	}
	hf_txn_corrupt(txn, HF_META, "the store's record is missing or damaged");
	return (struct hf_meta){0};
}

bool hf_meta_is_untouched(struct hf_txn *txn) {
	struct hf_meta meta = hf_meta_read(txn);
	return meta.revision == HF_DEFAULT_POOLS && meta.store_epoch == 1 && hf_txn_count(txn, HF_ZONES) == 0;
}

enum hf_err hf_format_read(struct hf_txn *txn, struct hf_why *why, unsigned *ret) {
	struct hf_slice value;
	if (!hf_txn_get(txn, HF_META, FORMAT, &value))
		return hf_fail(why, HF_E_CORRUPT, "the store does not say its format: it is damaged, or not a Holdfast store");
	struct hf_parser p = hf_parser_begin(value);
	uint64_t format = hf_take_uint(&p, 4);
	if (!hf_parser_end(&p) || format == 0)
		return hf_fail(why, HF_E_CORRUPT, "the store's format number is damaged");
	if (format > HF_FORMAT)
		return hf_fail(why, HF_E_NEWER_FORMAT, "the store has format %u, from a newer Holdfast; this one reads up to %u",
			       (unsigned)format, HF_FORMAT);
	*ret = (unsigned)format;
	return HF_OK;
}

void hf_format_write(struct hf_txn *txn) {
	uint8_t format[4];
	struct hf_writer w = hf_writer_begin(format);
	hf_put_uint(&w, HF_FORMAT, 4);
	hf_txn_put(txn, HF_META, FORMAT, hf_writer_end(&w));
}

bool hf_clock_record_read(struct hf_txn *txn, struct hf_clock_record *ret) {
	struct hf_slice value;
	if (!hf_txn_get(txn, HF_META, CLOCK, &value))
		return false;
	if (hf_clock_decode(value, ret))
		return true;
	hf_txn_corrupt(txn, HF_META, "the record of the store's time is damaged");
	return false;
}

bool hf_clock_record_is_sound(struct hf_txn *txn) {
	struct hf_clock_record record;
	struct hf_slice value;
	return !hf_txn_get(txn, HF_META, CLOCK, &value) || hf_clock_decode(value, &record);
}

void hf_clock_record_write(struct hf_txn *txn, const struct hf_clock_record *record) {
	uint8_t buffer[HF_CLOCK_RECORD_BYTES];
	hf_txn_put(txn, HF_META, CLOCK, hf_clock_encode(record, buffer));
}

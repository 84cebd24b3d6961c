/* verify_json.c — a check of the invariants as JSON. */
#include "verify_json.h"

#include "api/text/json.h"

struct list {
	struct hf_json json;
	int listed;
};

static void write_item(struct hf_json *json, const char *table, const char *what) {
	hf_json_open(json, '{');
	hf_json_member(json, "table", table);
	hf_json_member(json, "detail", what);
	hf_json_close(json, '}');
}

static void add_violation(void *context, enum hf_table table, const char *what) {
	struct list *list = context;
	if (list->listed++ < HF_VERIFY_LISTED_MAX)
		write_item(&list->json, hf_table_name(table), what);
}

static void write_head(struct hf_json *json, const uint8_t store_id[16], uint64_t store_epoch, uint64_t revision) {
	char text[2 * 16 + 1];
	hf_hex_encode(store_id, 16, text);
	hf_json_open(json, '{');
	hf_json_member(json, "storeId", text);
	hf_json_member_uint(json, "storeEpoch", store_epoch);
	hf_json_member_uint(json, "revision", revision);
	hf_json_member_open(json, "items", '[');
}

static void write_counts(struct hf_json *json, const struct hf_verify_counts *counts) {
	hf_json_member_open(json, "counts", '{');
	hf_json_member_uint(json, "leases", counts->leases);
	hf_json_member_uint(json, "addresses", counts->addresses);
	hf_json_member_uint(json, "extents", counts->extents);
	hf_json_member_uint(json, "pools", counts->pools);
	hf_json_member_uint(json, "zones", counts->zones);
	hf_json_member_uint(json, "scopes", counts->scopes);
	hf_json_member_uint(json, "deadlines", counts->deadlines);
	hf_json_member_uint(json, "changes", counts->changes);
	hf_json_member_uint(json, "holders", counts->holders);
	hf_json_member_uint(json, "remembered", counts->remembered);
	hf_json_close(json, '}');
}

static enum hf_err write_tail(struct hf_json *json, const struct hf_verify_counts *counts, struct hf_why *why) {
	hf_json_close(json, ']');
	hf_json_member_uint(json, "violations", counts->violations);
	write_counts(json, counts);
	hf_json_close(json, '}');
	return json->out->failed ? hf_no_memory(why) : HF_OK;
}

enum hf_err hf_verify_write(struct hf_txn *reader, struct hf_buf *out, struct hf_why *why, uint64_t *ret_violations) {
	struct hf_meta meta = hf_meta_read(reader);
	struct hf_verify_counts counts = {0};
	struct list list = {.json = {.out = out}};
	write_head(&list.json, meta.store_id, meta.store_epoch, meta.revision);
	enum hf_err err = hf_verify(reader, add_violation, &list, why, &counts);
	if (!err)
		err = write_tail(&list.json, &counts, why);
	if (!err)
		*ret_violations = counts.violations;
	return err;
}

enum hf_err hf_verify_write_damage(const struct hf_store *store, const char *what, struct hf_buf *out, struct hf_why *why) {
	struct hf_json json = {.out = out};
	uint8_t store_id[16];
	uint64_t store_epoch, revision;
	hf_store_known(store, store_id, &store_epoch, &revision);
	write_head(&json, store_id, store_epoch, revision);
	write_item(&json, "pages", what);
	return write_tail(&json, &(struct hf_verify_counts){.violations = 1}, why);
}

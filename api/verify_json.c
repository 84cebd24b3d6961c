/* verify_json.c — a check of the invariants as JSON. */
#include "verify_json.h"

#include "json.h"

struct list {
	struct hf_json json;
	int listed;
};

static void add_violation(void *context, enum hf_table table, const char *what) {
	struct list *list = context;
	if (list->listed++ >= HF_VERIFY_LISTED_MAX)
		return;
	hf_json_open(&list->json, '{');
	hf_json_member(&list->json, "table", hf_table_name(table));
	hf_json_member(&list->json, "detail", what);
	hf_json_close(&list->json, '}');
}

static void write_counts(struct hf_json *json, const struct hf_verify_counts *counts) {
	hf_json_key(json, "counts");
	hf_json_open(json, '{');
	hf_json_member_uint(json, "leases", counts->leases);
	hf_json_member_uint(json, "addresses", counts->addresses);
	hf_json_member_uint(json, "extents", counts->extents);
	hf_json_member_uint(json, "pools", counts->pools);
	hf_json_member_uint(json, "zones", counts->zones);
	hf_json_member_uint(json, "scopes", counts->scopes);
	hf_json_member_uint(json, "deadlines", counts->deadlines);
	hf_json_member_uint(json, "changes", counts->changes);
	hf_json_member_uint(json, "holders", counts->holders);
	hf_json_close(json, '}');
}

enum hf_err hf_verify_write(struct hf_txn *reader, struct hf_buf *out, struct hf_why *why, uint64_t *ret_violations) {
	struct hf_meta meta = hf_meta_read(reader);
	struct hf_verify_counts counts = {0};
	struct list list = {.json = {.out = out}};
	struct hf_json *json = &list.json;
	char store_id[2 * sizeof meta.store_id + 1];
	hf_hex_encode(meta.store_id, sizeof meta.store_id, store_id);
	hf_json_open(json, '{');
	hf_json_member(json, "storeId", store_id);
	hf_json_member_uint(json, "storeEpoch", meta.store_epoch);
	hf_json_member_uint(json, "revision", meta.revision);
	hf_json_key(json, "items");
	hf_json_open(json, '[');
	enum hf_err err = hf_verify(reader, add_violation, &list, why, &counts);
	if (err)
		return err;
	hf_json_close(json, ']');
	hf_json_member_uint(json, "violations", counts.violations);
	write_counts(json, &counts);
	hf_json_close(json, '}');
	*ret_violations = counts.violations;
	return out->failed ? hf_fail(why, HF_E_OVERLOADED, "out of memory") : HF_OK;
}

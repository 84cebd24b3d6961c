/* repair.c — `holdfastd repair`. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/shapes/verify_json.h"
#include "storage/admin/repair.h"
#include "storage/store/open.h"

static const enum hf_table REBUILT[] = {HF_ADDRESSES, HF_FREE, HF_DEADLINES, HF_SCOPES, HF_USAGE, HF_POOLS};
#define N_REBUILT (sizeof REBUILT / sizeof *REBUILT)

/* The violations as JSON: [0] those found, [1] those that remain. */
struct lists {
	struct hf_buf text[2];
	struct hf_json json[2];
	int listed[2];
};

static void add_violation(void *context, bool remains, enum hf_table table, const char *what) {
	struct lists *lists = context;
	struct hf_json *json = &lists->json[remains];
	if (lists->listed[remains]++ >= HF_VERIFY_LISTED_MAX)
		return;
	hf_json_open(json, '{');
	hf_json_member(json, "table", hf_table_name(table));
	hf_json_member(json, "detail", what);
	hf_json_close(json, '}');
}

static void print_violation(void *context, bool remains, enum hf_table table, const char *what) {
	(void)context;
	printf("  %s%s: %s\n", remains ? "cannot be derived: " : "", hf_table_name(table), what);
}

static void write_list(struct hf_json *json, const char *name, const struct hf_buf *items) {
	hf_json_member_open(json, name, '[');
	hf_buf_add(json->out, items->data, items->len);
	hf_json_close(json, ']');
}

static void print_json(const struct hf_repair *r, const struct lists *lists) {
	struct hf_buf out = {0};
	struct hf_json json = {.out = &out};
	hf_json_open(&json, '{');
	hf_json_member_uint(&json, "violations", r->found);
	write_list(&json, "items", &lists->text[0]);
	hf_json_member_open(&json, "rows", '{');
	for (size_t i = 0; i < N_REBUILT; i++) {
		const struct hf_repair_rows *rows = &r->rows[REBUILT[i]];
		hf_json_member_open(&json, hf_table_name(REBUILT[i]), '{');
		hf_json_member_uint(&json, "added", rows->added);
		hf_json_member_uint(&json, "removed", rows->removed);
		hf_json_member_uint(&json, "changed", rows->changed);
		hf_json_close(&json, '}');
	}
	hf_json_close(&json, '}');
	hf_json_member_uint(&json, "remaining", r->remaining);
	write_list(&json, "remainingItems", &lists->text[1]);
	hf_json_member_bool(&json, "applied", r->applied);
	hf_json_member_or_null(&json, "aside", r->aside);
	hf_json_close(&json, '}');
	hf_offline_print(&out);
}

static void print_text(const struct hf_repair *r) {
	if (r->found == 0) {
		printf("good: every invariant holds; nothing was changed\n");
		return;
	}
	printf("%" PRIu64 " violations\n", r->found);
	for (size_t i = 0; i < N_REBUILT; i++) {
		const struct hf_repair_rows *rows = &r->rows[REBUILT[i]];
		if (rows->added + rows->removed + rows->changed > 0)
			printf("  %s: %" PRIu64 " rows %sadded, %" PRIu64 " removed, %" PRIu64 " changed\n",
			       hf_table_name(REBUILT[i]), rows->added, r->applied ? "" : "to be ", rows->removed, rows->changed);
	}
	if (r->remaining > 0)
		printf("%" PRIu64
		       " violations cannot be repaired, because no other record holds what is lost; nothing was changed. Restore a "
		       "backup: holdfast restore FILE\n",
		       r->remaining);
	else if (r->applied)
		printf("repaired: every invariant holds; the old database is kept as %s\n", r->aside);
	else
		printf("everything can be repaired; nothing was changed. --apply repairs it\n");
}

static int repair_store(const struct hf_offline *o, struct hf_store *store) {
	struct lists lists = {.listed = {0}};
	struct hf_why why = {""};
	struct hf_repair r = {.store = store,
			      .dir = o->data_dir,
			      .apply = o->apply,
			      .violation = o->json ? add_violation : print_violation,
			      .context = &lists};
	for (int i = 0; i < 2; i++)
		lists.json[i].out = &lists.text[i];
	enum hf_err err = hf_repair(&r, &why);
	if (!err && o->json)
		print_json(&r, &lists);
	else if (!err)
		print_text(&r);
	for (int i = 0; i < 2; i++)
		hf_buf_free(&lists.text[i]);
	if (err) {
		fflush(stdout); /* so that the findings come first */
		return hf_offline_fail("repair", err, &why);
	}
	return r.found == 0 || r.applied ? HF_OFFLINE_DONE : HF_OFFLINE_FOUND;
}

int hf_offline_repair(const struct hf_offline *o) {
	struct hf_store_options options = {.keep_format = true};
	struct hf_why why = {""};
	struct hf_store *store;
	enum hf_err err = hf_offline_become(o->data_dir, &why);
	if (!err)
		err = hf_store_exists(o->data_dir, &why);
	if (!err)
		err = hf_store_open(o->data_dir, &options, &why, &store);
	if (err) {
		int status = hf_offline_fail("repair", err, &why);
		if (err == HF_E_CORRUPT)
			fprintf(stderr,
				"holdfastd repair: no other record holds what is lost; restore a backup: holdfast restore FILE\n");
		return status;
	}
	int status = repair_store(o, store);
	hf_store_close(store);
	return status;
}

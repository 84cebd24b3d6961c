/* verify.c — `holdfastd verify`. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/shapes/verify_json.h"
#include "storage/store/open.h"

static void print_violation(void *context, enum hf_table table, const char *what) {
	(void)context;
	printf("  %s: %s\n", hf_table_name(table), what);
}

static enum hf_err print_text(struct hf_txn *reader, const char *path, unsigned format, struct hf_why *why,
			      uint64_t *ret_violations) {
	struct hf_meta meta = hf_meta_read(reader);
	struct hf_verify_counts counts = {0};
	printf("%s: format %u, store epoch %" PRIu64 ", revision %" PRIu64 "\n", path, format, meta.store_epoch, meta.revision);
	enum hf_err err = hf_verify(reader, print_violation, NULL, why, &counts);
	if (err)
		return err;
	printf("%" PRIu64 " leases, %" PRIu64 " addresses, %" PRIu64 " past holders, %" PRIu64 " pools with %" PRIu64
	       " free extents, %" PRIu64 " zones with %" PRIu64 " scopes, %" PRIu64 " deadlines, %" PRIu64 " changes, %" PRIu64
	       " remembered addresses\n",
	       counts.leases, counts.addresses, counts.holders, counts.pools, counts.extents, counts.zones, counts.scopes,
	       counts.deadlines, counts.changes, counts.remembered);
	if (counts.violations)
		printf("%" PRIu64 " violations\n", counts.violations);
	else
		printf("good: every invariant holds\n");
	*ret_violations = counts.violations;
	return HF_OK;
}

static enum hf_err print_json(struct hf_txn *reader, struct hf_why *why, uint64_t *ret_violations) {
	struct hf_buf out = {0};
	enum hf_err err = hf_verify_write(reader, &out, why, ret_violations);
	if (!err)
		hf_offline_print(&out);
	hf_buf_free(&out);
	return err;
}

int hf_offline_verify(const struct hf_offline *o) {
	const char *path = o->path ? o->path : o->data_dir, *aside;
	struct hf_why why = {""};
	struct hf_store *store;
	struct hf_txn *reader;
	uint64_t violations = 0;
	enum hf_err err = hf_offline_become(path, &why);
	if (!err)
		err = hf_store_open_read(path, &why, &store);
	if (err)
		return hf_offline_fail("verify", err, &why);
	err = hf_reader_open(store, &why, &reader);
	if (!err) {
		err = hf_reader_begin(reader, &why);
		if (!err)
			err = o->json ? print_json(reader, &why, &violations)
				      : print_text(reader, path, hf_store_format_found(store, &aside), &why, &violations);
		hf_reader_close(reader);
	}
	hf_store_close(store);
	if (err)
		return hf_offline_fail("verify", err, &why);
	return violations ? HF_OFFLINE_FOUND : HF_OFFLINE_DONE;
}

/* offline_restore.c — `holdfastd restore`. */
#include <inttypes.h>
#include <stdio.h>

#include "api/json.h"
#include "offline.h"
#include "storage/restore.h"

static void print_json(const struct hf_restore *r) {
	struct hf_buf out = {0};
	struct hf_json json = {.out = &out};
	char store_id[2 * sizeof r->meta.store_id + 1];
	hf_hex_encode(r->meta.store_id, sizeof r->meta.store_id, store_id);
	hf_json_open(&json, '{');
	hf_json_member(&json, "file", r->file);
	hf_json_member(&json, "dataDir", r->dir);
	hf_json_member(&json, "storeId", store_id);
	hf_json_member_uint(&json, "backupEpoch", r->backup.store_epoch);
	hf_json_member_uint(&json, "backupRevision", r->backup.revision);
	hf_json_member_uint(&json, "storeEpoch", r->meta.store_epoch);
	hf_json_member_uint(&json, "revision", r->meta.revision);
	hf_json_member_uint(&json, "leases", r->counts.leases);
	hf_json_key(&json, "aside");
	if (r->aside[0])
		hf_json_string(&json, r->aside);
	else
		hf_json_null(&json);
	hf_json_key(&json, "oldDataUnreadable");
	if (r->unreadable.text[0])
		hf_json_string(&json, r->unreadable.text);
	else
		hf_json_null(&json);
	hf_json_close(&json, '}');
	if (!out.failed)
		printf("%.*s\n", (int)out.len, out.data);
	hf_buf_free(&out);
}

static void print_text(const struct hf_restore *r) {
	printf("restored %s into %s\n", r->file, r->dir);
	printf("the backup: store epoch %" PRIu64 ", revision %" PRIu64 ", %" PRIu64 " leases; every invariant holds\n",
	       r->backup.store_epoch, r->backup.revision, r->counts.leases);
	printf("now: store epoch %" PRIu64 ", revision %" PRIu64
	       "; zones that had connected are offline until they connect again\n",
	       r->meta.store_epoch, r->meta.revision);
	if (r->aside[0])
		printf("the old data are kept as %s\n", r->aside);
	if (r->unreadable.text[0])
		printf("they cannot be read (%s), so their store epoch is not known: if control planes saw a later one than "
		       "%" PRIu64 ", restore once more with --store-epoch above it\n",
		       r->unreadable.text, r->backup.store_epoch);
}

int hf_offline_restore(const struct hf_offline *o) {
	struct hf_restore restore = {
		.file = o->path, .dir = o->data_dir, .store_epoch = o->store_epoch, .other_store = o->other_store};
	struct hf_why why = {""};
	enum hf_err err = hf_restore(&restore, &why);
	if (err)
		return hf_offline_fail("restore", err, &why);
	if (o->json)
		print_json(&restore);
	else
		print_text(&restore);
	return HF_OFFLINE_DONE;
}

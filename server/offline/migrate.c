/* migrate.c — `holdfastd migrate`. */
#include "commands.h"

#include <stdio.h>

#include "storage/store/open.h"
#include "storage/store/store.h"

static void print_migration(unsigned found, const char *aside) {
	struct hf_buf out = {0};
	struct hf_json json = {.out = &out};
	hf_json_open(&json, '{');
	hf_json_member_uint(&json, "from", found);
	hf_json_member_uint(&json, "format", HF_FORMAT);
	hf_json_member_or_null(&json, "aside", found != HF_FORMAT ? aside : "");
	hf_json_close(&json, '}');
	hf_offline_print(&out);
}

int hf_offline_migrate(const struct hf_offline *o) {
	struct hf_store_options options = {0};
	struct hf_why why = {""};
	struct hf_store *store;
	const char *aside;
	enum hf_err err = hf_offline_become(o->data_dir, &why);
	if (!err)
		err = hf_store_exists(o->data_dir, &why);
	if (!err)
		err = hf_store_open(o->data_dir, &options, &why, &store);
	if (err)
		return hf_offline_fail("migrate", err, &why);
	unsigned found = hf_store_format_found(store, &aside);
	if (o->json)
		print_migration(found, aside);
	else if (found == HF_FORMAT)
		printf("%s already has format %d\n", o->data_dir, HF_FORMAT);
	else
		printf("%s: migrated from format %u to %d; the old database is kept as %s\n", o->data_dir, found, HF_FORMAT, aside);
	hf_store_close(store);
	return HF_OFFLINE_DONE;
}

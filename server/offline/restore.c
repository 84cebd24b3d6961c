/* restore.c — `holdfastd restore`. */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/process/owner.h"
#include "storage/admin/restore.h"

/* Lost pools, and those at risk, as JSON and as text. */
struct lost_pools {
	struct hf_json json;
	struct hf_buf names, text;
	int n;
	struct hf_buf risks; /* pools that should not serve new services yet, as text */
	struct hf_buf risk_names;
	struct hf_json risk_json;
};

static void add_lost_pool(void *context, const struct hf_pool *pool) {
	struct lost_pools *lost = context;
	char range[HF_RANGE_TEXT];
	lost->n++;
	hf_json_string(&lost->json, pool->name);
	hf_buf_printf(&lost->text, "  %s:", pool->name);
	for (int i = 0; i < pool->config.cidrs.n; i++) {
		hf_range_format(pool->config.cidrs.at[i], range);
		hf_buf_printf(&lost->text, " %s", range);
	}
	hf_buf_add(&lost->text, "\n", 1);
}

static void add_risk(void *context, const char *name, const char *why) {
	struct lost_pools *lost = context;
	hf_json_string(&lost->risk_json, name);
	hf_buf_printf(&lost->risks, "%s%s (%s)", lost->risks.len ? ", " : "", name, why);
}

static void print_json(const struct hf_restore *r, const struct lost_pools *lost) {
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
	hf_json_key(&json, "poolsLost");
	hf_buf_printf(&out, "[%.*s]", (int)lost->names.len, lost->names.len ? lost->names.data : "");
	json.comma = true;
	hf_json_key(&json, "poolsAtRisk");
	hf_buf_printf(&out, "[%.*s]", (int)lost->risk_names.len, lost->risk_names.len ? lost->risk_names.data : "");
	json.comma = true;
	hf_json_member_or_null(&json, "aside", r->aside);
	hf_json_member_or_null(&json, "oldDataUnreadable", r->unreadable.text);
	hf_json_close(&json, '}');
	hf_offline_print(&out);
}

static void print_text(const struct hf_restore *r, const struct lost_pools *lost) {
	printf("restored %s into %s\n", r->file, r->dir);
	printf("the backup: store epoch %" PRIu64 ", revision %" PRIu64 ", %" PRIu64 " leases; every invariant holds\n",
	       r->backup.store_epoch, r->backup.revision, r->counts.leases);
	printf("now: store epoch %" PRIu64 ", revision %" PRIu64
	       "; zones that had connected are offline until they connect again\n",
	       r->meta.store_epoch, r->meta.revision);
	if (lost->n > 0)
		printf("the backup lacks these ranges of the old data's pools; add them before control planes connect again, or "
		       "services "
		       "that present an address in them get another one:\n%.*s",
		       (int)lost->text.len, lost->text.data);
	if (lost->risks.len > 0)
		printf("until the zones are back, add no new services to these pools, because they may get addresses that were "
		       "handed "
		       "out since the backup: %.*s\n",
		       (int)lost->risks.len, lost->risks.data);
	if (!r->aside[0])
		printf("the directory had no data: if the backup's store still exists elsewhere, make sure that no server starts "
		       "on it "
		       "again, because both would hand out the same addresses\n");
	if (r->aside[0])
		printf("the old data are kept as %s\n", r->aside);
	if (r->unreadable.text[0])
		printf("the old data cannot be read: %s\n", r->unreadable.text);
}

/* Takes the ids of the directory's owner. A backup that only root can read is first copied into the directory; ret_copy is then its
 * path, which the caller removes after the restore. */
static enum hf_err become_owner(const struct hf_offline *o, struct hf_why *why, char ret_copy[PATH_MAX]) {
	bool changed;
	int in = open(o->path, O_RDONLY | O_CLOEXEC);
	enum hf_err err = hf_owner_become(o->data_dir, why, &changed);
	if (!err && changed && in >= 0 && access(o->path, R_OK) != 0) {
		mkdir(o->data_dir, 0750);
		if (snprintf(ret_copy, PATH_MAX, "%s/backup.part", o->data_dir) >= PATH_MAX)
			err = hf_fail(why, HF_E_DATA_DIR, "the path of the data directory is too long");
		unlink(ret_copy);
		int out = err ? -1 : open(ret_copy, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
		ssize_t n = out >= 0 ? 1 : -1;
		while (n > 0)
			n = sendfile(out, in, NULL, (size_t)1 << 20);
		if (!err && n < 0)
			err = hf_fail(why, errno == ENOSPC ? HF_E_STORAGE_FULL : HF_E_DATA_DIR, "%.120s cannot be written: %s",
				      ret_copy, strerror(errno));
		if (out >= 0)
			close(out);
	}
	if (in >= 0)
		close(in);
	return err;
}

int hf_offline_restore(const struct hf_offline *o) {
	struct lost_pools lost = {.n = 0};
	lost.json.out = &lost.names;
	lost.risk_json.out = &lost.risk_names;
	struct hf_restore restore = {.file = o->path,
				     .dir = o->data_dir,
				     .store_epoch = o->store_epoch,
				     .other_store = o->other_store,
				     .pool_lost = add_lost_pool,
				     .pool_at_risk = add_risk,
				     .context = &lost};
	struct hf_why why = {""};
	char copy[PATH_MAX] = "";
	enum hf_err err = become_owner(o, &why, copy);
	if (copy[0])
		restore.file = copy;
	if (!err)
		err = hf_restore(&restore, &why);
	if (copy[0])
		unlink(copy);
	restore.file = o->path;
	if (!err && o->json)
		print_json(&restore, &lost);
	else if (!err)
		print_text(&restore, &lost);
	hf_buf_free(&lost.names);
	hf_buf_free(&lost.text);
	hf_buf_free(&lost.risks);
	hf_buf_free(&lost.risk_names);
	return err ? hf_offline_fail("restore", err, &why) : HF_OFFLINE_DONE;
}

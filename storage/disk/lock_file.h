/* lock_file.h — what the lock file DIR/holdfast.lock says of the directory: who has it, which store it holds, and whether that was
 * closed well.
 *
 *   PID                                     of the process that has the directory, or had it last
 *   host NAME                               where it runs: two containers number their processes alike
 *   store ID epoch E revision R             the store that was opened here last, and how far it had come by then
 *   clean INODE BYTES MODIFIED TRANSACTION  data.mdb as it was when it was closed in order; gone while it is in use
 *
 * Older versions write the first line alone. A file that is not as the last line says was written, replaced or copied since: then
 * its pages are looked at before it is used. Inside storage/ only.
 */
#ifndef HF_STORAGE_DISK_LOCK_FILE_H
#define HF_STORAGE_DISK_LOCK_FILE_H

#include <stdbool.h>

#include "storage/model/meta.h"

#define HF_LOCK_FILE_HOST_MAX 64

struct hf_lock_file {
	char host[HF_LOCK_FILE_HOST_MAX + 1];
	long pid; /* 0: not said */
	bool has_store;
	uint8_t store_id[16];
	uint64_t store_epoch, revision;
	bool is_clean;
	uint64_t inode, bytes, modified_ns, txn_id;
};

/* Reads what the locked file says; what cannot be read says nothing. */
void hf_lock_file_read(int fd, struct hf_lock_file *ret);

/* Writes it with this process and host, durably if it says of a store that it is in use or closed. A full disk takes nothing, and
 * needs nothing. False: it cannot be written. */
bool hf_lock_file_write(int fd, const struct hf_lock_file *mark);

/* Notes that the directory has this store now, in use. */
bool hf_lock_file_store(int fd, const struct hf_meta *meta);

/* Notes that it was closed in order, as `file` is. If that cannot be written, the next opening looks at every page. */
void hf_lock_file_closed(int fd, const struct hf_meta *meta, const char *file);

/* Whether `file` is the very one that was closed in order. */
bool hf_lock_file_fits(const struct hf_lock_file *mark, const char *file);

/* Whether the store that was here was more than what a first start makes. */
bool hf_lock_file_is_of_worth(const struct hf_lock_file *mark);

/* HF_E_DATA_DIR: the store that was opened is an older state of the one that was here. */
enum hf_err hf_lock_file_check(const struct hf_lock_file *mark, const char *dir, const struct hf_meta *meta,
			       struct hf_why *why) HF_CHECKED;

#endif

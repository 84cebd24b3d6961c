/* lock_file.h — the contents of the lock file DIR/holdfast.lock: which process has the directory, which store it holds, and
 * whether that store was closed properly.
 *
 *   PID                                     of the process that has the directory, or had it last
 *   host NAME                               where that process runs: two containers may use the same pids
 *   store ID epoch E revision R             the store that was last opened here, and its revision at that time
 *   clean INODE BYTES MODIFIED TRANSACTION  data.mdb when it was closed properly; missing while it is in use
 *
 * Older versions write only the first line. If data.mdb does not match the last line, it was written, replaced or copied since
 * then, and its pages are checked before it is used. Inside storage/ only.
 */
#ifndef HF_STORAGE_DISK_LOCK_FILE_H
#define HF_STORAGE_DISK_LOCK_FILE_H

#include <stdbool.h>

#include "storage/model/meta.h"

#define HF_LOCK_FILE_HOST_MAX 64

struct hf_lock_file {
	char host[HF_LOCK_FILE_HOST_MAX + 1];
	long pid; /* 0: not stated */
	bool has_store;
	uint8_t store_id[16];
	uint64_t store_epoch, revision;
	bool is_clean;
	uint64_t inode, bytes, modified_ns, txn_id;
};

/* Reads the locked file. Parts that cannot be read stay unset. */
void hf_lock_file_read(int fd, struct hf_lock_file *ret);

/* Writes the file with this process and host; durably if it states that a store is in use or closed. Works on a full disk. Returns
 * false if it cannot be written. */
bool hf_lock_file_write(int fd, const struct hf_lock_file *mark);

/* Records that the directory holds this store, in use. */
bool hf_lock_file_store(int fd, const struct hf_meta *meta);

/* Records that the store was closed properly, and the state of `file`. If this cannot be written, the next opening checks every
 * page. */
void hf_lock_file_closed(int fd, const struct hf_meta *meta, const char *file);

/* Returns whether `file` is unchanged since it was closed properly. */
bool hf_lock_file_fits(const struct hf_lock_file *mark, const char *file);

/* Returns whether the recorded store contained more than a first start creates. */
bool hf_lock_file_is_of_worth(const struct hf_lock_file *mark);

/* Checks the opened store against the lock file's record.
 * Fails with HF_E_DATA_DIR if it is an older state of the recorded store. */
enum hf_err hf_lock_file_check(const struct hf_lock_file *mark, const char *dir, const struct hf_meta *meta,
			       struct hf_why *why) HF_CHECKED;

#endif

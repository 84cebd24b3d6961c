/* backup_file.h — a backup as a file: its two marks and its digest; docs/files.md has the layout. Thread-safe. Inside storage/
 * only. */
#ifndef HF_STORAGE_DISK_BACKUP_FILE_H
#define HF_STORAGE_DISK_BACKUP_FILE_H

#include "storage/base/digest.h"

#define HF_BACKUP_MARK "holdfast-backup\n"
#define HF_BACKUP_MARK_BYTES 16
#define HF_BACKUP_TRAILER_BYTES (HF_BACKUP_MARK_BYTES + HF_DIGEST_BYTES)

/* How a file is marked. */
enum hf_backup_kind {
	HF_BACKUP_NONE, /* not marked: a copy made by other means, or not a backup */
	HF_BACKUP_WHOLE /* marked, and its digest matches */
};

/* Looks for the marks and compares the digest. Sets *ret_bytes to the length of the database in the file.
 * Fails with HF_E_CORRUPT if the file is a backup that was cut off or altered.
 * Fails with HF_E_DATA_DIR if the file cannot be read. */
enum hf_err hf_backup_check(const char *path, struct hf_why *why, enum hf_backup_kind *ret, uint64_t *ret_bytes) HF_CHECKED;

/* Returns whether page 0 of a database file has the mark. */
bool hf_backup_is_marked(const char *path);

/* Removes the mark from page 0. Durable on return.
 * Fails with HF_E_STORAGE_FULL if the disk has no room.
 * Fails with HF_E_DATA_DIR if the system refuses. */
enum hf_err hf_backup_unmark(const char *path, struct hf_why *why) HF_CHECKED;

#endif

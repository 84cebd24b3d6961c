/* backup_file.h — a backup as a file: its two marks and its digest; storage/FORMAT.md has the layout. Thread-safe. Inside storage/
 * only. */
#ifndef HF_STORAGE_DISK_BACKUP_FILE_H
#define HF_STORAGE_DISK_BACKUP_FILE_H

#include "storage/base/digest.h"

#define HF_BACKUP_MARK "holdfast-backup\n"
#define HF_BACKUP_MARK_BYTES 16
#define HF_BACKUP_TRAILER_BYTES (HF_BACKUP_MARK_BYTES + HF_DIGEST_BYTES)

/* What a file says of itself. */
enum hf_backup_kind {
	HF_BACKUP_NONE, /* not marked: a copy by other means, or no backup */
	HF_BACKUP_WHOLE /* marked, and its digest is right */
};

/* Looks for the marks and compares the digest. HF_E_CORRUPT: the file is a backup that was cut off or altered. HF_E_DATA_DIR: it
 * cannot be read. *ret_bytes is the length of the database in it. */
enum hf_err hf_backup_check(const char *path, struct hf_why *why, enum hf_backup_kind *ret, uint64_t *ret_bytes) HF_CHECKED;

/* Whether page 0 of a database file has the mark. */
bool hf_backup_is_marked(const char *path);

/* Takes the mark off page 0, and makes that durable. */
enum hf_err hf_backup_unmark(const char *path, struct hf_why *why) HF_CHECKED;

#endif

/* backup.h — a consistent copy of the database, as a file of its own, while the store is at work.
 *
 * A backup is the database file as LMDB's own copy would write it: the pages that a snapshot's trees use, at their places, and meta
 * pages that know of these trees alone. Two marks make it more than a copy: page 0 ends with HF_BACKUP_MARK, and after the last
 * page stand the mark again and the SHA-256 of all bytes before the digest. So a backup that was cut off or altered is
 * distinguished from one that is whole, and a server refuses to start from one that was put in place of a database instead of being
 * restored. storage/FORMAT.md has the layout.
 */
#ifndef HF_STORAGE_ADMIN_BACKUP_H
#define HF_STORAGE_ADMIN_BACKUP_H

#include <sys/types.h>

#include "storage/disk/backup_file.h"
#include "storage/store/store.h"

/* A backup that is being taken: it holds a snapshot. One thread at a time, except for hf_backup_expire(). */
struct hf_backup;

/* HF_E_OVERLOADED: no reader is left, out of memory, or commits come too fast. Or a fault. */
enum hf_err hf_backup_open(struct hf_store *store, struct hf_why *why, struct hf_backup **ret) HF_CHECKED;

uint64_t hf_backup_bytes(const struct hf_backup *backup); /* of the whole file */
const struct hf_meta *hf_backup_meta(const struct hf_backup *backup);

/* Reads the file's next bytes, at most `max` (at least 1). Returns how many, 0 at the end, -1 if it has expired or cannot be read.
 * The disk may be asked for up to `max` bytes; they are read ahead. */
ssize_t hf_backup_read(struct hf_backup *backup, void *ret, size_t max);

/* Lets go of the snapshot: at once, or with the piece that is being read. Never blocks; from any thread, before the close. */
void hf_backup_expire(struct hf_backup *backup);
void hf_backup_close(struct hf_backup *backup);

#endif

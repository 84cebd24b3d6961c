/* backup.h — a consistent copy of the database, as a separate file, while the store is in use.
 *
 * A backup is the database file as LMDB's own copy would write it: the pages that a snapshot's trees use, at their places, and
 * meta pages that refer to these trees alone. Two marks make it more than a copy: page 0 ends with HF_BACKUP_MARK, and after the
 * last page follow the mark again and the SHA-256 of all bytes before the digest. So a backup that was cut off or altered can be
 * recognised, and a server refuses to start from a backup that was put in place of a database without being restored.
 * docs/files.md has the layout.
 */
#ifndef HF_STORAGE_ADMIN_BACKUP_H
#define HF_STORAGE_ADMIN_BACKUP_H

#include <sys/types.h>

#include "storage/disk/backup_file.h"
#include "storage/store/store.h"

/* A backup in progress; it holds a snapshot. One thread at a time may use it, except for hf_backup_expire(). */
struct hf_backup;

/* Opens a backup of the current snapshot. The caller closes it.
 * Fails with HF_E_OVERLOADED if all reader slots are taken, memory runs out, or commits follow each other too quickly.
 * Fails with the reader's fault. */
enum hf_err hf_backup_open(struct hf_store *store, struct hf_why *why, struct hf_backup **ret) HF_CHECKED;

uint64_t hf_backup_bytes(const struct hf_backup *backup); /* of the whole file */
const struct hf_meta *hf_backup_meta(const struct hf_backup *backup);

/* Reads the next bytes of the file, at most `max` (at least 1). Returns their number, 0 at the end, or -1 if the backup has
 * expired or the disk cannot be read. May ask the disk to read up to `max` further bytes ahead. */
ssize_t hf_backup_read(struct hf_backup *backup, void *ret, size_t max);

/* Releases the snapshot at once, or after the piece being read. Never blocks. Any thread may call it before the backup is
 * closed. */
void hf_backup_expire(struct hf_backup *backup);
void hf_backup_close(struct hf_backup *backup);

#endif

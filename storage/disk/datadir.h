/* datadir.h — the data directory: making it, locking it, and replacing the database file in it. */
#ifndef HF_STORAGE_DISK_DATADIR_H
#define HF_STORAGE_DISK_DATADIR_H

#include <stdint.h>

#include "file.h"

struct hf_lock_file;

/* Writes the path of a file or directory in the data directory, DIR/NAME. `ret` has PATH_MAX bytes.
 * Fails with HF_E_DATA_DIR if the path is too long. */
enum hf_err hf_datadir_path(const char *dir, const char *name, struct hf_why *why, char *ret) HF_CHECKED;

/* Writes the path of the database file, DIR/data.mdb, or of LMDB's lock table, DIR/lock.mdb. Fails as hf_datadir_path() does. */
enum hf_err hf_datadir_file(const char *dir, struct hf_why *why, char *ret) HF_CHECKED;
enum hf_err hf_datadir_lock_table(const char *dir, struct hf_why *why, char *ret) HF_CHECKED;

/* Locks the directory (flock on DIR/holdfast.lock) until the descriptor is closed; the kernel closes it when the process dies.
 * Creates the directory if only its last part is missing. Ignores the other contents. Sets *ret_found (may be NULL) to the
 * previous contents of the lock file (lock_file.h).
 * Fails with HF_E_LOCKED if another process has it; `why` gives its pid if the lock file has it.
 * Fails with HF_E_STORAGE_FULL if the disk has no room for the directory or the lock file.
 * Fails with HF_E_DATA_DIR if it is not a writable directory. */
enum hf_err hf_datadir_claim(const char *dir, struct hf_why *why, int *ret_fd, struct hf_lock_file *ret_found) HF_CHECKED;

/* Claims the directory, and checks that its database, if it exists, can be read and written. Fails as hf_datadir_claim() does,
 * and:
 * Fails with HF_E_CORRUPT if data.mdb is empty, so its contents were lost.
 * Fails with HF_E_DATA_DIR if data.mdb is not a regular file, or is not writable. */
enum hf_err hf_datadir_lock(const char *dir, struct hf_why *why, int *ret_fd, struct hf_lock_file *ret_found) HF_CHECKED;

/* Chooses an unused name in the directory for a file to be kept aside: DIR/data.mdb.WHAT-20260131T120000Z, with a number appended
 * if that exists. `ret` has PATH_MAX bytes.
 * Fails with HF_E_DATA_DIR if the path is too long, or a thousand such names are in use. */
enum hf_err hf_datadir_aside(const char *dir, const char *what, int64_t now_ms, struct hf_why *why, char *ret) HF_CHECKED;

/* Puts a new database file, whose bytes are durable, in place of the directory's data.mdb, and keeps the existing one, if any, as
 * `aside`. Durable on return. At every moment the directory has either the old file or the new one. Both files are on the
 * directory's file system; the caller has locked the directory, and has no database open in it. After an error nothing has
 * changed, unless `why` says that the new file is in place but not durable.
 * Fails with HF_E_STORAGE_FULL if the disk has no room.
 * Fails with HF_E_DATA_DIR if data.mdb is not a regular file, or the system refuses. */
enum hf_err hf_datadir_install(const char *dir, const char *new_file, const char *aside, struct hf_why *why) HF_CHECKED;

/* Removes a directory and the files in it, such as the one in which a new database was built. Does nothing if it does not exist. */
void hf_datadir_scrap(const char *dir);

/* Makes the directory and its entries durable, after files were created in it.
 * Fails with HF_E_STORAGE_FULL if the disk has no room.
 * Fails with HF_E_DATA_DIR if the system refuses. */
enum hf_err hf_datadir_sync(const char *dir, struct hf_why *why) HF_CHECKED;

#endif

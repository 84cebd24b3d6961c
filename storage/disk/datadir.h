/* datadir.h — the data directory as the file system sees it: there, writable, ours alone. */
#ifndef HF_STORAGE_DISK_DATADIR_H
#define HF_STORAGE_DISK_DATADIR_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"

struct hf_mark;

/* Makes the directory if only its last part is missing, and locks it (flock on DIR/holdfast.lock) until the descriptor is closed,
 * which the kernel does for a process that dies. *ret_found (may be NULL) is what the file said before (lock_file.h). What is in it
 * does not matter. HF_E_DATA_DIR, HF_E_STORAGE_FULL: no room for the directory or the file; HF_E_LOCKED (with the holder's pid,
 * unless there was no room for it). */
enum hf_err hf_datadir_claim(const char *dir, struct hf_why *why, int *ret_fd, struct hf_mark *ret_found) HF_CHECKED;

/* Claims the directory, and checks that its database can be written. A data.mdb of no bytes is refused: it was a database once, or
 * never one. HF_E_DATA_DIR, HF_E_STORAGE_FULL, HF_E_LOCKED, HF_E_CORRUPT. */
enum hf_err hf_datadir_lock(const char *dir, struct hf_why *why, int *ret_fd, struct hf_mark *ret_found) HF_CHECKED;

/* Copies the first `len` bytes of a file, or all of it (len 0), to a new one, and makes its bytes durable. Nothing is left of a
 * copy that fails. HF_E_STORAGE_FULL: there is no room. HF_E_DATA_DIR: `to` exists, or the system refused. */
enum hf_err hf_file_copy(const char *from, const char *to, uint64_t len, struct hf_why *why) HF_CHECKED;

/* The name of what is kept aside in the directory: DIR/data.mdb.WHAT-20260131T120000Z, by a number more if that is there. ret has
 * PATH_MAX bytes. HF_E_DATA_DIR: the path is too long. */
enum hf_err hf_datadir_aside(const char *dir, const char *what, int64_t now_ms, struct hf_why *why, char *ret) HF_CHECKED;

/* Puts a new database file, whose bytes are durable, in place of the directory's data.mdb, which is kept as `aside` if there is
 * one. Durable when it returns. At no moment is there a directory without the old file or the new one. Both files are on the
 * directory's file system; the caller has the directory locked, and no database open in it. HF_E_DATA_DIR, HF_E_STORAGE_FULL:
 * nothing was changed, unless the words say that the new file is in place and cannot be synced. */
enum hf_err hf_datadir_install(const char *dir, const char *new_file, const char *aside, struct hf_why *why) HF_CHECKED;

/* Gives a file or directory that this process made to the owner of the directory that it is in, so that a server that runs as that
 * user can write what root's commands made. Nothing if the process is not root's, or the file is not. */
void hf_file_give(const char *path);

/* Locks a database file itself (flock) until the descriptor is closed: the directory's lock does not know of a file that has two
 * names. HF_E_LOCKED. HF_E_DATA_DIR. */
enum hf_err hf_file_lock(const char *path, struct hf_why *why, int *ret_fd) HF_CHECKED;

/* The same, but shared with other readers: no server has the file, nor gets it, until the descriptor is closed. */
enum hf_err hf_file_share(const char *path, struct hf_why *why, int *ret_fd) HF_CHECKED;

/* Whether a process has a file locked, such as a database or DIR/holdfast.lock. */
bool hf_file_is_locked(const char *path);

/* Removes a directory with the files in it, such as one that a new database was made in; nothing if it is not there. */
void hf_datadir_scrap(const char *dir);

/* Makes the directory and its entries durable, once files were created in it. */
enum hf_err hf_datadir_sync(const char *dir, struct hf_why *why) HF_CHECKED;

#endif

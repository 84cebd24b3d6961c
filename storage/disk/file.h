/* file.h — one file of the data directory: copying it, giving it to the directory's owner, locking it. Thread-safe. */
#ifndef HF_STORAGE_DISK_FILE_H
#define HF_STORAGE_DISK_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"

/* Copies the first `len` bytes of a file, or all of it (len 0), to a new one, and makes its bytes durable. Leaves nothing after a
 * failure.
 * HF_E_STORAGE_FULL: the disk has no room.
 * HF_E_DATA_DIR: `to` exists, or the system refused. */
enum hf_err hf_file_copy(const char *from, const char *to, uint64_t len, struct hf_why *why) HF_CHECKED;

/* Gives a file or directory that this process made to the owner of the directory that contains it, so that a server running as that
 * user can write what root's commands made. Does nothing unless both the process and the file are root's. */
void hf_file_give(const char *path);

/* Locks a database file itself (flock) until the descriptor is closed: the directory's lock does not cover a file that has a second
 * name.
 * HF_E_LOCKED: another process has it.
 * HF_E_DATA_DIR: it cannot be opened. */
enum hf_err hf_file_lock(const char *path, struct hf_why *why, int *ret_fd) HF_CHECKED;

/* The same, but shared with other readers: until the descriptor is closed no server can take the file. */
enum hf_err hf_file_share(const char *path, struct hf_why *why, int *ret_fd) HF_CHECKED;

/* Returns whether a process has a file locked, such as a database or DIR/holdfast.lock. */
bool hf_file_is_locked(const char *path);

#endif

/* file.h — one file of the data directory: copying it, giving it to the directory's owner, locking it. Thread-safe. */
#ifndef HF_STORAGE_DISK_FILE_H
#define HF_STORAGE_DISK_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"

/* Copies the first `len` bytes of a file, or all of it (len 0), to a new one, and makes its bytes durable. Leaves nothing after a
 * failure.
 * Fails with HF_E_STORAGE_FULL if the disk has no room.
 * Fails with HF_E_DATA_DIR if `to` exists, or the system refuses. */
enum hf_err hf_file_copy(const char *from, const char *to, uint64_t len, struct hf_why *why) HF_CHECKED;

/* Gives a file or directory that this process made to the owner of the directory that contains it, so that a server running as that
 * user can write what root's commands made. Does nothing unless both the process and the file are root's. */
void hf_file_give(const char *path);

/* Locks the database file itself (flock) until the descriptor is closed, because the directory's lock does not cover a file with a
 * second name.
 * Fails with HF_E_LOCKED if another process has it.
 * Fails with HF_E_DATA_DIR if it cannot be opened. */
enum hf_err hf_file_lock(const char *path, struct hf_why *why, int *ret_fd) HF_CHECKED;

/* Locks a file as hf_file_lock() does, but shared with other readers: no server can take it until the descriptor is closed. */
enum hf_err hf_file_share(const char *path, struct hf_why *why, int *ret_fd) HF_CHECKED;

/* Returns whether a process has a file locked, such as a database or DIR/holdfast.lock. */
bool hf_file_is_locked(const char *path);

#endif

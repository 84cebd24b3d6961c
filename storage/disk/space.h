/* space.h — disk space: recognising that it ran out, and allocating it in advance. Thread-safe. */
#ifndef HF_STORAGE_DISK_SPACE_H
#define HF_STORAGE_DISK_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"

/* Returns whether a system call's error means a lack of space: a full disk, a quota, or a limit on the size of files. */
bool hf_space_is_short(int error);

/* Translates a system call's error on the data directory: HF_E_STORAGE_FULL for a lack of space, else HF_E_DATA_DIR. */
enum hf_err hf_space_err(int error);

/* Allocates the first `len` bytes of a file on the disk; creates the file if it does not exist. A file that is written through a
 * map needs this: on a full disk, a page without space raises SIGBUS. Returns 0 or the error. Must not be used on a file that this
 * process has locked by fcntl(), as the lock would be lost. */
int hf_space_reserve(const char *path, uint64_t len);

/* Returns why a file cannot grow: the error, or 0 if it can. Leaves its bytes and length unchanged. Nothing else may write it
 * meanwhile. */
int hf_space_lack(int fd);

#endif

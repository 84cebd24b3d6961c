/* space.h — room on the disk: what its lack is called, and how it is asked for beforehand. Thread-safe. */
#ifndef HF_STORAGE_DISK_SPACE_H
#define HF_STORAGE_DISK_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"

/* Whether a system call's error means that there is no room: a full disk, a quota, a limit on the size of files. */
bool hf_room_is_short(int error);

/* What such an error is to whoever opens or restores a store: HF_E_STORAGE_FULL or HF_E_DATA_DIR. */
enum hf_err hf_room_err(int error);

/* Gives the first `len` bytes of a file, which is made if it is not there, their places on the disk. A file that is mapped and
 * written needs that: a page without one ends the process by SIGBUS when the disk is full. Returns 0 or the error. Not for a file
 * that this process has open and locked by fcntl(), as the lock would be lost. */
int hf_room_reserve(const char *path, uint64_t len);

/* Why a file cannot grow: the error, or 0 if it can. Its bytes and its length are as before. Nobody else writes it meanwhile. */
int hf_room_lack(int fd);

#endif

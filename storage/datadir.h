/* datadir.h — the data directory as the file system sees it: there, writable, ours alone. */
#ifndef HF_STORAGE_DATADIR_H
#define HF_STORAGE_DATADIR_H

#include <stdint.h>

#include "err.h"

/* Makes the directory if only its last part is missing, checks that it can be written, and locks it (flock on DIR/holdfast.lock)
 * until the descriptor is closed, which the kernel does for a process that dies. A data.mdb of no bytes is refused: it was a
 * database once, or never one. HF_E_DATA_DIR, HF_E_LOCKED (with the holder's pid), HF_E_CORRUPT. */
enum hf_err hf_datadir_lock(const char *dir, struct hf_why *why, int *ret_fd) HF_CHECKED;

/* Copies the first `len` bytes of a file, or all of it (len 0), to a new one, and makes its bytes durable. Nothing is left of a
 * copy that fails. HF_E_STORAGE_FULL: there is no room. HF_E_DATA_DIR: `to` exists, or the system refused. */
enum hf_err hf_file_copy(const char *from, const char *to, uint64_t len, struct hf_why *why) HF_CHECKED;

/* The name of what is kept aside in the directory: DIR/data.mdb.WHAT-20260131T120000Z, by a number more if that is there. ret has
 * PATH_MAX bytes. HF_E_DATA_DIR: the path is too long. */
enum hf_err hf_datadir_aside(const char *dir, const char *what, int64_t now_ms, struct hf_why *why, char *ret) HF_CHECKED;

/* Makes the directory and its entries durable, once files were created in it. */
enum hf_err hf_datadir_sync(const char *dir, struct hf_why *why) HF_CHECKED;

#endif

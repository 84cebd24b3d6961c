/* datadir.h — the data directory as the file system sees it: there, writable, ours alone. */
#ifndef HF_STORAGE_DATADIR_H
#define HF_STORAGE_DATADIR_H

#include "err.h"

/* Makes the directory if only its last part is missing, checks that it can be written, and locks it (flock on DIR/holdfast.lock)
 * until the descriptor is closed, which the kernel does for a process that dies. A data.mdb of no bytes is refused: it was a
 * database once, or never one. HF_E_DATA_DIR, HF_E_LOCKED (with the holder's pid), HF_E_CORRUPT. */
enum hf_err hf_datadir_lock(const char *dir, struct hf_why *why, int *ret_fd) HF_CHECKED;

/* Makes the directory and its entries durable, once files were created in it. */
enum hf_err hf_datadir_sync(const char *dir, struct hf_why *why) HF_CHECKED;

#endif

/* presence.h — checks that the database that a store has open is still the one at its path.
 *
 * A file that was deleted, replaced or moved away can still be read and written, but a restart does not find it: then acknowledged
 * writes are lost, and their addresses go to others. So the path is checked before each commit, and again before the commit is
 * acknowledged.
 */
#ifndef HF_STORAGE_STORE_PRESENCE_H
#define HF_STORAGE_STORE_PRESENCE_H

#include "store.h"

/* Checks the path with one system call. Returns HF_OK for a store opened for reading only. Thread-safe.
 * Fails with HF_E_STORE_GONE if the path has another file or no file, or cannot be read; once the original file is back, this
 * succeeds again. */
enum hf_err hf_store_look(struct hf_store *store, struct hf_why *why) HF_CHECKED;

/* Returns whether the last check, at most a second ago, found the database gone. Thread-safe. */
bool hf_store_is_gone(const struct hf_store *store);

#endif

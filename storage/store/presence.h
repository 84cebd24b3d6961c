/* presence.h — whether the database that a store has open is still the one that its path names.
 *
 * A file that was deleted, replaced or moved away is read and written as before, but nobody finds it after a restart: then what was
 * acknowledged is lost, and its addresses go to others. So it is looked for before each commit, and again before it is
 * acknowledged.
 */
#ifndef HF_STORAGE_STORE_PRESENCE_H
#define HF_STORAGE_STORE_PRESENCE_H

#include "store.h"

/* Looks: one system call. HF_E_STORE_GONE: another file is there, or none, or it cannot be seen; when the very file is back, all is
 * well again. Thread-safe. HF_OK for a store that is only read. */
enum hf_err hf_store_look(struct hf_store *store, struct hf_why *why) HF_CHECKED;

/* What the last look, at most a second ago, found. Thread-safe. */
bool hf_store_is_gone(const struct hf_store *store);

#endif

/* owner.h — lets root work in another user's data directory only with that user's ids, because the user could have placed links
 * there to files that only root may write.
 */
#ifndef HF_SERVER_PROCESS_OWNER_H
#define HF_SERVER_PROCESS_OWNER_H

#include <stdbool.h>

#include "storage/base/err.h"

/* If the process is root's and the directory, or a link to it, belongs to another user, takes the ids of that user and of the
 * directory's group, for good. For a directory that does not exist yet, its parent counts. Call it before anything in the
 * directory is opened, and before the first thread. *ret_changed (may be NULL): the ids were taken.
 * Fails with HF_E_PRECONDITION_FAILED if the ids cannot be taken, or that user cannot reach the directory. */
enum hf_err hf_owner_become(const char *dir, struct hf_why *why, bool *ret_changed) HF_CHECKED;

/* Returns true if hf_owner_become() would take another user's ids. */
bool hf_owner_is_another(const char *dir);

#endif

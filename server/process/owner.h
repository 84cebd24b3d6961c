/* owner.h — root in another user's data directory works as that user, who could have put links there to files that only root may
 * write.
 */
#ifndef HF_SERVER_PROCESS_OWNER_H
#define HF_SERVER_PROCESS_OWNER_H

#include <stdbool.h>

#include "storage/base/err.h"

/* If the process is root's and the directory another user's (or a link of another user's leads to it; where there is none yet, its
 * parent counts), takes that user's and the directory's group's ids for good. Before anything in the directory is opened, and
 * before there are threads. HF_E_PRECONDITION_FAILED: they cannot be taken, or that
 * user cannot reach it. *ret_changed (may be NULL) tells whether they were. */
enum hf_err hf_owner_become(const char *dir, struct hf_why *why, bool *ret_changed) HF_CHECKED;

/* Whether hf_owner_become() would take another's ids. */
bool hf_owner_is_another(const char *dir);

#endif

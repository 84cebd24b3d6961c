/* verify_json.h — what a check of the invariants found, as JSON: the answer to POST /v1/verify, and `holdfastd verify --json`. */
#ifndef HF_API_SHAPES_VERIFY_JSON_H
#define HF_API_SHAPES_VERIFY_JSON_H

#include "api/text/buf.h"
#include "storage/store/store.h"
#include "storage/verify/verify.h"

#define HF_VERIFY_LISTED_MAX 1000 /* violations that are told one by one */

/* Checks the reader's snapshot and writes one object, with its counts and the first violations. Sets *ret_violations to how many
 * there are, which is no error. HF_E_CORRUPT, HF_E_STORAGE, HF_E_OVERLOADED (stopped, or out of memory): `out` has no whole object
 * then. */
enum hf_err hf_verify_write(struct hf_txn *reader, struct hf_buf *out, struct hf_why *why, uint64_t *ret_violations) HF_CHECKED;

/* The same of a store whose pages are damaged, which `what` names: nothing else was looked at. */
enum hf_err hf_verify_write_damage(const struct hf_store *store, const char *what, struct hf_buf *out,
				   struct hf_why *why) HF_CHECKED;

#endif

/* verify_json.h — the findings of a check of the invariants as JSON: the answer to POST /v1/verify, and `holdfastd verify --json`.
 */
#ifndef HF_API_SHAPES_VERIFY_JSON_H
#define HF_API_SHAPES_VERIFY_JSON_H

#include "api/text/buf.h"
#include "storage/store/store.h"
#include "storage/verify/verify.h"

#define HF_VERIFY_LISTED_MAX 1000 /* violations that are listed */

/* Checks the reader's snapshot and writes one object with counts and the first violations. Sets *ret_violations to their number;
 * violations are not an error. After an error `out` holds an incomplete object.
 * Fails with HF_E_CORRUPT if a page is damaged.
 * Fails with HF_E_STORAGE if LMDB failed.
 * Fails with HF_E_OVERLOADED if it was stopped, or memory runs out. */
enum hf_err hf_verify_write(struct hf_txn *reader, struct hf_buf *out, struct hf_why *why, uint64_t *ret_violations) HF_CHECKED;

/* Writes the same object for a store with a damaged page, named by `what`; nothing else has been checked.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_verify_write_damage(const struct hf_store *store, const char *what, struct hf_buf *out,
				   struct hf_why *why) HF_CHECKED;

#endif

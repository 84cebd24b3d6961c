/* build.h — builds a store from the lines of an export.
 *
 * The store is built in a separate directory, in transactions of bounded size. It is incomplete until the end, and must be removed
 * after an error. Each line is checked against the previous ones, so that an error can be reported with its line.
 */
#ifndef HF_STORAGE_ADMIN_BUILD_H
#define HF_STORAGE_ADMIN_BUILD_H

#include "export.h"

struct hf_load;

/* Begins a new database in an existing, empty directory. The caller closes it.
 * Fails as hf_env_open() and hf_txn_begin() do. */
enum hf_err hf_load_begin(const char *dir, struct hf_why *why, struct hf_load **ret) HF_CHECKED;

/* Adds the next line, in the order of export.h.
 * Fails with HF_E_CORRUPT if the line contradicts earlier ones, or has an impossible value.
 * Fails with the transaction's fault. */
enum hf_err hf_load_line(struct hf_load *load, const struct hf_line *line, struct hf_why *why) HF_CHECKED;

/* Returns whether the end line has been added. */
bool hf_load_is_whole(const struct hf_load *load);

/* Returns how many lines of each sort were added. */
const uint64_t *hf_load_counts(const struct hf_load *load);

/* Closes the database, whole or not. NULL is fine. */
void hf_load_close(struct hf_load *load);

#endif

/* build.h — making a store of the lines of a dump. Inside storage/ only.
 *
 * The store is made in a directory of its own, in transactions of bounded size: until the end it is no store, and after an error
 * it is to be thrown away. Each line is checked against those before it, so that an error can be told with its line.
 */
#ifndef HF_STORAGE_ADMIN_BUILD_H
#define HF_STORAGE_ADMIN_BUILD_H

#include "export.h"

struct hf_load;

/* Begins a new database in an existing, empty directory. HF_E_DATA_DIR, HF_E_STORAGE_FULL, HF_E_STORAGE. */
enum hf_err hf_load_begin(const char *dir, struct hf_why *why, struct hf_load **ret) HF_CHECKED;

/* The next line, in the order of export.h. HF_E_CORRUPT: it does not fit those before it, or says what cannot be. Or a fault. */
enum hf_err hf_load_line(struct hf_load *load, const struct hf_line *line, struct hf_why *why) HF_CHECKED;

/* Whether the end came. */
bool hf_load_is_whole(const struct hf_load *load);

/* How many lines of each sort there were. */
const uint64_t *hf_load_counts(const struct hf_load *load);

/* Closes the database, whole or not. NULL is fine. */
void hf_load_close(struct hf_load *load);

#endif

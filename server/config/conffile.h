/* conffile.h — a file of `key = value` lines: no sections, no continued lines; `#` or `;` at a line's start, or ` ;` behind a
 * value, begins a comment. */
#ifndef HF_SERVER_CONFIG_CONFFILE_H
#define HF_SERVER_CONFIG_CONFFILE_H

#include "storage/base/err.h"

/* Takes one pair; `key` and `value` are the reader's own and end with the call. What it says in `why` is told with file and line.
 */
struct hf_conffile_taker {
	enum hf_err (*take)(void *context, unsigned line, const char *key, const char *value, struct hf_why *why);
	void *context;
};

/* Reads the file at `path` and hands its pairs over, in their order. Ends at the first error.
 * HF_E_INVALID_PARAMETER: the file cannot be read, has a line that is no pair, or a pair was refused; `why` begins with FILE:LINE.
 */
enum hf_err hf_conffile_read(const char *path, const struct hf_conffile_taker *taker, struct hf_why *why) HF_CHECKED;

#endif

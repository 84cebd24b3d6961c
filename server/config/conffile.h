/* conffile.h — reads a file of `key = value` lines, without sections or continued lines. `#` or `;` begins a comment, at the start
 * of a line or after a blank. */
#ifndef HF_SERVER_CONFIG_CONFFILE_H
#define HF_SERVER_CONFIG_CONFFILE_H

#include "storage/base/err.h"

/* Takes one pair; `key` and `value` belong to the reader and are valid during the call. The reader puts file and line before the
 * reason of an error. */
struct hf_conffile_taker {
	enum hf_err (*take)(void *context, unsigned line, const char *key, const char *value, struct hf_why *why);
	void *context;
};

/* Reads the file at `path` and passes its pairs on, in order, up to the first error.
 * Fails with HF_E_INVALID_PARAMETER if the file cannot be read, a line is not a pair, or a pair was refused; `why` begins with
 * FILE:LINE. */
enum hf_err hf_conffile_read(const char *path, const struct hf_conffile_taker *taker, struct hf_why *why) HF_CHECKED;

#endif

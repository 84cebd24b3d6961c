/* tokenfile.h — reads the tokens file from disk. */
#ifndef HF_SERVER_CONFIG_TOKENFILE_H
#define HF_SERVER_CONFIG_TOKENFILE_H

#include "api/access/tokens.h"

/* Reads a file as hf_tokens_read() does; `why` names it.
 * Fails with HF_E_INVALID_PARAMETER if it cannot be read, is not a regular file, others may write to it, or a line is malformed.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_tokenfile_read(const char *path, struct hf_why *why, struct hf_tokens **ret) HF_CHECKED;

#endif

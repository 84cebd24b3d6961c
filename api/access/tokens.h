/* tokens.h — the tokens file: who may call, by the digest of a secret.
 *
 * A token is hf_ID_SECRET: a name, and 43 characters of base64url, which are 256 random bits. The file has one secret a line, as
 * pairs separated by blanks; `#` begins a line that is a comment:
 *
 *	id=zone-east role=zone zones=east permissions=zone:force created=2026-11-28T14:00:00Z expires=… sha256=HEX
 *
 * `sha256` is the digest of the secret's 43 characters. `zones` and `permissions` are lists separated by commas, for role zone
 * alone. An id has at most two lines, so that a rotation has an overlap; except for times and digests they are equal.
 *
 * A set of tokens never changes, and any number of threads may look tokens up. Its memory holds digests, and no secret.
 */
#ifndef HF_API_ACCESS_TOKENS_H
#define HF_API_ACCESS_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "principal.h"

#define HF_TOKENS_FILE_MAX_BYTES ((size_t)4 << 20)
#define HF_TOKENS_MAX 8192 /* lines with a secret */
#define HF_TOKEN_SECRET_LEN 43

/* Names that a change feed gives to others than principals, and that no token may have. */
#define HF_RESERVED_IDS "anonymous", "holdfast", "offline"

struct hf_tokens;

/* Reads a tokens file's text of `len` bytes. The caller frees *ret with hf_tokens_free().
 * Fails with HF_E_INVALID_PARAMETER if a line is malformed; `why` names the line, and shows nothing of it.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_tokens_read(const char *text, size_t len, struct hf_why *why, struct hf_tokens **ret) HF_CHECKED;
void hf_tokens_free(struct hf_tokens *tokens); /* NULL is fine */

/* Returns the number of lines with a secret. */
int hf_tokens_count(const struct hf_tokens *tokens);

/* Finds the principal of an Authorization header (RFC 6750, 2.1; NULL: absent) at a time of the wall clock, in ms. Takes the same
 * time whether the id is unknown or the secret wrong. Returns false, and leaves *ret unchanged, if it is not that of a token that
 * is in the file and has not expired. */
bool hf_tokens_find(const struct hf_tokens *tokens, const char *authorization, int64_t now_ms, struct hf_principal *ret);

/* Reads the value of an Authorization header: sets where the id and the secret begin, and the id's length. Returns false if it is
 * not Bearer and a token. */
bool hf_token_split(const char *authorization, const char **ret_id, size_t *ret_id_len, const char **ret_secret);

#endif

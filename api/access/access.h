/* access.h — the tokens in force, which may be replaced while requests look them up, and the counters of access. Thread-safe. */
#ifndef HF_API_ACCESS_ACCESS_H
#define HF_API_ACCESS_ACCESS_H

#include <stdint.h>

#include "tokens.h"

struct hf_buf;
struct hf_access;
struct hf_refusals;

/* Takes over the tokens. NULL: out of memory; the tokens stay the caller's. */
struct hf_access *hf_access_new(struct hf_tokens *tokens);
void hf_access_free(struct hf_access *access); /* NULL is fine */

/* Takes over other tokens, which count for every request that is authenticated from now on, and frees the ones before. */
void hf_access_replace(struct hf_access *access, struct hf_tokens *tokens);

/* Returns the limits of the log of failures, by address. */
struct hf_refusals *hf_access_strangers(struct hf_access *access);

/* Counts an attempt to replace the tokens that failed. */
void hf_access_note_failed_reload(struct hf_access *access);

/* Finds a principal as hf_tokens_find() does, by the wall clock, and counts a failure. */
bool hf_access_find(struct hf_access *access, const char *authorization, struct hf_principal *ret);

/* Writes the metrics; NULL, without authentication: zeros. */
void hf_access_write(struct hf_access *access, struct hf_buf *out);

#endif

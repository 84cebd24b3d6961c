/* fingerprint_cache.h — the fingerprints of bodies that were read lately, so that the same bytes are not read again.
 *
 * A lease knows the bytes that it was last written from. A configuration that comes in other bytes and is unchanged is written
 * nowhere, so its bytes are not known when they come again; but here. A fingerprint follows from the bytes alone: nothing ever has
 * to be forgotten, and what is pushed out is read again. One thread at a time.
 */
#ifndef HF_API_KUMA_FINGERPRINT_CACHE_H
#define HF_API_KUMA_FINGERPRINT_CACHE_H

#include <stdbool.h>

#include "storage/base/digest.h"

struct hf_memo; /* about half a MiB */

struct hf_memo *hf_memo_new(void);	 /* NULL: out of memory */
void hf_memo_free(struct hf_memo *memo); /* NULL is fine */

/* The fingerprint, by the newest rules, of the body with a SHA-256; false if it is not known. A memo that is NULL knows none. */
bool hf_memo_find(const struct hf_memo *memo, const struct hf_digest *raw, struct hf_digest *ret_fingerprint);
void hf_memo_keep(struct hf_memo *memo, const struct hf_digest *raw, const struct hf_digest *fingerprint);

#endif

/* fingerprint_cache.h — the fingerprints of bodies that were read recently, so that the same bytes are not parsed again.
 *
 * A lease records the digest of the bytes that it was last written from. An unchanged configuration in other bytes is not written,
 * so only this cache recognises those bytes when they come again. A fingerprint depends on the bytes alone, so an entry never
 * becomes stale; an entry that is displaced only costs another parse. One thread at a time.
 */
#ifndef HF_API_KUMA_FINGERPRINT_CACHE_H
#define HF_API_KUMA_FINGERPRINT_CACHE_H

#include <stdbool.h>

#include "storage/base/digest.h"

struct hf_fingerprint_cache; /* about half a MiB */

struct hf_fingerprint_cache *hf_fingerprint_cache_new(void);	    /* NULL: out of memory */
void hf_fingerprint_cache_free(struct hf_fingerprint_cache *cache); /* NULL is fine */

/* Finds the fingerprint, by the newest rules, of the body with that SHA-256; returns false if it is unknown or the cache is NULL.
 */
bool hf_fingerprint_cache_find(const struct hf_fingerprint_cache *cache, const struct hf_digest *raw,
			       struct hf_digest *ret_fingerprint);
void hf_fingerprint_cache_keep(struct hf_fingerprint_cache *cache, const struct hf_digest *raw,
			       const struct hf_digest *fingerprint);

#endif

/* fingerprint_cache.c — a table of digests in which a newer entry replaces an older one. */
#include "fingerprint_cache.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 8192 /* a power of two */

struct hf_fingerprint_cache {
	struct {
		struct hf_digest raw, fingerprint; /* zeros: an empty entry; no body has such a digest */
	} entries[PLACES];
};

struct hf_fingerprint_cache *hf_fingerprint_cache_new(void) {
	return calloc(1, sizeof(struct hf_fingerprint_cache));
}

void hf_fingerprint_cache_free(struct hf_fingerprint_cache *cache) { free(cache); }

/* Digests are random, so their first bytes serve as a hash. */
static size_t place_of(const struct hf_digest *raw) {
	size_t at;
	memcpy(&at, raw->bytes, sizeof at);
	return at & (PLACES - 1);
}

bool hf_fingerprint_cache_find(const struct hf_fingerprint_cache *cache, const struct hf_digest *raw,
			       struct hf_digest *ret_fingerprint) {
	size_t at = place_of(raw);
	if (!cache || !hf_digest_equal(&cache->entries[at].raw, raw))
		return false;
	*ret_fingerprint = cache->entries[at].fingerprint;
	return true;
}

void hf_fingerprint_cache_keep(struct hf_fingerprint_cache *cache, const struct hf_digest *raw,
			       const struct hf_digest *fingerprint) {
	if (!cache)
		return;
	cache->entries[place_of(raw)].raw = *raw;
	cache->entries[place_of(raw)].fingerprint = *fingerprint;
}

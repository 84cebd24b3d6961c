/* fingerprint_cache.c — a table of digests in which a newer entry takes an older one's place. */
#include "fingerprint_cache.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 8192 /* a power of two */

struct hf_memo {
	struct {
		struct hf_digest raw, fingerprint; /* zeros: an empty entry; no body has such a digest */
	} entries[PLACES];
};

struct hf_memo *hf_memo_new(void) {
	return calloc(1, sizeof(struct hf_memo));
}

void hf_memo_free(struct hf_memo *memo) { free(memo); }

/* Digests are random, so their first bytes serve as a hash. */
static size_t place_of(const struct hf_digest *raw) {
	size_t at;
	memcpy(&at, raw->bytes, sizeof at);
	return at & (PLACES - 1);
}

bool hf_memo_find(const struct hf_memo *memo, const struct hf_digest *raw, struct hf_digest *ret_fingerprint) {
	size_t at = place_of(raw);
	if (!memo || !hf_digest_equal(&memo->entries[at].raw, raw))
		return false;
	*ret_fingerprint = memo->entries[at].fingerprint;
	return true;
}

void hf_memo_keep(struct hf_memo *memo, const struct hf_digest *raw, const struct hf_digest *fingerprint) {
	if (!memo)
		return;
	memo->entries[place_of(raw)].raw = *raw;
	memo->entries[place_of(raw)].fingerprint = *fingerprint;
}

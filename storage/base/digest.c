/* digest.c — SHA-256, hex and random bytes, from GnuTLS. */
#include "digest.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

struct hf_digest hf_digest_of(const void *data, size_t len) {
	struct hf_digest digest;
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, digest.bytes) != 0)
		abort();
	return digest;
}

bool hf_digest_equal_secretly(const struct hf_digest *a, const struct hf_digest *b) {
	return gnutls_memcmp(a->bytes, b->bytes, HF_DIGEST_BYTES) == 0;
}

#define COPIED_MAX 4096 /* bytes; up to here joining the pieces is cheaper than hashing in two steps */

struct hf_digest hf_digest_of_two(const void *data, size_t len, const void *more, size_t more_len) {
	struct hf_digest digest;
	gnutls_hash_hd_t hash;
	if (len + more_len <= COPIED_MAX) {
		uint8_t both[COPIED_MAX];
		memcpy(mempcpy(both, data, len), more, more_len);
		return hf_digest_of(both, len + more_len);
	}
	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) != 0 || gnutls_hash(hash, data, len) != 0 ||
	    gnutls_hash(hash, more, more_len) != 0)
		abort();
	gnutls_hash_deinit(hash, digest.bytes);
	return digest;
}

struct hf_hasher *hf_hasher_new(void) {
	gnutls_hash_hd_t hash;
	return gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) == 0 ? (struct hf_hasher *)hash : NULL;
}

void hf_hasher_add(struct hf_hasher *hasher, const void *data, size_t len) {
	if (gnutls_hash((gnutls_hash_hd_t)hasher, data, len) != 0)
		abort();
}

struct hf_digest hf_hasher_end(struct hf_hasher *hasher) {
	struct hf_digest digest;
	gnutls_hash_deinit((gnutls_hash_hd_t)hasher, digest.bytes);
	return digest;
}

void hf_hex_encode(const uint8_t *bytes, size_t len, char *ret_text) {
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		*ret_text++ = digits[bytes[i] >> 4];
		*ret_text++ = digits[bytes[i] & 15];
	}
	*ret_text = '\0';
}

bool hf_hex_decode(const char *text, size_t max, uint8_t *ret, size_t *ret_len) {
	gnutls_datum_t hex = {(unsigned char *)text, (unsigned)strnlen(text, 2 * max + 1)};
	*ret_len = max;
	return hex.size <= 2 * max && gnutls_hex_decode(&hex, ret, ret_len) == 0;
}

void hf_digest_format(const struct hf_digest *digest, char ret_text[HF_DIGEST_TEXT]) {
	hf_hex_encode(digest->bytes, HF_DIGEST_BYTES, stpcpy(ret_text, "sha256:"));
}

bool hf_digest_parse(const char *text, struct hf_digest *ret) {
	struct hf_digest digest;
	size_t len;
	if (strncmp(text, "sha256:", 7) != 0 || !hf_hex_decode(text + 7, HF_DIGEST_BYTES, digest.bytes, &len) ||
	    len != HF_DIGEST_BYTES)
		return false;
	*ret = digest;
	return true;
}

enum hf_err hf_random(void *ret, size_t len) { return gnutls_rnd(GNUTLS_RND_NONCE, ret, len) == 0 ? HF_OK : HF_E_STORAGE; }

/* digest.c — SHA-256 and random bytes, from GnuTLS. */
#include "digest.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>

struct hf_digest hf_digest_of(const void *data, size_t len) {
	struct hf_digest digest;
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, digest.bytes) != 0)
		abort();
	return digest;
}

void hf_digest_format(const struct hf_digest *digest, char ret_text[HF_DIGEST_TEXT]) {
	static const char hex[] = "0123456789abcdef";
	char *at = stpcpy(ret_text, "sha256:");
	for (size_t i = 0; i < HF_DIGEST_BYTES; i++) {
		*at++ = hex[digest->bytes[i] >> 4];
		*at++ = hex[digest->bytes[i] & 15];
	}
	*at = '\0';
}

bool hf_digest_parse(const char *text, struct hf_digest *ret) {
	struct hf_digest digest;
	size_t len = sizeof digest.bytes;
	if (strncmp(text, "sha256:", 7) != 0 || strlen(text + 7) != 2 * HF_DIGEST_BYTES)
		return false;
	gnutls_datum_t hex = {(unsigned char *)text + 7, 2 * HF_DIGEST_BYTES};
	if (gnutls_hex_decode(&hex, digest.bytes, &len) != 0 || len != HF_DIGEST_BYTES)
		return false;
	*ret = digest;
	return true;
}

enum hf_err hf_random(void *ret, size_t len) { return gnutls_rnd(GNUTLS_RND_NONCE, ret, len) == 0 ? HF_OK : HF_E_STORAGE; }

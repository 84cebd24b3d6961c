/* digest.h — SHA-256, hex and random bytes, from GnuTLS. Thread-safe. */
#ifndef HF_STORAGE_BASE_DIGEST_H
#define HF_STORAGE_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "err.h"

#define HF_DIGEST_BYTES 32
#define HF_DIGEST_TEXT 72 /* "sha256:" and 64 hex digits, with the NUL */

/* A plain value; all zeros means "none" where a digest may be missing. */
struct hf_digest {
	uint8_t bytes[HF_DIGEST_BYTES];
};

static inline bool hf_digest_equal(const struct hf_digest *a, const struct hf_digest *b) {
	return memcmp(a->bytes, b->bytes, HF_DIGEST_BYTES) == 0;
}

/* Returns whether two digests are equal, in a time that does not depend on them. */
bool hf_digest_equal_secretly(const struct hf_digest *a, const struct hf_digest *b);

static inline void hf_digest_xor(struct hf_digest *into, const struct hf_digest *with) {
	for (size_t i = 0; i < HF_DIGEST_BYTES; i++)
		into->bytes[i] ^= with->bytes[i];
}

/* Returns the SHA-256 (FIPS 180-4) of `len` bytes. Cannot fail: aborts if the library refuses its own algorithm. */
struct hf_digest hf_digest_of(const void *data, size_t len);

/* Returns the SHA-256 of two pieces, one after the other. */
struct hf_digest hf_digest_of_two(const void *data, size_t len, const void *more, size_t more_len);

/* Computes the SHA-256 of data that arrives piece by piece. hf_hasher_new() returns NULL if out of memory; hf_hasher_end() frees
 * the hasher. */
struct hf_hasher;
struct hf_hasher *hf_hasher_new(void);
void hf_hasher_add(struct hf_hasher *hasher, const void *data, size_t len);
struct hf_digest hf_hasher_end(struct hf_hasher *hasher);

/* Writes "sha256:" and lower-case hex, as OCI writes digests. */
void hf_digest_format(const struct hf_digest *digest, char ret_text[HF_DIGEST_TEXT]);

/* Reads the text that hf_digest_format() writes. Returns false if it has another form. */
bool hf_digest_parse(const char *text, struct hf_digest *ret);

/* Writes lower-case hex; ret_text has 2 * len + 1 bytes. */
void hf_hex_encode(const uint8_t *bytes, size_t len, char *ret_text);

/* Reads hex of at most `max` bytes. Returns false if the text is longer or is not hex. */
bool hf_hex_decode(const char *text, size_t max, uint8_t *ret, size_t *ret_len);

/* Writes cryptographically random bytes; used only for store ids.
 * Fails with HF_E_STORAGE if the library cannot provide them. */
enum hf_err hf_random(void *ret, size_t len) HF_CHECKED;

#endif

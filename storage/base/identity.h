/* identity.h — who holds a lease: kind, mesh, zone and service.
 *
 * The identity bytes are the same everywhere (key, digest, hash): zone 0x00 mesh 0x00 kind-byte service. Names never contain a
 * NUL, so no identity is a prefix of another's scope, and byte order is the order zone, mesh, kind, service. The bytes up to and
 * including the kind byte are the identity's scope (zone.h). Pure and thread-safe.
 */
#ifndef HF_STORAGE_BASE_IDENTITY_H
#define HF_STORAGE_BASE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* The values are the kind byte on disk. */
enum hf_kind { HF_MESH_SERVICE = 1, HF_MESH_EXTERNAL_SERVICE = 2, HF_MESH_MULTIZONE_SERVICE = 3 };
#define HF_KINDS 3

#define HF_NAME_MAX 63	   /* mesh, zone, pool: a DNS label's length (RFC 1035, 2.3.4) */
#define HF_SERVICE_MAX 317 /* a Kubernetes object name (253), a dot and a namespace (63) */

struct hf_identity {
	enum hf_kind kind;
	char zone[HF_NAME_MAX + 1];
	char mesh[HF_NAME_MAX + 1];
	char service[HF_SERVICE_MAX + 1];
};

#define HF_SCOPE_MAX (2 * (HF_NAME_MAX + 1) + 1)
#define HF_KEY_MAX (HF_SCOPE_MAX + HF_SERVICE_MAX) /* 446; LMDB's limit is 511 */

struct hf_key {
	uint8_t bytes[HF_KEY_MAX];
	uint16_t len;	    /* in bytes */
	uint16_t scope_len; /* in bytes: zone 0x00 mesh 0x00 kind */
};

/* Returns "MeshService" or the name of another kind; hf_kind_parse() reads it back, and returns false for any other text. */
const char *hf_kind_name(enum hf_kind kind);
bool hf_kind_parse(const char *text, enum hf_kind *ret);

/* Checks the form of a name: 1 to `max` of [a-z0-9._-], alphanumeric at both ends.
 * Fails with HF_E_INVALID_NAME if it has another form; `why` has `what` and the text. */
enum hf_err hf_name_check(const char *what, const char *text, size_t max, struct hf_why *why) HF_CHECKED;

/* Checks a name and copies it; `ret` has max + 1 bytes.
 * Fails with HF_E_INVALID_NAME as hf_name_check() does. */
enum hf_err hf_name_set(const char *what, const char *text, size_t max, struct hf_why *why, char *ret) HF_CHECKED;

/* Writes an identity for people: MeshService "web" of zone "east", mesh "default". A service that does not fit into `size` bytes
 * (at least HF_IDENTITY_WORDS_MIN) is cut short and ends with "…"; with HF_IDENTITY_WORDS_MAX nothing is ever cut. Returns ret. */
#define HF_IDENTITY_WORDS_MAX 512
#define HF_IDENTITY_WORDS_MIN 184 /* leaves 72 bytes for a sentence around it in a struct hf_why */
const char *hf_identity_words(const struct hf_identity *id, char *ret, size_t size);

bool hf_identity_equal(const struct hf_identity *a, const struct hf_identity *b);

/* Encodes an identity whose names have been checked. */
void hf_identity_encode(const struct hf_identity *id, struct hf_key *ret);

/* Decodes identity bytes; returns false if they have another form. */
bool hf_identity_decode(const uint8_t *bytes, size_t len, struct hf_identity *ret) HF_CHECKED;

#endif

/* canonical.h — reading a configuration: its fingerprint and the addresses that it claims.
 *
 * The canonical configuration is what an operator wrote, without what control planes add: kind, labels and spec, without
 * status, `spec.state`, `spec.identities` and every label under Kuma's own prefixes (kuma.io/, k8s.kuma.io/). The universal form,
 * the Kubernetes form, the zone's copy and the copy that comes back from global have one fingerprint. An object without `spec` is
 * taken whole, without `status`. Members are sorted by their UTF-8 bytes, strings escaped as in RFC 8785, integers written in
 * decimal, other numbers as %.17g.
 *
 * These rules are fixed for each fingerprint version. A lease records the version that made its fingerprint, and is compared by
 * that version.
 */
#ifndef HF_API_KUMA_CANONICAL_H
#define HF_API_KUMA_CANONICAL_H

#include "api/text/buf.h"
#include "api/text/tape.h"
#include "claims.h"
#include "storage/model/lease.h"

struct hf_config {
	struct hf_digest fingerprint;
	struct hf_claims claims;
};

/* Reads a configuration. Thread-safe.
 * Fails with HF_E_INVALID_JSON if it is not JSON, not an object, a duplicate member, nesting deeper than HF_JSON_DEPTH_MAX,
 * invalid UTF-8, a NUL, or an integer beyond int64; `why` has line and column.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_config_read(const char *body, size_t len, struct hf_why *why, struct hf_config *ret) HF_CHECKED;

/* Reads a configuration that a tape holds.
 * Fails with HF_E_OVERLOADED if memory runs out. Thread-safe. */
enum hf_err hf_config_of(const struct hf_value *document, struct hf_why *why, struct hf_config *ret) HF_CHECKED;

/* Returns the canonical text itself, for tests and people; the caller frees the buffer. Errors as hf_config_read(). */
enum hf_err hf_config_canonical(const char *body, size_t len, struct hf_why *why, struct hf_buf *ret) HF_CHECKED;

#endif

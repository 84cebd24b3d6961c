/* claims.h — the addresses that a document shows as its own, and what is said of those that cannot be had.
 *
 * Claims are `status.vips`, which has objects with a member `ip`, and `status.vip`, which is one such object, as Kuma writes it for
 * a MeshExternalService; a bare string is taken for what `ip` would be. An address may have blanks around it, be an IPv4-mapped
 * one, and have the suffix of a single address (/32, /128). What is missing, null or empty claims nothing; what else is no address
 * is a wrong claim. An address that is claimed twice is one claim.
 *
 * A service of a Kubernetes cluster shows there the cluster's own addresses, which the cluster gives and takes: the ClusterIP, or
 * the IPs of Pods of a headless Service. They are no claims. Kuma's labels tell: a MeshService that is managed by `k8s-controller`,
 * or is of a headless Service, and is no copy that came from the global control plane. Thread-safe.
 */
#ifndef HF_API_KUMA_CLAIMS_H
#define HF_API_KUMA_CLAIMS_H

#include "api/text/tape.h"
#include "storage/model/lease_rules.h"

struct hf_json;
struct hf_buf;

struct hf_claims {
	int n;
	struct hf_addr of[HF_CLAIMS_MAX];
	struct hf_wrong_claims wrong;
	bool in_cluster; /* it shows addresses, but they are its cluster's: then nothing is claimed */
};

/* Reads the claims of a document that is an object of a tape. */
void hf_claims_read(const struct hf_value *document, struct hf_claims *ret);

/* Which of a lease's addresses a document claims, told from its text without parsing it: bit i for vips[i]. -1 if it has to be
 * parsed, as it may claim something else, or be of a form that a control plane does not write. */
int hf_claims_peek(const char *text, size_t len, const struct hf_addr *vips, int n_vips);

/* What became of claims. */
struct hf_claims_result {
	int n;
	const struct hf_addr *claims;
	const uint8_t *refused;		     /* enum hf_refusal of each */
	const struct hf_wrong_claims *wrong; /* NULL: none */
};

/* A claim that was refused, for people and programs. */
struct hf_refused_claim {
	char text[HF_CLAIM_TEXT]; /* the address as Holdfast writes it, or the beginning of what is none */
	enum hf_refusal reason;
	uint32_t more; /* further claims that are not listed */
};

/* The next refused claim behind *at, which begins with 0; false if there is none. */
bool hf_claims_next_refused(const struct hf_claims_result *result, int *at, struct hf_refused_claim *ret);

/* Writes the refused ones as an array: [{"address","reason"}…]. */
void hf_claims_write_json(struct hf_json *json, const struct hf_claims_result *result);

/* … as the value of a header: strings with a parameter `reason` (RFC 9651), separated by commas, with a NUL. Nothing if none is
 * refused. */
void hf_claims_write_header(struct hf_buf *out, const struct hf_claims_result *result);

#endif

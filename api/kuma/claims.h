/* claims.h — the addresses that a document shows as its own, and reporting those that are refused.
 *
 * Claims are `status.vips`, which has objects with a member `ip`, and `status.vip`, which is one such object, as Kuma writes it for
 * a MeshExternalService; a bare string is read as its `ip`. An address may have blanks around it, be IPv4-mapped, and have the
 * suffix of a single address (/32, /128). A missing, null or empty value claims nothing; any other value that is not an address is
 * a wrong claim. An address claimed twice is one claim.
 *
 * A service of a Kubernetes cluster shows addresses that the cluster itself assigns: the ClusterIP, or the Pod IPs of a headless
 * Service. These are not claims. Kuma's labels identify it: a MeshService that is managed by `k8s-controller`, or belongs to a
 * headless Service, and is not a copy from the global control plane. Thread-safe.
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
	bool in_cluster; /* its addresses belong to its cluster, so nothing is claimed */
};

/* Reads the claims of a document, an object of a tape. */
void hf_claims_read(const struct hf_value *document, struct hf_claims *ret);

/* Finds the lease's addresses that a document claims without parsing it; returns bit i for vips[i]. Returns -1 if the document has
 * to be parsed because it may claim other addresses, or has a form that control planes do not write. */
int hf_claims_peek(const char *text, size_t len, const struct hf_addr *vips, int n_vips);

/* The verdict on the claims of a document. */
struct hf_claims_result {
	int n;
	const struct hf_addr *claims;
	const uint8_t *refused;		     /* enum hf_refusal of each */
	const struct hf_wrong_claims *wrong; /* NULL: none */
};

/* A claim that was refused, for people and programs. */
struct hf_refused_claim {
	char text[HF_CLAIM_TEXT]; /* the address as Holdfast writes it, or the beginning of an invalid text */
	enum hf_refusal reason;
	uint32_t more; /* further claims that are not listed */
};

/* Returns the next refused claim after *at, which starts at 0; false at the end. */
bool hf_claims_next_refused(const struct hf_claims_result *result, int *at, struct hf_refused_claim *ret);

/* Writes the refused claims as an array: [{"address","reason"}…]. */
void hf_claims_write_json(struct hf_json *json, const struct hf_claims_result *result);

/* Writes the refused claims as the value of a header: strings with a parameter `reason` (RFC 9651), separated by commas, with a
 * NUL. Writes nothing if no claim is refused. */
void hf_claims_write_header(struct hf_buf *out, const struct hf_claims_result *result);

#endif

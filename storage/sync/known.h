/* known.h — the documents from which a zone's leases were last stored, by digest: a document that is sent again need not be
 * parsed.
 *
 * A control plane that reconnects sends the same bytes again. The raw digest that a sync stores with a lease covers the zone, a
 * NUL and the document; no other writer stores such a digest. So a document with that digest belongs to that lease and has its
 * fingerprint. The leases may have changed since they were read here: only a document's identity and fingerprint are known, not
 * the state of the lease. (If the rules that derive the identity from a document change, this digest must change with them.)
 */
#ifndef HF_STORAGE_SYNC_KNOWN_H
#define HF_STORAGE_SYNC_KNOWN_H

#include "storage/base/arena.h"
#include "storage/lmdb/txn.h"
#include "storage/model/lease.h"

struct hf_known_document {
	struct hf_digest raw, fingerprint;
	uint8_t fingerprint_version;
	uint8_t n_vips;
	struct hf_addr vips[HF_FAMILIES]; /* when they were read; only an administrator moves a lease */
	uint16_t key_len;
	uint8_t key[]; /* identity bytes */
};

struct hf_known {
	struct hf_arena arena;		  /* its own; the owner sets the budget */
	struct hf_known_document **slots; /* NULL: nothing is known */
	size_t mask;			  /* the number of slots, a power of two, less 1 */
};

/* Returns the raw digest of a document in a zone's list. */
struct hf_digest hf_known_digest(const char *zone, const void *document, size_t len);

/* Reads a zone's known documents on a reader's snapshot, by a walk over all of its leases. If the zone has more than `max` leases,
 * or the budget is exceeded, nothing is known and no memory is held. A storage fault sticks to the reader. */
void hf_known_read(struct hf_txn *reader, const char *zone, size_t max, struct hf_known *known);

/* Forgets everything and frees the memory. */
void hf_known_free(struct hf_known *known);

/* Returns the document with a raw digest; NULL: not known. */
const struct hf_known_document *hf_known_find(const struct hf_known *known, const struct hf_digest *raw);

#endif

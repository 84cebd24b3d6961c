/* known.h — the documents that a zone's leases were last stored from, by digest: one that comes again need not be parsed.
 *
 * A control plane that reconnects sends the same bytes again. What a sync stores as a lease's raw digest is of the zone, a NUL and
 * the document, which no other writer stores; so a document of that digest is that lease's, and its fingerprint is the lease's too.
 * The leases may have changed since they were read here: what is known is who a document is about and what its fingerprint is,
 * nothing of the lease's state. (Should the rules change that read an identity off a document, this digest must change with them.)
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
	struct hf_addr vips[HF_FAMILIES]; /* which never change while there is a lease */
	uint16_t key_len;
	uint8_t key[]; /* identity bytes */
};

struct hf_known {
	struct hf_arena arena;		  /* its own; the budget is its owner's to set */
	struct hf_known_document **slots; /* NULL: nothing is known */
	size_t mask;			  /* the number of slots, a power of two, less 1 */
};

/* The raw digest of a document in a zone's list. */
struct hf_digest hf_known_digest(const char *zone, const void *document, size_t len);

/* Reads what is known of a zone, on a reader's snapshot: a walk over all of its leases. Nothing, and no memory held, if it has more
 * than `max` of them or the budget does not allow it. A storage fault sticks to the reader. */
void hf_known_read(struct hf_txn *reader, const char *zone, size_t max, struct hf_known *known);

/* Forgets everything, and gives its memory back. */
void hf_known_free(struct hf_known *known);

/* NULL: it is not known. */
const struct hf_known_document *hf_known_find(const struct hf_known *known, const struct hf_digest *raw);

#endif

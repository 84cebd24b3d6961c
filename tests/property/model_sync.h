/* model_sync.h — a sync and a manifest once more, naively: what each item must become, judged by the state of the moment. */
#ifndef HF_TESTS_MODEL_SYNC_H
#define HF_TESTS_MODEL_SYNC_H

#include "model.h"
#include "storage/sync/sync.h"

#define M_ITEMS 512

/* What the caller sends, in this order, and what becomes of it. */
struct m_item {
	enum hf_sync_role role;
	int who;	     /* -1: nobody knows whose it is, or it is nobody's */
	enum hf_err refused; /* by the reader, for its form; HF_OK if not */
	struct hf_digest raw, fingerprint;
	int n_claims;
	struct hf_addr claims[HF_CLAIMS_MAX];
	const char *version; /* of a manifest's entry */
	/* The result. */
	enum hf_sync_outcome outcome;
	enum hf_err err;
	bool has_lease;
	struct m_lease lease; /* of the service, if it has one */
	bool claim_refused;
	enum { M_NOTHING, M_KEEP, M_CREATE, M_RELEASE } todo;
};

struct m_sync {
	/* The request. */
	const char *zone;
	enum hf_sync_mode mode;
	int kind;	  /* 0: all */
	const char *mesh; /* "": all */
	bool has_epoch, dry_run, force;
	uint64_t epoch;
	int percent;
	int n;
	struct m_item items[M_ITEMS];
	/* The result. */
	struct hf_sync_summary summary;
	int n_unlisted, unlisted[M_IDENTITIES]; /* released, or of a manifest, only told; in key order */
	uint64_t active, releases, avoided, claimed_in_part;
	bool guarded_empty, guarded_part, guarded_worn; /* why the guard refused it: a list of nothing; one mesh and kind alone;
							 * with what went before alone */
	uint64_t revision, zone_epoch;
	bool zone_known;
	struct hf_digest digest;
};

/* What a look at the state as it is must tell. */
enum hf_err m_sync_peek(const struct model *m, struct m_sync *sync, bool *ret_write);

/* What a commit at the state as it is must do. The model is altered also when it is refused, or a dry run: the caller puts it back.
 */
enum hf_err m_sync_commit(struct model *m, struct m_sync *sync);

#endif

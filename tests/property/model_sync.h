/* model_sync.h — a sync and a manifest once more, naively: what each item must become, judged by the state of the moment. */
#ifndef HF_TESTS_MODEL_SYNC_H
#define HF_TESTS_MODEL_SYNC_H

#include "model.h"
#include "storage/sync/sync.h"

#define M_ITEMS 512

/* Why a new service that shows an address of a lease of the zone is no rename of that. */
enum m_not_renamed {
	M_RENAMES_OFF,	 /* it was not asked for */
	M_UNREADABLE,	 /* a full list names something unknown */
	M_STILL_NAMED,	 /* the list names the lease; a delta does not remove it */
	M_NOT_REMOVED,	 /* a delta removes it, but that is rejected */
	M_OTHER_SCOPE,	 /* a full list of other meshes or kinds */
	M_OTHER_HOLDERS, /* it shows addresses of another lease, too */
	M_NOT_SERVED,	 /* the pool does not serve the new name */
	M_SECOND,	 /* another shows the same lease */
	M_NOT_RENAMED
};

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
	enum { M_NOTHING, M_KEEP, M_CREATE, M_RELEASE, M_RENAME } todo;
	int from; /* whose lease it is renamed from; else -1 */
};

struct m_sync {
	/* The request. */
	const char *zone;
	enum hf_sync_mode mode;
	int kind;	  /* 0: all */
	const char *mesh; /* "": all */
	bool has_epoch, dry_run, force, renames;
	uint64_t epoch;
	int percent;
	int n;
	struct m_item items[M_ITEMS];
	/* The result. */
	struct hf_sync_summary summary;
	int n_unlisted, unlisted[M_IDENTITIES]; /* released, or of a manifest, only told; in key order */
	uint64_t active, releases, avoided, claimed_in_part;
	uint64_t not_renamed[M_NOT_RENAMED];
	bool guarded_empty, guarded_part, guarded_worn; /* why the guard refused it: a list of nothing; one mesh and kind alone;
							 * with what went before alone */
	uint64_t revision, zone_epoch;
	bool zone_known;
	struct hf_digest digest;
};

/* Its zone; the meshes and kinds that it is about. */
bool m_sync_is_of_zone(const struct model *m, const struct m_sync *sync, int who);
bool m_sync_in_scope(const struct model *m, const struct m_sync *sync, int who);
bool m_sync_has_unreadable(const struct m_sync *sync);

/* Whether the sync releases too much, with or without what went before (model_sync_guard.c). What is over counts no more, nor does
 * what a sync that may release all finds in its scope. */
bool m_sync_is_guarded(const struct model *m, struct m_sync *sync, bool with_lately);
void m_sync_end_wear(struct model *m, const struct m_sync *sync);

/* Sets `from` of those items that are to be created but are renamed (model_renames.c). */
void m_find_renamed(const struct model *m, struct m_sync *sync);

/* What a look at the state as it is must tell. */
enum hf_err m_sync_peek(const struct model *m, struct m_sync *sync, bool *ret_write);

/* What a commit at the state as it is must do. The model is altered also when it is refused, or a dry run: the caller puts it back.
 */
enum hf_err m_sync_commit(struct model *m, struct m_sync *sync);

#endif

/* sync.h — all services of a zone at once: synchronising them, or comparing them with a manifest.
 *
 * A sync is first decided on a reader's snapshot. If every service is already stored as sent, it ends there and writes nothing.
 * Otherwise it goes to the committer as one write that commits alone: all of the valid items, or none. The decision holds if the
 * zone has not changed since the snapshot; if it has, everything is decided again inside the write transaction.
 *
 * Use: call hf_sync_init(), set the request's members, call hf_sync_add() for each item, hf_sync_close_list(), then hf_sync_peek()
 * and, if that asks for a write, hf_sync_begin() and the committer. Results stay valid until hf_sync_free(). One thread uses a
 * sync at a time. Its memory comes from a shared budget.
 */
#ifndef HF_STORAGE_SYNC_SYNC_H
#define HF_STORAGE_SYNC_SYNC_H

#include "storage/base/arena.h"
#include "storage/model/lease_rules.h"
#include "storage/store/store.h"
#include "storage/store/write.h"

enum hf_sync_mode {
	HF_SYNC_FULL,	 /* everything that the zone has in the scope: unlisted leases are released */
	HF_SYNC_DELTA,	 /* some services, and some that are removed */
	HF_SYNC_MANIFEST /* everything, by version or fingerprint only: compared, not written */
};

/* The result for an item. The first five are those of an acquire. */
enum hf_sync_outcome {
	HF_SYNC_CREATED = HF_CREATED,
	HF_SYNC_ADOPTED = HF_ADOPTED,
	HF_SYNC_UNCHANGED = HF_UNCHANGED,
	HF_SYNC_UPDATED = HF_UPDATED,
	HF_SYNC_RESTORED = HF_RESTORED,
	HF_SYNC_RELEASED = HF_OUTCOMES,
	HF_SYNC_FOREIGN,     /* belongs to another zone: looked up */
	HF_SYNC_REJECTED,    /* invalid, or no address is available for it */
	HF_SYNC_TRANSFERRED, /* renamed: it shows the address of a lease of the zone that the list no longer names */
	HF_SYNC_NEEDED	     /* manifest: the store does not have this configuration */
};
#define HF_SYNC_OUTCOMES (HF_SYNC_NEEDED + 1)
const char *hf_sync_outcome_name(enum hf_sync_outcome outcome);

/* What an item is. */
enum hf_sync_role {
	HF_SYNC_SERVICE,    /* a service's document */
	HF_SYNC_REMOVED,    /* a service that is gone (delta); without an identity if it could not be read */
	HF_SYNC_ENTRY,	    /* an entry of a manifest */
	HF_SYNC_UNREADABLE, /* a rejected document with an unknown identity */
	HF_SYNC_NOBODYS,    /* a rejected document with an identity that no lease can have */
	HF_SYNC_UNLISTED    /* added by the sync itself: a lease in the scope that a full list lacks */
};

/* One item to add. Everything is copied. */
struct hf_sync_input {
	enum hf_sync_role role;
	uint32_t place;		      /* in the body, for the answer */
	const struct hf_identity *id; /* names checked; NULL if it is unreadable or nobody's */
	enum hf_err err;	      /* if not HF_OK: already rejected, for the reason in `why` */
	const char *why;
	/* For a document. */
	struct hf_digest raw, fingerprint;
	uint8_t fingerprint_version;
	int n_claims;
	const struct hf_addr *claims;
	bool claims_unread; /* not parsed, because the document is known (known.h): its claims are the lease's addresses of that
			       time */
	const struct hf_wrong_claims *wrong_claims; /* may be NULL */
	bool in_cluster;			    /* shows addresses of its Kubernetes cluster, which are not claims */
	/* For a manifest entry: NULL if it states a fingerprint. */
	const char *version;
};

/* An item and its result. */
struct hf_sync_item {
	struct hf_sync_item *next; /* in the body's order */
	enum hf_sync_role role;
	uint32_t place;	 /* from 1: the line, or the place in its array */
	uint32_t number; /* in the body's order, from 0 */
	uint8_t *key;	 /* identity bytes; NULL if unreadable or nobody's */
	uint16_t key_len;
	struct hf_digest raw, fingerprint;
	uint8_t fingerprint_version;
	uint8_t n_claims;
	struct hf_addr *claims;
	bool claims_unread;
	const struct hf_wrong_claims *wrong_claims;
	const char *version;
	uint64_t lease_revision; /* when it was decided; 0: no lease */
	enum { HF_SYNC_DONE, HF_SYNC_CREATE, HF_SYNC_CHANGE, HF_SYNC_RELEASE, HF_SYNC_RENAME } todo;
	const uint8_t *from; /* the identity bytes that it is renamed from; NULL: it is not */
	uint16_t from_len;
	bool in_error;		 /* rejected before the decision */
	bool outside;		 /* outside the sync's scope */
	bool in_cluster;	 /* as in the input */
	uint8_t reserved;	 /* bits of its claims that are reserved while it is applied */
	uint8_t reserved_memory; /* families of remembered addresses that are; bit 1 << family */
	/* The result. */
	enum hf_sync_outcome outcome;
	enum hf_err err; /* if rejected */
	const char *why; /* the reason; borrowed from the arena */
	uint8_t n_vips;	 /* 0: no lease */
	struct hf_addr vips[HF_FAMILIES];
	uint8_t n_previous;
	const struct hf_previous *previous; /* borrowed from the arena */
	uint8_t refused[HF_CLAIMS_MAX];	    /* enum hf_refusal of each claim */
};

/* Returns whether the item claimed an address that its lease does not have, or something that is not an address. */
bool hf_sync_claim_refused(const struct hf_sync_item *item);

/* A mesh and kind in the scope in which the sync releases leases. */
struct hf_sync_part {
	struct hf_sync_part *next;
	struct hf_slice scope; /* zone, NUL, mesh, NUL, kind */
	uint64_t active, releases;
	uint64_t lately; /* releases in the last ten minutes that still count; set when the sync is judged inside the write */
	bool empty;	 /* a full list has no items in it */
};

/* A summary's numbers. */
struct hf_sync_summary {
	uint64_t of[HF_SYNC_OUTCOMES];
	uint64_t release_skipped; /* releases left out because a full list has an item with an unknown identity */
};

struct hf_sync {
	struct hf_write write;
	/* The request. */
	char zone[HF_NAME_MAX + 1];
	enum hf_sync_mode mode;
	enum hf_kind kind;	    /* the scope; 0: all kinds (not in full mode) */
	char mesh[HF_NAME_MAX + 1]; /* the scope; "": all meshes */
	bool has_epoch;		    /* fenced by this zone epoch */
	uint64_t epoch;
	bool dry_run;		 /* decide and apply, but write nothing */
	bool force;		 /* release although the zone is offline */
	bool renames;		 /* a service that shows the address of a lease which the list no longer names gets that lease */
	int max_release_percent; /* 0 to 100: how much of the scope, and of each mesh and kind in it, syncs may release within
				  * ten minutes; see hf_rules_mass_release() and wear.h */
	size_t answer_bytes;	 /* memory that an item's result uses elsewhere, charged with the item */
	/* The items. */
	struct hf_arena arena;
	struct hf_sync_item *first, **last;
	uint32_t n_items;
	uint32_t n_unreadable; /* items with unknown identities; if not 0, a full list releases nothing */
	/* The result. */
	struct hf_sync_summary summary;
	struct hf_sync_item *released, **last_released; /* not listed in a full list, in the order of their keys */
	uint64_t revision, zone_epoch;
	bool zone_offline;
	bool zone_known;		/* the store has a record of the zone */
	struct hf_digest digest;	/* of the zone */
	uint64_t reallocations_avoided; /* services sent without their address that kept it */
	/* Used while deciding. */
	struct hf_sync_item **sorted; /* by key; all with a known identity, rejected ones too */
	uint32_t answers_spare;	      /* charged results of items that an earlier decision added */
	uint32_t n_sorted;
	uint64_t decided_at;	   /* revision of the snapshot */
	uint64_t active, releases; /* leases in the scope, and how many of them would be released */
	struct hf_sync_part *parts;
	uint32_t n_renamed;
	struct hf_sync_item **renamed; /* items with a `from`, sorted by it */
	bool starved;		       /* the budget did not suffice for a result */
};

void hf_sync_init(struct hf_sync *sync, struct hf_budget *budget);

/* Frees all memory. A sync that was never initialised must be all zeros. */
void hf_sync_free(struct hf_sync *sync);

/* Adds an item. An item outside the scope is rejected, which is not an error.
 * Fails with HF_E_OVERLOADED if the budget is exceeded. */
enum hf_err hf_sync_add(struct hf_sync *sync, const struct hf_sync_input *input, struct hf_why *why) HF_CHECKED;

/* Completes the list. Rejects an item whose identity was listed before, and a removal of an identity that is listed anywhere:
 * listing wins over removal.
 * Fails with HF_E_OVERLOADED if the budget is exceeded. */
enum hf_err hf_sync_close_list(struct hf_sync *sync, struct hf_why *why) HF_CHECKED;

#endif

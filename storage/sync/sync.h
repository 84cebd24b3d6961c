/* sync.h — a zone's services all at once: synchronise them, or compare a manifest of them.
 *
 * A sync is decided on a reader's snapshot first. If every service is as the store has it, it ends there and nothing is written.
 * Else it goes to the committer as one write that commits alone: all of the valid items, or none of them. What was decided holds if
 * the zone has not changed since the snapshot; if it has, everything is decided again inside the write transaction.
 *
 * Use: hf_sync_init(), the request's members, hf_sync_add() for each item, hf_sync_close_list(), then hf_sync_peek() and, if it
 * says so, hf_sync_begin() and the committer. Results stay until hf_sync_free(). One thread at a time. Memory comes from a shared
 * budget.
 */
#ifndef HF_STORAGE_SYNC_SYNC_H
#define HF_STORAGE_SYNC_SYNC_H

#include "storage/base/arena.h"
#include "storage/model/lease_rules.h"
#include "storage/store/store.h"

enum hf_sync_mode {
	HF_SYNC_FULL,	 /* everything that the zone has in the scope: what is not listed there is released */
	HF_SYNC_DELTA,	 /* some services, and some that are removed */
	HF_SYNC_MANIFEST /* everything, by version or fingerprint alone: only compared */
};

/* What became of an item. The first five are an acquire's. */
enum hf_sync_outcome {
	HF_SYNC_CREATED = HF_CREATED,
	HF_SYNC_ADOPTED = HF_ADOPTED,
	HF_SYNC_UNCHANGED = HF_UNCHANGED,
	HF_SYNC_UPDATED = HF_UPDATED,
	HF_SYNC_RESTORED = HF_RESTORED,
	HF_SYNC_RELEASED = HF_OUTCOMES,
	HF_SYNC_FOREIGN,  /* another zone's: looked up */
	HF_SYNC_REJECTED, /* invalid, or no address can be had for it */
	HF_SYNC_NEEDED	  /* of a manifest: the store has another configuration, or none */
};
#define HF_SYNC_OUTCOMES (HF_SYNC_NEEDED + 1)
const char *hf_sync_outcome_name(enum hf_sync_outcome outcome);

/* What an item is. */
enum hf_sync_role {
	HF_SYNC_SERVICE,    /* a service's document */
	HF_SYNC_REMOVED,    /* a service that is gone (delta); without an identity if it could not be read */
	HF_SYNC_ENTRY,	    /* of a manifest */
	HF_SYNC_UNREADABLE, /* a document that is rejected, and whose it is is not known */
	HF_SYNC_NOBODYS,    /* a document that is rejected, and of an identity that no lease can have */
	HF_SYNC_UNLISTED    /* made by the sync itself: a lease in the scope that a full list does not have */
};

/* One item, as it is added; all of it is copied. */
struct hf_sync_input {
	enum hf_sync_role role;
	uint32_t place;		      /* in the body, for the answer */
	const struct hf_identity *id; /* names checked; NULL if it is unreadable or nobody's */
	enum hf_err err;	      /* not HF_OK: rejected already, for the reason in `why` */
	const char *why;
	/* A document's. */
	struct hf_digest raw, fingerprint;
	uint8_t fingerprint_version;
	int n_claims;
	const struct hf_addr *claims;
	bool claims_unread;			    /* it may claim addresses, but was not parsed as it is known (known.h) */
	const struct hf_wrong_claims *wrong_claims; /* NULL if there are none */
	bool in_cluster;			    /* it shows addresses, but they are its Kubernetes cluster's and no claims */
	/* A manifest entry's: NULL if it states a fingerprint. */
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
	uint64_t lease_revision; /* as it was decided; 0: there is no lease */
	enum { HF_SYNC_DONE, HF_SYNC_CREATE, HF_SYNC_CHANGE, HF_SYNC_RELEASE } todo;
	bool in_error;	  /* rejected before anything was decided */
	bool outside;	  /* of the sync's scope */
	bool in_cluster;  /* as in the input */
	uint8_t reserved; /* which of its claims are, while it is carried out */
	/* The result. */
	enum hf_sync_outcome outcome;
	enum hf_err err; /* if rejected */
	const char *why; /* … in words; borrowed from the arena */
	uint8_t n_vips;	 /* 0: there is no lease */
	struct hf_addr vips[HF_FAMILIES];
	uint8_t refused[HF_CLAIMS_MAX]; /* enum hf_refusal of each claim */
};

/* Whether it came with an address that its lease does not have, or with what is none. */
bool hf_sync_claim_refused(const struct hf_sync_item *item);

/* A mesh and kind in the scope of which the sync releases something. */
struct hf_sync_part {
	struct hf_sync_part *next;
	struct hf_slice scope; /* zone, NUL, mesh, NUL, kind */
	uint64_t active, releases;
	uint64_t lately; /* releases of the last ten minutes, as far as they hold; once it is judged inside the write */
	bool empty;	 /* a full list has nothing of it */
};

/* A summary's numbers. */
struct hf_sync_summary {
	uint64_t of[HF_SYNC_OUTCOMES];
	uint64_t release_skipped; /* releases left out as it is not known whose an item of a full list is */
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
	bool dry_run;		 /* decide and carry out, but write nothing */
	bool force;		 /* release although the zone is offline */
	int max_release_percent; /* 0 to 100: how much of the scope, and of each mesh and kind in it, syncs may release within
				  * ten minutes; see hf_rules_mass_release() and wear.h */
	size_t answer_bytes;	 /* memory that an item's result takes elsewhere, charged with it */
	/* The items. */
	struct hf_arena arena;
	struct hf_sync_item *first, **last;
	uint32_t n_items;
	uint32_t n_unreadable; /* items of which it is not known whose they are; with one, a full list releases nothing */
	/* The result. */
	struct hf_sync_summary summary;
	struct hf_sync_item *released, **last_released; /* not listed in a full list, in the order of their keys */
	uint64_t revision, zone_epoch;
	bool zone_offline;
	bool zone_known;		/* the store has a record of the zone */
	struct hf_digest digest;	/* of the zone */
	uint64_t reallocations_avoided; /* services that came without the address that they have, and kept it */
	/* While it is decided. */
	struct hf_sync_item **sorted; /* by key; those whose identity was read, rejected ones too */
	uint32_t answers_spare;	      /* results that were charged, and whose items an earlier decision made */
	uint32_t n_sorted;
	uint64_t decided_at;	   /* revision of the snapshot */
	uint64_t active, releases; /* leases in the scope, and how many are to be released */
	struct hf_sync_part *parts;
};

void hf_sync_init(struct hf_sync *sync, struct hf_budget *budget);

/* Gives back all memory. A sync that was never initialised must be zeros. */
void hf_sync_free(struct hf_sync *sync);

/* Adds an item; one outside the scope is rejected, not refused. HF_E_OVERLOADED: beyond the budget. */
enum hf_err hf_sync_add(struct hf_sync *sync, const struct hf_sync_input *input, struct hf_why *why) HF_CHECKED;

/* The list is complete. An identity that was listed before is rejected, and a removal of one that is listed, before or after: what
 * is listed lives. HF_E_OVERLOADED: beyond the budget. */
enum hf_err hf_sync_close_list(struct hf_sync *sync, struct hf_why *why) HF_CHECKED;

/* Decides on the reader's snapshot. *ret_write: something has to be written; else the result is set. A manifest is never written.
 * Services of other zones are looked up as they are at the result's revision. HF_E_STALE_EPOCH, HF_E_ZONE_OFFLINE,
 * HF_E_MASS_RELEASE_GUARD (with the summary that it would have had), a storage fault, or HF_E_OVERLOADED: beyond the budget, or a
 * document that was not parsed, as it was known, is not any more. */
enum hf_err hf_sync_peek(struct hf_txn *reader, struct hf_sync *sync, struct hf_why *why, bool *ret_write) HF_CHECKED;

/* Makes it a write that commits alone, with peek's errors. */
void hf_sync_begin(struct hf_sync *sync);

#endif

/* model.h — the design once more, naively: what a store must answer, from arrays and linear scans.
 *
 * Written from design.md, not from the storage code: no extents, no tables, no counters that are kept. Of the code it uses only
 * plain types (addresses, requests, errors) and SHA-256. Everything is in one struct of arrays, so that a copy is a snapshot.
 */
#ifndef HF_TESTS_MODEL_H
#define HF_TESTS_MODEL_H

#include "storage/model/change.h"
#include "storage/requests/leases.h"
#include "storage/requests/pool_requests.h"
#include "storage/requests/zone_requests.h"
#include "storage/tables/holders.h"

#define M_IDENTITIES 160
#define M_ZONES 4
#define M_POOLS 6
#define M_RANGES 8 /* CIDRs of a pool, reserved ranges */
#define M_DRAINING (4 * M_IDENTITIES)
#define M_NAMES 14	  /* of instances, for each zone */
#define M_INSTANCES 9	  /* the current one and the 8 before it */
#define M_ADDRESSES 16384 /* that ever had a holder who is remembered */
#define M_HISTORY_MS ((int64_t)90 * 24 * 3600 * 1000)
#define M_PAST_HOLDERS 16
#define M_HOLDERS (M_PAST_HOLDERS + 1) /* and the present one */
#define M_SWEEP 256		       /* deadlines at the start of a batch */
#define M_BAND_BITS 32		       /* of revisions and zone epochs, in each store epoch */
#define M_LOST_MAX (8 * M_IDENTITIES)
#define M_WORN_MS (10 * 60 * 1000) /* how long a sync's release counts for the guard */
#define M_WORN_MAX 2048
#define M_PREVIOUS 8 /* addresses that a lease moved from, and that are still bound to it */

/* An address that a lease moved from. */
struct m_previous {
	hf_u128 a;
	uint64_t given; /* as a lease's */
	int64_t until_ms;
	uint32_t overlap_seconds;
};

struct m_lease {
	bool exists, quarantined, forced; /* forced: the quarantine ends although the zone is offline */
	int pool;
	int n_vips;
	hf_u128 vips[2];
	uint64_t given[2]; /* the store epoch in which a sequential pool's strategy chose the address; 0: it was asked for */
	uint64_t generation, revision;
	uint8_t fingerprint_version;
	struct hf_digest fingerprint, raw;
	char version[HF_VERSION_MAX + 1];
	int64_t created_ms, modified_ms, until_ms;
	int n_previous;
	struct m_previous previous[M_PREVIOUS]; /* in the order of the moves */
};

struct m_config {
	enum hf_strategy strategy;
	uint32_t quarantine_seconds;
	int n_cidrs, n_reserved;
	struct hf_range cidrs[M_RANGES], reserved[M_RANGES];
	unsigned kinds;
	struct hf_names meshes, zones;
};

/* What an identity without a lease had when its quarantine ended. */
struct m_memory {
	int n, pool;
	hf_u128 vips[2];
	int64_t freed_ms;
};

struct m_pool {
	bool exists;
	char name[HF_NAME_MAX + 1];
	struct m_config config;
	int n_draining;
	struct hf_range draining[M_DRAINING];
	bool has_cursor[2]; /* by family: the next search begins at the cursor, not at the beginning */
	hf_u128 cursor[2];
	hf_u128 travelled[2]; /* by the cursor since the pool was written, less what restores moved it; in places of the CIDRs */
	hf_u128 farthest[2];  /* that it ever travelled since then, before a restore */
	uint64_t revision;
	int64_t created_ms, modified_ms;
};

struct m_pool_put {
	char name[HF_NAME_MAX + 1];
	struct m_config config;
	bool drain;
};

struct m_holder {
	int who;
	uint64_t from_revision;
	int64_t from_ms, to_ms;
	bool open;
	const char *by;
};

/* Who held an address, oldest first. */
struct m_address {
	int n;
	struct m_holder holders[M_HOLDERS];
};

struct m_change {
	int64_t at_ms;
	enum hf_change_type type;
	enum hf_cause cause;
	const char *by;
	int pool, who; /* who: -1 for a change of a pool */
	int from;      /* who had the lease before a transfer; else -1 */
	uint64_t generation;
	int n_vips;
	hf_u128 vips[2];
	int n_previous;
	struct m_previous previous[M_PREVIOUS];
};

struct m_zone {
	bool seen; /* it had a lease or a connection once */
	const char *name;
	enum hf_zone_state state;
	uint64_t epoch, reconnects;
	uint64_t store_epoch; /* when it last connected */
	int64_t created_ms, changed_ms;
	int64_t ttl_ms, refreshed_ms; /* the second on the monotonic clock */
	bool unsure;	 /* until the next batch: one was given up that changed it, and a refresh is left to the writer */
	int n_instances; /* that are remembered, the newest first */
	char instances[M_INSTANCES][16];
	bool ever[M_NAMES]; /* "cp-N" was an instance of it */
};

/* An address that somebody was given, or asked for, since the backup that was restored: it is free, but in use. */
struct m_lost {
	int who, pool;
	hf_u128 a;
	uint64_t given;		/* as a lease's */
	uint64_t pool_revision; /* the pool as it was then */
	hf_u128 travelled;	/* by the cursor when the store was restored */
	hf_u128 safe;		/* how far it must be able to go without giving the address to another; 0: not promised */
};

/* A lease that a sync released, or a transfer took away, and that has not come back. */
struct m_worn {
	int who;	      /* one of its mesh and kind */
	uint64_t first, last; /* revisions of all those that one commit noted there */
	int64_t at_ms;	      /* monotonic */
};

/* The same of moves: overlaps that ended, or were held by zone or restore; and what became of leases and ranges with them. */
struct m_met_moves {
	uint64_t ended, held_offline, held_back, held_restored;
	uint64_t waited;		    /* releases whose quarantine waits for an overlap */
	uint64_t purged, expired, restored; /* leases with previous addresses */
	uint64_t ended_quarantined;	    /* overlaps of leases in quarantine */
	uint64_t drained;		    /* draining ranges that had previous addresses alone, when one ended */
};

/* What happened so far; it is not undone by a restore. */
struct m_met {
	uint64_t lapsed;					  /* connections that were not refreshed */
	uint64_t expired, held_offline, held_back, held_restored; /* quarantines that ended, or were held by zone or restore */
	uint64_t lost, found,
		lost_given; /* addresses that a restore lost: all; that their owner got back; that another was given */
	uint64_t remembered, crowded_out, cut_off, aged; /* addresses: remembered; forgotten for their number, by an edit, by age */
	uint64_t came_back, handed_out; /* that their identity got again; that another was given as the last resort */
	uint64_t promised, broken;	/* that were sure not to be given away soon; that were all the same */
	struct m_met_moves moves;
};

struct model {
	const struct hf_identity *ids; /* M_IDENTITIES, in key order */
	struct m_zone zones[M_ZONES];
	struct m_lease leases[M_IDENTITIES];
	struct m_memory memories[M_IDENTITIES];
	uint64_t remembered_max; /* of a pool and family */
	struct m_pool pools[M_POOLS];
	uint64_t store_epoch, revision, compacted;
	int64_t restored_ms; /* 0: never */
	int64_t now_ms;	     /* the running batch's */
	const char *by;	     /* who asks for what it does now; a constant */
	int64_t due_ms;	     /* nothing is due before */
	uint64_t changes_max;
	struct m_change *changes; /* m_change(); shared by copies, as only those up to `revision` count */
	uint64_t changes_base;	  /* the revision at which they begin: 0, or that of the last restore */
	int n_addresses;
	hf_u128 *keys; /* of M_ADDRESSES: which address each is */
	struct m_address *addresses;
	const hf_u128 *avoid; /* addresses that the strategy does not give away now, n_avoid of them */
	int n_avoid;
	int n_lost;
	struct m_lost lost[M_LOST_MAX];
	int64_t monotonic_ms;
	uint64_t vip_changes[HF_CAUSES + 1];
	int n_worn; /* 0 when the server starts */
	struct m_worn worn[M_WORN_MAX];
	struct m_met met;
};

struct m_answer {
	enum hf_err err;
	enum hf_peek peek;
	enum hf_outcome outcome;
	bool writes;	       /* something was written, or would have to be */
	bool held_by_previous; /* what it would delete is held by previous addresses alone */
	struct m_lease lease;  /* if err is HF_OK and peek HF_PEEK_DONE, or after a write */
};

/* The bytes of an identity: zone 0 mesh 0 kind service. Returns their number. */
size_t m_identity_bytes(const struct hf_identity *id, uint8_t bytes[HF_KEY_MAX + 1]);
int m_identity_order(const struct hf_identity *a, const struct hf_identity *b);
int m_find_zone(const struct model *m, const char *zone);
int m_find_identity(const struct model *m, const struct hf_identity *id);

/* A batch begins: what is due is carried out, `budget` at most. Returns how many were. */
int m_begin(struct model *m, int64_t now_ms, int budget);

/* What the verb must answer; with `write`, what it must do. */
struct m_answer m_acquire(struct model *m, const struct hf_acquire *request, bool write);
struct m_answer m_acquire_as(struct model *m, const struct hf_acquire *request, bool write, enum hf_cause cause);
struct m_answer m_release(struct model *m, const struct hf_release *request, bool write);
void m_quarantine(struct model *m, int who, enum hf_cause cause);
/* Epoch, then conditions. `lease` is NULL if there is none. */
enum hf_err m_judge_guard(const struct model *m, const struct hf_identity *id, const struct m_lease *lease,
			  const struct hf_guard *guard);
void m_etag(const struct m_lease *lease, char text[HF_ETAG_TEXT]);

/* What a scope (service aside) must be: its leases counted, and the XOR over the active ones. */
void m_scope(const struct model *m, const struct hf_identity *scope, struct hf_scope *ret);

/* Adds (XOR) an active lease's share to a digest. */
void m_add_digest(const struct model *m, int who, struct hf_digest *into);

struct m_address *m_address(const struct model *m, hf_u128 a); /* NULL: nobody is remembered */
int m_holder_of(const struct model *m, hf_u128 a);	       /* -1: nobody */

/* A change with the next revision, which it returns. */
uint64_t m_record(struct model *m, enum hf_change_type type, enum hf_cause cause, int pool, int who);

struct m_change *m_change(const struct model *m, uint64_t revision);

/* Holders and deadlines (model_due.c): an address is bound to a lease; a lease is gone; nothing is due before `at_ms`. */
void m_open_holder(struct model *m, hf_u128 a, int who);
void m_close_holder(struct model *m, hf_u128 a);
void m_end_lease(struct model *m, int who, enum hf_change_type type, enum hf_cause cause);
void m_due_at(struct model *m, int64_t at_ms);

/* What is remembered (model_affinity.c). For whom an address is: -1: for nobody; and how many of a pool are. */
int m_remembered_for(const struct model *m, hf_u128 a);
uint64_t m_count_remembered(const struct model *m, int pool, enum hf_family family);
/* A lease's quarantine has ended; an address is remembered no more; a pool has another configuration, or is gone. */
void m_remember(struct model *m, int who);
void m_forget_address(struct model *m, hf_u128 a);
void m_forget_by_pool(struct model *m, int pool);
/* Of what is not to be avoided now: the address that is handed out last of all; the pool of what an identity had (-1: it had none);
 * its address of a family; whether a new lease has just what it had. */
bool m_oldest_remembered(const struct model *m, int pool, enum hf_family family, hf_u128 *ret);
int m_pool_of_memory(const struct model *m, int who);
bool m_recall(const struct model *m, int who, int pool, enum hf_family family, hf_u128 *ret);
bool m_is_back(const struct model *m, int who, const struct m_lease *lease);

/* Zones (model_zones.c). The answers' connection and whether it is incremental are set unless refused. */
void m_see_zone(struct model *m, struct m_zone *zone);
struct m_answer m_connect(struct model *m, const struct hf_zone_connect *request, bool write, enum hf_connection *ret,
			  bool *ret_incremental);
struct m_answer m_disconnect(struct model *m, const struct hf_zone_disconnect *request, bool write);
/* Takes zones offline that were not refreshed; returns how many. The store was opened; a batch was given up, of which `aborted` is
 * what the model had become. */
int m_lapse(struct model *m);
void m_reopened(struct model *m, int64_t monotonic_ms);
void m_keep_refreshes(struct model *m, const struct model *aborted);
/* Whether an instance was the zone's once, too long ago to be remembered. */
bool m_is_forgotten(const struct model *m, const char *zone, const char *instance);
void m_zone_sum(const struct model *m, const char *zone, struct hf_scope *ret);

/* Restores (model_restore.c). The store becomes what `backup` was, in a new store epoch: at least `at_least`. */
void m_restore(struct model *m, const struct model *backup, uint64_t at_least, int64_t now_ms);
/* The strategy gives an address of a sequential pool to somebody. */
void m_move_cursor(struct model *m, int pool, hf_u128 a, int who);
/* An address has a holder: if it was lost, it is so no more. */
void m_end_loss(struct model *m, hf_u128 a, int who);

/* Ends the program if the model's arrays are too small. */
void m_check(bool ok, const char *what);

/* Makes the arrays, once (changes_max 0: for copies only); then a model of an empty store without pools; a copy. */
void m_new(struct model *m, uint64_t changes_max);
void m_reset(struct model *m);
void m_copy(struct model *to, const struct model *from);

/* Pools (model_pools.c). */
extern const char *const M_POOL_NAMES[M_POOLS];
enum hf_family m_family(hf_u128 a);
int m_find_pool(const struct model *m, const char *name); /* -1: there is none */
/* The pool that a new lease goes to; of the request the identity, the pool that it names, addresses and claims count. */
int m_choose_pool(const struct model *m, const struct hf_acquire *request);
/* The pool whose CIDRs have the address, if its selector matches; -1: there is none. */
int m_pool_for(const struct model *m, const struct hf_identity *id, hf_u128 a);
bool m_matches(const struct model *m, int pool, const struct hf_identity *id);
bool m_pool_serves(const struct model *m, int pool, int who); /* its selector matches */
bool m_in(const struct hf_range *ranges, int n, hf_u128 a);
hf_u128 m_capacity(const struct m_pool *pool, enum hf_family family);
hf_u128 m_address_at(const struct m_pool *pool, enum hf_family family, hf_u128 place);
bool m_pool_has_family(const struct m_pool *pool, enum hf_family family);
bool m_free(const struct model *m, int pool, hf_u128 a);
bool m_may_have(const struct model *m, int pool, hf_u128 a); /* it is free, and not to be avoided now */
bool m_next(const struct model *m, int pool, enum hf_family family, const struct hf_identity *id, hf_u128 *ret);
void m_drop_drained(struct model *m, int pool);
void m_usage(const struct model *m, int pool, enum hf_family family, struct hf_pool_usage *ret);
/* Sorts and merges the ranges as a pool's configuration has them, or says what is wrong with them. */
enum hf_err m_pool_config(struct m_config *config);
struct m_answer m_pool_put(struct model *m, const struct m_pool_put *request, int *ret_outcome);
struct m_answer m_pool_delete(struct model *m, const struct hf_pool_delete *request);

#endif

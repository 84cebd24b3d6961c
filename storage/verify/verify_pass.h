/* verify_pass.h — what the passes of verify share; for verify*.c, and for repair.c, which reads records the same way. */
#ifndef HF_STORAGE_VERIFY_VERIFY_PASS_H
#define HF_STORAGE_VERIFY_VERIFY_PASS_H

#include "storage/model/change.h"
#include "storage/model/lease.h"
#include "storage/model/meta.h"
#include "storage/model/pool.h"
#include "storage/tables/affinity.h"
#include "storage/tables/holders.h"
#include "verify.h"

/* A pool as it is stored, and as counted from the leases. */
struct hf_verify_pool {
	struct hf_pool pool;
	bool has_counts; /* they could be read */
	uint64_t active, quarantined;
	struct hf_pool_count count[HF_FAMILIES]; /* except the cursor */
};

struct hf_verify {
	struct hf_txn *txn;
	void (*violation)(void *context, enum hf_table table, const char *what);
	void *context;
	struct hf_meta meta;
	unsigned format; /* of the tables */
	int n_pools;
	struct hf_verify_pool *pools; /* sorted by name */
	struct hf_verify_counts counts;
};

/* Reports a violation; printf-like. */
void hf_verify_say(struct hf_verify *v, enum hf_table table, const char *format, ...) HF_PRINTF(3, 4);

/* Reports a key, in hex, that cannot be decoded, or whose record cannot. */
void hf_verify_damaged(struct hf_verify *v, enum hf_table table, struct hf_slice key);

/* Reads the lease of an identity; returns false if it does not exist or is damaged, which another pass reports. */
bool hf_verify_lease(struct hf_verify *v, const struct hf_identity *id, struct hf_lease *ret);

/* Reads the current holder of an address; returns false if it is not held, or the record is damaged. */
bool hf_verify_holder(struct hf_verify *v, struct hf_addr a, struct hf_holder *ret);

/* Reads the last past holder of an address; returns false if there is none, or its record is damaged. */
bool hf_verify_last_past(struct hf_txn *txn, struct hf_addr a, struct hf_holder *ret);

/* Whether an address is remembered in a pool for its last holder. */
bool hf_verify_is_remembered(struct hf_verify *v, const struct hf_pool *pool, struct hf_addr a);

/* Finds the lowest address of a range that is; reads the history of the range up to there. */
bool hf_verify_next_remembered(struct hf_verify *v, const struct hf_pool *pool, struct hf_range range, struct hf_addr *ret);

/* Whether an address can be remembered for an identity, by leases, pools (NULL: its pool does not exist), addresses and history. */
bool hf_verify_may_remember(struct hf_verify *v, const struct hf_pool *pool, const struct hf_identity *id,
			    const struct hf_memory *memory, struct hf_addr a);

/* Reads the feed's entry of a revision; returns false if it does not exist, or is damaged. */
bool hf_verify_change(struct hf_verify *v, uint64_t revision, struct hf_change *ret);

/* The passes, in this order: read the pools and compare their ranges; count the leases and the remembered addresses into them;
 * compare the counts. If hf_verify_load_pools() succeeds, the caller ends with hf_verify_free_pools().
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_verify_load_pools(struct hf_verify *v, struct hf_why *why) HF_CHECKED;
void hf_verify_free_pools(struct hf_verify *v);
void hf_verify_leases(struct hf_verify *v);   /* and scopes */
void hf_verify_affinity(struct hf_verify *v); /* counts into the pools as well */
void hf_verify_pools(struct hf_verify *v);
void hf_verify_free(struct hf_verify *v);
void hf_verify_addresses(struct hf_verify *v); /* and history */
void hf_verify_deadlines(struct hf_verify *v);

#endif

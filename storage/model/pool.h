/* pool.h — a pool: a named set of CIDRs with a strategy, a quarantine time, reserved ranges and a selector.
 *
 * A pool has two parts: the configuration, which an administrator writes, and the counters and cursors, which change with every
 * allocation. The functions are pure; the store keeps one writable copy of each pool (see store.h) and readers decode their own.
 *
 * Words: a pool's *ranges* are its CIDRs. A range is *draining* if it was removed from the pool while it had leases: those leases
 * stay, nothing new is allocated there, and the range goes with its last lease. An address is *overlaid* if it is held although it
 * lies in a reserved or a draining range.
 */
#ifndef HF_STORAGE_MODEL_POOL_H
#define HF_STORAGE_MODEL_POOL_H

#include "storage/base/address.h"
#include "storage/base/bytes.h"
#include "storage/base/identity.h"

enum hf_strategy { HF_SEQUENTIAL = 1, HF_HASHED = 2 };

#define HF_POOL_CIDRS_MAX 64
#define HF_POOL_DRAINING_MAX 128
#define HF_POOL_RESERVED_MAX 128
#define HF_POOL_SELECTOR_MAX 64
#define HF_QUARANTINE_MAX_SECONDS (366u * 24 * 3600)

/* The names that a selector lists; an empty list means all. */
struct hf_names {
	int n;
	char names[HF_POOL_SELECTOR_MAX][HF_NAME_MAX + 1];
};

/* What an administrator writes. Ranges are in ascending order. */
struct hf_pool_config {
	enum hf_strategy strategy;
	uint32_t quarantine_seconds; /* 0 to HF_QUARANTINE_MAX_SECONDS */
	int n_cidrs, n_reserved;
	struct hf_range cidrs[HF_POOL_CIDRS_MAX];
	struct hf_range reserved[HF_POOL_RESERVED_MAX]; /* each inside one CIDR; they do not overlap */
	unsigned kinds;					/* bit 1 << kind; 0: all kinds */
	struct hf_names meshes, zones;
};

/* Counters of one address family. */
struct hf_pool_count {
	uint64_t leased, quarantined; /* addresses held, by the state of their lease, wherever they are */
	uint64_t previous;	      /* of these, the previous addresses of a lease (lease.h) */
	uint64_t overlaid_reserved;   /* of these, the addresses in reserved ranges */
	uint64_t overlaid_draining;   /* of these, the addresses in draining ranges */
	struct hf_addr cursor;	      /* sequential: where the next search begins */
};

struct hf_pool {
	uint32_t id; /* never reused */
	char name[HF_NAME_MAX + 1];
	struct hf_pool_config config;
	int n_draining;
	struct hf_range draining[HF_POOL_DRAINING_MAX];
	uint64_t active, quarantined;		 /* leases by state */
	struct hf_pool_count count[HF_FAMILIES]; /* addresses, by enum hf_family */
	uint64_t revision;			 /* of the store, at the configuration's last change */
	int64_t created_ms, modified_ms;
	bool touched; /* marks the writer's copy for writing at the commit; not on disk */
};

#define HF_POOL_RECORD_MAX 20480 /* bytes */

struct hf_slice hf_pool_encode(const struct hf_pool *pool, uint8_t buffer[HF_POOL_RECORD_MAX]);
bool hf_pool_decode(struct hf_slice key, struct hf_slice value, struct hf_pool *ret) HF_CHECKED;

/* Sorts the ranges, merges overlapping reserved ranges, makes the selectors sets, and checks where the ranges lie.
 * Fails with HF_E_POOL_OVERLAP if two CIDRs overlap.
 * Fails with HF_E_INVALID_PARAMETER if no CIDR is stated, or a reserved range lies outside every CIDR. */
enum hf_err hf_pool_config_check(struct hf_pool_config *config, struct hf_why *why) HF_CHECKED;
bool hf_pool_config_equal(const struct hf_pool_config *a, const struct hf_pool_config *b);
bool hf_pool_ranges_equal(const struct hf_pool_config *a,
			  const struct hf_pool_config *b); /* compares only CIDRs and reserved ranges */

/* Returns whether a CIDR of a configuration overlaps a range of a pool, draining ones included; if so, sets both ranges. */
bool hf_pool_overlaps(const struct hf_pool_config *config, const struct hf_pool *pool, struct hf_range *ret_ours,
		      struct hf_range *ret_theirs);

/* Where an address lies. */
enum hf_place { HF_OUTSIDE, HF_ALLOCATABLE, HF_RESERVED, HF_DRAINING };

/* Returns where an address lies in a pool. For HF_ALLOCATABLE and HF_RESERVED, sets *ret_cidr (may be NULL) to the CIDR that
 * contains it. */
enum hf_place hf_pool_place(const struct hf_pool *pool, struct hf_addr a, struct hf_range *ret_cidr);

bool hf_pool_has_family(const struct hf_pool *pool, enum hf_family family);

/* Counts of addresses by state, as the API shows them. `draining` counts the leased and quarantined addresses outside the
 * capacity, so capacity + draining = leased + quarantined + reserved + free. */
struct hf_pool_usage {
	hf_u128 capacity, leased, quarantined, reserved, free, draining;
};
void hf_pool_usage(const struct hf_pool *pool, enum hf_family family, struct hf_pool_usage *ret);

/* Returns how well the selector fits: -1 if a stated part does not match, else the number of stated parts (0 to 3). */
int hf_pool_match(const struct hf_pool *pool, const struct hf_identity *id);

/* Appends the parts of `range` outside all `n` CIDRs to ret[*ret_n], as CIDRs. Returns false if they exceed `max`. */
bool hf_range_subtract(struct hf_range range, const struct hf_range *cidrs, int n, struct hf_range *ret, int max, int *ret_n);

/* Returns whether a range of one pool overlaps a range of the other, draining ones included on both sides; if so, sets both
 * ranges. */
bool hf_pool_collides(const struct hf_pool *ours, const struct hf_pool *theirs, struct hf_range *ret_ours,
		      struct hf_range *ret_theirs);

/* Returns whether a pool's cursor is at a valid place: the beginning (0), an address of its family, or right after the family's
 * last. */
bool hf_pool_cursor_is_sound(const struct hf_pool *pool, enum hf_family family);

#endif

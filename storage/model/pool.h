/* pool.h — a pool: a named set of address ranges with a strategy, a quarantine time, reserved ranges and a selector.
 *
 * A pool has two parts: the configuration, which an administrator writes, and the counters and cursors, which change with every
 * allocation. They are two records on disk (tables/pool_table.h), and an allocation writes only the second. The functions are pure;
 * the store keeps one writable copy of each pool (see store.h) and readers decode their own. All copies share the lists of ranges
 * (ranges.h), so a struct hf_pool owns its lists: hf_pool_copy() copies it, and hf_pool_drop() gives it up.
 *
 * Words: a pool's *CIDRs* are its ranges, whether each is a CIDR or not. A range is *draining* if it was removed from the pool
 * while it had leases: those leases stay, nothing new is allocated there, and the range goes with its last lease. An address is
 * *overlaid* if it is held although it lies in a reserved or a draining range. An address is *previous* if its lease moved to
 * another one and keeps it for a while, and *remembered* if it is free and kept for the identity that had it.
 */
#ifndef HF_STORAGE_MODEL_POOL_H
#define HF_STORAGE_MODEL_POOL_H

#include "condition.h"
#include "ranges.h"
#include "storage/base/identity.h"

enum hf_strategy { HF_SEQUENTIAL = 1, HF_HASHED = 2 };

#define HF_POOL_RANGES_MAX 4096 /* CIDRs; reserved ranges; draining ranges */
#define HF_POOL_SELECTOR_MAX 64
#define HF_QUARANTINE_MAX_SECONDS (366u * 24 * 3600)

/* The names that a selector lists; an empty list means all. */
struct hf_names {
	int n;
	char names[HF_POOL_SELECTOR_MAX][HF_NAME_MAX + 1];
};

/* What an administrator writes. */
struct hf_pool_config {
	enum hf_strategy strategy;
	uint32_t quarantine_seconds; /* 0 to HF_QUARANTINE_MAX_SECONDS */
	struct hf_ranges cidrs;
	struct hf_ranges reserved; /* each inside one CIDR */
	unsigned kinds;		   /* bit 1 << kind; 0: all kinds */
	struct hf_names meshes, zones;
};

/* Counters of one address family. */
struct hf_pool_count {
	uint64_t leased, quarantined; /* addresses held, by the state of their lease, wherever they are */
	uint64_t previous;	      /* of these, the previous addresses of a lease (lease.h) */
	uint64_t remembered;	      /* addresses that are free and remembered */
	uint64_t overlaid_reserved;   /* of the held ones, the addresses in reserved ranges */
	uint64_t overlaid_draining;   /* of the held ones, the addresses in draining ranges */
	struct hf_addr cursor;	      /* sequential: where the next search begins */
};

struct hf_pool {
	uint32_t id; /* never reused */
	char name[HF_NAME_MAX + 1];
	struct hf_pool_config config;
	struct hf_ranges draining;
	uint64_t active, quarantined;		 /* leases by state */
	struct hf_pool_count count[HF_FAMILIES]; /* addresses, by enum hf_family */
	uint64_t revision;			 /* of the store, at the configuration's last change */
	int64_t created_ms, modified_ms;
	/* Marks of the writer's copy, not on disk: what the commit has to write. */
	bool touched; /* counters or cursors */
	bool edited;  /* the configuration or the draining ranges */
};

/* Copies into *ret, whose former value is overwritten; gives up. */
void hf_pool_config_copy(const struct hf_pool_config *config, struct hf_pool_config *ret);
void hf_pool_config_drop(struct hf_pool_config *config);
void hf_pool_copy(const struct hf_pool *pool, struct hf_pool *ret);
void hf_pool_drop(struct hf_pool *pool);

#define HF_POOL __attribute__((cleanup(hf_pool_drop))) struct hf_pool

/* Merges overlapping reserved ranges, makes the selectors sets, and checks where the ranges lie.
 * Fails with HF_E_POOL_OVERLAP if two CIDRs overlap.
 * Fails with HF_E_INVALID_PARAMETER if no CIDR is stated, or a reserved range lies outside every CIDR.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_pool_config_check(struct hf_pool_config *config, struct hf_why *why) HF_CHECKED;
bool hf_pool_config_equal(const struct hf_pool_config *a, const struct hf_pool_config *b);
bool hf_pool_ranges_equal(const struct hf_pool_config *a,
			  const struct hf_pool_config *b); /* compares only CIDRs and reserved ranges */

/* Returns whether a CIDR of a configuration overlaps a range of a pool, draining ones included; if so, sets both ranges. */
bool hf_pool_overlaps(const struct hf_pool_config *config, const struct hf_pool *pool, struct hf_range *ret_ours,
		      struct hf_range *ret_theirs);

/* Writes the entity tag of the configuration, quotes included: "REVISION". Counts may change while it stays. */
void hf_pool_etag(const struct hf_pool *pool, char ret_text[HF_ETAG_TEXT]);

/* Where an address lies. */
enum hf_place { HF_OUTSIDE, HF_ALLOCATABLE, HF_RESERVED, HF_DRAINING };

/* Returns where an address lies in a pool. For HF_ALLOCATABLE and HF_RESERVED, sets *ret_cidr (may be NULL) to the CIDR that
 * contains it. */
enum hf_place hf_pool_place(const struct hf_pool *pool, struct hf_addr a, struct hf_range *ret_cidr);

bool hf_pool_has_family(const struct hf_pool *pool, enum hf_family family);

/* Counts of addresses by state, as the API shows them. `draining` counts the leased and quarantined addresses outside the
 * capacity, so capacity + draining = leased + quarantined + reserved + free. `previous` is a part of leased and quarantined, and
 * `remembered` is a part of free. */
struct hf_pool_usage {
	hf_u128 capacity, leased, quarantined, reserved, free, draining, previous, remembered;
};
void hf_pool_usage(const struct hf_pool *pool, enum hf_family family, struct hf_pool_usage *ret);

/* Returns how well the selector fits: -1 if a stated part does not match, else the number of stated parts (0 to 3). */
int hf_pool_match(const struct hf_pool *pool, const struct hf_identity *id);

/* Returns what is left around an address of `range` when the CIDRs, none of which has the address, take their parts of the range:
 * all of it if they take nothing, otherwise the largest CIDR. */
struct hf_range hf_pool_left_around(struct hf_addr a, struct hf_range range, const struct hf_ranges *cidrs);

/* Returns whether a range of one pool overlaps a range of the other, draining ones included on both sides; if so, sets both
 * ranges. */
bool hf_pool_collides(const struct hf_pool *ours, const struct hf_pool *theirs, struct hf_range *ret_ours,
		      struct hf_range *ret_theirs);

/* Returns whether a pool's cursor is at a valid place: the beginning (0), an address of its family, or right after the family's
 * last. */
bool hf_pool_cursor_is_sound(const struct hf_pool *pool, enum hf_family family);

#endif

/* change.h — one entry of the change feed, and its record on disk. Pure and thread-safe. */
#ifndef HF_STORAGE_MODEL_CHANGE_H
#define HF_STORAGE_MODEL_CHANGE_H

#include "lease.h"

#define HF_CHANGE_LIST(X)                                                                                                          \
	X(ACQUIRED, "acquired")                                                                                                    \
	X(UPDATED, "updated")                                                                                                      \
	X(RESTORED, "restored")                                                                                                    \
	X(RELEASED, "released")                                                                                                    \
	X(EXPIRED, "expired")                                                                                                      \
	X(PURGED, "purged")                                                                                                        \
	X(MOVED, "moved")                                                                                                          \
	X(POOL_WRITTEN, "pool-written")                                                                                            \
	X(POOL_DELETED, "pool-deleted")                                                                                            \
	X(TRANSFERRED, "transferred")

/* The values are on disk: append only. */
enum hf_change_type {
	HF_CHANGE_NONE,
#define HF_CHANGE_ENUM(name, text) HF_CHANGE_##name,
	HF_CHANGE_LIST(HF_CHANGE_ENUM)
#undef HF_CHANGE_ENUM
		HF_CHANGE_TYPES
};

/* What made the change: a client's request for one lease or pool, an expired deadline, the store's first start, a zone's sync, or
 * an administrator's import. The values are on disk: append only. */
enum hf_cause { HF_CAUSE_REQUEST = 1, HF_CAUSE_DEADLINE = 2, HF_CAUSE_START = 3, HF_CAUSE_SYNC = 4, HF_CAUSE_ADMIN = 5 };
#define HF_CAUSES 5

/* Who asked for a change: the caller's name, at most HF_BY_MAX bytes; "" for a caller without one. Holdfast has names of its own:
 * for what a deadline or the first start does, and for what a command does to a store that no server has open. */
#define HF_BY_MAX 64
#define HF_BY_ANONYMOUS "anonymous" /* how "" is shown */
#define HF_BY_HOLDFAST "holdfast"
#define HF_BY_OFFLINE "offline"

const char *hf_change_type_name(enum hf_change_type type);
const char *hf_cause_name(enum hf_cause cause);
const char *hf_by_name(const char *by); /* as it is shown; returns `by` or a constant */

struct hf_change {
	uint64_t revision;
	int64_t at_ms;
	enum hf_change_type type;
	enum hf_cause cause;
	char by[HF_BY_MAX + 1];
	char pool[HF_NAME_MAX + 1];
	bool has_lease; /* the members below are set; otherwise the change concerns the pool itself */
	struct hf_identity id;
	struct hf_identity from; /* of a transfer: who had the lease before */
	uint64_t generation;
	int n_vips;
	struct hf_addr vips[HF_FAMILIES];
	int n_previous;
	struct hf_previous previous[HF_PREVIOUS_MAX]; /* without their overlap_seconds */
};

#define HF_CHANGE_KEY_BYTES 8
struct hf_slice hf_change_key(uint64_t revision, uint8_t buffer[HF_CHANGE_KEY_BYTES]);

#define HF_CHANGE_RECORD_MAX 1408 /* bytes */

struct hf_slice hf_change_encode(const struct hf_change *change, uint8_t buffer[HF_CHANGE_RECORD_MAX]);
bool hf_change_decode(struct hf_slice key, struct hf_slice value, struct hf_change *ret) HF_CHECKED;

#endif

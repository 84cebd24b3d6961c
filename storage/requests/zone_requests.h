/* zone_requests.h — connects, disconnects and reads zones.
 *
 * A zone's control plane connects under the name of an instance, which stands for one leadership term and is never used again.
 * Each connection except a refresh raises the zone's epoch, which fences late writes of the previous control plane. A connection
 * does not change any lease: it creates neither a revision nor an entry in the feed.
 *
 * Each request has two halves that judge by the same rules (zone_rules.h), as in leases.h. `peek` judges it on a reader's
 * snapshot: a refresh, a repeated disconnection or a refused request ends there. `begin` prepares the write for the committer.
 * Results are plain copies in the request's struct.
 */
#ifndef HF_STORAGE_REQUESTS_ZONE_REQUESTS_H
#define HF_STORAGE_REQUESTS_ZONE_REQUESTS_H

#include "storage/model/zone_rules.h"
#include "storage/store/store.h"
#include "storage/store/write.h"

/* The current zone, and the sum over its leases. */
struct hf_zone_info {
	struct hf_zone zone;
	struct hf_scope sum;
};

/* Connects a zone's control plane. The caller fills the request; the store fills the result. */
struct hf_zone_connect {
	struct hf_write write;
	char name[HF_NAME_MAX + 1];	    /* the zone's; checked */
	char instance[HF_INSTANCE_MAX + 1]; /* not empty */
	int64_t ttl_ms; /* 0: the connection lasts until it is ended; else HF_TTL_MIN_SECONDS to HF_TTL_MAX_SECONDS */
	bool has_epoch; /* fenced by this zone epoch */
	uint64_t epoch;
	/* The result. */
	enum hf_connection connection;
	bool incremental; /* the zone can continue from `info.sum` instead of sending everything */
	struct hf_zone_info info;
	uint64_t revision, store_epoch; /* of the store, at the time of the sum */
};

/* Judges a connection on the reader's snapshot. *ret is never HF_PEEK_READ_BODY. A refresh with the same ttl ends here: its time
 * begins again, in memory. Thread-safe.
 * Fails with HF_E_STALE_EPOCH if the stated epoch is not the zone's current one, or another instance has superseded this one.
 * Fails with HF_E_INVALID_NAME if the zone is `global`.
 * Fails with the reader's fault. */
enum hf_err hf_zone_connect_peek(struct hf_store *store, struct hf_txn *reader, struct hf_zone_connect *request, struct hf_why *why,
				 enum hf_peek *ret) HF_CHECKED;

/* Prepares the write, which fails with the errors of hf_zone_connect_peek(). */
void hf_zone_connect_begin(struct hf_zone_connect *request);

/* Disconnects a zone: its leases are frozen until it connects again. */
struct hf_zone_disconnect {
	struct hf_write write;
	char name[HF_NAME_MAX + 1]; /* the zone's; checked */
	bool has_epoch;		    /* fenced by this zone epoch */
	uint64_t epoch;
	/* The result: the zone, offline. */
	struct hf_zone_info info;
};

/* Judges a disconnection on the reader's snapshot. *ret is never HF_PEEK_READ_BODY.
 * Fails with HF_E_STALE_EPOCH if the stated epoch is not the zone's current one.
 * Fails with HF_E_NOT_FOUND if the zone never connected, or was retired.
 * Fails with the reader's fault. */
enum hf_err hf_zone_disconnect_peek(struct hf_txn *reader, struct hf_zone_disconnect *request, struct hf_why *why,
				    enum hf_peek *ret) HF_CHECKED;

/* Prepares the write, which fails with the errors of hf_zone_disconnect_peek(). */
void hf_zone_disconnect_begin(struct hf_zone_disconnect *request);

/* Reads a zone.
 * Fails with HF_E_NOT_FOUND if it never had a lease or a connection, or was retired.
 * Fails with the reader's fault. */
enum hf_err hf_zone_get(struct hf_txn *reader, const char *name, struct hf_why *why, struct hf_zone_info *ret) HF_CHECKED;

/* Calls `take` for the zones after a name ("": all) that are not retired, by name, until it returns false; then sets *ret_more. A
 * zone is valid only during its call.
 * Fails with the reader's fault. */
enum hf_err hf_zones_page(struct hf_txn *reader, const char *after, bool (*take)(void *context, const struct hf_zone_info *info),
			  void *context, struct hf_why *why, bool *ret_more) HF_CHECKED;

/* Counts the zones by enum hf_zone_state.
 * Fails with the reader's fault. */
enum hf_err hf_zones_count(struct hf_txn *reader, struct hf_why *why, uint64_t ret[HF_ZONE_STATES]) HF_CHECKED;

#endif

/* zone_requests.h — connect, disconnect and read zones.
 *
 * A zone's control plane connects under the name of an instance: one leadership term, never used again. Each connection but a
 * refresh raises the zone's epoch, which fences late writes of the control plane before. Connections are no changes of a lease:
 * they make no revision and no entry in the feed.
 *
 * Each verb comes in two halves that judge by the same rules (zone_rules.h), as those of leases.h do: `peek` looks at a reader's
 * snapshot, where a refresh, a repeated disconnection or a refusal ends; `begin` makes the struct a write for the committer.
 * Results are plain copies in the request's struct.
 */
#ifndef HF_STORAGE_REQUESTS_ZONE_REQUESTS_H
#define HF_STORAGE_REQUESTS_ZONE_REQUESTS_H

#include "storage/model/zone_rules.h"
#include "storage/store/store.h"
#include "storage/store/write.h"

/* A zone as it is, and the sum over its leases. */
struct hf_zone_info {
	struct hf_zone zone;
	struct hf_scope sum;
};

/* Connect a zone's control plane. The caller fills the request; the store fills the result. */
struct hf_zone_connect {
	struct hf_write write;
	char name[HF_NAME_MAX + 1];	    /* the zone's; checked */
	char instance[HF_INSTANCE_MAX + 1]; /* not empty */
	bool has_epoch;			    /* fenced by this zone epoch */
	uint64_t epoch;
	/* The result. */
	enum hf_connection connection;
	bool incremental; /* the zone can go on from the sum below, instead of sending everything */
	struct hf_zone_info info;
	uint64_t revision, store_epoch; /* of the store that the sum was taken from */
};

/* HF_E_STALE_EPOCH: the stated epoch is not the zone's, or another instance has superseded this one. HF_E_INVALID_NAME: the zone is
 * `global`. Or a storage fault. Never HF_PEEK_READ_BODY. */
enum hf_err hf_zone_connect_peek(struct hf_txn *reader, struct hf_zone_connect *request, struct hf_why *why,
				 enum hf_peek *ret) HF_CHECKED;

/* Makes it a write, with peek's errors. */
void hf_zone_connect_begin(struct hf_zone_connect *request);

/* Disconnect a zone: its leases are frozen until it connects again. */
struct hf_zone_disconnect {
	struct hf_write write;
	char name[HF_NAME_MAX + 1]; /* the zone's; checked */
	bool has_epoch;		    /* fenced by this zone epoch */
	uint64_t epoch;
	/* The result: the zone, offline. */
	struct hf_zone_info info;
};

/* HF_E_STALE_EPOCH, HF_E_NOT_FOUND (it never connected), or a storage fault. Never HF_PEEK_READ_BODY. */
enum hf_err hf_zone_disconnect_peek(struct hf_txn *reader, struct hf_zone_disconnect *request, struct hf_why *why,
				    enum hf_peek *ret) HF_CHECKED;

/* Makes it a write, with peek's errors. */
void hf_zone_disconnect_begin(struct hf_zone_disconnect *request);

/* Reads a zone. HF_E_NOT_FOUND: it never had a lease or a connection, or was retired. Or a fault. */
enum hf_err hf_zone_get(struct hf_txn *reader, const char *name, struct hf_why *why, struct hf_zone_info *ret) HF_CHECKED;

/* Calls `each` for every zone that was not retired, by name. The zone is the callee's only during the call. */
enum hf_err hf_zones_each(struct hf_txn *reader, void (*each)(void *context, const struct hf_zone_info *info), void *context,
			  struct hf_why *why) HF_CHECKED;

/* The same for the zones after a name ("": all), as long as `take` takes them; *ret_more: there was one that it did not. */
enum hf_err hf_zones_page(struct hf_txn *reader, const char *after, bool (*take)(void *context, const struct hf_zone_info *info),
			  void *context, struct hf_why *why, bool *ret_more) HF_CHECKED;

/* How many zones there are of each state. */
enum hf_err hf_zones_count(struct hf_txn *reader, struct hf_why *why, uint64_t ret[HF_ZONE_STATES]) HF_CHECKED;

#endif

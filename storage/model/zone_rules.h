/* zone_rules.h — the zone rules, pure: who may connect, how a connection changes a zone, and what is frozen.
 *
 * The rules read neither a clock nor the store, and write nothing. The same rules judge a request on a reader's snapshot and again
 * inside the write transaction. `zone` is the current zone; a zone without a record is unmanaged and has epoch 0. Thread-safe.
 */
#ifndef HF_STORAGE_MODEL_ZONE_RULES_H
#define HF_STORAGE_MODEL_ZONE_RULES_H

#include "storage/base/err.h"
#include "zone.h"

#define HF_ZONE_GLOBAL "global" /* the zone of resources that belong to no zone; it has no control plane of its own */

enum hf_connection {
	HF_CONNECTION_FIRST,	 /* the zone has never connected: its first epoch in this store epoch, 1 in a new store */
	HF_CONNECTION_RECONNECT, /* a new instance, or the current one after it was offline: epoch + 1 */
	HF_CONNECTION_REFRESH	 /* the current instance again: nothing changes */
};
const char *hf_connection_name(enum hf_connection connection); /* "first" … */

/* Judges the epoch that a write states, if any.
 * Fails with HF_E_STALE_EPOCH if it is not the zone's current epoch, or the zone was retired. */
enum hf_err hf_zone_rules_fence(const struct hf_zone *zone, bool has_epoch, uint64_t epoch, struct hf_why *why) HF_CHECKED;

/* Judges a connection.
 * Fails with HF_E_INVALID_NAME if the zone is `global`.
 * Fails with HF_E_STALE_EPOCH if another instance has superseded this one. */
enum hf_err hf_zone_rules_connect(const struct hf_zone *zone, const char *instance, struct hf_why *why,
				  enum hf_connection *ret) HF_CHECKED;

/* Returns the zone after a first connection or a reconnection that states `ttl_ms` (0: none). `store_epoch` is the store's current
 * one. */
struct hf_zone hf_zone_rules_connected(const struct hf_zone *zone, const char *instance, int64_t ttl_ms, uint64_t store_epoch,
				       int64_t now_ms);

/* Returns whether the zone can continue from what the store knows about it instead of sending everything: it has `active` leases
 * and has connected since the store's last restore. `zone` is the zone before this connection. */
bool hf_zone_rules_is_incremental(const struct hf_zone *zone, uint64_t active, uint64_t store_epoch);

/* Judges a disconnection. Sets *ret_changes if it changes the zone.
 * Fails with HF_E_NOT_FOUND if the zone never connected, or was retired. */
enum hf_err hf_zone_rules_disconnect(const struct hf_zone *zone, struct hf_why *why, bool *ret_changes) HF_CHECKED;

/* Judges the retirement of a zone. `exists`: the zone has a record. `left`: it was retired, and some of its addresses are still to
 * be freed.
 * Fails with HF_E_INVALID_NAME if the zone is `global`.
 * Fails with HF_E_NOT_FOUND if the zone has no record, or was retired and `left` is false.
 * Fails with HF_E_STALE_EPOCH if the stated epoch is not the zone's current one.
 * Fails with HF_E_ZONE_ONLINE if its control plane is connected. */
enum hf_err hf_zone_rules_retire(const struct hf_zone *zone, bool exists, bool left, bool has_epoch, uint64_t epoch,
				 struct hf_why *why) HF_CHECKED;

/* Returns a retired zone after a new lease: it has no control plane, and the earlier ones stay fenced off. */
struct hf_zone hf_zone_rules_revived(const struct hf_zone *zone, int64_t now_ms);

/* Returns when a quarantine that was due at `until_ms` ends; the pool's quarantine time is `quarantine_ms`. Returns `until_ms`
 * itself, or the time after `now_ms` when the quarantine must be judged again. The latter applies while the zone is offline, until
 * it has been back for `quarantine_ms`, and until that long after a restore (at `restored_ms`; 0: never), because a lease released
 * in the backup may have been acquired again since. A forced quarantine does not wait for the zone. */
int64_t hf_zone_rules_quarantine_end(const struct hf_zone *zone, bool forced, int64_t restored_ms, int64_t until_ms,
				     int64_t quarantine_ms, int64_t now_ms);

#endif

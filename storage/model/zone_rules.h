/* zone_rules.h — the zone rules, pure: who may connect, what a connection makes of a zone, and what of it is frozen.
 *
 * No rule reads a clock or the store, and none writes; the same rules judge a request on a reader's snapshot and again inside the
 * write transaction. `zone` is the zone as it is; one that has no record is unmanaged and of epoch 0. Thread-safe.
 */
#ifndef HF_STORAGE_MODEL_ZONE_RULES_H
#define HF_STORAGE_MODEL_ZONE_RULES_H

#include "storage/base/err.h"
#include "zone.h"

#define HF_ZONE_GLOBAL "global" /* what belongs to no zone; it has no control plane of its own */

enum hf_connection {
	HF_CONNECTION_FIRST,	 /* the zone never connected before: the store epoch's first, at birth 1 */
	HF_CONNECTION_RECONNECT, /* a new instance, or the current one after it was offline: epoch + 1 */
	HF_CONNECTION_REFRESH	 /* the current instance again: nothing changes */
};
const char *hf_connection_name(enum hf_connection connection); /* "first" … */

/* Judges the epoch that a write states, if it states one. HF_E_STALE_EPOCH: it is not the zone's, or the zone was retired. */
enum hf_err hf_zone_rules_fence(const struct hf_zone *zone, bool has_epoch, uint64_t epoch, struct hf_why *why) HF_CHECKED;

/* Judges a connection. HF_E_INVALID_NAME: the zone is `global`. HF_E_STALE_EPOCH: another instance has superseded this one. */
enum hf_err hf_zone_rules_connect(const struct hf_zone *zone, const char *instance, struct hf_why *why,
				  enum hf_connection *ret) HF_CHECKED;

/* The zone that a first connection or a reconnection makes of `zone`; `store_epoch` is the store's. */
struct hf_zone hf_zone_rules_connected(const struct hf_zone *zone, const char *instance, uint64_t store_epoch, int64_t now_ms);

/* Whether the zone can go on from what the store knows of it, instead of sending everything: it has `active` leases and had
 * connected since the store's last restore, `zone` being the zone before the connection. */
bool hf_zone_rules_is_incremental(const struct hf_zone *zone, uint64_t active, uint64_t store_epoch);

/* Judges a disconnection; *ret_changes is true if it changes the zone. HF_E_NOT_FOUND: the zone never connected, or was
 * retired. */
enum hf_err hf_zone_rules_disconnect(const struct hf_zone *zone, struct hf_why *why, bool *ret_changes) HF_CHECKED;

/* Judges the retirement of a zone; `exists`: it has a record, `left`: it was retired, and something of it is still to be freed.
 * HF_E_INVALID_NAME: the zone is `global`. HF_E_NOT_FOUND, HF_E_STALE_EPOCH, HF_E_ZONE_ONLINE. */
enum hf_err hf_zone_rules_retire(const struct hf_zone *zone, bool exists, bool left, bool has_epoch, uint64_t epoch,
				 struct hf_why *why) HF_CHECKED;

/* The zone that a lease makes of one that was retired: no control plane is there, and those of before are fenced off. */
struct hf_zone hf_zone_rules_revived(const struct hf_zone *zone, int64_t now_ms);

/* When a quarantine of the zone's that was due at `until_ms` ends, by a pool of that quarantine time: then, or at a moment after
 * `now_ms` at which it is to be judged again, because the zone is offline or has not been back for that long, or the store was
 * restored (at `restored_ms`; 0: never) less than that ago: who was released in the backup may have come back since. A forced one
 * does not wait for the zone. */
int64_t hf_zone_rules_quarantine_end(const struct hf_zone *zone, bool forced, int64_t restored_ms, int64_t until_ms,
				     int64_t quarantine_ms, int64_t now_ms);

#endif

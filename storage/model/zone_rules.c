/* zone_rules.c — the zone rules. */
#include "zone_rules.h"

#include <inttypes.h>

#include "storage/base/clock.h"

#define HELD_MIN_MS 1000 /* the shortest interval between two checks of an offline zone's quarantines */

static const char *const CONNECTIONS[] = {
	[HF_CONNECTION_FIRST] = "first",
	[HF_CONNECTION_RECONNECT] = "reconnect",
	[HF_CONNECTION_REFRESH] = "refresh",
};

const char *hf_connection_name(enum hf_connection connection) { return CONNECTIONS[connection]; }

enum hf_err hf_zone_rules_fence(const struct hf_zone *zone, bool has_epoch, uint64_t epoch, struct hf_why *why) {
	if (has_epoch && epoch != zone->epoch)
		return hf_fail(why, HF_E_STALE_EPOCH, "the zone's epoch is %" PRIu64 ", not %" PRIu64, zone->epoch, epoch);
	if (has_epoch && zone->state == HF_ZONE_RETIRED)
		return hf_fail(why, HF_E_STALE_EPOCH, "zone \"%s\" was retired at epoch %" PRIu64 "; it goes on with a connection",
			       zone->name, zone->epoch);
	return HF_OK;
}

enum hf_err hf_zone_rules_connect(const struct hf_zone *zone, const char *instance, struct hf_why *why, enum hf_connection *ret) {
	if (strcmp(zone->name, HF_ZONE_GLOBAL) == 0)
		return hf_fail(why, HF_E_INVALID_NAME,
			       "zone \"" HF_ZONE_GLOBAL "\" holds what belongs to no zone; it cannot connect");
	int at = 0;
	while (at < zone->n_instances && strcmp(zone->instances[at], instance) != 0)
		at++;
	if (at > 0 && at < zone->n_instances)
		return hf_fail(why, HF_E_STALE_EPOCH, "instance \"%.60s\" was superseded; the zone's epoch is %" PRIu64, instance,
			       zone->epoch);
	if (zone->epoch == 0)
		*ret = HF_CONNECTION_FIRST;
	else
		*ret = at == 0 && zone->state == HF_ZONE_ONLINE ? HF_CONNECTION_REFRESH : HF_CONNECTION_RECONNECT;
	return HF_OK;
}

struct hf_zone hf_zone_rules_connected(const struct hf_zone *zone, const char *instance, int64_t ttl_ms, uint64_t store_epoch,
				       int64_t now_ms) {
	struct hf_zone after = *zone;
	after.state = HF_ZONE_ONLINE;
	after.reconnects += zone->epoch > 0;
	if (zone->epoch == 0) /* start above every epoch issued before a restore, which the backup may not contain */
		after.epoch = (store_epoch - 1) << HF_BAND_BITS;
	after.epoch++;
	after.store_epoch = store_epoch;
	after.ttl_ms = ttl_ms;
	after.changed_ms = now_ms;
	if (zone->n_instances > 0 && strcmp(zone->instances[0], instance) == 0)
		return after;
	if (after.n_instances < HF_INSTANCES_KEPT)
		after.n_instances++;
	memmove(after.instances[1], after.instances[0], sizeof after.instances[0] * (size_t)(after.n_instances - 1));
	memset(after.instances[0], 0, sizeof after.instances[0]);
	strncpy(after.instances[0], instance, HF_INSTANCE_MAX);
	return after;
}

bool hf_zone_rules_is_incremental(const struct hf_zone *zone, uint64_t active, uint64_t store_epoch) {
	return active > 0 && zone->store_epoch == store_epoch;
}

enum hf_err hf_zone_rules_disconnect(const struct hf_zone *zone, struct hf_why *why, bool *ret_changes) {
	if (zone->state == HF_ZONE_RETIRED)
		return hf_fail(why, HF_E_NOT_FOUND, "zone \"%s\" was retired", zone->name);
	if (zone->epoch == 0)
		return hf_fail(why, HF_E_NOT_FOUND, "zone \"%s\" never connected", zone->name);
	*ret_changes = zone->state != HF_ZONE_OFFLINE;
	return HF_OK;
}

enum hf_err hf_zone_rules_retire(const struct hf_zone *zone, bool exists, bool left, bool has_epoch, uint64_t epoch,
				 struct hf_why *why) {
	if (strcmp(zone->name, HF_ZONE_GLOBAL) == 0)
		return hf_fail(why, HF_E_INVALID_NAME,
			       "zone \"" HF_ZONE_GLOBAL "\" holds what belongs to no zone; it cannot be retired");
	if (!exists)
		return hf_fail(why, HF_E_NOT_FOUND, "zone \"%s\" does not exist: it never had a lease or a connection", zone->name);
	if (zone->state == HF_ZONE_RETIRED)
		return left ? HF_OK
			    : hf_fail(why, HF_E_NOT_FOUND, "zone \"%s\" was retired before; nothing is left to be done",
				      zone->name);
	enum hf_err err = hf_zone_rules_fence(zone, has_epoch, epoch, why);
	if (!err && zone->state == HF_ZONE_ONLINE)
		return hf_fail(why, HF_E_ZONE_ONLINE,
			       "zone \"%s\" is online; only one whose control plane was disconnected can be retired", zone->name);
	return err;
}

struct hf_zone hf_zone_rules_revived(const struct hf_zone *zone, int64_t now_ms) {
	struct hf_zone after = *zone;
	after.state = zone->epoch > 0 ? HF_ZONE_OFFLINE : HF_ZONE_UNMANAGED;
	after.epoch += zone->epoch > 0;
	after.changed_ms = now_ms;
	return after;
}

int64_t hf_zone_rules_quarantine_end(const struct hf_zone *zone, bool forced, int64_t restored_ms, int64_t until_ms,
				     int64_t quarantine_ms, int64_t now_ms) {
	int64_t back_ms = zone->state == HF_ZONE_ONLINE && !forced ? zone->changed_ms : 0;
	if (back_ms < restored_ms)
		back_ms = restored_ms;
	if (zone->state == HF_ZONE_OFFLINE && !forced)
		return hf_time_add(now_ms, quarantine_ms > HELD_MIN_MS ? quarantine_ms : HELD_MIN_MS);
	if (back_ms > 0 && hf_time_add(back_ms, quarantine_ms) > now_ms)
		return hf_time_add(back_ms, quarantine_ms);
	return until_ms;
}

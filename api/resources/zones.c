/* zones.c — /v1/zones: list, read, connect, disconnect, retire. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/call/conditions.h"
#include "api/call/page.h"
#include "api/call/route.h"
#include "api/sync/sync_ledger.h"
#include "api/text/json.h"
#include "api/text/members.h"
#include "api/text/parse.h"
#include "resources.h"
#include "storage/requests/zone_requests.h"
#include "storage/requests/zone_retire.h"

static enum hf_err read_name(struct hf_call *call, char *ret) {
	return hf_name_set("zone", call->vars[0], HF_NAME_MAX, &call->why, ret);
}

/* Writes the record of the zone's last sync. */
static void write_last_sync(struct hf_json *json, struct hf_syncs *syncs, const char *zone) {
	struct hf_sync_record record;
	hf_json_key(json, "lastSync");
	if (!hf_syncs_last(syncs, zone, &record)) {
		hf_json_null(json);
		return;
	}
	hf_json_open(json, '{');
	hf_json_member_time(json, "at", record.at_ms);
	hf_json_member(json, "mode", hf_sync_mode_name(record.mode));
	hf_json_member_uint(json, "epoch", record.zone_epoch);
	hf_json_member_uint(json, "durationMs", (uint64_t)record.duration_ms);
	hf_json_member_uint(json, "revision", record.revision);
	hf_json_key(json, "summary");
	hf_sync_write_summary(json, &record.summary);
	hf_json_close(json, '}');
}

static void write_zone(struct hf_json *json, struct hf_syncs *syncs, const struct hf_zone_info *info) {
	const struct hf_zone *zone = &info->zone;
	hf_json_open(json, '{');
	hf_json_member(json, "zone", zone->name);
	hf_json_member(json, "state", hf_zone_state_name(zone->state));
	hf_json_member_uint(json, "epoch", zone->epoch);
	hf_json_member_or_null(json, "instance", zone->n_instances > 0 ? zone->instances[0] : "");
	hf_json_member_duration(json, "ttl", zone->ttl_ms);
	hf_json_member_open(json, "leases", '{');
	hf_json_member_uint(json, "active", info->sum.active);
	hf_json_member_uint(json, "quarantined", info->sum.quarantined);
	hf_json_close(json, '}');
	hf_json_member_digest(json, "digest", &info->sum.digest);
	hf_json_member_uint(json, "reconnects", zone->reconnects);
	hf_json_member_time(json, "createdAt", zone->created_ms);
	hf_json_member_time(json, "changedAt", zone->changed_ms);
	write_last_sync(json, syncs, zone->name);
	hf_json_close(json, '}');
}

struct list {
	struct hf_page page;
	struct hf_syncs *syncs;
};

static bool add_zone(void *context, const struct hf_zone_info *info) {
	struct list *list = context;
	bool takes = hf_page_takes(&list->page, info->zone.name);
	if (takes)
		write_zone(&list->page.json, list->syncs, info);
	return takes;
}

enum hf_err hf_handle_zone_list(struct hf_call *call) {
	struct list list = {.syncs = call->api->syncs};
	bool more;
	enum hf_err err = hf_page_begin(call, &list.page);
	if (!err)
		err = hf_zones_page(call->reader, list.page.after, add_zone, &list, &call->why, &more);
	if (err)
		return err;
	hf_page_end(&list.page, more, hf_meta_read(call->reader).revision);
	return hf_txn_fault(call->reader, &call->why);
}

static void answer_zone(struct hf_call *call, const struct hf_zone_info *info) {
	struct hf_json json = hf_call_json(call, 200);
	write_zone(&json, call->api->syncs, info);
}

enum hf_err hf_handle_zone_get(struct hf_call *call) {
	struct hf_zone_info info;
	enum hf_err err = hf_name_check("zone", call->vars[0], HF_NAME_MAX, &call->why);
	if (!err)
		err = hf_zone_get(call->reader, call->vars[0], &call->why, &info);
	if (!err)
		answer_zone(call, &info);
	return err;
}

static enum hf_err read_members(const json_t *document, struct hf_why *why, struct hf_zone_connect *connect) {
	static const char *const known[] = {"instance", "ttl", NULL};
	struct hf_members m = hf_members_begin(document, NULL, why);
	hf_members_allow(&m, known, NULL);
	hf_members_copy(&m, "instance", HF_INSTANCE_MAX, connect->instance);
	if (hf_members_has(&m, "ttl"))
		connect->ttl_ms = hf_members_duration(&m, "ttl", HF_TTL_MIN_SECONDS, HF_TTL_MAX_SECONDS);
	return hf_members_end(&m);
}

static enum hf_err read_connect(struct hf_call *call, struct hf_zone_connect *connect) {
	json_t *document;
	enum hf_err err = hf_parse_object(call->request.body.data, call->request.body.len, "the body", &call->why, &document);
	if (err)
		return err;
	err = read_members(document, &call->why, connect);
	json_decref(document);
	return err;
}

static void answer_connect(struct hf_call *call) {
	const struct hf_zone_connect *connect = call->own;
	struct hf_json json = hf_call_json(call, 200);
	hf_json_open(&json, '{');
	hf_json_member(&json, "zone", connect->name);
	hf_json_member(&json, "state", hf_zone_state_name(connect->info.zone.state));
	hf_json_member_uint(&json, "epoch", connect->info.zone.epoch);
	hf_json_member(&json, "connection", hf_connection_name(connect->connection));
	hf_json_member(&json, "sync", connect->incremental ? "incremental" : "full");
	hf_json_member_uint(&json, "leases", connect->info.sum.active);
	hf_json_member_digest(&json, "digest", &connect->info.sum.digest);
	hf_json_member_uint(&json, "revision", connect->revision);
	hf_json_member_uint(&json, "storeEpoch", connect->store_epoch);
	hf_json_member_duration(&json, "ttl", connect->ttl_ms);
	hf_json_close(&json, '}');
}

/* Logs a change of a zone's state. */
static void log_zone(struct hf_call *call, const char *message, const struct hf_zone *zone, const char *more) {
	char instance[4 * HF_INSTANCE_MAX + 8], pairs[sizeof instance + 256]; /* an instance may be all escapes */
	snprintf(pairs, sizeof pairs, "zone=%s epoch=%" PRIu64 "%s instance=%s", zone->name, zone->epoch, more,
		 hf_text_quote(zone->instances[0], instance, sizeof instance));
	hf_call_event(call, HF_EVENT_INFO, message, pairs);
}

static void answer_connected(struct hf_call *call) {
	const struct hf_zone_connect *connect = call->own;
	char more[64];
	snprintf(more, sizeof more, " connection=%s sync=%s", hf_connection_name(connect->connection),
		 connect->incremental ? "incremental" : "full");
	if (connect->connection != HF_CONNECTION_REFRESH) /* which another write overtook, or which has another ttl */
		log_zone(call, "zone connected", &connect->info.zone, more);
	answer_connect(call);
}

enum hf_err hf_handle_zone_connect(struct hf_call *call) {
	struct hf_zone_connect *connect = hf_call_own(call, sizeof *connect);
	enum hf_peek peek;
	if (!connect)
		return HF_E_OVERLOADED;
	enum hf_err err = read_name(call, connect->name);
	if (!err)
		err = read_connect(call, connect);
	if (!err)
		err = hf_conditions_read_epoch(call, &connect->has_epoch, &connect->epoch);
	if (!err)
		err = hf_zone_connect_peek(call->api->store, call->reader, connect, &call->why, &peek);
	if (err)
		return err;
	if (peek == HF_PEEK_DONE) {
		answer_connect(call);
		return HF_OK;
	}
	hf_zone_connect_begin(connect);
	hf_call_commit(call, &connect->write, answer_connected);
	return HF_OK;
}

static void answer_disconnect(struct hf_call *call) {
	const struct hf_zone_disconnect *disconnect = call->own;
	answer_zone(call, &disconnect->info);
}

static void answer_disconnected(struct hf_call *call) {
	const struct hf_zone_disconnect *disconnect = call->own;
	log_zone(call, "zone offline", &disconnect->info.zone, "");
	answer_disconnect(call);
}

enum hf_err hf_handle_zone_disconnect(struct hf_call *call) {
	struct hf_zone_disconnect *disconnect = hf_call_own(call, sizeof *disconnect);
	enum hf_peek peek;
	if (!disconnect)
		return HF_E_OVERLOADED;
	enum hf_err err = read_name(call, disconnect->name);
	if (!err)
		err = hf_conditions_read_epoch(call, &disconnect->has_epoch, &disconnect->epoch);
	if (!err)
		err = hf_zone_disconnect_peek(call->reader, disconnect, &call->why, &peek);
	if (err)
		return err;
	if (peek == HF_PEEK_DONE) {
		answer_disconnect(call);
		return HF_OK;
	}
	hf_zone_disconnect_begin(disconnect);
	hf_call_commit(call, &disconnect->write, answer_disconnected);
	return HF_OK;
}

static void answer_retired(struct hf_call *call) {
	const struct hf_zone_retire *retire = call->own;
	const struct hf_zone *zone = &retire->info.zone;
	char pairs[256];
	snprintf(pairs, sizeof pairs, "zone=%s epoch=%" PRIu64 " released=%" PRIu64 " purged=%" PRIu64, zone->name, zone->epoch,
		 retire->released, retire->purged);
	hf_call_event(call, HF_EVENT_INFO, "zone retired", pairs);
	struct hf_json json = hf_call_json(call, 200);
	hf_json_open(&json, '{');
	hf_json_member(&json, "zone", zone->name);
	hf_json_member(&json, "state", hf_zone_state_name(zone->state));
	hf_json_member_uint(&json, "epoch", zone->epoch);
	hf_json_member_uint(&json, "released", retire->released);
	hf_json_member_uint(&json, "purged", retire->purged);
	hf_json_member_uint(&json, "quarantined", retire->info.sum.quarantined);
	hf_json_member_uint(&json, "revision", retire->revision);
	hf_json_close(&json, '}');
}

/* Checks the confirmation: retiring is final, so the request names the zone twice. */
static enum hf_err read_confirmation(struct hf_call *call, const char *name) {
	const char *confirm = hf_call_param(call, "confirm");
	if (confirm && strcmp(confirm, name) == 0)
		return HF_OK;
	return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "confirm: %s; retiring a zone is final, so name it again: confirm=%s",
		       confirm ? "this is another name" : "it is missing", name);
}

enum hf_err hf_handle_zone_retire(struct hf_call *call) {
	struct hf_zone_retire *retire = hf_call_own(call, sizeof *retire);
	const char *purge = hf_call_param(call, "purge");
	if (!retire)
		return HF_E_OVERLOADED;
	enum hf_err err = read_name(call, retire->name);
	if (!err && purge && !*purge) /* as a word of its own */
		retire->purge = true;
	else if (!err)
		err = hf_call_param_bool(call, "purge", &retire->purge);
	if (!err)
		err = read_confirmation(call, retire->name);
	if (!err)
		err = hf_conditions_read_epoch(call, &retire->has_epoch, &retire->epoch);
	if (err)
		return err;
	hf_zone_retire_begin(retire);
	hf_call_commit(call, &retire->write, answer_retired);
	return HF_OK;
}

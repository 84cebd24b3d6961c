/* sync.c — /v1/zones/{zone}/sync and /manifest: a zone's services all at once. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/call/route.h"
#include "api/kuma/claims.h"
#include "api/shapes/lease_json.h"
#include "api/sync/sync_body.h"
#include "api/text/json.h"
#include "resources.h"
#include "storage/base/monotonic.h"
#include "storage/requests/zone_requests.h"
#include "storage/sync/sync_apply.h"
#include "storage/sync/sync_judge.h"

/* Writes the members of an identity. The zone is left out if it is the route's. */
static void write_identity(struct hf_json *json, const struct hf_sync *sync, const struct hf_sync_item *item) {
	struct hf_identity id;
	if (!item->key || !hf_identity_decode(item->key, item->key_len, &id))
		return;
	hf_json_member(json, "kind", hf_kind_name(id.kind));
	hf_json_member(json, "mesh", id.mesh);
	if (strcmp(id.zone, sync->zone) != 0)
		hf_json_member(json, "zone", id.zone);
	hf_json_member(json, "service", id.service);
}

/* Writes the position of a rejected item in the body. */
static void write_place(struct hf_json *json, const struct hf_sync_body *body, const struct hf_sync_item *item) {
	const char *name = body->params.ndjson ? "line" : item->role == HF_SYNC_REMOVED ? "removed" : "item";
	hf_json_member_uint(json, name, item->place);
}

static void write_result(struct hf_json *json, const struct hf_sync_body *body, const struct hf_sync_item *item) {
	struct hf_identity from;
	hf_json_open(json, '{');
	write_identity(json, &body->sync, item);
	hf_json_member(json, "outcome", hf_sync_outcome_name(item->outcome));
	hf_json_key(json, "vips");
	if (item->n_vips && item->outcome != HF_SYNC_REJECTED)
		hf_json_vips(json, item->vips, item->n_vips);
	else
		hf_json_null(json);
	if (item->n_previous && item->outcome != HF_SYNC_REJECTED)
		hf_json_previous(json, item->previous, item->n_previous);
	if (item->outcome == HF_SYNC_TRANSFERRED && hf_identity_decode(item->from, item->from_len, &from)) {
		hf_json_key(json, "from");
		hf_json_open(json, '{');
		hf_json_identity(json, &from);
		hf_json_close(json, '}');
	}
	if (hf_sync_claim_refused(item) && item->outcome != HF_SYNC_REJECTED) {
		struct hf_claims_result result = {item->n_claims, item->claims, item->refused, item->wrong_claims};
		hf_json_key(json, "claimRefused");
		hf_claims_write_json(json, &result);
	}
	if (item->in_cluster) {
		hf_json_member_bool(json, "clusterAddresses", true);
	}
	if (item->outcome == HF_SYNC_REJECTED) {
		write_place(json, body, item);
		hf_json_key(json, "problem");
		hf_problem_write(json, item->err, item->why);
	}
	hf_json_close(json, '}');
}

/* Returns whether an item changed, or its sender has to change it: it shows an address that is not its lease's. */
static bool is_news(const struct hf_sync_item *item) { return item->outcome != HF_SYNC_UNCHANGED || hf_sync_claim_refused(item); }

static void write_results(struct hf_json *json, const struct hf_sync_body *body) {
	hf_json_member_open(json, "results", '[');
	const struct hf_sync_item *lists[] = {body->sync.first, body->sync.released};
	for (int i = 0; i < 2 && body->params.want != HF_RETURN_NONE; i++)
		for (const struct hf_sync_item *item = lists[i]; item; item = item->next)
			if (body->params.want == HF_RETURN_ALL || is_news(item))
				write_result(json, body, item);
	hf_json_close(json, ']');
}

/* Logs each service that the sync changed or rejected, at debug level. */
static void log_details(const struct hf_sync_body *body) {
	const struct hf_sync_item *lists[] = {body->sync.first, body->sync.released};
	char pairs[512];
	if (!body->call->api->log_debug)
		return;
	for (int i = 0; i < 2; i++)
		for (const struct hf_sync_item *item = lists[i]; item; item = item->next) {
			struct hf_identity id;
			if (item->outcome == HF_SYNC_UNCHANGED || item->outcome == HF_SYNC_FOREIGN)
				continue;
			if (item->key && hf_identity_decode(item->key, item->key_len, &id))
				snprintf(pairs, sizeof pairs, "kind=%s mesh=%s zone=%s service=%s outcome=%s",
					 hf_kind_name(id.kind), id.mesh, id.zone, id.service, hf_sync_outcome_name(item->outcome));
			else
				snprintf(pairs, sizeof pairs, "zone=%s place=%" PRIu32 " outcome=rejected code=%s", body->sync.zone,
					 item->place, hf_err_slug(item->err));
			hf_call_event(body->call, HF_EVENT_DEBUG, "sync item", pairs);
		}
}

/* Logs the sync; refusals are limited (refusals.h). */
static void log_sync(const struct hf_sync_body *body, const char *pairs, enum hf_err err) {
	struct hf_api *api = body->call->api;
	char with_unlogged[700];
	uint64_t unlogged = 0;
	bool logs = !err || hf_refusals_note(hf_syncs_refusals(api->syncs), body->sync.zone_known ? body->sync.zone : "", err,
					     hf_store_monotonic_ms(api->store), &unlogged);
	snprintf(with_unlogged, sizeof with_unlogged, "%s unlogged=%" PRIu64, pairs, unlogged);
	hf_call_event(body->call, logs ? HF_EVENT_INFO : HF_EVENT_DEBUG, "sync", unlogged ? with_unlogged : pairs);
}

/* Logs, counts and records a sync. */
static void note(struct hf_sync_body *body, enum hf_sync_end end, enum hf_err err) {
	const struct hf_sync *sync = &body->sync;
	struct hf_api *api = body->call->api;
	struct hf_sync_record record = {.at_ms = hf_store_now_ms(api->store),
					.mode = sync->mode,
					.zone_epoch = sync->zone_epoch,
					.revision = sync->revision,
					.duration_ms = (hf_monotonic_us() - body->start_us) / 1000,
					.summary = sync->summary};
	char pairs[640];
	int len = snprintf(pairs, sizeof pairs, "zone=%s mode=%s epoch=%" PRIu64 " outcome=%s", sync->zone,
			   hf_sync_mode_name(sync->mode), sync->zone_epoch, hf_sync_end_name(end));
	for (int i = 0; i < HF_SYNC_NEEDED; i++)
		len += snprintf(pairs + len, sizeof pairs - (size_t)len, " %s=%" PRIu64,
				hf_sync_outcome_name((enum hf_sync_outcome)i), sync->summary.of[i]);
	snprintf(pairs + len, sizeof pairs - (size_t)len, " release_skipped=%" PRIu64 " duration_ms=%" PRId64 "%s%s",
		 sync->summary.release_skipped, record.duration_ms, err ? " code=" : "", err ? hf_err_slug(err) : "");
	log_sync(body, pairs, err);
	if (sync->zone_known)
		hf_syncs_note(api->syncs, sync->zone, end, &record);
}

/* Warns that a full list released nothing because of its first item that could not be identified. */
static void warn_of_skipped(const struct hf_sync_body *body) {
	const struct hf_sync *sync = &body->sync;
	const struct hf_sync_item *item = sync->first;
	char pairs[256];
	if (sync->summary.release_skipped == 0 || sync->dry_run)
		return;
	while (item && item->role != HF_SYNC_UNREADABLE)
		item = item->next;
	snprintf(pairs, sizeof pairs, "zone=%s release_skipped=%" PRIu64 " unreadable=%" PRIu32 " %s=%" PRIu32 " code=%s",
		 sync->zone, sync->summary.release_skipped, sync->n_unreadable, body->params.ndjson ? "line" : "item",
		 item ? item->place : 0, hf_err_slug(item ? item->err : HF_OK));
	hf_call_event(body->call, HF_EVENT_WARN, "releases skipped", pairs);
}

static enum hf_sync_end how_it_ended(const struct hf_sync *sync) {
	const uint64_t *of = sync->summary.of;
	uint64_t changes = of[HF_SYNC_CREATED] + of[HF_SYNC_ADOPTED] + of[HF_SYNC_UPDATED] + of[HF_SYNC_RESTORED] +
			   of[HF_SYNC_RELEASED] + of[HF_SYNC_TRANSFERRED];
	return sync->dry_run ? HF_SYNC_END_DRY_RUN : changes > 0 ? HF_SYNC_END_CHANGED : HF_SYNC_END_UNCHANGED;
}

static void answer_sync(struct hf_call *call) {
	struct hf_sync_body *body = hf_sync_body_of(call);
	const struct hf_sync *sync = &body->sync;
	struct hf_json json = hf_call_json(call, 200);
	hf_json_open(&json, '{');
	hf_json_member(&json, "zone", sync->zone);
	hf_json_member(&json, "mode", hf_sync_mode_name(sync->mode));
	hf_json_member_bool(&json, "dryRun", sync->dry_run);
	hf_json_member_uint(&json, "revision", sync->revision);
	hf_json_member_digest(&json, "digest", &sync->digest);
	hf_json_key(&json, "summary");
	hf_sync_write_summary(&json, &sync->summary);
	write_results(&json, body);
	hf_json_close(&json, '}');
	if (!sync->dry_run)
		hf_syncs_count(call->api->syncs, &sync->summary, sync->reallocations_avoided);
	note(body, how_it_ended(sync), HF_OK);
	warn_of_skipped(body);
	log_details(body);
	call->refused = NULL; /* the sync is done, even if memory for the answer runs out */
}

/* Finds out whether the store knows the zone, and its epoch, for a sync that was refused before it was decided. */
static void find_zone(struct hf_call *call, struct hf_sync *sync) {
	struct hf_zone_info info;
	struct hf_why why;
	if (sync->zone_known || !call->reader || hf_reader_begin(call->reader, &why))
		return;
	sync->zone_known = hf_zone_get(call->reader, sync->zone, &why, &info) == HF_OK;
	sync->zone_epoch = sync->zone_known ? info.zone.epoch : 0;
	hf_reader_end(call->reader);
}

/* Adds the members that a refusal has beyond those of a problem. */
static void refused(struct hf_call *call, enum hf_err err, struct hf_json *json) {
	struct hf_sync *sync = &hf_sync_body_of(call)->sync;
	find_zone(call, sync);
	if (err != HF_E_MASS_RELEASE_GUARD && err != HF_E_ZONE_OFFLINE) /* the changes were never computed */
		sync->summary = (struct hf_sync_summary){0};
	if (err == HF_E_MASS_RELEASE_GUARD) {
		hf_json_key(json, "summary");
		hf_sync_write_summary(json, &sync->summary);
	}
	note(hf_sync_body_of(call), HF_SYNC_END_REFUSED, err);
}

/* Opens a sync; refusals from here on are logged. */
enum hf_err hf_open_sync(struct hf_call *call) {
	enum hf_err err = hf_sync_body_open(call, false);
	if (!err)
		call->refused = refused;
	return err;
}

enum hf_err hf_handle_sync(struct hf_call *call) {
	struct hf_sync_body *body = hf_sync_body_of(call);
	bool write;
	enum hf_err err = hf_sync_peek(call->reader, &body->sync, &call->why, &write);
	if (err)
		return err;
	if (!write) {
		answer_sync(call);
		return HF_OK;
	}
	hf_sync_begin(&body->sync);
	hf_call_commit(call, &body->sync.write, answer_sync);
	return HF_OK;
}

static void write_names(struct hf_json *json, const char *name, const struct hf_sync *sync, const struct hf_sync_item *list,
			enum hf_sync_outcome outcome) {
	hf_json_member_open(json, name, '[');
	for (const struct hf_sync_item *item = list; item; item = item->next)
		if (item->outcome == outcome) {
			hf_json_open(json, '{');
			write_identity(json, sync, item);
			hf_json_close(json, '}');
		}
	hf_json_close(json, ']');
}

/* Fails the whole manifest if an entry is outside the scope or listed twice. */
static enum hf_err check_entries(const struct hf_sync_body *body, struct hf_why *why) {
	for (const struct hf_sync_item *item = body->sync.first; item; item = item->next)
		if (item->outcome == HF_SYNC_REJECTED)
			return hf_fail(why, item->err, "%s %" PRIu32 ": %s", body->params.ndjson ? "line" : "\"items\", number",
				       item->place, item->why);
	return HF_OK;
}

enum hf_err hf_open_manifest(struct hf_call *call) { return hf_sync_body_open(call, true); }

enum hf_err hf_handle_manifest(struct hf_call *call) {
	struct hf_sync_body *body = hf_sync_body_of(call);
	struct hf_sync *sync = &body->sync;
	bool write;
	enum hf_err err = check_entries(body, &call->why);
	if (!err)
		err = hf_sync_peek(call->reader, sync, &call->why, &write);
	if (err)
		return err;
	struct hf_json json = hf_call_json(call, 200);
	hf_json_open(&json, '{');
	write_names(&json, "needed", sync, sync->first, HF_SYNC_NEEDED);
	write_names(&json, "unlisted", sync, sync->released, HF_SYNC_RELEASED);
	hf_json_member_uint(&json, "unchanged", sync->summary.of[HF_SYNC_UNCHANGED]);
	hf_json_member_digest(&json, "digest", &sync->digest);
	hf_json_member_uint(&json, "revision", sync->revision);
	hf_json_close(&json, '}');
	return HF_OK;
}

/* transfer_body.c — reads the items of a transfer. */
#include "transfer_body.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/call/conditions.h"
#include "api/call/media.h"
#include "api/kuma/document.h"
#include "api/text/members.h"
#include "api/text/parse.h"
#include "sync_ledger.h"
#include "sync_params.h"

#define ANSWER_BYTES 512   /* of an item in the answer, roughly */
#define SHARE ":transfers" /* no zone's name: transfers share one budget, and come one after the other */

static bool charge(void *context, size_t bytes) {
	struct hf_transfer_body *body = context;
	return hf_arena_charge(&body->transfer.arena, bytes);
}

static enum hf_err read_side(struct hf_members *m, const char *name, struct hf_identity *ret) {
	struct hf_why said = {""};
	const json_t *value = hf_members_take(m, name);
	enum hf_err err = m->err ? m->err : hf_document_reference(value, NULL, &said, ret);
	return m->err ? m->err : err ? hf_fail(m->why, err, "\"%s\": %.200s", name, said.text) : HF_OK;
}

static enum hf_err read_item(const json_t *item, struct hf_why *why, struct hf_identity *ret_from, struct hf_identity *ret_to) {
	struct hf_members m = hf_members_begin(item, NULL, why);
	enum hf_err err = read_side(&m, "from", ret_from);
	if (!err)
		err = read_side(&m, "to", ret_to);
	return err ? err : hf_members_end(&m);
}

static enum hf_err take(void *context, enum hf_list_member member, uint32_t place, const char *text, size_t len, bool too_large,
			struct hf_why *why) {
	struct hf_transfer_body *body = context;
	struct hf_identity from, to;
	struct hf_why said = {""};
	json_t *item = NULL;
	enum hf_err err;
	uint32_t number = body->transfer.n;
	(void)place;
	if (member == HF_LIST_REMOVED)
		return hf_fail(why, HF_E_INVALID_PARAMETER,
			       "\"removed\" is for syncs; a transfer has no other member than \"items\"");
	if (too_large)
		err = hf_fail(&said, HF_E_BODY_TOO_LARGE, "it has more than %zu bytes", body->call->api->body_max_bytes);
	else
		err = hf_parse_object(text, len, "the item", &said, &item);
	if (!err)
		err = read_item(item, &said, &from, &to);
	json_decref(item);
	if (!err)
		err = hf_principal_check_transfer(&body->call->principal, from.zone, to.zone, &said);
	if (!err)
		err = hf_transfer_add(&body->transfer, &from, &to, &said);
	if (!err && body->wants_all && !hf_arena_charge(&body->transfer.arena, ANSWER_BYTES))
		err = hf_fail(&said, HF_E_OVERLOADED, "the answer would exceed the memory for transfers; ask for return=none");
	if (!err)
		return HF_OK;
	body->transfer.failed = number;
	return hf_fail(why, err, "item %" PRIu32 ": %.220s", number + 1, said.text);
}

static enum hf_err feed(struct hf_sink *sink, const char *data, size_t len, struct hf_why *why) {
	return hf_list_reader_feed(((struct hf_transfer_body *)sink)->reader, data, len, why);
}

static enum hf_err check_rest(const json_t *rest, struct hf_why *why) {
	const json_t *items = json_object_get(rest, "items");
	if (!json_is_array(items))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"items\" is missing or not an array");
	if (json_array_size(items) > 0) /* its elements were not handed over */
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"items\" is written with escapes");
	if (json_object_size(rest) > 1)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "a transfer has no other member than \"items\"");
	return HF_OK;
}

static enum hf_err end_body(struct hf_sink *sink, struct hf_why *why) {
	struct hf_transfer_body *body = (struct hf_transfer_body *)sink;
	json_t *rest = NULL;
	uint32_t n_items;
	enum hf_err err = hf_list_reader_end(body->reader, why, &rest, &n_items);
	if (!err && rest)
		err = check_rest(rest, why);
	json_decref(rest);
	return err ? err : hf_transfer_close_list(&body->transfer, why);
}

static void close_body(struct hf_sink *sink) {
	struct hf_transfer_body *body = (struct hf_transfer_body *)sink;
	hf_list_reader_close(body->reader);
	hf_transfer_free(&body->transfer);
	hf_syncs_end_share(body->call->api->syncs, body->share);
	free(body);
}

static enum hf_err read_params(struct hf_call *call, struct hf_transfer_body *body) {
	struct hf_transfer *transfer = &body->transfer;
	const char *want = hf_call_param(call, "return"), *type = call->request.headers[HF_CONTENT_TYPE];
	uint64_t percent = HF_MAX_RELEASE_DEFAULT;
	enum hf_err err = hf_call_param_bool(call, "dryRun", &transfer->dry_run);
	if (!err)
		err = hf_call_param_bool(call, "force", &transfer->force);
	if (!err)
		err = hf_call_param_uint(call, "maxRelease", 0, 100, &percent);
	if (!err && want && strcmp(want, "all") != 0 && strcmp(want, "none") != 0)
		err = hf_fail(&call->why, HF_E_INVALID_PARAMETER, "return: \"%.40s\" is neither all nor none", want);
	if (!err)
		err = hf_conditions_read_epoch(call, &transfer->has_epoch, &transfer->epoch);
	transfer->max_release_percent = (int)percent;
	body->wants_all = !want || strcmp(want, "all") == 0;
	body->ndjson = type && hf_media_type_is(type, "application/x-ndjson");
	return err;
}

enum hf_err hf_transfer_body_open(struct hf_call *call) {
	const struct hf_syncs_options *limits = hf_syncs_options(call->api->syncs);
	struct hf_transfer_body *body = calloc(1, sizeof *body);
	if (!body)
		return hf_no_memory(&call->why);
	body->sink = (struct hf_sink){limits->body_max_bytes, feed, end_body, close_body};
	call->lane = HF_LANE_SYNCS;
	call->lane_key = SHARE;
	body->call = call;
	hf_transfer_init(&body->transfer, NULL);
	call->sink = &body->sink;
	enum hf_err err = read_params(call, body);
	if (err)
		return err;
	struct hf_list_options options = {.ndjson = body->ndjson,
					  .item_max_bytes = call->api->body_max_bytes,
					  .items_max = limits->items_max < HF_TRANSFER_MAX ? limits->items_max : HF_TRANSFER_MAX,
					  .charge = charge,
					  .document = take,
					  .context = body};
	body->share = hf_syncs_share(call->api->syncs, SHARE, true);
	body->transfer.arena.budget = body->share;
	return body->share && hf_list_reader_open(&options, &body->reader) == HF_OK ? HF_OK : hf_no_memory(&call->why);
}

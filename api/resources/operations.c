/* operations.c — what operators ask of a running server: /v1/backup and /v1/verify. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/call/metrics.h"
#include "api/call/route.h"
#include "api/shapes/verify_json.h"
#include "api/text/json.h"
#include "resources.h"
#include "storage/admin/backup.h"
#include "storage/base/container.h"
#include "storage/base/monotonic.h"

/* A client may take a minute to read a backup, and a second more for each MiB: its snapshot keeps pages from being reused. */
#define BACKUP_LIMIT_MS 60000
#define BACKUP_BYTES_PER_S 1048576

struct backup_stream {
	struct hf_stream base;
	struct hf_share share;
	struct hf_api *api;
	struct hf_backup *backup;
	uint64_t sent;
};

static ssize_t fill(struct hf_stream *base, char *ret, size_t max) {
	struct backup_stream *stream = (struct backup_stream *)base;
	ssize_t n = hf_backup_read(stream->backup, ret, max);
	if (n > 0) {
		stream->sent += (uint64_t)n;
		hf_share_sent(&stream->share, (uint64_t)n);
	}
	return n;
}

static void expire(struct hf_stream *base) {
	struct backup_stream *stream = (struct backup_stream *)base;
	hf_shares_give_back(&stream->api->shares, &stream->share);
	hf_backup_expire(stream->backup);
}

static void make_room(struct hf_share *share) { hf_backup_expire(HF_CONTAINER_OF(share, struct backup_stream, share)->backup); }

static void close_stream(struct hf_stream *base) {
	struct backup_stream *stream = (struct backup_stream *)base;
	char pairs[128];
	bool whole = stream->sent == base->len_bytes;
	if (stream->sent > 0) { /* else only its headers were asked for */
		hf_metrics_backup(stream->api->metrics, whole, hf_store_now_ms(stream->api->store));
		snprintf(pairs, sizeof pairs, "revision=%" PRIu64 " bytes=%" PRIu64 " sent=%" PRIu64,
			 hf_backup_meta(stream->backup)->revision, base->len_bytes, stream->sent);
		hf_api_event(stream->api, HF_EVENT_INFO, whole ? "backup sent" : "backup cut off", pairs);
	}
	hf_shares_give_back(&stream->api->shares, &stream->share);
	hf_backup_close(stream->backup);
	free(stream);
}

static void set_number(struct hf_call *call, const char *name, uint64_t n) {
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, n);
	hf_call_set_header(call, name, text);
}

enum hf_err hf_handle_backup(struct hf_call *call) {
	struct backup_stream *stream = calloc(1, sizeof *stream);
	char store_id[2 * sizeof((struct hf_meta *)0)->store_id + 1];
	if (!stream)
		return hf_no_memory(&call->why);
	enum hf_err err = hf_backup_open(call->api->store, &call->why, &stream->backup);
	if (err) {
		free(stream);
		return err;
	}
	stream->share = (struct hf_share){.kind = HF_SHARE_BACKUPS, .cost = 1, .expire = make_room};
	err = hf_shares_take(&call->api->shares, &stream->share, hf_monotonic_us(), &call->why);
	if (err) {
		hf_backup_close(stream->backup);
		free(stream);
		return err;
	}
	const struct hf_meta *meta = hf_backup_meta(stream->backup);
	uint64_t len_bytes = hf_backup_bytes(stream->backup);
	stream->api = call->api;
	stream->base = (struct hf_stream){len_bytes, BACKUP_LIMIT_MS + (int64_t)(len_bytes / BACKUP_BYTES_PER_S * 1000), fill,
					  expire, close_stream};
	hf_hex_encode(meta->store_id, sizeof meta->store_id, store_id);
	set_number(call, "Holdfast-Revision", meta->revision);
	set_number(call, "Holdfast-Store-Epoch", meta->store_epoch);
	hf_call_set_header(call, "Holdfast-Store-Id", store_id);
	call->response.status = 200;
	call->response.content_type = "application/octet-stream";
	call->response.stream = &stream->base;
	return HF_OK;
}

enum hf_err hf_open_verify(struct hf_call *call) {
	call->lane = HF_LANE_OPERATIONS;
	call->lane_key = "verify";
	call->counted = &call->api->checks;
	call->asked_us = hf_monotonic_us();
	call->api->checks++;
	return HF_OK;
}

/* Checks the pages first, since LMDB would crash on damaged ones, then the records. Sets *ret_damage to describe a damaged page. */
static enum hf_err check(struct hf_call *call, uint64_t *ret_violations, struct hf_why *ret_damage) {
	struct hf_buf *out = &call->response.body;
	enum hf_err err = hf_txn_check_pages(call->reader, &call->why);
	if (!err)
		return hf_verify_write(call->reader, out, &call->why, ret_violations);
	if (err != HF_E_CORRUPT)
		return err;
	*ret_damage = call->why;
	*ret_violations = 1;
	call->why.text[0] = '\0';
	return hf_verify_write_damage(call->api->store, ret_damage->text, out, &call->why);
}

/* Answers with the last check if it began after this request arrived. So all requests that arrive during a check share the next
 * one, whatever their number: checks run one after the other. */
static bool answer_with_last(struct hf_call *call) {
	const struct hf_api *api = call->api;
	if (!call->asked_us || api->check_began_us < call->asked_us)
		return false;
	hf_call_json(call, 200);
	hf_buf_add(&call->response.body, api->check_answer.data, api->check_answer.len);
	return true;
}

/* Keeps the answer for other requests; without memory for that, they run a check of their own. */
static void keep_answer(struct hf_api *api, const struct hf_buf *answer, int64_t began_us) {
	hf_buf_free(&api->check_answer);
	hf_buf_add(&api->check_answer, answer->data, answer->len);
	api->check_began_us = api->check_answer.failed ? 0 : began_us;
}

/* Verifies the store. It reads everything, so a stopping server can interrupt it. */
enum hf_err hf_handle_verify(struct hf_call *call) {
	uint64_t violations = 0;
	struct hf_why damage = {""};
	char pairs[400];
	int64_t began_us = hf_monotonic_us();
	if (answer_with_last(call))
		return HF_OK;
	hf_call_json(call, 200);
	hf_txn_stop_on(call->reader, &call->api->stopping);
	enum hf_err err = check(call, &violations, &damage);
	hf_txn_stop_on(call->reader, NULL);
	if (err)
		return err;
	keep_answer(call->api, &call->response.body, began_us);
	hf_metrics_verified(call->api->metrics, violations, hf_store_now_ms(call->api->store));
	if (damage.text[0])
		snprintf(pairs, sizeof pairs, "violations=1 detail=\"%s\"", damage.text); /* words of ours and a number */
	else
		snprintf(pairs, sizeof pairs, "revision=%" PRIu64 " violations=%" PRIu64, hf_meta_read(call->reader).revision,
			 violations);
	hf_call_event(call, violations ? HF_EVENT_ERROR : HF_EVENT_INFO, "verified", pairs);
	return HF_OK;
}

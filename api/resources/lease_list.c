/* lease_list.c — /v1/leases: a page of leases, or all of them as a stream. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call/media.h"
#include "api/call/route.h"
#include "api/shapes/lease_json.h"
#include "api/text/json.h"
#include "resources.h"
#include "storage/base/container.h"
#include "storage/base/monotonic.h"
#include "storage/requests/lease_query.h"
#include "storage/requests/lease_snapshot.h"

#define LIMIT_DEFAULT 500
#define LIMIT_MAX 5000
#define LIMIT_MS 60000 /* a snapshot lives no longer */

static enum hf_err read_service(struct hf_call *call, struct hf_filter *filter) {
	char text[HF_SERVICE_MAX + 2];
	const char *given = hf_call_param(call, "service");
	if (!given)
		return HF_OK;
	size_t len = strlen(given);
	if (len >= sizeof text)
		return hf_name_check("service", given, HF_SERVICE_MAX, &call->why);
	memcpy(text, given, len + 1);
	filter->service_is_prefix = len > 0 && text[len - 1] == '*';
	if (!filter->service_is_prefix)
		return hf_name_set("service", text, HF_SERVICE_MAX, &call->why, filter->service);
	text[--len] = '\0';
	/* A prefix may end with any allowed character, so it is checked as the beginning of a name. */
	char probe[HF_SERVICE_MAX + 3];
	snprintf(probe, sizeof probe, "%sx", text);
	if (hf_name_check("service", probe, HF_SERVICE_MAX + 1, NULL))
		return hf_fail(&call->why, HF_E_INVALID_NAME, "service: \"%.60s\" is not the beginning of a name followed by one *",
			       given);
	memcpy(filter->service, text, len + 1);
	return HF_OK;
}

static enum hf_err read_state(struct hf_call *call, struct hf_filter *filter) {
	const char *state = hf_call_param(call, "state");
	if (!state)
		return HF_OK;
	if (strcmp(state, "active") == 0)
		filter->state = HF_ACTIVE;
	else if (strcmp(state, "quarantined") == 0)
		filter->state = HF_QUARANTINED;
	else
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "state: \"%.40s\" is neither active nor quarantined", state);
	return HF_OK;
}

static enum hf_err read_filter(struct hf_call *call, struct hf_filter *filter) {
	enum hf_err err = hf_call_param_kind(call, &filter->has_kind, &filter->kind);
	if (!err)
		err = hf_call_param_name(call, "mesh", HF_NAME_MAX, filter->mesh);
	if (!err)
		err = hf_call_param_name(call, "zone", HF_NAME_MAX, filter->zone);
	if (!err)
		err = hf_call_param_name(call, "pool", HF_NAME_MAX, filter->pool);
	if (!err)
		err = read_service(call, filter);
	return err ? err : read_state(call, filter);
}

/* Reads a page's token: the last key of the previous page, in hex; opaque to the client. */
static enum hf_err read_token(struct hf_call *call, struct hf_key *ret, bool *ret_given) {
	const char *token = hf_call_param(call, "continue");
	size_t len;
	struct hf_identity id;
	*ret_given = token != NULL;
	if (!token)
		return HF_OK;
	if (!hf_hex_decode(token, sizeof ret->bytes, ret->bytes, &len) || !hf_identity_decode(ret->bytes, len, &id))
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "continue: this is not a token from a page");
	hf_identity_encode(&id, ret);
	return HF_OK;
}

static void add_lease(void *context, const struct hf_lease *lease) { hf_json_lease(context, lease); }

static enum hf_err answer_page(struct hf_call *call, const struct hf_filter *filter) {
	uint64_t limit = LIMIT_DEFAULT;
	struct hf_key after;
	bool has_after;
	struct hf_list_page page;
	enum hf_err err = hf_call_param_uint(call, "limit", 1, LIMIT_MAX, &limit);
	if (!err)
		err = read_token(call, &after, &has_after);
	if (err)
		return err;
	struct hf_json json = hf_call_json(call, 200);
	hf_json_open(&json, '{');
	hf_json_member_open(&json, "items", '[');
	err = hf_lease_list(call->reader, filter, has_after ? &after : NULL, (int)limit, add_lease, &json, &call->why, &page);
	if (err)
		return err;
	hf_json_close(&json, ']');
	char token[2 * HF_KEY_MAX + 1] = "";
	if (page.more)
		hf_hex_encode(page.last.bytes, page.last.len, token);
	hf_json_member_or_null(&json, "continue", token);
	hf_json_member_uint(&json, "revision", page.revision);
	hf_json_close(&json, '}');
	return HF_OK;
}

/* A stream with one lease a line, from one snapshot. */
struct lease_stream {
	struct hf_stream base;
	struct hf_share share;
	struct hf_api *api;
	struct hf_snapshot *snapshot;
	struct hf_buf line; /* the current line */
	size_t sent;	    /* bytes of it that are written */
	bool ended;
};

static ssize_t fill(struct hf_stream *base, char *ret, size_t max) {
	struct lease_stream *stream = (struct lease_stream *)base;
	size_t done = 0;
	while (done < max) {
		if (stream->sent == stream->line.len) {
			struct hf_lease lease;
			enum hf_err err = stream->ended ? HF_E_NOT_FOUND : hf_snapshot_next(stream->snapshot, &lease);
			if (err == HF_E_NOT_FOUND) {
				stream->ended = true;
				break;
			}
			stream->line.len = stream->sent = 0;
			struct hf_json json = {.out = &stream->line};
			if (!err)
				hf_json_lease(&json, &lease);
			hf_buf_add(&stream->line, "\n", 1);
			if (err || stream->line.failed)
				return -1;
		}
		size_t n = stream->line.len - stream->sent < max - done ? stream->line.len - stream->sent : max - done;
		memcpy(ret + done, stream->line.data + stream->sent, n);
		stream->sent += n;
		done += n;
	}
	hf_share_sent(&stream->share, done);
	return (ssize_t)done;
}

static void expire(struct hf_stream *base) {
	struct lease_stream *stream = (struct lease_stream *)base;
	hf_shares_give_back(&stream->api->shares, &stream->share);
	hf_snapshot_expire(stream->snapshot);
}

static void make_room(struct hf_share *share) { hf_snapshot_expire(HF_CONTAINER_OF(share, struct lease_stream, share)->snapshot); }

static void close_stream(struct hf_stream *base) {
	struct lease_stream *stream = (struct lease_stream *)base;
	hf_shares_give_back(&stream->api->shares, &stream->share);
	hf_snapshot_close(stream->snapshot);
	hf_buf_free(&stream->line);
	free(stream);
}

static enum hf_err answer_stream(struct hf_call *call, const struct hf_filter *filter) {
	char revision[24];
	if (hf_call_param(call, "limit") || hf_call_param(call, "continue"))
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER,
			       "limit and continue: they are for pages; a stream has all leases");
	struct lease_stream *stream = calloc(1, sizeof *stream);
	if (!stream)
		return hf_no_memory(&call->why);
	stream->base = (struct hf_stream){0, LIMIT_MS, fill, expire, close_stream};
	enum hf_err err = hf_snapshot_open(call->api->store, filter, &call->why, &stream->snapshot);
	if (err) {
		free(stream);
		return err;
	}
	stream->api = call->api;
	stream->share = (struct hf_share){.kind = HF_SHARE_STREAMS, .cost = 1, .expire = make_room};
	err = hf_shares_take(&call->api->shares, &stream->share, hf_monotonic_us(), &call->why);
	if (err) {
		hf_snapshot_close(stream->snapshot);
		free(stream);
		return err;
	}
	snprintf(revision, sizeof revision, "%" PRIu64, hf_snapshot_revision(stream->snapshot));
	hf_call_set_header(call, "Holdfast-Revision", revision);
	call->response.status = 200;
	call->response.content_type = "application/x-ndjson";
	call->response.stream = &stream->base;
	return HF_OK;
}

/* Returns whether Accept prefers NDJSON; of two with equal quality, the one that is named wins. */
static bool wants_stream(const char *accept) {
	bool named = false, json_named = false;
	int quality = accept ? hf_media_quality(accept, "application/x-ndjson", &named) : 0;
	int json = accept ? hf_media_quality(accept, "application/json", &json_named) : 0;
	return quality > json || (quality == json && quality > 0 && named);
}

enum hf_err hf_handle_lease_list(struct hf_call *call) {
	struct hf_filter filter = {0};
	enum hf_err err = read_filter(call, &filter);
	if (err)
		return err;
	return wants_stream(call->request.headers[HF_ACCEPT]) ? answer_stream(call, &filter) : answer_page(call, &filter);
}

/* changes.c — /v1/changes: the feed, with long-poll. */
#include "api/call/route.h"
#include "api/shapes/change_json.h"
#include "api/text/timetext.h"
#include "resources.h"
#include "storage/tables/change_table.h"

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX 10000
#define WAIT_MAX_MS 60000

struct writing {
	struct hf_json json;
	int n;
};

static void add_change(void *context, const struct hf_change *change) {
	struct writing *writing = context;
	writing->n++;
	hf_json_change(&writing->json, change);
}

static enum hf_err read_query(struct hf_call *call, struct hf_feed_query *query, int64_t *ret_wait_ms) {
	const char *wait = hf_call_param(call, "wait");
	uint64_t limit = LIMIT_DEFAULT;
	if (wait && (!hf_duration_parse(wait, ret_wait_ms) || *ret_wait_ms > WAIT_MAX_MS))
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER,
			       "wait: \"%.40s\" is not a duration up to 60s, such as 30s or 500ms", wait);
	enum hf_err err = hf_call_param_uint(call, "since", 0, UINT64_MAX, &query->since);
	if (!err)
		err = hf_call_param_uint(call, "limit", 1, LIMIT_MAX, &limit);
	if (!err)
		err = hf_call_param_kind(call, &query->has_kind, &query->kind);
	if (!err)
		err = hf_call_param_name(call, "zone", HF_NAME_MAX, query->zone);
	if (!err)
		err = hf_call_param_name(call, "mesh", HF_NAME_MAX, query->mesh);
	query->limit = (int)limit;
	return err;
}

enum hf_err hf_handle_changes(struct hf_call *call) {
	struct hf_feed_query query = {0};
	struct hf_feed_page page;
	enum hf_err err = read_query(call, &query, &call->wait_ms);
	if (err)
		return err;
	if (call->wait_revision > query.since)
		query.since = call->wait_revision; /* examined before the wait; the filters excluded it */
	struct writing writing = {.json = hf_call_json(call, 200)};
	hf_json_open(&writing.json, '{');
	hf_json_member_open(&writing.json, "changes", '[');
	err = hf_feed_read(call->reader, &query, add_change, &writing, &call->why, &page);
	if (err)
		return err;
	if (writing.n == 0 && !page.more && call->wait_ms > 0 && !call->no_wait) {
		call->wait_revision = page.examined;
		call->response.status = 0;
		call->step = HF_STEP_WAIT;
		return HF_OK;
	}
	hf_json_close(&writing.json, ']');
	hf_json_member_uint(&writing.json, "revision", page.examined);
	hf_json_member_uint(&writing.json, "storeEpoch", page.store_epoch);
	hf_json_close(&writing.json, '}');
	return HF_OK;
}

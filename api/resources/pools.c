/* pools.c — /v1/pools: list, read, write, delete. */
#include <stdlib.h>

#include "api/call/conditions.h"
#include "api/call/page.h"
#include "api/call/route.h"
#include "api/shapes/pool_json.h"
#include "resources.h"
#include "storage/requests/pool_requests.h"

static void answer_pool(struct hf_call *call, int status, const struct hf_pool *pool) {
	char tag[HF_ETAG_TEXT];
	struct hf_json json = hf_call_json(call, status);
	hf_pool_etag(pool, tag);
	hf_call_set_header(call, "ETag", tag);
	hf_json_pool(&json, pool);
}

static bool add_pool(void *context, const struct hf_pool *pool) {
	struct hf_page *page = context;
	bool takes = hf_page_takes(page, pool->name);
	if (takes)
		hf_json_pool(&page->json, pool);
	return takes;
}

enum hf_err hf_handle_pool_list(struct hf_call *call) {
	struct hf_page page;
	bool more;
	enum hf_err err = hf_page_begin(call, &page);
	if (!err)
		err = hf_pools_page(call->reader, page.after, add_pool, &page, &call->why, &more);
	if (err)
		return err;
	hf_page_end(&page, more, hf_meta_read(call->reader).revision);
	return hf_txn_fault(call->reader, &call->why);
}

enum hf_err hf_handle_pool_get(struct hf_call *call) {
	HF_POOL pool = {.id = 0};
	struct hf_condition if_match = {.n = 0}, if_none_match = {.n = 0};
	char tag[HF_ETAG_TEXT];
	enum hf_err err = hf_name_check("pool", call->vars[0], HF_NAME_MAX, &call->why);
	if (!err)
		err = hf_conditions_read_tags(call, &if_match, &if_none_match);
	if (!err)
		err = hf_pool_read(call->reader, call->vars[0], &call->why, &pool);
	if (err)
		return err;
	hf_pool_etag(&pool, tag);
	err = hf_condition_if_match(&if_match, tag, "pool", &call->why);
	if (err)
		return err;
	answer_pool(call, 200, &pool);
	if (if_none_match.stated && hf_condition_matches(&if_none_match, tag))
		hf_call_not_modified(call);
	return HF_OK;
}

static void answer_put(struct hf_call *call) {
	static const char *const outcomes[] = {
		[HF_POOL_CREATED] = "created", [HF_POOL_UPDATED] = "updated", [HF_POOL_UNCHANGED] = "unchanged"};
	const struct hf_pool_put *put = call->own;
	hf_call_set_header(call, "Holdfast-Outcome", outcomes[put->outcome]);
	answer_pool(call, put->outcome == HF_POOL_CREATED ? 201 : 200, &put->pool);
}

static void end_put(void *own) { hf_pool_put_end(own); }

enum hf_err hf_handle_pool_put(struct hf_call *call) {
	struct hf_pool_put *put = hf_call_own(call, sizeof *put);
	if (!put)
		return HF_E_OVERLOADED;
	call->own_end = end_put;
	enum hf_err err = hf_name_set("pool", call->vars[0], HF_NAME_MAX, &call->why, put->name);
	if (!err)
		err = hf_call_param_bool(call, "drain", &put->drain);
	if (!err)
		err = hf_conditions_read_tags(call, &put->if_match, &put->if_none_match);
	if (!err)
		err = hf_pool_config_read(call->request.body.data, call->request.body.len, call->api->quarantine_seconds,
					  &call->why, &put->config);
	if (err)
		return err;
	/* An unchanged pool is answered from the snapshot, without the committer. */
	HF_POOL current = {.id = 0};
	err = hf_pool_read(call->reader, put->name, NULL, &current);
	if (!err)
		err = hf_pool_judge(&put->if_match, &put->if_none_match, &current, &call->why);
	if (!err && hf_pool_config_equal(&current.config, &put->config)) {
		put->outcome = HF_POOL_UNCHANGED;
		hf_pool_copy(&current, &put->pool);
		answer_put(call);
		return HF_OK;
	}
	if (err && err != HF_E_NOT_FOUND)
		return err;
	hf_pool_put_begin(put);
	hf_call_commit(call, &put->write, answer_put);
	return HF_OK;
}

static void answer_delete(struct hf_call *call) {
	const struct hf_pool_delete *request = call->own;
	answer_pool(call, 200, &request->pool);
}

static void end_delete(void *own) { hf_pool_delete_end(own); }

enum hf_err hf_handle_pool_delete(struct hf_call *call) {
	struct hf_pool_delete *request = hf_call_own(call, sizeof *request);
	if (!request)
		return HF_E_OVERLOADED;
	call->own_end = end_delete;
	enum hf_err err = hf_name_set("pool", call->vars[0], HF_NAME_MAX, &call->why, request->name);
	if (!err)
		err = hf_conditions_read_tags(call, &request->if_match, &request->if_none_match);
	if (err)
		return err;
	hf_pool_delete_begin(request);
	hf_call_commit(call, &request->write, answer_delete);
	return HF_OK;
}

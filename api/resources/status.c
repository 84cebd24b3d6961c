/* status.c — /v1/status, the probes, and the interface's own description. */
#include "api/call/route.h"
#include "api/text/json.h"
#include "openapi.h"
#include "resources.h"
#include "storage/requests/totals.h"
#include "storage/store/presence.h"

enum hf_err hf_handle_status(struct hf_call *call) {
	struct hf_meta meta = hf_meta_read(call->reader);
	struct hf_totals totals;
	uint64_t used_bytes, map_bytes;
	char store_id[2 * sizeof meta.store_id + 1];
	enum hf_err err = hf_totals_read(call->reader, &call->why, &totals);
	if (err)
		return err;
	hf_hex_encode(meta.store_id, sizeof meta.store_id, store_id);
	hf_store_size(call->api->store, &used_bytes, &map_bytes);
	struct hf_json json = hf_call_json(call, 200);
	hf_json_open(&json, '{');
	hf_json_member(&json, "version", HOLDFAST_VERSION);
	hf_json_member_uint(&json, "format", HF_FORMAT);
	hf_json_member(&json, "storeId", store_id);
	hf_json_member_uint(&json, "storeEpoch", meta.store_epoch);
	hf_json_member_uint(&json, "revision", meta.revision);
	hf_json_member_uint(&json, "compactedRevision", meta.compacted);
	hf_json_member_open(&json, "leases", '{');
	hf_json_member_uint(&json, "active", totals.active);
	hf_json_member_uint(&json, "quarantined", totals.quarantined);
	hf_json_close(&json, '}');
	hf_json_member_uint(&json, "pools", totals.pools);
	hf_json_member_uint(&json, "zones", totals.zones);
	hf_json_member_uint(&json, "changes", totals.changes);
	hf_json_member_uint(&json, "usedBytes", used_bytes);
	hf_json_member_uint(&json, "mapBytes", map_bytes);
	hf_json_member_time(&json, "createdAt", meta.created_ms);
	if (meta.restored_ms)
		hf_json_member_time(&json, "restoredAt", meta.restored_ms);
	int64_t up_ms = hf_store_monotonic_ms(call->api->store) - call->api->started_ms;
	hf_json_member_time(&json, "startedAt", hf_time_add(hf_store_now_ms(call->api->store), -up_ms));
	hf_json_member_uint(&json, "uptimeSeconds", (uint64_t)up_ms / 1000);
	hf_json_close(&json, '}');
	return HF_OK;
}

static enum hf_err answer_ok(struct hf_call *call) {
	struct hf_json json = hf_call_json(call, 200);
	hf_json_open(&json, '{');
	hf_json_member(&json, "status", "ok");
	hf_json_close(&json, '}');
	return HF_OK;
}

enum hf_err hf_handle_livez(struct hf_call *call) { return answer_ok(call); }

/* Reports ready while the store can be read, its file is in place, and the server is not stopping. */
enum hf_err hf_handle_readyz(struct hf_call *call) {
	if (call->api->stopping)
		return hf_fail(&call->why, HF_E_OVERLOADED, "the server is stopping");
	enum hf_err err = hf_store_look(call->api->store, &call->why);
	if (err)
		return err;
	if (!call->reader)
		return hf_fail(&call->why, HF_E_OVERLOADED, "the store has no reader left");
	err = hf_reader_begin(call->reader, &call->why);
	if (err)
		return err;
	hf_meta_read(call->reader);
	err = hf_txn_fault(call->reader, &call->why);
	hf_reader_end(call->reader);
	return err ? err : answer_ok(call);
}

enum hf_err hf_handle_openapi(struct hf_call *call) {
	call->response.status = 200;
	call->response.content_type = "application/yaml";
	call->response.fixed = hf_openapi_yaml;
	call->response.fixed_len = hf_openapi_yaml_len;
	return HF_OK;
}

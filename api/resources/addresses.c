/* addresses.c — /v1/addresses/{ip}: what an address is, and who held it. */
#include <string.h>

#include "api/call/route.h"
#include "api/shapes/lease_json.h"
#include "api/text/json.h"
#include "api/text/timetext.h"
#include "resources.h"
#include "storage/requests/address_query.h"
#include "storage/tables/holders.h"

enum hf_err hf_handle_address_get(struct hf_call *call) {
	struct hf_addr a;
	struct hf_address_info info;
	char text[HF_ADDR_TEXT];
	enum hf_err err = hf_addr_parse(call->vars[0], &call->why, &a);
	if (!err)
		err = hf_address_read(call->reader, a, &call->why, &info);
	if (err)
		return err;
	struct hf_json json = hf_call_json(call, 200);
	hf_addr_format(a, text);
	hf_json_open(&json, '{');
	hf_json_member(&json, "address", text);
	hf_json_member_or_null(&json, "pool", info.pool);
	hf_json_member(&json, "state", hf_address_state_name(info.state));
	hf_json_key(&json, "lease");
	if (info.has_lease)
		hf_json_lease(&json, &info.lease);
	else
		hf_json_null(&json);
	hf_json_close(&json, '}');
	return HF_OK;
}

static void write_holder(struct hf_json *json, const struct hf_holder *holder) {
	hf_json_open(json, '{');
	hf_json_identity(json, &holder->id);
	hf_json_member_time(json, "from", holder->from_ms);
	if (holder->to_ms) {
		hf_json_member_time(json, "to", holder->to_ms);
	} else {
		hf_json_key(json, "to");
		hf_json_null(json);
	}
	hf_json_member(json, "by", hf_by_name(holder->by));
	hf_json_close(json, '}');
}

enum hf_err hf_handle_address_history(struct hf_call *call) {
	struct hf_addr a;
	struct hf_holder holders[HF_HISTORY_HOLDERS];
	int64_t at_ms = -1;
	const char *at = hf_call_param(call, "at");
	enum hf_err err = hf_addr_parse(call->vars[0], &call->why, &a);
	if (err)
		return err;
	if (at && !hf_time_parse(at, &at_ms))
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER,
			       "at: \"%.60s\" is not an RFC 3339 time such as 2026-01-31T12:00:00Z", at);
	int n = hf_holders_read(call->reader, a, at_ms, hf_store_patient_ms(call->api->store), holders);
	struct hf_json json = hf_call_json(call, 200);
	hf_json_open(&json, '{');
	hf_json_member_open(&json, "items", '[');
	for (int i = 0; i < n; i++)
		write_holder(&json, &holders[i]);
	hf_json_close(&json, ']');
	hf_json_close(&json, '}');
	return hf_txn_fault(call->reader, &call->why);
}

/* lookup.c — /v1/lookup: many leases in one request. */
#include "api/call/route.h"
#include "api/kuma/document.h"
#include "api/shapes/lease_json.h"
#include "api/text/json.h"
#include "api/text/members.h"
#include "api/text/parse.h"
#include "resources.h"
#include "storage/requests/lease_query.h"

static enum hf_err look_up(struct hf_call *call, const json_t *items, struct hf_json *json) {
	for (size_t i = 0; i < json_array_size(items); i++) {
		struct hf_identity id;
		struct hf_lease lease;
		struct hf_why why = {""};
		enum hf_err err = hf_document_reference(json_array_get(items, i), NULL, &why, &id);
		if (err)
			return hf_fail(&call->why, err, "\"items\", number %zu: %.200s", i + 1, why.text);
		err = hf_lease_get(call->reader, &id, &call->why, &lease);
		if (err && err != HF_E_NOT_FOUND)
			return err;
		if (err)
			hf_json_null(json);
		else
			hf_json_lease(json, &lease);
	}
	return HF_OK;
}

static enum hf_err answer(struct hf_call *call, const json_t *document) {
	static const char *const known[] = {"items", NULL};
	struct hf_members m = hf_members_begin(document, NULL, &call->why);
	hf_members_allow(&m, known, NULL);
	enum hf_err err = hf_members_end(&m);
	if (err)
		return err;
	const json_t *items = json_object_get(document, "items");
	if (!json_is_array(items))
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "\"items\" is missing or not an array");
	struct hf_json json = hf_call_json(call, 200);
	hf_json_open(&json, '{');
	hf_json_member_open(&json, "items", '[');
	err = look_up(call, items, &json);
	if (err)
		return err;
	hf_json_close(&json, ']');
	hf_json_member_uint(&json, "revision", hf_meta_read(call->reader).revision);
	hf_json_close(&json, '}');
	return hf_txn_fault(call->reader, &call->why);
}

enum hf_err hf_handle_lookup(struct hf_call *call) {
	json_t *document;
	enum hf_err err = hf_parse_object(call->request.body.data, call->request.body.len, "the body", &call->why, &document);
	if (err)
		return err;
	err = answer(call, document);
	json_decref(document);
	return err;
}

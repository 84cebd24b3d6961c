/* lookup.c — /v1/lookup: many leases in one request. */
#include "json.h"
#include "parse.h"
#include "routes.h"

static enum hf_err read_name(const json_t *item, const char *name, size_t max, struct hf_why *why, char *ret) {
	const char *text;
	enum hf_err err = hf_parse_string(item, name, why, &text);
	if (!err && !text)
		err = hf_fail(why, HF_E_INVALID_PARAMETER, "\"%s\" is missing", name);
	return err ? err : hf_name_set(name, text, max, why, ret);
}

static enum hf_err read_item(const json_t *item, struct hf_why *why, struct hf_identity *ret) {
	const char *kind, *name;
	json_t *value;
	if (!json_is_object(item))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "it is not an object");
	json_object_foreach ((json_t *)item, name, value) {
		if (strcmp(name, "kind") != 0 && strcmp(name, "mesh") != 0 && strcmp(name, "zone") != 0 &&
		    strcmp(name, "service") != 0)
			return hf_fail(why, HF_E_INVALID_PARAMETER, "member \"%.40s\" is unknown; known: kind, mesh, zone, service",
				       name);
	}
	enum hf_err err = hf_parse_string(item, "kind", why, &kind);
	if (err)
		return err;
	ret->kind = HF_MESH_SERVICE;
	if (kind && !hf_kind_parse(kind, &ret->kind))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "kind \"%.40s\" is unknown", kind);
	err = read_name(item, "mesh", HF_NAME_MAX, why, ret->mesh);
	if (!err)
		err = read_name(item, "zone", HF_NAME_MAX, why, ret->zone);
	return err ? err : read_name(item, "service", HF_SERVICE_MAX, why, ret->service);
}

static enum hf_err look_up(struct hf_call *call, const json_t *items, struct hf_json *json) {
	for (size_t i = 0; i < json_array_size(items); i++) {
		struct hf_identity id;
		struct hf_lease lease;
		struct hf_why why = {""};
		enum hf_err err = read_item(json_array_get(items, i), &why, &id);
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
	const char *name;
	json_t *value;
	const json_t *items = json_object_get(document, "items");
	json_object_foreach ((json_t *)document, name, value) {
		if (strcmp(name, "items") != 0)
			return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "member \"%.40s\" is unknown; known: items", name);
	}
	if (!json_is_array(items))
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "\"items\" is missing or not an array");
	struct hf_json json = hf_call_json(call, 200);
	hf_json_open(&json, '{');
	hf_json_key(&json, "items");
	hf_json_open(&json, '[');
	enum hf_err err = look_up(call, items, &json);
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

/* lease_path.c — the path, the addresses and the answer of requests about one lease. */
#include "lease_path.h"

#include <string.h>

#include "api/call/route.h"
#include "api/shapes/lease_json.h"
#include "api/text/json.h"

enum hf_err hf_lease_path_identity(struct hf_call *call, struct hf_identity *ret) {
	ret->kind = call->route->kind;
	enum hf_err err = hf_name_set("mesh", call->vars[0], HF_NAME_MAX, &call->why, ret->mesh);
	if (!err)
		err = hf_name_set("zone", call->vars[1], HF_NAME_MAX, &call->why, ret->zone);
	return err ? err : hf_name_set("service", call->vars[2], HF_SERVICE_MAX, &call->why, ret->service);
}

enum hf_err hf_lease_path_addresses(struct hf_call *call, int *ret_n, struct hf_addr ret[HF_FAMILIES]) {
	int n = 0;
	for (int i = 0; i < call->n_params; i++) {
		struct hf_addr a;
		if (strcmp(call->params[i].name, "address") != 0)
			continue;
		struct hf_why why = {""};
		if (hf_addr_parse(call->params[i].value, &why, &a))
			return hf_fail(&call->why, HF_E_INVALID_ADDRESS, "address: %s", why.text);
		for (int k = 0; k < n; k++)
			if (hf_addr_family(ret[k]) == hf_addr_family(a))
				return hf_fail(&call->why, HF_E_INVALID_PARAMETER,
					       "address: two of one family; at most one of each is allowed");
		ret[n++] = a;
	}
	*ret_n = n;
	return HF_OK;
}

void hf_lease_path_answer(struct hf_call *call, int status, const struct hf_lease *lease) {
	char tag[HF_ETAG_TEXT];
	struct hf_json json = hf_call_json(call, status);
	hf_json_lease(&json, lease);
	hf_lease_etag(lease, tag);
	hf_call_set_header(call, "ETag", tag);
}

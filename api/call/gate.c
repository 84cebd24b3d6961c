/* gate.c — authenticates and authorises a request. */
#include "gate.h"

#include <string.h>

#include "api/access/access.h"
#include "route.h"

enum hf_err hf_gate_authenticate(struct hf_call *call) {
	if (call->route && call->route->role == HF_ROLE_PROBE)
		return HF_OK;
	if (call->api->open_to_all) {
		call->principal.role = HF_ROLE_ADMIN;
		return HF_OK;
	}
	if (!call->api->access || !hf_access_find(call->api->access, call->request.headers[HF_AUTHORIZATION], &call->principal)) {
		hf_call_set_header(call, "WWW-Authenticate", "Bearer realm=\"holdfast\"");
		return hf_fail(&call->why, HF_E_UNAUTHORIZED, "this needs a valid token, sent as Authorization: Bearer TOKEN");
	}
	memcpy(call->by, call->principal.id, sizeof call->principal.id);
	return HF_OK;
}

/* Returns whether a parameter that is a switch is set, or may be: the handler refuses anything but true and false, or takes the
 * bare word for true. */
static bool is_set(const struct hf_call *call, const char *name) {
	const char *text = hf_call_param(call, name);
	return text && strcmp(text, "false") != 0;
}

enum hf_err hf_gate_authorise(struct hf_call *call) {
	const struct hf_route *route = call->route;
	uint64_t max_release = HF_MAX_RELEASE_DEFAULT;
	enum hf_err err = HF_OK;
	struct hf_demand demand = {.role = route->role,
				   .zone = route->zone ? call->vars[route->zone - 1] : NULL,
				   .needs_epoch = route->fence == HF_FENCED,
				   .has_epoch = call->request.headers[HF_ZONE_EPOCH] != NULL};
	if (call->principal.role == HF_ROLE_ADMIN)
		return hf_principal_check(&call->principal, &demand, &call->why);
	if (call->n_params > 0)
		err = hf_call_param_uint(call, "maxRelease", 0, 100, &max_release);
	if (is_set(call, "force"))
		demand.permissions |= HF_MAY_FORCE;
	if (is_set(call, "purge"))
		demand.permissions |= HF_MAY_PURGE;
	if (max_release > HF_MAX_RELEASE_DEFAULT)
		demand.permissions |= HF_MAY_MAX_RELEASE;
	enum hf_err refused = hf_principal_check(&call->principal, &demand, &call->why);
	return refused ? refused : err;
}

/* gate.h — lets a request in, or not: the one place where access is decided.
 *
 * hf_call_route() calls both functions after the request's host and origin were checked, and before a route's `open`, the store and
 * the body are touched: whatever answers without a look at the store or without parsing the body comes after it. Each request is
 * authenticated by itself, whatever came before it on its connection.
 */
#ifndef HF_API_CALL_GATE_H
#define HF_API_CALL_GATE_H

#include "call.h"

/* Sets call->principal and call->by from the request's headers. A route for probes needs no token, and its caller is nobody.
 * Without a route, anything needs a token: a stranger does not learn which paths exist.
 * Fails with HF_E_UNAUTHORIZED if the request has no valid token; the answer is the same for every reason. */
enum hf_err hf_gate_authenticate(struct hf_call *call) HF_CHECKED;

/* Judges what the principal asks for: the route, the zone in its path, its query and its headers.
 * Fails with HF_E_FORBIDDEN if the principal may not do that.
 * Fails with HF_E_INVALID_PARAMETER if a parameter that it has to judge is invalid. */
enum hf_err hf_gate_authorise(struct hf_call *call) HF_CHECKED;

#endif

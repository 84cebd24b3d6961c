/* target.h — the request target: path segments and query parameters, percent-decoded strictly (RFC 3986).
 *
 * A segment is decoded after the path was split, so %2F is a character of a name and not a separator; %00 is refused. "+" is a
 * plus.
 */
#ifndef HF_API_CALL_TARGET_H
#define HF_API_CALL_TARGET_H

#include "call.h"

/* Splits call->request.target in place into authority (of the absolute form), segments and query.
 * Fails with HF_E_INVALID_NAME if a broken percent escape, %00, invalid UTF-8.
 * Fails with HF_E_NOT_FOUND if too many parts.
 * Fails with HF_E_INVALID_PARAMETER if an absolute form without a host. */
enum hf_err hf_target_split(struct hf_call *call, struct hf_why *why) HF_CHECKED;

/* Then splits the query into params.
 * Fails with HF_E_INVALID_PARAMETER if as above, or too many. */
enum hf_err hf_target_split_query(struct hf_call *call, struct hf_why *why) HF_CHECKED;

/* Checks the parameters against a route's list ("pool address* version").
 * Fails with HF_E_INVALID_PARAMETER if unknown, or given twice. */
enum hf_err hf_target_check_params(const struct hf_call *call, const char *allowed, struct hf_why *why) HF_CHECKED;

#endif

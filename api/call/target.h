/* target.h — the request target: path segments and query parameters, percent-decoded strictly (RFC 3986).
 *
 * A segment is decoded after the path was split, so %2F is a character of a name and not a separator; %00 is refused. "+" is a
 * plus.
 */
#ifndef HF_API_CALL_TARGET_H
#define HF_API_CALL_TARGET_H

#include "call.h"

/* Splits call->request.target in place into authority (of the absolute form), segments and query. HF_E_INVALID_NAME: a broken
 * percent escape, %00, invalid UTF-8. HF_E_NOT_FOUND: too many parts. HF_E_INVALID_PARAMETER: an absolute form without a host. */
enum hf_err hf_target_split(struct hf_call *call, struct hf_why *why) HF_CHECKED;

/* Then splits the query into params. HF_E_INVALID_PARAMETER: as above, or too many. */
enum hf_err hf_target_split_query(struct hf_call *call, struct hf_why *why) HF_CHECKED;

/* Checks the parameters against a route's list ("pool address* version"). HF_E_INVALID_PARAMETER: unknown, or given twice. */
enum hf_err hf_target_check_params(const struct hf_call *call, const char *allowed, struct hf_why *why) HF_CHECKED;

#endif

/* target.h — the request target: path segments and query parameters, percent-decoded strictly (RFC 3986).
 *
 * A segment is decoded after the path was split, so %2F is a character of a name and not a separator; %00 is refused. "+" is a
 * plus sign.
 */
#ifndef HF_API_CALL_TARGET_H
#define HF_API_CALL_TARGET_H

#include "call.h"

/* Splits call->request.target in place into the authority (of an absolute form), segments and the query.
 * Fails with HF_E_INVALID_NAME if it has a broken percent escape, %00 or invalid UTF-8.
 * Fails with HF_E_NOT_FOUND if the path has too many segments.
 * Fails with HF_E_INVALID_PARAMETER if it has the absolute form without a host. */
enum hf_err hf_target_split(struct hf_call *call, struct hf_why *why) HF_CHECKED;

/* Splits the query into params. Call it after hf_target_split().
 * Fails with HF_E_INVALID_PARAMETER if it has a broken percent escape, %00 or invalid UTF-8, or too many parameters. */
enum hf_err hf_target_split_query(struct hf_call *call, struct hf_why *why) HF_CHECKED;

/* Checks the parameters against a route's list ("pool address* version").
 * Fails with HF_E_INVALID_PARAMETER if one is unknown, or is given twice and not repeatable. */
enum hf_err hf_target_check_params(const struct hf_call *call, const char *allowed, struct hf_why *why) HF_CHECKED;

#endif

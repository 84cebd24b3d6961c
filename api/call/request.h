/* request.h — a request's headers, and what they state about its body. */
#ifndef HF_API_CALL_REQUEST_H
#define HF_API_CALL_REQUEST_H

#include "call.h"

/* Checks that the route takes a body of the stated type and coding. An empty body needs neither; `certain`: the body has at least
 * one byte.
 * Fails with HF_E_UNSUPPORTED_MEDIA_TYPE if the route does not take it. */
enum hf_err hf_request_check_body(struct hf_call *call, bool certain) HF_CHECKED;

/* Frees the lists that hf_call_header() joined. */
void hf_request_free_joined(struct hf_request *request);

const char *hf_request_header_name(enum hf_request_header header);

/* Takes one line of a request header. The value is borrowed from the server until the request ends. Lines of a list header are
 * joined (RFC 9110, 5.3).
 * Fails with HF_E_INVALID_PARAMETER if a header that is not a list comes twice.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_call_header(struct hf_call *call, enum hf_request_header header, const char *value) HF_CHECKED;

#endif

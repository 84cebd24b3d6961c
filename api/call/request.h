/* request.h — what a request's headers say of its body. */
#ifndef HF_API_CALL_REQUEST_H
#define HF_API_CALL_REQUEST_H

#include "call.h"

/* Whether the route takes a body of the stated type and coding. An empty one needs neither: `certain` says that there is a byte of
 * it. HF_E_UNSUPPORTED_MEDIA_TYPE. */
enum hf_err hf_request_check_body(struct hf_call *call, bool certain) HF_CHECKED;

/* Frees the lists that hf_call_header() joined. */
void hf_request_free_joined(struct hf_request *request);

#endif

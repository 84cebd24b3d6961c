/* headers.h — a request's headers, and what they must be before anything else looks at them. */
#ifndef HF_SERVER_HTTP_HEADERS_H
#define HF_SERVER_HTTP_HEADERS_H

#include <microhttpd.h>

#include "api/call/call.h"

#define HF_HEADERS_MAX_BYTES 16384 /* request line and headers */

/* What a connection's requests have in libmicrohttpd: request line and headers, its own notes about each header and query
 * parameter, and the header of the answer. It answers 431 or closes by itself beyond; and it clears all of it for each request,
 * which with 32 KiB is a twentieth of the time of an answer. */
#define HF_CONNECTION_MEMORY_BYTES 20480
#define HF_NOTE_BYTES 64	    /* about one header or query parameter */
#define HF_ANSWER_HEADER_BYTES 1024 /* that an answer's header may take */

/* A request line as libmicrohttpd hands it over, in the handler's first call. */
struct hf_request_line {
	struct MHD_Connection *connection;
	const char *method, *target, *version;
};

/* Reads the headers that the API knows into a call that has its target, and the body's length; what they point to is
 * libmicrohttpd's until the request ends. *ret_expects: the client waits for 100 Continue before it sends the body. After an error
 * the connection must be closed: where the next request begins cannot be known for certain. HF_E_INVALID_PARAMETER: the head is not
 * what RFC 9112 allows (see head.h); a header that steers a request is given twice; the body's length is stated in two ways, or in
 * one that is not supported; HTTP/1.1 without Host. HF_E_HEADERS_TOO_LARGE: or there are so many that no room would be left for the
 * answer. */
enum hf_err hf_headers_read(struct hf_call *call, const struct hf_request_line *line, bool *ret_expects) HF_CHECKED;

#endif

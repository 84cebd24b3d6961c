/* headers.h — reads a request's headers, and refuses those that must not get further. */
#ifndef HF_SERVER_HTTP_HEADERS_H
#define HF_SERVER_HTTP_HEADERS_H

#include <microhttpd.h>

#include "api/call/call.h"

#define HF_HEADERS_MAX_BYTES 16384 /* request line and headers */

/* libmicrohttpd's memory of a connection. It holds a request's line and headers, a record of each header and query parameter, and
 * the headers of the answer; if it is full, libmicrohttpd answers 431 or closes. It is cleared for each request, which takes a
 * twentieth of an answer's time at 32 KiB. */
#define HF_CONNECTION_MEMORY_BYTES 20736
#define HF_NOTE_BYTES 64	    /* for one record, roughly */
#define HF_ANSWER_HEADER_BYTES 1280 /* for the headers of the answer */

/* A request line as libmicrohttpd passes it in the handler's first call. */
struct hf_request_line {
	struct MHD_Connection *connection;
	const char *method, *target, *version;
};

/* Reads the headers that the API knows, and the body's length, into a call that has its target. The values belong to
 * libmicrohttpd, until the request ends. *ret_expects: the client waits for 100 Continue before it sends the body. After an error
 * the connection must be closed, because the beginning of the next request is unknown.
 * Fails with HF_E_INVALID_PARAMETER if the head is not what RFC 9112 allows (head.h), a header that steers the request is given
 * twice, the body's length is stated in two ways or in an unsupported one, or HTTP/1.1 comes without Host.
 * Fails with HF_E_HEADERS_TOO_LARGE if the headers are too many or too long to leave room for the answer. */
enum hf_err hf_headers_read(struct hf_call *call, const struct hf_request_line *line, bool *ret_expects) HF_CHECKED;

#endif

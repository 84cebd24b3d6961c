/* headers.h — a request's headers, and what they must be before anything else looks at them. */
#ifndef HF_SERVER_HEADERS_H
#define HF_SERVER_HEADERS_H

#include <microhttpd.h>

#include "api/call.h"

#define HF_HEADERS_MAX_BYTES 16384 /* request line and headers */

/* What a connection's requests have in libmicrohttpd: request line and headers, its own notes about each header and query
 * parameter, and the header of the answer. It answers 431 or closes by itself beyond; and it clears all of it for each request,
 * which with 32 KiB is a twentieth of the time of an answer. */
#define HF_CONNECTION_MEMORY_BYTES 20480
#define HF_NOTE_BYTES 64	    /* about one header or query parameter */
#define HF_ANSWER_HEADER_BYTES 1024 /* that an answer's header may take */

/* Reads the headers that the API knows, and the body's length (NULL: not stated); both are libmicrohttpd's until the request ends.
 * HF_E_HEADERS_TOO_LARGE: or there are so many that no room would be left for the answer. HF_E_INVALID_PARAMETER: a header that
 * steers a request is given twice, so that one of the two would be passed over; or the body's length is stated in two ways, or in
 * one that is not supported (RFC 9112, 6.1 and 6.3). */
enum hf_err hf_headers_read(struct MHD_Connection *connection, struct hf_why *why, const char *ret[HF_REQUEST_HEADERS],
			    const char **ret_length) HF_CHECKED;

#endif

/* exchange.h — one request and its answer, from its first line to its end.
 *
 * libmicrohttpd calls the handler several times for a request: once with the headers, once for each piece of the body, once at the
 * end, and once more each time a suspended connection was resumed. `phase` says where a request is. A connection is suspended while
 * its write waits for the committer, its long-poll for a change, or all of it is long and in a lane; whoever ends the wait
 * resumes it, exactly once. All of it happens on the connection's thread, except what the committer, the wakeups and the lanes do.
 */
#ifndef HF_SERVER_EXCHANGE_H
#define HF_SERVER_EXCHANGE_H

#include <microhttpd.h>

struct hf_http;
struct hf_exchange;

/* Begins a request with its target as sent. NULL: out of memory. The caller, its connection, ends it. */
struct hf_exchange *hf_exchange_begin(struct hf_http *http, struct MHD_Connection *connection, const char *uri);

/* One call of libmicrohttpd's handler; MHD_NO closes the connection. */
enum MHD_Result hf_exchange_handle(struct hf_exchange *exchange, const char *path, const char *method, const char *upload,
				   size_t *upload_len);

/* Gives back what it holds, however far it came. Nothing may wait for it any more. NULL is fine. */
void hf_exchange_end(struct hf_exchange *exchange);

#endif

/* exchange.h — one request and its answer, from its first line to its end.
 *
 * libmicrohttpd calls the handler several times for a request: once with the headers, once for each piece of the body, once at the
 * end, and once more each time a suspended connection was resumed. `phase` says how far a request is. A connection is suspended
 * while its write waits for the committer, while its long-poll waits for a change, or while all of it is in a lane; the thread that
 * ends the wait resumes it, exactly once. Everything else happens on the connection's own thread.
 */
#ifndef HF_SERVER_HTTP_EXCHANGE_H
#define HF_SERVER_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include <stdbool.h>

struct hf_client;
struct hf_exchange;
struct hf_http;

/* Begins a request with its target as sent. The caller ends it with hf_exchange_end(). NULL: out of memory. */
struct hf_exchange *hf_exchange_begin(struct hf_http *http, struct hf_client *client, const char *uri);

/* Handles one call of libmicrohttpd's handler; MHD_NO closes the connection. */
enum MHD_Result hf_exchange_handle(struct hf_exchange *exchange, const char *path, const char *method, const char *version,
				   const char *upload, size_t *upload_len);

/* Gives up a request whose client has gone or has closed its sending side, after which libmicrohttpd sends it nothing more. A
 * long-poll ends; a request that waits for its turn in a lane is not carried out. Any thread, while the connection is in
 * HF_CLIENT_WAITING and cannot leave it. Returns false if the request is being carried out, or is about to be. */
bool hf_exchange_give_up(struct hf_exchange *exchange);

/* Frees a request, however far it came. No other thread may still hold it. NULL is fine. */
void hf_exchange_end(struct hf_exchange *exchange);

#endif

/* exchange.h — one request and its answer, from its first line to its end.
 *
 * libmicrohttpd calls the handler several times for a request: once with the headers, once for each piece of the body, once at the
 * end, and once more each time a suspended connection was resumed. `phase` says where a request is. A connection is suspended while
 * its write waits for the committer, its long-poll for a change, or all of it is long and in a lane; whoever ends the wait
 * resumes it, exactly once. All of it happens on the connection's thread, except what the committer, the wakeups and the lanes do.
 */
#ifndef HF_SERVER_HTTP_EXCHANGE_H
#define HF_SERVER_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include <stdbool.h>

#include "storage/base/err.h"

struct hf_client;
struct hf_exchange;

/* Begins a request with its target as sent. NULL: out of memory. The caller, its connection, ends it. */
struct hf_exchange *hf_exchange_begin(struct hf_client *client, const char *uri);

/* One call of libmicrohttpd's handler; MHD_NO closes the connection. */
enum MHD_Result hf_exchange_handle(struct hf_exchange *exchange, const char *path, const char *method, const char *version,
				   const char *upload, size_t *upload_len);

/* Refuses it past libmicrohttpd, after which its connection must end. */
void hf_exchange_refuse(struct hf_exchange *exchange, enum hf_err err, const char *detail);

/* From any thread, while the connection is in HF_CLIENT_WAITING and cannot leave that: its client has gone, or has closed its side,
 * after which libmicrohttpd sends nothing more to it. A long-poll ends; a request that waits for its turn in a lane is not carried
 * out. False: it has begun, or is on its way already. */
bool hf_exchange_give_up(struct hf_exchange *exchange);

/* Gives back what it holds, however far it came. Nothing may wait for it any more. NULL is fine. */
void hf_exchange_end(struct hf_exchange *exchange);

#endif

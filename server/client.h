/* client.h — the owner of what a client's requests hold: one for each connection of libmicrohttpd.
 *
 * libmicrohttpd 0.9.75 may begin a request and give it up without a word about its end. It never forgets to say that a connection
 * was closed: so what a request holds (memory, counters, a sink, a stream's deadline) is ended with its connection at the latest.
 */
#ifndef HF_SERVER_CLIENT_H
#define HF_SERVER_CLIENT_H

#include <microhttpd.h>

struct hf_http;
struct hf_exchange;

struct hf_client {
	struct MHD_Connection *mhd;
	struct hf_exchange *exchange; /* the request under way and its answer; NULL: none */
};

/* libmicrohttpd's callback for connections that begin and end (MHD_OPTION_NOTIFY_CONNECTION); `context` is the struct hf_http. */
void hf_client_notify(void *context, struct MHD_Connection *mhd, void **socket_context, enum MHD_ConnectionNotificationCode code);

/* The owner of a connection; NULL: there was no memory for one, and nothing may be begun on it. */
struct hf_client *hf_client_of(struct MHD_Connection *mhd);

/* Begins a request, after ending one that was given up. NULL: out of memory. On the connection's thread, as what follows. */
struct hf_exchange *hf_client_begin(struct hf_http *http, struct hf_client *client, const char *uri);

/* Ends the request under way, if there is one. */
void hf_client_end(struct hf_client *client);

#endif

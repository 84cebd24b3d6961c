/* connection.h — libmicrohttpd's callbacks for the beginning and the end of connections and of requests.
 *
 * libmicrohttpd 0.9.75 may begin a request and abandon it without reporting its end, but it always reports the end of a connection.
 * So whatever a request holds (memory, counters, a sink, a stream's deadline) belongs to its connection, and is freed with it at
 * the latest.
 */
#ifndef HF_SERVER_HTTP_CONNECTION_H
#define HF_SERVER_HTTP_CONNECTION_H

#include <microhttpd.h>

/* MHD_OPTION_NOTIFY_CONNECTION: a connection was opened or closed. `context` is the struct hf_http. */
void hf_connection_notify(void *context, struct MHD_Connection *mhd, void **socket_context,
			  enum MHD_ConnectionNotificationCode code);

/* MHD_OPTION_URI_LOG_CALLBACK: the request line has arrived. Begins a request, after ending one that was abandoned. Returns its
 * struct hf_exchange, or NULL: out of memory. */
void *hf_connection_begin(void *context, const char *uri, struct MHD_Connection *mhd);

/* MHD_OPTION_NOTIFY_COMPLETED: the request has ended. */
void hf_connection_end(void *context, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode code);

#endif

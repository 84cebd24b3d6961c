/* connection.c — from libmicrohttpd's connections to clients and their exchanges. */
#include "connection.h"

#include <errno.h>
#include <sys/socket.h>

#include "exchange.h"
#include "http_internal.h"
#include "watch.h"

/* The client of a connection; NULL: it could not be opened, and no request may begin on it. */
static struct hf_client *client_of(struct MHD_Connection *mhd) {
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

/* Ends the current request, if any. `whole`: all of it has arrived. */
static void end_exchange(struct hf_client *client, bool whole) {
	if (!client->exchange)
		return;
	if (client->state == HF_CLIENT_WAITING) /* reset: its request is not handled again, and the watch may look at it */
		hf_client_resume(client);
	client->unfinished = !whole;
	hf_exchange_end(client->exchange);
	client->exchange = NULL;
	hf_client_enter(client, HF_CLIENT_IDLE);
}

void *hf_connection_begin(void *context, const char *uri, struct MHD_Connection *mhd) {
	struct hf_client *client = client_of(mhd);
	if (!client)
		return NULL;
	end_exchange(client, true);
	client->exchange = hf_exchange_begin(context, client, uri);
	return client->exchange;
}

void hf_connection_end(void *context, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode code) {
	struct hf_client *client = client_of(mhd);
	(void)context;
	*state = NULL;
	if (client)
		end_exchange(client, code == MHD_REQUEST_TERMINATED_COMPLETED_OK || code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED);
}

static void open_connection(struct hf_http *http, struct MHD_Connection *mhd, void **socket_context) {
	int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	const struct sockaddr *from = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	struct hf_client *client = hf_client_open(&http->clients, mhd, fd, from);
	if (!client)
		return;
	hf_watch_wake(http->watch);
	hf_workers_opened(&http->workers);
	*socket_context = client;
}

/* Returns true if the client may still send after the server closed: it has not closed its side, and bytes are unread or to come.
 */
static bool still_sends(const struct hf_client *client) {
	char byte;
	ssize_t n = recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n > 0 || (n < 0 && errno == EAGAIN && client->unfinished);
}

static void close_connection(struct hf_http *http, void **socket_context) {
	struct hf_client *client = *socket_context;
	if (!client)
		return;
	*socket_context = NULL;
	end_exchange(client, false);
	if (client->state != HF_CLIENT_ENDED && !http->api->stopping && still_sends(client))
		hf_linger_keep(http->linger, client->fd);
	hf_workers_closed(&http->workers);
	hf_client_close(client);
}

void hf_connection_notify(void *context, struct MHD_Connection *mhd, void **socket_context,
			  enum MHD_ConnectionNotificationCode code) {
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		open_connection(context, mhd, socket_context);
	else
		close_connection(context, socket_context);
}

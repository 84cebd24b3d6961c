/* client.c — what is open, and what it holds. */
#include "client.h"

#include <stdlib.h>

#include "exchange.h"
#include "http_internal.h"

struct hf_client *hf_client_of(struct MHD_Connection *mhd) {
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

struct hf_exchange *hf_client_begin(struct hf_http *http, struct hf_client *client, const char *uri) {
	hf_client_end(client);
	client->exchange = hf_exchange_begin(http, client->mhd, uri);
	return client->exchange;
}

void hf_client_end(struct hf_client *client) {
	hf_exchange_end(client->exchange);
	client->exchange = NULL;
}

static void open_client(struct hf_http *http, struct MHD_Connection *mhd, void **socket_context) {
	struct hf_client *client = calloc(1, sizeof *client);
	if (!client)
		return;
	client->mhd = mhd;
	http->api->traffic.connections++;
	hf_workers_opened(&http->workers);
	*socket_context = client;
}

static void close_client(struct hf_http *http, void **socket_context) {
	struct hf_client *client = *socket_context;
	if (!client)
		return;
	*socket_context = NULL;
	hf_client_end(client);
	http->api->traffic.connections--;
	hf_workers_closed(&http->workers);
	free(client);
}

void hf_client_notify(void *context, struct MHD_Connection *mhd, void **socket_context, enum MHD_ConnectionNotificationCode code) {
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		open_client(context, mhd, socket_context);
	else
		close_client(context, socket_context);
}

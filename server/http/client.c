/* client.c — what is open, what it holds, and who makes room for others. */
#include "client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "exchange.h"
#include "http_internal.h"
#include "server/process/log.h"
#include "watch.h"

#define EXAMINED_MAX 1024 /* connections that are looked at to find one that makes room */
#define WARNING_US 10000000

bool hf_clients_init(struct hf_clients *clients, const struct hf_client_limits *limits, struct hf_traffic *traffic) {
	*clients = (struct hf_clients){.limits = *limits, .traffic = traffic, .warned_us = -WARNING_US};
	pthread_mutex_init(&clients->lock, NULL);
	return hf_places_init(&clients->places, limits->max, limits->per_address);
}

void hf_clients_free(struct hf_clients *clients) {
	hf_places_free(&clients->places);
	pthread_mutex_destroy(&clients->lock);
}

struct hf_client *hf_client_of(struct MHD_Connection *mhd) {
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

bool hf_client_enter(struct hf_client *client, enum hf_client_state state) {
	enum hf_client_state was = client->state;
	return was != HF_CLIENT_ENDED && atomic_compare_exchange_strong(&client->state, &was, state);
}

bool hf_client_resume(struct hf_client *client) {
	pthread_mutex_lock(&client->http->clients.lock);
	bool there = hf_client_enter(client, HF_CLIENT_WORKING);
	pthread_mutex_unlock(&client->http->clients.lock);
	return there;
}

struct hf_exchange *hf_client_begin(struct hf_client *client, const char *uri) {
	hf_client_end(client, true);
	client->exchange = hf_exchange_begin(client, uri);
	return client->exchange;
}

void hf_client_end(struct hf_client *client, bool whole) {
	if (!client->exchange)
		return;
	if (client->state == HF_CLIENT_WAITING) /* it was reset: its request is not handled again, and the watch may look at it */
		hf_client_resume(client);
	client->unfinished = !whole;
	hf_exchange_end(client->exchange);
	client->exchange = NULL;
	hf_client_enter(client, HF_CLIENT_IDLE);
}

static void give_place_back(struct hf_clients *clients, struct hf_client *client) {
	hf_places_give_back(&clients->places, client->address, client->place);
	client->place = HF_CLIENT_PLACE_NONE;
}

bool hf_client_cut(struct hf_clients *clients, struct hf_client *client, enum hf_client_state state, enum hf_cut reason) {
	if (!atomic_compare_exchange_strong(&client->state, &state, HF_CLIENT_ENDED))
		return false;
	clients->traffic->cuts[reason]++;
	give_place_back(clients, client);
	if (reason == HF_CUT_ANSWER_TIMEOUT) /* else the system keeps what was not read, and goes on offering it */
		setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	shutdown(client->fd, SHUT_RDWR);
	return true;
}

/* Whether `a` makes room before `b` does: of the address that has most, one that never asked, the oldest. */
static bool goes_before(const struct hf_client *a, const struct hf_client *b) {
	if (a->address->taken != b->address->taken)
		return a->address->taken > b->address->taken;
	if (a->asked != b->asked)
		return b->asked;
	return a->since_us < b->since_us;
}

/* Whether something came that its thread has not read yet. */
static bool has_unread(const struct hf_client *client) {
	int bytes = 0;
	return ioctl(client->fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

/* Ends an idle connection that has such a place, of one address or (NULL) of any; not one whose request is there already. */
static bool make_room(struct hf_clients *clients, enum hf_client_place place, const struct hf_address *of) {
	struct hf_client *best = NULL;
	for (int i = 0; i < EXAMINED_MAX && (uint64_t)i < clients->traffic->connections; i++) {
		struct hf_client *at = clients->hand ? clients->hand : clients->first;
		if (!at)
			break;
		clients->hand = at->next;
		if (at->state == HF_CLIENT_IDLE && at->place == place && (!of || at->address == of) &&
		    (!best || goes_before(at, best)) && !has_unread(at))
			best = at;
	}
	return best && hf_client_cut(clients, best, HF_CLIENT_IDLE, HF_CUT_MADE_ROOM);
}

/* Whether the log should have a line about it now. */
static bool note_scarcity(struct hf_clients *clients, unsigned *ret_unlogged) {
	int64_t now_us = hf_monotonic_us();
	if (now_us - clients->warned_us < WARNING_US) {
		clients->unlogged++;
		return false;
	}
	*ret_unlogged = clients->unlogged;
	clients->unlogged = 0;
	clients->warned_us = now_us;
	return true;
}

/* Gives a connection a place, if need be an idle one's. The lock is held; it is let go for the log. */
static void find_place(struct hf_clients *clients, struct hf_client *client) {
	struct hf_places *places = &clients->places;
	struct hf_address *address = client->address;
	char text[HF_ADDRESS_TEXT];
	unsigned unlogged = 0;
	bool scarce = !hf_places_has_room(places, address), warn = scarce && note_scarcity(clients, &unlogged);
	uint64_t connections = clients->traffic->connections, of_address = address->clients;
	hf_address_text(address, text);
	give_place_back(clients, client);
	if (scarce)
		make_room(clients, HF_CLIENT_PLACE_ORDINARY, hf_places_is_full(places, address) ? address : NULL);
	client->place = hf_places_take(places, address);
	if (client->place == HF_CLIENT_PLACE_NONE && make_room(clients, HF_CLIENT_PLACE_KEPT, NULL))
		client->place = hf_places_take(places, address);
	if (client->place == HF_CLIENT_PLACE_NONE)
		hf_client_cut(clients, client, HF_CLIENT_IDLE, HF_CUT_NO_PLACE);
	pthread_mutex_unlock(&clients->lock);
	if (warn)
		hf_log(HF_LOG_WARN, "connections are scarce",
		       "address=%s of_address=%" PRIu64 " per_address=%" PRIu64 " connections=%" PRIu64 " max=%" PRIu64
		       " unlogged=%u",
		       text, of_address, places->per_address, connections, places->max, unlogged);
	pthread_mutex_lock(&clients->lock);
}

bool hf_client_is_admitted(struct hf_client *client) {
	struct hf_clients *clients = &client->http->clients;
	if (client->place == HF_CLIENT_PLACE_ORDINARY)
		return true;
	pthread_mutex_lock(&clients->lock);
	if (client->state != HF_CLIENT_ENDED)
		find_place(clients, client);
	pthread_mutex_unlock(&clients->lock);
	return client->place == HF_CLIENT_PLACE_ORDINARY;
}

static void add(struct hf_clients *clients, struct hf_client *client) {
	client->prev = clients->last;
	*(clients->last ? &clients->last->next : &clients->first) = client;
	clients->last = client;
}

static void take_out(struct hf_clients *clients, struct hf_client *client) {
	if (clients->hand == client)
		clients->hand = client->next;
	*(client->prev ? &client->prev->next : &clients->first) = client->next;
	*(client->next ? &client->next->prev : &clients->last) = client->prev;
}

static void open_client(struct hf_http *http, struct MHD_Connection *mhd, void **socket_context) {
	struct hf_clients *clients = &http->clients;
	struct hf_client *client = calloc(1, sizeof *client);
	if (!client)
		return;
	client->mhd = mhd;
	client->http = http;
	client->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	client->since_us = hf_monotonic_us();
	pthread_mutex_lock(&clients->lock);
	client->address =
		hf_places_connect(&clients->places, MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	if (client->address) {
		add(clients, client);
		clients->traffic->connections++;
		find_place(clients, client);
	}
	if (client->address)
		hf_watch_wake(clients->watch);
	pthread_mutex_unlock(&clients->lock);
	if (!client->address) {
		free(client);
		return;
	}
	hf_workers_opened(&http->workers);
	*socket_context = client;
}

/* Whether the client still sends, or may, to a connection that is closed: it has not closed it, and there is something unread or to
 * come. */
static bool still_sends(const struct hf_client *client) {
	char byte;
	ssize_t n = recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n > 0 || (n < 0 && errno == EAGAIN && client->unfinished);
}

static void linger(struct hf_http *http, const struct hf_client *client) {
	if (client->state != HF_CLIENT_ENDED && !http->api->stopping && still_sends(client))
		hf_linger_keep(http->linger, client->fd);
}

static void close_client(struct hf_http *http, void **socket_context) {
	struct hf_clients *clients = &http->clients;
	struct hf_client *client = *socket_context;
	if (!client)
		return;
	*socket_context = NULL;
	hf_client_end(client, false);
	linger(http, client);
	hf_workers_closed(&http->workers);
	pthread_mutex_lock(&clients->lock);
	give_place_back(clients, client);
	hf_places_disconnect(&clients->places, client->address);
	take_out(clients, client);
	clients->traffic->connections--;
	pthread_mutex_unlock(&clients->lock);
	free(client);
}

void hf_client_notify(void *context, struct MHD_Connection *mhd, void **socket_context, enum MHD_ConnectionNotificationCode code) {
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		open_client(context, mhd, socket_context);
	else
		close_client(context, socket_context);
}

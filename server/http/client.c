/* client.c — the list of connections and their places. */
#include "client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "server/process/log.h"
#include "storage/base/monotonic.h"

#define EXAMINED_MAX 1024 /* connections examined to find one that makes room */
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

bool hf_client_enter(struct hf_client *client, enum hf_client_state state) {
	enum hf_client_state was = client->state;
	return was != HF_CLIENT_ENDED && atomic_compare_exchange_strong(&client->state, &was, state);
}

bool hf_client_resume(struct hf_client *client) {
	pthread_mutex_lock(&client->clients->lock);
	bool there = hf_client_enter(client, HF_CLIENT_WORKING);
	pthread_mutex_unlock(&client->clients->lock);
	return there;
}

static void give_place_back(struct hf_client *client) {
	hf_places_give_back(&client->clients->places, client->address, client->place);
	client->place = HF_CLIENT_PLACE_NONE;
}

bool hf_client_cut(struct hf_client *client, enum hf_client_state state, enum hf_cut reason) {
	if (!atomic_compare_exchange_strong(&client->state, &state, HF_CLIENT_ENDED))
		return false;
	client->clients->traffic->cuts[reason]++;
	give_place_back(client);
	if (reason == HF_CUT_ANSWER_TIMEOUT) /* otherwise the system keeps the unread bytes and continues to offer them */
		setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	shutdown(client->fd, SHUT_RDWR);
	return true;
}

/* Returns true if `a` makes room before `b`: the address with most connections first, then one that has sent no request, then the
 * oldest.
 */
static bool goes_before(const struct hf_client *a, const struct hf_client *b) {
	if (a->address->taken != b->address->taken)
		return a->address->taken > b->address->taken;
	if (a->asked != b->asked)
		return b->asked;
	return a->since_us < b->since_us;
}

/* Returns true if bytes have arrived that its thread has not read yet. */
static bool has_unread(const struct hf_client *client) {
	int bytes = 0;
	return ioctl(client->fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

/* Ends an idle connection with such a place, of one address or (NULL) of any, unless its next request has already arrived. */
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
	return best && hf_client_cut(best, HF_CLIENT_IDLE, HF_CUT_MADE_ROOM);
}

/* Counts a shortage. Returns true if the log should have a line about it now. */
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

/* Gives a connection a place, an idle one's if necessary. The caller holds the lock, which is released for the log. */
static void find_place(struct hf_client *client) {
	struct hf_clients *clients = client->clients;
	struct hf_places *places = &clients->places;
	struct hf_address *address = client->address;
	char text[HF_ADDRESS_TEXT];
	unsigned unlogged = 0;
	bool scarce = !hf_places_has_room(places, address), warn = scarce && note_scarcity(clients, &unlogged);
	uint64_t connections = clients->traffic->connections, of_address = address->clients;
	hf_address_text(address, text);
	give_place_back(client);
	if (scarce)
		make_room(clients, HF_CLIENT_PLACE_ORDINARY, hf_places_is_full(places, address) ? address : NULL);
	client->place = hf_places_take(places, address);
	if (client->place == HF_CLIENT_PLACE_NONE && make_room(clients, HF_CLIENT_PLACE_KEPT, NULL))
		client->place = hf_places_take(places, address);
	if (client->place == HF_CLIENT_PLACE_NONE)
		hf_client_cut(client, HF_CLIENT_IDLE, HF_CUT_NO_PLACE);
	pthread_mutex_unlock(&clients->lock);
	if (warn)
		hf_log(HF_LOG_WARN, "connections are scarce",
		       "address=%s of_address=%" PRIu64 " per_address=%" PRIu64 " connections=%" PRIu64 " max=%" PRIu64
		       " unlogged=%u",
		       text, of_address, places->per_address, connections, places->max, unlogged);
	pthread_mutex_lock(&clients->lock);
}

bool hf_client_is_admitted(struct hf_client *client) {
	struct hf_clients *clients = client->clients;
	if (client->place == HF_CLIENT_PLACE_ORDINARY)
		return true;
	pthread_mutex_lock(&clients->lock);
	if (client->state != HF_CLIENT_ENDED)
		find_place(client);
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

struct hf_client *hf_client_open(struct hf_clients *clients, struct MHD_Connection *mhd, int fd, const struct sockaddr *from) {
	struct hf_client *client = calloc(1, sizeof *client);
	if (!client)
		return NULL;
	client->mhd = mhd;
	client->clients = clients;
	client->fd = fd;
	client->since_us = hf_monotonic_us();
	pthread_mutex_lock(&clients->lock);
	client->address = hf_places_connect(&clients->places, from);
	bool added = client->address;
	if (added) {
		add(clients, client);
		clients->traffic->connections++;
		find_place(client);
	}
	pthread_mutex_unlock(&clients->lock);
	if (added)
		return client;
	free(client);
	return NULL;
}

void hf_client_close(struct hf_client *client) {
	struct hf_clients *clients = client->clients;
	pthread_mutex_lock(&clients->lock);
	give_place_back(client);
	hf_places_disconnect(&clients->places, client->address);
	take_out(clients, client);
	clients->traffic->connections--;
	pthread_mutex_unlock(&clients->lock);
	free(client);
}

/* client.h — the owner of what a client's requests hold: one for each connection of libmicrohttpd.
 *
 * libmicrohttpd 0.9.75 may begin a request and give it up without a word about its end. It never forgets to say that a connection
 * was closed: so what a request holds (memory, counters, a sink, a stream's deadline) is ended with its connection at the latest.
 *
 * A connection belongs to one of libmicrohttpd's threads. Others may only look at its state, with the lock held, and end it: by
 * shutdown(), as its thread then finds it closed. The lock keeps the descriptor from being another connection's by then.
 */
#ifndef HF_SERVER_HTTP_CLIENT_H
#define HF_SERVER_HTTP_CLIENT_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>

#include "api/call/traffic.h"
#include "places.h"

struct hf_http;
struct hf_exchange;

/* Where a connection is. ENDED is for good: the server has ended it, and its thread has yet to notice. */
enum hf_client_state {
	HF_CLIENT_IDLE,	     /* no request, or not yet its whole head */
	HF_CLIENT_BODY,	     /* the body comes in */
	HF_CLIENT_WORKING,   /* the request is carried out */
	HF_CLIENT_WAITING,   /* … and waits for a change, or for its turn in a lane */
	HF_CLIENT_ANSWERING, /* the answer goes out */
	HF_CLIENT_ENDED,
};

/* What the watch has noted of a connection. */
struct hf_watched {
	int64_t since_us; /* the period that it is about */
	uint64_t bytes;	  /* received or acknowledged by its beginning */
	int64_t at_us;	  /* when a head began, or when an answer has to be read */
};

struct hf_client {
	struct MHD_Connection *mhd;
	struct hf_http *http;
	struct hf_exchange *exchange;	     /* the request under way and its answer; NULL: none */
	_Atomic(enum hf_client_state) state; /* changed by its own thread, and to ENDED by those that hold the lock */
	_Atomic(enum hf_client_place) place; /* likewise */
	_Atomic int64_t since_us;	     /* since when it is there; of an idle one since its last answer began */
	_Atomic uint64_t received;	     /* of the body */
	_Atomic bool asked;		     /* a request of it was carried out */
	bool unfinished;		     /* its own thread's: the last request ended before all of it had come */
	/* Guarded by the lock. */
	struct hf_client *prev, *next;
	struct hf_address *address;
	int fd;
	int64_t look_us; /* when the watch looks again at an idle one */
	struct hf_watched idle, answer;
};

struct hf_client_limits {
	uint64_t max, per_address;
	int64_t head_us;     /* for a request's head, from its first byte */
	int64_t transfer_us; /* for a body, or an answer to be read, and a second more for each 16 KiB */
};

/* All connections. */
struct hf_clients {
	struct hf_client_limits limits;
	struct hf_traffic *traffic;
	struct hf_watch *watch;
	pthread_mutex_t lock; /* guards what follows */
	struct hf_places places;
	struct hf_client *first, *last, *hand;
	int64_t warned_us; /* when the log had a line about scarce connections */
	unsigned unlogged; /* how often that was so since */
};

/* False: out of memory. */
bool hf_clients_init(struct hf_clients *clients, const struct hf_client_limits *limits, struct hf_traffic *traffic);
void hf_clients_free(struct hf_clients *clients); /* there is none any more */

/* libmicrohttpd's callback for connections that begin and end (MHD_OPTION_NOTIFY_CONNECTION); `context` is the struct hf_http. */
void hf_client_notify(void *context, struct MHD_Connection *mhd, void **socket_context, enum MHD_ConnectionNotificationCode code);

/* The owner of a connection; NULL: there was no memory for one, and nothing may be begun on it. */
struct hf_client *hf_client_of(struct MHD_Connection *mhd);

/* What follows is for the connection's own thread. */

/* Begins a request, after ending one that was given up. NULL: out of memory. */
struct hf_exchange *hf_client_begin(struct hf_client *client, const char *uri);

/* Ends the request under way, if there is one. `whole`: no more of it can come. */
void hf_client_end(struct hf_client *client, bool whole);

/* Goes on to a state. False: the connection was ended; nothing may be carried out for it any more. */
bool hf_client_enter(struct hf_client *client, enum hf_client_state state);

/* The same, out of HF_CLIENT_WAITING: after it nobody looks at the request any more. */
bool hf_client_resume(struct hf_client *client);

/* Whether any request may be answered: the connection has an ordinary place, or gets one now. Else only what the operator needs. */
bool hf_client_is_admitted(struct hf_client *client);

/* With the lock held: ends a connection that is in `state`. False: it is not. */
bool hf_client_cut(struct hf_clients *clients, struct hf_client *client, enum hf_client_state state, enum hf_cut reason);

#endif

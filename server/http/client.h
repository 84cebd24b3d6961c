/* client.h — all connections: the state of each, the place it holds, and which one makes room for another.
 *
 * A connection belongs to one of libmicrohttpd's threads. Other threads may only read its state, with the lock held, and end it
 * with shutdown(), which its own thread then notices. The lock keeps the descriptor from being reused for another connection
 * meanwhile.
 */
#ifndef HF_SERVER_HTTP_CLIENT_H
#define HF_SERVER_HTTP_CLIENT_H

#include <pthread.h>
#include <stdbool.h>

#include "api/call/traffic.h"
#include "places.h"

struct MHD_Connection;
struct hf_exchange;

/* What a connection is doing. ENDED is final: the server has ended it, and its thread has yet to notice. */
enum hf_client_state {
	HF_CLIENT_IDLE,	     /* no request, or not yet its whole head */
	HF_CLIENT_BODY,	     /* the body is arriving */
	HF_CLIENT_WORKING,   /* the request is carried out */
	HF_CLIENT_WAITING,   /* … and waits for a change, or for its turn in a lane */
	HF_CLIENT_ANSWERING, /* the answer is being sent */
	HF_CLIENT_ENDED,
};

/* What the watch remembers of a connection. */
struct hf_watched {
	int64_t since_us; /* start of the period that this describes */
	uint64_t bytes;	  /* received or acknowledged at that start */
	int64_t at_us;	  /* when a head began, or when an answer has to be read */
};

struct hf_client {
	struct MHD_Connection *mhd;
	struct hf_clients *clients;
	struct hf_exchange *exchange;	     /* the current request and its answer; NULL: none */
	_Atomic(enum hf_client_state) state; /* changed by its own thread, and to ENDED by a holder of the lock */
	_Atomic(enum hf_client_place) place; /* likewise */
	_Atomic int64_t since_us;	     /* start of the current state; while idle: of the connection or of its last answer */
	_Atomic uint64_t received;	     /* bytes of the body */
	_Atomic bool asked;		     /* at least one request was carried out */
	bool unfinished;		     /* its own thread's: the last request ended before all of it had arrived */
	/* Guarded by the lock. */
	struct hf_client *prev, *next;
	struct hf_address *address;
	int fd;
	int64_t look_us; /* when the watch looks again while it is idle */
	struct hf_watched idle, answer;
};

struct hf_client_limits {
	uint64_t max, per_address;
	int64_t head_us;     /* for a request's head, from its first byte */
	int64_t transfer_us; /* to send a body or read an answer; one second more for each 16 KiB */
};

/* All connections. */
struct hf_clients {
	struct hf_client_limits limits;
	struct hf_traffic *traffic;
	pthread_mutex_t lock; /* guards what follows */
	struct hf_places places;
	struct hf_client *first, *last, *hand;
	int64_t warned_us; /* time of the last warning about scarce connections */
	unsigned unlogged; /* warnings left out since then */
};

/* Returns false if out of memory. */
bool hf_clients_init(struct hf_clients *clients, const struct hf_client_limits *limits, struct hf_traffic *traffic);
void hf_clients_free(struct hf_clients *clients); /* after the last connection was closed */

/* The functions below are for the connection's own thread. */

/* Adds a connection from an address and gives it a place, or ends it if no place is left. The caller closes it with
 * hf_client_close(). NULL: out of memory. */
struct hf_client *hf_client_open(struct hf_clients *clients, struct MHD_Connection *mhd, int fd, const struct sockaddr *from);

/* Gives the connection's place back and frees it. */
void hf_client_close(struct hf_client *client);

/* Enters a state. Returns false if the connection was ended, and nothing may be carried out for it. */
bool hf_client_enter(struct hf_client *client, enum hf_client_state state);

/* Leaves HF_CLIENT_WAITING for HF_CLIENT_WORKING; after it, no other thread looks at the request. Returns false as
 * hf_client_enter() does. */
bool hf_client_resume(struct hf_client *client);

/* Returns true if any request may be answered: the connection has an ordinary place, or gets one now. Otherwise, only what the
 * operator needs. */
bool hf_client_is_admitted(struct hf_client *client);

/* Ends a connection that is in `state`; the caller holds the lock. Returns false if it is in another state. */
bool hf_client_cut(struct hf_client *client, enum hf_client_state state, enum hf_cut reason);

#endif

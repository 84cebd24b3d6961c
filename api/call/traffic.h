/* traffic.h — the server's counters of connections and requests, and their metrics. Thread-safe. */
#ifndef HF_API_CALL_TRAFFIC_H
#define HF_API_CALL_TRAFFIC_H

#include <stdatomic.h>
#include <stdint.h>

struct hf_buf;

/* Why the server ended a connection, or did not carry out a request. */
enum hf_cut {
	HF_CUT_NO_PLACE,       /* no place was left for the connection */
	HF_CUT_KEPT_PLACES,    /* only places kept for the operator were left: 503 */
	HF_CUT_MADE_ROOM,      /* the connection was idle, and another needed its place */
	HF_CUT_HEAD_TIMEOUT,   /* the request's head did not arrive in time */
	HF_CUT_BODY_TIMEOUT,   /* the body did not arrive in time */
	HF_CUT_ANSWER_TIMEOUT, /* the answer was not read in time */
	HF_CUT_CLIENT_GONE,    /* the client left while its request waited */
};
#define HF_CUTS 7

struct hf_traffic {
	_Atomic uint64_t connections; /* open */
	_Atomic uint64_t under_way;   /* requests that began and have not ended */
	_Atomic uint64_t waiters;     /* of these, the ones that wait for a change, or have waited */
	_Atomic uint64_t cuts[HF_CUTS];
	uint64_t connections_max, per_address_max, waiters_max; /* limits; set before there are threads */
};

/* Writes the metrics. */
void hf_traffic_write(struct hf_traffic *traffic, struct hf_buf *out);

#endif

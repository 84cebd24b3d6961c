/* traffic.h — how many connections and requests there are, as the server counts them. Thread-safe. */
#ifndef HF_API_TRAFFIC_H
#define HF_API_TRAFFIC_H

#include <stdatomic.h>
#include <stdint.h>

struct hf_buf;

struct hf_traffic {
	_Atomic uint64_t connections; /* open */
	_Atomic uint64_t under_way;   /* requests that began and have not ended */
	_Atomic uint64_t waiters;     /* of these, the ones that wait for a change or have waited */
};

/* Adds its metrics to a page. */
void hf_traffic_write(struct hf_traffic *traffic, struct hf_buf *out);

#endif

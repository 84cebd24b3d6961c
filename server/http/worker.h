/* worker.h — what each thread that serves requests owns: a reader, a cache of fingerprints, and reusable calls. */
#ifndef HF_SERVER_HTTP_WORKER_H
#define HF_SERVER_HTTP_WORKER_H

#include <pthread.h>

#include "api/call/call.h"

/* Calls that a worker keeps. The last one to end is used first, because it is still in the processor's cache. */
#define HF_SPARE_CALLS_MAX 64

struct hf_worker {
	struct hf_worker *next;
	struct hf_txn *reader;		    /* NULL: the store has no free reader; only probes are answered */
	struct hf_fingerprint_cache *cache; /* NULL: out of memory */
	int connections;		    /* open connections of this thread */
	int n_spare;
	struct hf_call *spare[HF_SPARE_CALLS_MAX];
};

/* All workers of a server. */
struct hf_workers {
	struct hf_api *api;
	bool several; /* more than one thread */
	pthread_key_t key;
	pthread_mutex_t lock; /* guards the list */
	struct hf_worker *first;
};

void hf_workers_init(struct hf_workers *workers, struct hf_api *api, bool several);

/* Frees all workers; their threads must have ended. */
void hf_workers_free(struct hf_workers *workers);

/* Returns a started call with this thread's reader and cache; the thread becomes a worker if it is not one yet. NULL: out of
 * memory. Any thread. */
struct hf_call *hf_workers_call(struct hf_workers *workers, const char *target);

/* Ends a call and keeps it for reuse if this thread is a worker, else frees it. */
void hf_workers_end_call(struct hf_workers *workers, struct hf_call *call);

/* Counts a connection of this thread that was opened, or closed. */
void hf_workers_opened(struct hf_workers *workers);
void hf_workers_closed(struct hf_workers *workers);

/* Returns true if this thread has a single connection and other threads can accept the next one, so that it may block. */
bool hf_workers_alone(const struct hf_workers *workers);

#endif

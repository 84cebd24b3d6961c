/* worker.h — what each of the threads that serve requests has of its own: a reader, a memo, and calls that can be used again. */
#ifndef HF_SERVER_HTTP_WORKER_H
#define HF_SERVER_HTTP_WORKER_H

#include <pthread.h>

#include "api/call/call.h"

/* Calls that a worker keeps. The one that ended last is the next: the processor still has it in its cache. */
#define HF_SPARE_CALLS_MAX 64

struct hf_worker {
	struct hf_worker *next;
	struct hf_txn *reader; /* NULL: the store has none left; then only probes are answered */
	struct hf_memo *memo;  /* NULL: out of memory */
	int connections;       /* that are open and are this thread's */
	int n_spare;
	struct hf_call *spare[HF_SPARE_CALLS_MAX];
};

/* All workers of a server. */
struct hf_workers {
	struct hf_api *api;
	bool several; /* there is more than one thread */
	pthread_key_t key;
	pthread_mutex_t lock; /* guards the list */
	struct hf_worker *first;
};

void hf_workers_init(struct hf_workers *workers, struct hf_api *api, bool several);

/* Frees all of them; their threads must have ended. */
void hf_workers_free(struct hf_workers *workers);

/* A started call with this thread's reader and memo, which becomes a worker if it is none yet. NULL: out of memory. Any thread. */
struct hf_call *hf_workers_call(struct hf_workers *workers, const char *target);

/* Ends a call; this thread keeps it if it is a worker. */
void hf_workers_end_call(struct hf_workers *workers, struct hf_call *call);

/* A connection of this thread was opened, or closed. */
void hf_workers_opened(struct hf_workers *workers);
void hf_workers_closed(struct hf_workers *workers);

/* Whether this thread has one connection and others are there to accept the next: then it may take its time. */
bool hf_workers_alone(const struct hf_workers *workers);

#endif

/* worker.c — the workers of a server and their spare calls. */
#include "worker.h"

#include <stdlib.h>

/* Lets GCC's address sanitizer report any use of a spare call. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define HIDE(call) ASAN_POISON_MEMORY_REGION(call, sizeof *(call))
#define SHOW(call) ASAN_UNPOISON_MEMORY_REGION(call, sizeof *(call))
#else
#define HIDE(call) ((void)(call))
#define SHOW(call) ((void)(call))
#endif

void hf_workers_init(struct hf_workers *workers, struct hf_api *api, bool several) {
	*workers = (struct hf_workers){.api = api, .several = several};
	pthread_key_create(&workers->key, NULL);
	pthread_mutex_init(&workers->lock, NULL);
}

static void keep(struct hf_worker *worker, struct hf_call *call) {
	HIDE(call);
	worker->spare[worker->n_spare++] = call;
}

static struct hf_call *take(struct hf_worker *worker) {
	struct hf_call *call = worker->spare[--worker->n_spare];
	SHOW(call);
	return call;
}

void hf_workers_free(struct hf_workers *workers) {
	for (struct hf_worker *worker = workers->first, *next; worker; worker = next) {
		next = worker->next;
		while (worker->n_spare > 0)
			hf_call_free(take(worker));
		hf_reader_close(worker->reader);
		hf_fingerprint_cache_free(worker->cache);
		free(worker);
	}
	pthread_mutex_destroy(&workers->lock);
	pthread_key_delete(workers->key);
}

/* Returns this thread's worker, new if it has none. NULL: out of memory. */
static struct hf_worker *this_worker(struct hf_workers *workers) {
	struct hf_worker *worker = pthread_getspecific(workers->key);
	if (worker)
		return worker;
	worker = calloc(1, sizeof *worker);
	if (!worker)
		return NULL;
	worker->cache = hf_fingerprint_cache_new();
	pthread_setspecific(workers->key, worker);
	pthread_mutex_lock(&workers->lock);
	worker->next = workers->first;
	workers->first = worker;
	pthread_mutex_unlock(&workers->lock);
	return worker;
}

struct hf_call *hf_workers_call(struct hf_workers *workers, const char *target) {
	struct hf_worker *worker = this_worker(workers);
	if (!worker)
		return NULL;
	struct hf_call *call = worker->n_spare > 0 ? take(worker) : hf_call_new(workers->api);
	if (!call)
		return NULL;
	if (!hf_call_start(call, target)) {
		hf_call_free(call);
		return NULL;
	}
	if (!worker->reader && hf_reader_open(workers->api->store, NULL, &worker->reader))
		worker->reader = NULL;
	call->reader = worker->reader;
	call->cache = worker->cache;
	return call;
}

void hf_workers_end_call(struct hf_workers *workers, struct hf_call *call) {
	struct hf_worker *worker = pthread_getspecific(workers->key);
	hf_call_end(call);
	if (worker && worker->n_spare < HF_SPARE_CALLS_MAX)
		keep(worker, call);
	else
		hf_call_free(call);
}

void hf_workers_opened(struct hf_workers *workers) {
	struct hf_worker *worker = this_worker(workers);
	if (worker)
		worker->connections++;
}

/* Connections left at the end are closed by the thread that ends the workers, which is not a worker. */
void hf_workers_closed(struct hf_workers *workers) {
	struct hf_worker *worker = pthread_getspecific(workers->key);
	if (worker)
		worker->connections--;
}

bool hf_workers_alone(const struct hf_workers *workers) {
	struct hf_worker *worker = pthread_getspecific(workers->key);
	return workers->several && worker && worker->connections == 1;
}

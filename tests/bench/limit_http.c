/* limit_http.c — what libmicrohttpd can do at best, and with it a store that has no rules.
 *
 *   bench_limit_http PUT-ANSWER GET-ANSWER          answers every request with a constant: libmicrohttpd's limit
 *   bench_limit_http PUT-ANSWER GET-ANSWER DIR      the ceiling of a lease store: libmicrohttpd, LMDB and group commit, no JSON
 *
 * The daemon is configured as server/http/http.c configures it. An answer's file has the headers that Holdfast adds, an empty line
 * and the body; it becomes one response, made once and queued for all. As in Holdfast, every request is answered behind its body's
 * end: an answer queued in the handler's first call would close the connection.
 *
 * The ceiling looks a PUT up by the last part of its path, on its worker's own reader. If a lease is there and its first bytes are
 * the body's, that is the answer; else the connection is suspended, and one thread applies everything that is queued in one
 * transaction, commits it durably and resumes the connections.
 *
 * Prints `listening on URL`. SIGTERM and SIGINT end it at once; its counters are then one line of JSON.
 */
#include <inttypes.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limit_store.h"
#include "server/http/headers.h"
#include "server/process/listen.h"

#define CONNECTIONS_MAX 1000
#define IDLE_TIMEOUT_S 60
#define HEADERS_MAX 8
#define ANSWER_MAX 65536

struct request {
	struct request *next;
	struct MHD_Connection *connection;
	struct limit_key key;
	uint8_t prefix[LIMIT_PREFIX_BYTES]; /* of the body; zeros behind a shorter one */
	size_t prefix_len;
	bool committed, is_new;
};

static struct MHD_Response *PUT_ANSWER, *GET_ANSWER;
static struct limit_store *STORE; /* NULL: none */
static pthread_key_t READER;
static atomic_ullong UNCHANGED, CREATED, UPDATED, COMMITS;
static pthread_mutex_t LOCK = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t QUEUED = PTHREAD_COND_INITIALIZER;
static struct request *FIRST, **LAST = &FIRST; /* guarded by LOCK */

static MDB_txn *worker_reader(void) {
	MDB_txn *reader = pthread_getspecific(READER);
	if (!reader) {
		reader = limit_reader_open(STORE);
		pthread_setspecific(READER, reader);
	}
	return reader;
}

static struct request *take_all(void) {
	pthread_mutex_lock(&LOCK);
	while (!FIRST)
		pthread_cond_wait(&QUEUED, &LOCK);
	struct request *list = FIRST;
	FIRST = NULL;
	LAST = &FIRST;
	pthread_mutex_unlock(&LOCK);
	return list;
}

static void *commit_queued(void *unused) {
	for (;;) {
		struct request *list = take_all(), *next;
		limit_begin(STORE);
		for (struct request *request = list; request; request = request->next) {
			request->is_new = limit_put(STORE, &request->key, request->prefix);
			request->committed = true;
			(request->is_new ? &CREATED : &UPDATED)[0]++;
		}
		limit_commit(STORE);
		COMMITS++;
		for (struct request *request = list; request; request = next) {
			next = request->next; /* who is resumed may end */
			MHD_resume_connection(request->connection);
		}
	}
	return unused;
}

static void enqueue(struct request *request) {
	request->next = NULL;
	MHD_suspend_connection(request->connection);
	pthread_mutex_lock(&LOCK);
	bool idle = !FIRST;
	*LAST = request;
	LAST = &request->next;
	if (idle)
		pthread_cond_signal(&QUEUED);
	pthread_mutex_unlock(&LOCK);
}

/* The body is there. */
static enum MHD_Result put(struct request *request) {
	MDB_txn *reader = worker_reader();
	limit_check(mdb_txn_renew(reader), "snapshot");
	const uint8_t *stored = limit_get(STORE, reader, &request->key);
	bool same = stored && memcmp(stored, request->prefix, LIMIT_PREFIX_BYTES) == 0;
	mdb_txn_reset(reader);
	if (!same) {
		enqueue(request);
		return MHD_YES;
	}
	UNCHANGED++;
	return MHD_queue_response(request->connection, MHD_HTTP_OK, PUT_ANSWER);
}

static enum MHD_Result handle_store(void *context, struct MHD_Connection *connection, const char *url, const char *method,
				    const char *version, const char *upload, size_t *upload_len, void **state) {
	struct request *request = *state;
	(void)context, (void)version;
	if (!request) {
		request = *state = calloc(1, sizeof *request);
		limit_require(request != NULL, "out of memory");
		request->connection = connection;
		const char *slash = strrchr(url, '/');
		limit_key_of(slash ? slash + 1 : url, &request->key);
		return MHD_YES;
	}
	if (*upload_len > 0) {
		size_t room = LIMIT_PREFIX_BYTES - request->prefix_len, n = *upload_len < room ? *upload_len : room;
		memcpy(request->prefix + request->prefix_len, upload, n);
		request->prefix_len += n;
		*upload_len = 0;
		return MHD_YES;
	}
	if (request->committed)
		return MHD_queue_response(connection, request->is_new ? MHD_HTTP_CREATED : MHD_HTTP_OK, PUT_ANSWER);
	return strcmp(method, "PUT") == 0 ? put(request) : MHD_queue_response(connection, MHD_HTTP_OK, GET_ANSWER);
}

static void end_request(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
	(void)context, (void)connection, (void)code;
	free(*state);
	*state = NULL;
}

static enum MHD_Result handle_bare(void *context, struct MHD_Connection *connection, const char *url, const char *method,
				   const char *version, const char *upload, size_t *upload_len, void **state) {
	(void)context, (void)url, (void)version, (void)upload;
	if (!*state) {
		*state = &PUT_ANSWER; /* any pointer: it has been here */
		return MHD_YES;
	}
	if (*upload_len > 0) {
		*upload_len = 0;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, strcmp(method, "PUT") == 0 ? PUT_ANSWER : GET_ANSWER);
}

static struct MHD_Response *read_answer(const char *path) {
	static char text[ANSWER_MAX];
	FILE *file = fopen(path, "rb");
	limit_require(file != NULL, path);
	size_t len = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[len] = '\0';
	char *body = strstr(text, "\n\n");
	limit_require(body != NULL, "an answer has no empty line");
	body[1] = '\0';
	body += 2;
	struct MHD_Response *response = MHD_create_response_from_buffer((size_t)(text + len - body), body, MHD_RESPMEM_MUST_COPY);
	limit_require(response != NULL, "out of memory");
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char *value = strstr(line, ": ");
		limit_require(value != NULL, "a line is no header");
		*value = '\0';
		limit_require(MHD_add_response_header(response, line, value + 2) == MHD_YES, line);
	}
	return response;
}

static int workers(void) {
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	return processors < 2 ? 2 : processors > 16 ? 16 : (int)processors;
}

static void start(void) {
	char url[HF_URL_TEXT];
	int fd;
	struct hf_why why = {""};
	limit_require(hf_listen("127.0.0.1:0", (struct hf_beyond){0}, &why, &fd, url) == HF_OK, why.text);
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_Daemon *daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, STORE ? handle_store : handle_bare, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HF_CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_THREAD_POOL_SIZE,
		(unsigned)workers(), STORE ? MHD_OPTION_NOTIFY_COMPLETED : MHD_OPTION_END, end_request, NULL, MHD_OPTION_END);
	limit_require(daemon != NULL, "libmicrohttpd does not start");
	printf("listening on %s\n", url);
	fflush(stdout);
}

int main(int argc, char **argv) {
	pthread_t committer;
	sigset_t ends;
	int signal_number;
	limit_require(argc == 3 || argc == 4, "usage: bench_limit_http PUT-ANSWER GET-ANSWER [DIR]");
	PUT_ANSWER = read_answer(argv[1]);
	GET_ANSWER = read_answer(argv[2]);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL); /* all threads inherit it */
	signal(SIGPIPE, SIG_IGN);
	if (argc == 4) {
		STORE = limit_store_open(argv[3]);
		limit_require(pthread_key_create(&READER, NULL) == 0, "thread key");
		limit_require(pthread_create(&committer, NULL, commit_queued, NULL) == 0, "thread");
	}
	start();
	sigwait(&ends, &signal_number);
	printf("{\"unchanged\":%llu,\"created\":%llu,\"updated\":%llu,\"commits\":%llu}\n", (unsigned long long)UNCHANGED,
	       (unsigned long long)CREATED, (unsigned long long)UPDATED, (unsigned long long)COMMITS);
	fflush(stdout);
	_exit(0); /* whoever waits for an answer waits in vain: the load ended before */
}

/* http.c — one request through libmicrohttpd.
 *
 * libmicrohttpd calls the handler several times for a request: once with the headers, once for each piece of the body, once at the
 * end, and once more each time a suspended connection was resumed. `phase` says where a request is. A connection is suspended while
 * its write waits for the committer, its long-poll for a change, or all of it is long and in a lane; whoever ends the wait
 * resumes it, exactly once.
 */
#include "http.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/metrics.h"
#include "api/routes.h"
#include "headers.h"
#include "stream.h"
#include "worker.h"

#define IDLE_TIMEOUT_S 60
#define DISCARD_MAX_BYTES ((size_t)16 << 20) /* of a body that is too large, so that its sender reads the answer */

struct hf_http {
	struct hf_api *api;
	struct hf_wakeups *wakeups;
	struct hf_lane *lanes[HF_LANE_NAMES]; /* none for the workers' own requests */
	struct MHD_Daemon *daemon;
	_Atomic bool drained; /* the time to finish what began is over */
	int waiting_max;      /* so that connections are left for others */
	struct hf_workers workers;
};

enum phase { NEW, BODY, COMMITTING, WAITING, IN_LANE, ANSWERED };

struct request {
	struct hf_http *http;
	struct hf_call *call;
	struct MHD_Connection *connection;
	const char *method, *path; /* as sent; libmicrohttpd's */
	enum phase phase;
	bool head; /* HEAD: no body */
	int64_t start_us;
	size_t discarded; /* bytes of a body that is answered already */
	struct hf_wakeup wakeup;
	struct hf_lane_job job;
};

static void *begin_request(void *context, const char *uri, struct MHD_Connection *connection) {
	struct hf_http *http = context;
	struct request *request = calloc(1, sizeof *request);
	if (!request)
		return NULL;
	request->call = hf_workers_call(&http->workers, uri ? uri : "");
	if (!request->call) {
		free(request);
		return NULL;
	}
	request->http = http;
	request->connection = connection;
	request->start_us = hf_monotonic_us();
	http->api->requests++;
	return request;
}

static void log_answer(struct request *request) {
	struct hf_call *call = request->call;
	char name[HF_LOG_QUOTED], path[HF_LOG_QUOTED], detail[HF_LOG_QUOTED];
	bool reported = call->write && call->write->err; /* by the committer, once for its batch */
	int status = call->response.status;
	int64_t duration_us = hf_monotonic_us() - request->start_us;
	hf_metrics_request(request->http->api->metrics, call->route, status, (uint64_t)duration_us);
	if (status >= 500 && status != 503 && call->err != HF_E_POOL_EXHAUSTED && !reported)
		hf_log(HF_LOG_ERROR, "request failed", "code=%s detail=%s", hf_err_slug(call->err),
		       hf_log_quote(call->why.text, detail));
	if (hf_log_enabled(HF_LOG_DEBUG))
		hf_log(HF_LOG_DEBUG, "request", "method=%s route=%s path=%s status=%d code=%s duration_us=%" PRId64,
		       hf_log_quote(request->method, name), call->route ? call->route->pattern : "none",
		       hf_log_quote(request->path, path), status, hf_err_slug(call->err), duration_us);
}

static struct MHD_Response *make_response(struct hf_http *http, struct hf_response *from) {
	if (from->stream)
		return hf_stream_response(from->stream, http->wakeups);
	if (from->fixed)
		return MHD_create_response_from_buffer(from->fixed_len, (void *)from->fixed, MHD_RESPMEM_PERSISTENT);
	/* The body is the call's until the request has ended. */
	return MHD_create_response_from_buffer(from->body.len, from->body.data, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result answer(struct request *request) {
	struct hf_http *http = request->http;
	struct hf_response *from = &request->call->response;
	struct MHD_Response *response = make_response(http, from);
	if (!response)
		return MHD_NO;
	if (from->content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, from->content_type);
	for (int i = 0; i < from->n_headers; i++)
		MHD_add_response_header(response, from->headers[i].name, from->headers[i].value);
	if (http->api->stopping)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	/* libmicrohttpd 0.9.75 may send a last chunk although HEAD has no body: no chunks, then, and no keep-alive. */
	if (request->head && from->stream && !from->stream->len_bytes)
		MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	enum MHD_Result result = MHD_queue_response(request->connection, (unsigned)from->status, response);
	MHD_destroy_response(response);
	request->phase = ANSWERED;
	log_answer(request);
	return result;
}

static void on_committed(struct hf_write *write) {
	struct request *request = write->context;
	MHD_resume_connection(request->connection);
}

static enum MHD_Result commit(struct request *request) {
	struct hf_committer *committer = request->http->api->committer;
	struct hf_write *write = request->call->write;
	if (hf_committer_try(committer, write, request->connection)) {
		hf_call_committed(request->call);
		return answer(request);
	}
	write->context = request;
	write->done = on_committed;
	request->phase = COMMITTING;
	/* Once it is submitted, the committer may resume at any moment. */
	MHD_suspend_connection(request->connection);
	struct hf_why why;
	enum hf_err err = hf_committer_submit(committer, write, &why);
	if (err) {
		write->err = err;
		write->why = why;
		MHD_resume_connection(request->connection);
	}
	return MHD_YES;
}

static void on_wakeup(struct hf_wakeup *wakeup) {
	struct request *request = (struct request *)((char *)wakeup - offsetof(struct request, wakeup));
	MHD_resume_connection(request->connection);
}

/* Waits for a change, until one deadline however often it is woken; asks again at once if the change came in the meantime, or the
 * server is stopping. */
static void wait_for_change(struct request *request) {
	struct hf_call *call = request->call;
	if (!request->wakeup.deadline_us) {
		request->wakeup.deadline_us = hf_monotonic_us() + call->wait_ms * 1000;
		request->http->api->waiters++;
	}
	request->wakeup.revision = call->wait_revision;
	request->wakeup.fire = on_wakeup;
	request->phase = WAITING;
	MHD_suspend_connection(request->connection);
	if (!hf_wakeups_add(request->http->wakeups, &request->wakeup))
		MHD_resume_connection(request->connection);
}

static enum MHD_Result run(struct request *request) {
	struct hf_call *call = request->call;
	int64_t deadline_us = request->wakeup.deadline_us; /* 0: has not waited yet */
	bool full = !deadline_us && request->http->api->waiters >= request->http->waiting_max;
	call->no_wait = request->http->api->stopping || full || (deadline_us && hf_monotonic_us() >= deadline_us);
	switch (hf_call_begin(call)) {
	case HF_STEP_COMMIT:
		return commit(request);
	case HF_STEP_WAIT:
		wait_for_change(request);
		return MHD_YES;
	default:
		return answer(request);
	}
}

static void on_lane_committed(struct hf_write *write) {
	struct request *request = write->context;
	hf_lane_ready(request->http->lanes[request->call->lane], &request->job);
}

/* A long request's steps, on its lane's thread. */
static bool run_in_lane(struct hf_lane_job *job, struct hf_txn *reader) {
	struct request *request = (struct request *)((char *)job - offsetof(struct request, job));
	struct hf_call *call = request->call;
	if (call->step == HF_STEP_COMMIT) { /* it has come back from there */
		hf_call_committed(call);
		return true;
	}
	call->reader = reader;
	call->memo = NULL;
	if (request->http->drained) { /* it could not be committed any more */
		hf_fail(&call->why, HF_OK, "the server is stopping");
		hf_call_problem(call, HF_E_OVERLOADED);
		return true;
	}
	if (hf_call_begin(call) != HF_STEP_COMMIT)
		return true;
	call->write->context = request;
	call->write->done = on_lane_committed;
	/* Once it is submitted, it is the committer's: it may be answered before this returns. */
	struct hf_why why;
	enum hf_err err = hf_committer_submit(request->http->api->committer, call->write, &why);
	if (!err)
		return false;
	call->write->err = err;
	call->write->why = why;
	hf_call_committed(call);
	return true;
}

static void on_lane_done(struct hf_lane_job *job) {
	struct request *request = (struct request *)((char *)job - offsetof(struct request, job));
	MHD_resume_connection(request->connection);
}

/* The body is there. A long request goes to its lane, so that it holds no worker up. */
static enum MHD_Result take_end(struct request *request) {
	struct hf_call *call = request->call;
	if (call->response.status || call->lane == HF_LANE_WORKER)
		return run(request);
	request->job = (struct hf_lane_job){.key = call->lane_key, .run = run_in_lane, .done = on_lane_done};
	request->phase = IN_LANE;
	MHD_suspend_connection(request->connection);
	if (!hf_lane_add(request->http->lanes[call->lane], &request->job)) {
		hf_fail(&call->why, HF_OK, "the server is stopping");
		hf_call_problem(call, HF_E_OVERLOADED);
		MHD_resume_connection(request->connection);
	}
	return MHD_YES;
}

static enum hf_method method_of(const char *name) {
	static const char *const names[] = {"GET", "PUT", "POST", "DELETE"};
	for (int i = 0; i < 4; i++)
		if (strcmp(name, names[i]) == 0)
			return (enum hf_method)i;
	return strcmp(name, "HEAD") == 0 ? HF_GET : HF_OTHER_METHOD;
}

static size_t discard_max(const struct hf_call *call) {
	size_t max = call->body_max_bytes;
	return max > DISCARD_MAX_BYTES ? max : DISCARD_MAX_BYTES;
}

/* The headers are there. An answer given now would close the connection, so it waits for the body's end, unless that is too far. */
static enum MHD_Result take_headers(struct request *request, const char *method) {
	struct hf_call *call = request->call;
	const char *length = NULL;
	request->phase = BODY;
	call->request.method = method_of(method);
	request->head = strcmp(method, "HEAD") == 0;
	enum hf_err err = hf_headers_read(request->connection, &call->why, call->request.headers, &length);
	if (err) {
		hf_call_problem(call, err);
		return err == HF_E_HEADERS_TOO_LARGE ? MHD_YES : answer(request);
	}
	hf_call_route(call);
	if (!length || strtoull(length, NULL, 10) <= discard_max(call))
		return MHD_YES;
	if (!call->response.status) {
		hf_fail(&call->why, HF_OK, "the body has %.20s bytes; at most %zu are allowed", length, call->body_max_bytes);
		hf_call_problem(call, HF_E_BODY_TOO_LARGE);
	}
	return answer(request);
}

static enum MHD_Result take_body(struct request *request, const char *data, size_t *len) {
	struct hf_call *call = request->call;
	hf_call_body(call, data, *len);
	if (call->response.status) /* the rest is read all the same, so that its sender reads the answer */
		request->discarded += *len;
	*len = 0;
	return request->discarded > discard_max(call) ? MHD_NO : MHD_YES;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_len, void **state) {
	struct request *request = *state;
	(void)context, (void)connection, (void)version;
	if (!request)
		return MHD_NO; /* out of memory */
	request->method = method;
	request->path = url;
	switch (request->phase) {
	case NEW:
		return take_headers(request, method);
	case BODY:
		return *upload_len > 0 ? take_body(request, upload, upload_len) : take_end(request);
	case COMMITTING:
		hf_call_committed(request->call);
		return answer(request);
	case WAITING:
		return run(request);
	case IN_LANE:
		return answer(request);
	default:
		return MHD_NO;
	}
}

static void end_request(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
	struct request *request = *state;
	(void)context, (void)connection, (void)code;
	if (!request)
		return;
	request->http->api->requests--;
	if (request->wakeup.deadline_us)
		request->http->api->waiters--;
	hf_workers_end_call(&request->http->workers, request->call);
	free(request);
	*state = NULL;
}

/* Names are decoded by the API, strictly; libmicrohttpd must not do it before. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text) {
	(void)context, (void)connection;
	return strlen(text);
}

static void log_library(void *context, const char *format, va_list args) {
	char text[256], quoted[HF_LOG_QUOTED];
	(void)context;
	vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	hf_log(HF_LOG_DEBUG, "libmicrohttpd", "detail=%s", hf_log_quote(text, quoted));
}

enum hf_err hf_http_start(int listen_fd, const struct hf_options *options, struct hf_api *api, struct hf_wakeups *wakeups,
			  struct hf_lane *const lanes[HF_LANE_NAMES], struct hf_why *why, struct hf_http **ret) {
	struct hf_http *http = calloc(1, sizeof *http);
	if (!http) {
		close(listen_fd);
		return hf_fail(why, HF_E_OVERLOADED, "out of memory");
	}
	http->api = api;
	http->wakeups = wakeups;
	memcpy(http->lanes, lanes, sizeof http->lanes);
	http->waiting_max = (int)(options->connections_max - options->connections_max / 4);
	hf_workers_init(&http->workers, api);
	/* Threads that poll: one epoll thread collapses beyond 127 connections in 0.9.75. */
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL}, {MHD_OPTION_END, 0, NULL}};
	http->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, handle, http, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET,
		listen_fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)options->connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HF_CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_URI_LOG_CALLBACK,
		begin_request, http, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_NOTIFY_COMPLETED, end_request,
		http, MHD_OPTION_ARRAY, options->threads > 1 ? pool : &pool[1], MHD_OPTION_END);
	if (!http->daemon) {
		close(listen_fd);
		hf_http_stop(http);
		return hf_fail(why, HF_E_OVERLOADED, "the HTTP workers cannot be started");
	}
	*ret = http;
	return HF_OK;
}

void hf_http_drain(struct hf_http *http, int grace_ms) {
	int fd = http->drained ? -1 : MHD_quiesce_daemon(http->daemon);
	if (fd >= 0)
		close(fd);
	for (int64_t end_us = hf_monotonic_us() + (int64_t)grace_ms * 1000; http->api->requests > 0 && hf_monotonic_us() < end_us;)
		nanosleep(&(struct timespec){0, 5000000}, NULL);
	http->drained = true;
}

void hf_http_stop(struct hf_http *http) {
	if (!http)
		return;
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	hf_workers_free(&http->workers);
	free(http);
}

/* exchange.c — a request's way through the API, the committer, the wakeups and the lanes. */
#include "exchange.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/call/kept.h"
#include "api/call/metrics.h"
#include "api/routes.h"
#include "browser.h"
#include "headers.h"
#include "http_internal.h"
#include "refusal.h"
#include "server/process/log.h"
#include "storage/base/container.h"
#include "strangers.h"
#include "stream.h"

#define DISCARD_MAX_BYTES ((size_t)16 << 20) /* of a body that is too large, read so that its sender reads the answer */

enum phase { NEW, BODY, COMMITTING, WAITING, IN_LANE, ANSWERED };

struct hf_exchange {
	struct hf_http *http;
	struct hf_client *client;
	struct hf_call *call;
	struct MHD_Connection *connection;
	const char *method, *path; /* as sent; libmicrohttpd's */
	enum phase phase;
	bool head;	   /* HEAD: no body */
	bool last;	   /* the connection is closed after the answer */
	_Atomic bool gone; /* the client left while it waited */
	int64_t start_us;
	size_t discarded; /* bytes of the body that arrived after the answer was known */
	struct hf_unread unread;
	struct hf_wakeup wakeup;
	struct hf_lane_job job;
};

static void refuse(struct hf_unread *unread, enum hf_err err, const char *detail);

struct hf_exchange *hf_exchange_begin(struct hf_http *http, struct hf_client *client, const char *uri) {
	struct hf_exchange *exchange = calloc(1, sizeof *exchange);
	if (!exchange)
		return NULL;
	exchange->call = hf_workers_call(&http->workers, uri ? uri : "");
	if (!exchange->call) {
		free(exchange);
		return NULL;
	}
	exchange->http = http;
	exchange->client = client;
	exchange->connection = client->mhd;
	exchange->start_us = hf_monotonic_us();
	hf_unread_add(&exchange->unread, client->mhd, refuse);
	http->api->traffic.under_way++;
	return exchange;
}

void hf_exchange_end(struct hf_exchange *exchange) {
	if (!exchange)
		return;
	struct hf_http *http = exchange->http;
	hf_unread_remove(&exchange->unread);
	if (exchange->wakeup.deadline_us) {
		exchange->client->address->waiters--;
		http->api->traffic.waiters--;
	}
	hf_workers_end_call(&http->workers, exchange->call);
	free(exchange);
	if (--http->api->traffic.under_way == 0 && http->draining) {
		pthread_mutex_lock(&http->lock);
		pthread_cond_broadcast(&http->ended);
		pthread_mutex_unlock(&http->lock);
	}
}

static void log_answer(struct hf_exchange *exchange, int64_t now_us) {
	struct hf_call *call = exchange->call;
	char name[HF_LOG_QUOTED], path[HF_LOG_QUOTED], detail[HF_LOG_QUOTED];
	bool reported = call->write && call->write->err; /* by the committer, once for the whole batch */
	int status = call->response.status;
	int64_t duration_us = now_us - exchange->start_us;
	hf_metrics_request(exchange->http->api->metrics, call->route ? (int)(call->route - call->api->routes) : -1, status,
			   (uint64_t)duration_us);
	if (status >= 500 && status != 503 && call->err != HF_E_POOL_EXHAUSTED && !reported)
		hf_log(HF_LOG_ERROR, "request failed", "code=%s detail=%s", hf_err_slug(call->err),
		       hf_log_quote(call->why.text, detail));
	if (hf_log_enabled(HF_LOG_DEBUG))
		hf_log(HF_LOG_DEBUG, "request", "method=%s route=%s path=%s status=%d code=%s by=%s duration_us=%" PRId64,
		       hf_log_quote(exchange->method, name), call->route ? call->route->pattern : "none",
		       hf_log_quote(exchange->path, path), status, hf_err_slug(call->err), call->by[0] ? call->by : "anonymous",
		       duration_us);
}

static struct MHD_Response *make_response(struct hf_http *http, struct hf_response *from) {
	if (from->stream)
		return hf_stream_response(from->stream, http->wakeups);
	if (from->fixed)
		return MHD_create_response_from_buffer(from->fixed_len, (void *)from->fixed, MHD_RESPMEM_PERSISTENT);
	/* The call owns the body until the request has ended. */
	return MHD_create_response_from_buffer(from->body.len, from->body.data, MHD_RESPMEM_PERSISTENT);
}

static void add_header(void *response, const char *name, const char *value) { MHD_add_response_header(response, name, value); }

static enum MHD_Result answer(struct hf_exchange *exchange) {
	struct hf_http *http = exchange->http;
	struct hf_response *from = &exchange->call->response;
	hf_call_keep(exchange->call);
	struct MHD_Response *response = make_response(http, from);
	if (!response)
		return MHD_NO;
	hf_browser_headers(exchange->call, add_header, response);
	if (from->content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, from->content_type);
	for (int i = 0; i < from->n_headers; i++)
		MHD_add_response_header(response, from->headers[i].name, from->headers[i].value);
	if (from->refused_claims.len > 0 && !from->refused_claims.failed)
		MHD_add_response_header(response, "Holdfast-Claim-Refused", from->refused_claims.data);
	if (http->api->stopping || exchange->last || exchange->gone)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	/* libmicrohttpd 0.9.75 may send a last chunk although HEAD has no body; so no chunks, and no keep-alive. */
	if (exchange->head && from->stream && !from->stream->len_bytes)
		MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	exchange->client->since_us = hf_monotonic_us();
	bool there = hf_client_enter(exchange->client, HF_CLIENT_ANSWERING);
	enum MHD_Result result = there ? MHD_queue_response(exchange->connection, (unsigned)from->status, response) : MHD_NO;
	MHD_destroy_response(response);
	exchange->phase = ANSWERED;
	log_answer(exchange, exchange->client->since_us);
	return result;
}

/* Sends the connection's last answer; MHD_NO closes the connection. */
static enum MHD_Result answer_last(struct hf_exchange *exchange) {
	hf_refusal_send(exchange->connection, exchange->call, exchange->head);
	exchange->phase = ANSWERED;
	log_answer(exchange, hf_monotonic_us());
	return MHD_NO;
}

/* Refuses a request that libmicrohttpd answers by itself. It never reaches the handler, which would set these. */
static void refuse(struct hf_unread *unread, enum hf_err err, const char *detail) {
	struct hf_exchange *exchange = HF_CONTAINER_OF(unread, struct hf_exchange, unread);
	hf_call_problem(exchange->call, hf_fail(&exchange->call->why, err, "%s", detail));
	exchange->method = exchange->path = "";
	(void)!answer_last(exchange);
}

static void on_committed(struct hf_write *write) {
	struct hf_exchange *exchange = write->context;
	MHD_resume_connection(exchange->connection);
}

/* Queues the call's write, for `done` to be called after its commit, perhaps before this returns. Returns false if it was refused,
 * and its result says why. */
static bool submit(struct hf_exchange *exchange, void (*done)(struct hf_write *write)) {
	struct hf_write *write = exchange->call->write;
	struct hf_why why;
	write->context = exchange;
	write->done = done;
	enum hf_err err = hf_committer_submit(exchange->http->api->committer, write, &why);
	if (err) {
		write->err = err;
		write->why = why;
	}
	return !err;
}

static enum MHD_Result commit(struct hf_exchange *exchange) {
	/* A disk may hang: commit inline only if no other connection would wait for this thread. */
	if (hf_workers_alone(&exchange->http->workers) &&
	    hf_committer_try(exchange->http->api->committer, exchange->call->write, exchange->connection)) {
		hf_call_committed(exchange->call);
		return answer(exchange);
	}
	exchange->phase = COMMITTING;
	/* Suspend first: after the submit, the committer may resume at any moment. */
	MHD_suspend_connection(exchange->connection);
	if (!submit(exchange, on_committed))
		MHD_resume_connection(exchange->connection);
	return MHD_YES;
}

static void on_wakeup(struct hf_wakeup *wakeup) {
	struct hf_exchange *exchange = HF_CONTAINER_OF(wakeup, struct hf_exchange, wakeup);
	MHD_resume_connection(exchange->connection);
}

/* Waits for a change, until one deadline however often it is woken. Asks again at once if the change has already come, or the
 * server is stopping. */
static void wait_for_change(struct hf_exchange *exchange) {
	struct hf_call *call = exchange->call;
	if (!exchange->wakeup.deadline_us) {
		exchange->client->since_us = hf_monotonic_us();
		exchange->wakeup.deadline_us = exchange->client->since_us + call->wait_ms * 1000;
		exchange->client->address->waiters++;
		exchange->http->api->traffic.waiters++;
	}
	exchange->wakeup.revision = call->wait_revision;
	exchange->wakeup.fire = on_wakeup;
	exchange->phase = WAITING;
	MHD_suspend_connection(exchange->connection);
	if (!hf_wakeups_add(exchange->http->wakeups, &exchange->wakeup))
		MHD_resume_connection(exchange->connection);
	hf_client_enter(exchange->client, HF_CLIENT_WAITING); /* it cannot have ended: only this thread could do that */
}

/* Returns true if no more requests may wait, in all or from this address: some connections are kept for requests that do not wait.
 */
static bool is_full_of_waiters(const struct hf_exchange *exchange) {
	struct hf_http *http = exchange->http;
	uint64_t of_address = http->clients.limits.per_address;
	return http->api->traffic.waiters >= http->api->traffic.waiters_max ||
	       exchange->client->address->waiters >= of_address - of_address / 4;
}

static enum MHD_Result run(struct hf_exchange *exchange) {
	struct hf_call *call = exchange->call;
	int64_t deadline_us = exchange->wakeup.deadline_us; /* 0: has not waited yet */
	bool full = !deadline_us && is_full_of_waiters(exchange);
	call->no_wait =
		exchange->http->api->stopping || full || exchange->gone || (deadline_us && hf_monotonic_us() >= deadline_us);
	switch (hf_call_begin(call)) {
	case HF_STEP_COMMIT:
		return commit(exchange);
	case HF_STEP_WAIT:
		wait_for_change(exchange);
		return MHD_YES;
	default:
		return answer(exchange);
	}
}

static void on_lane_committed(struct hf_write *write) {
	struct hf_exchange *exchange = write->context;
	hf_lane_ready(exchange->http->lanes[exchange->call->lane], &exchange->job);
}

/* Carries out one step of a long request, on its lane's thread. Returns true if it is finished. */
static bool run_in_lane(struct hf_lane_job *job, struct hf_txn *reader) {
	struct hf_exchange *exchange = HF_CONTAINER_OF(job, struct hf_exchange, job);
	struct hf_call *call = exchange->call;
	if (call->step == HF_STEP_COMMIT) { /* it was committed */
		hf_call_committed(call);
		return true;
	}
	call->reader = reader;
	call->cache = NULL;
	if (exchange->http->drained) { /* too late to be committed */
		hf_call_problem(call, hf_fail(&call->why, HF_E_OVERLOADED, "the server is stopping"));
		return true;
	}
	if (hf_call_begin(call) != HF_STEP_COMMIT)
		return true;
	if (submit(exchange, on_lane_committed))
		return false; /* the committer owns it now, and it may be answered already */
	hf_call_committed(call);
	return true;
}

static void on_lane_done(struct hf_lane_job *job) {
	struct hf_exchange *exchange = HF_CONTAINER_OF(job, struct hf_exchange, job);
	MHD_resume_connection(exchange->connection);
}

/* The body has arrived. A long request goes to its lane, so that it does not hold up a worker. */
static enum MHD_Result take_end(struct hf_exchange *exchange) {
	struct hf_call *call = exchange->call;
	if (!hf_client_enter(exchange->client, HF_CLIENT_WORKING))
		return MHD_NO;
	if (call->response.status || call->lane == HF_LANE_WORKER)
		return run(exchange);
	exchange->job = (struct hf_lane_job){.key = call->lane_key, .run = run_in_lane, .done = on_lane_done};
	exchange->phase = IN_LANE;
	exchange->client->since_us = hf_monotonic_us();
	MHD_suspend_connection(exchange->connection);
	if (!hf_lane_add(exchange->http->lanes[call->lane], &exchange->job)) {
		hf_call_problem(call, hf_fail(&call->why, HF_E_OVERLOADED, "the server is stopping"));
		MHD_resume_connection(exchange->connection);
	}
	hf_client_enter(exchange->client, HF_CLIENT_WAITING);
	return MHD_YES;
}

/* The request is back from its lane, where it was carried out unless its client left before its turn. */
static enum MHD_Result leave_lane(struct hf_exchange *exchange) {
	struct hf_call *call = exchange->call;
	if (!call->response.status)
		hf_call_problem(call,
				hf_fail(&call->why, HF_E_OVERLOADED,
					"the client closed its side of the connection while the request waited for its turn"));
	return answer(exchange);
}

bool hf_exchange_give_up(struct hf_exchange *exchange) {
	struct hf_http *http = exchange->http;
	if (exchange->phase == WAITING) {
		exchange->gone = true;
		return hf_wakeups_fire(http->wakeups, &exchange->wakeup);
	}
	if (exchange->phase != IN_LANE || !hf_lane_drop(http->lanes[exchange->call->lane], &exchange->job))
		return false;
	exchange->gone = true;
	MHD_resume_connection(exchange->connection);
	return true;
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

/* Returns true if the request may be answered. On one of the places kept for the operator, only what operators need is, and the
 * place is free again at once. */
static bool is_admitted(struct hf_exchange *exchange) {
	if (hf_client_is_admitted(exchange->client))
		return true;
	exchange->last = true;
	return hf_route_is_kept(exchange->call->route) && !exchange->call->request.body_comes;
}

/* Refuses a body whose Content-Length is too large. */
static void judge_length(struct hf_call *call) {
	uint64_t len = call->request.body_len;
	if (call->response.status || len <= call->body_max_bytes)
		return;
	hf_call_problem(call, hf_fail(&call->why, HF_E_BODY_TOO_LARGE, "the body has %" PRIu64 " bytes; at most %zu are allowed",
				      len, call->body_max_bytes));
}

/* The headers have arrived. An answer given now closes the connection, so a refusal waits for the end of the body, except if the
 * body is too long, the client waits for 100 Continue, or nobody is known to send it. After a head that cannot be trusted the
 * connection must close. */
static enum MHD_Result take_headers(struct hf_exchange *exchange, const char *version) {
	struct hf_call *call = exchange->call;
	struct hf_request_line line = {exchange->connection, exchange->method, exchange->path, version};
	bool expects = false;
	exchange->phase = BODY;
	exchange->client->received = 0;
	exchange->client->since_us = hf_monotonic_us();
	if (!hf_client_enter(exchange->client, HF_CLIENT_BODY))
		return MHD_NO;
	exchange->client->asked = true;
	hf_unread_remove(&exchange->unread);
	call->request.method = method_of(exchange->method);
	exchange->head = strcmp(exchange->method, "HEAD") == 0;
	enum hf_err err = hf_headers_read(call, &line, &expects);
	if (err) {
		hf_call_problem(call, err);
		return answer_last(exchange);
	}
	hf_call_route(call);
	bool strange = call->err == HF_E_UNAUTHORIZED;
	if (strange)
		hf_strangers_note(exchange->http->api, exchange->client);
	if (!is_admitted(exchange)) {
		hf_call_problem(
			call,
			hf_fail(&call->why, HF_E_OVERLOADED,
				"all connections are in use, or all that one address gets; try again, or raise --max-connections"));
		exchange->http->api->traffic.cuts[HF_CUT_KEPT_PLACES]++;
		return answer_last(exchange);
	}
	judge_length(call);
	bool refused = call->response.status != 0;
	bool closes = expects || call->request.body_len > discard_max(call) || (strange && call->request.body_comes);
	return refused && closes ? answer_last(exchange) : MHD_YES;
}

static enum MHD_Result take_body(struct hf_exchange *exchange, const char *data, size_t *len) {
	struct hf_call *call = exchange->call;
	exchange->client->received += *len;
	hf_call_body(call, data, *len);
	if (call->response.status) /* read the rest nevertheless, so that its sender reads the answer */
		exchange->discarded += *len;
	*len = 0;
	return exchange->discarded > discard_max(call) ? answer_last(exchange) : MHD_YES;
}

enum MHD_Result hf_exchange_handle(struct hf_exchange *exchange, const char *path, const char *method, const char *version,
				   const char *upload, size_t *upload_len) {
	exchange->method = method;
	exchange->path = path;
	switch (exchange->phase) {
	case NEW:
		return take_headers(exchange, version);
	case BODY:
		return *upload_len > 0 ? take_body(exchange, upload, upload_len) : take_end(exchange);
	case COMMITTING:
		hf_call_committed(exchange->call);
		return answer(exchange);
	case WAITING:
		return hf_client_resume(exchange->client) ? run(exchange) : MHD_NO;
	case IN_LANE:
		return hf_client_resume(exchange->client) ? leave_lane(exchange) : MHD_NO;
	default:
		return MHD_NO;
	}
}

/* call_support.c — requests through the API without a socket. */
#include "call_support.h"
#include "api/call/request.h"
#include "api/routes.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"

void world_open_with(struct world *w, const struct hf_syncs_options *options) {
	struct hf_committer_options committer = {0};
	*w = (struct world){0};
	fixture_dir(&w->f);
	fixture_open(&w->f);
	w->api.store = w->f.store;
	w->api.routes = HF_ROUTES;
	w->api.n_routes = HF_ROUTES_COUNT;
	w->api.metrics = hf_metrics_new();
	w->api.syncs = hf_syncs_new(options);
	w->api.open_to_all = true;
	w->api.body_max_bytes = BODY_MAX;
	w->cache = hf_fingerprint_cache_new();
	w->content_type = "application/json";
	if (hf_committer_start(w->f.store, &committer, NULL, &w->api.committer))
		abort();
}

void world_open(struct world *w) { world_open_with(w, &(struct hf_syncs_options){SYNC_BODY_MAX, SYNC_ITEMS_MAX, SYNC_MEMORY}); }

void world_close(struct world *w) {
	hf_committer_stop(w->api.committer);
	hf_committer_free(w->api.committer);
	hf_metrics_free(w->api.metrics);
	hf_syncs_free(w->api.syncs);
	hf_buf_free(&w->api.check_answer);
	hf_fingerprint_cache_free(w->cache);
	fixture_remove(&w->f);
}

static void set_headers(const struct world *w, struct hf_call *call) {
	call->request.headers[HF_CONTENT_TYPE] = w->content_type;
	for (int i = 0; w->header_name && i < HF_REQUEST_HEADERS; i++)
		if (strcmp(w->header_name, hf_request_header_name((enum hf_request_header)i)) == 0)
			call->request.headers[i] = w->header_value;
}

struct hf_call *started_call(struct hf_api *api, const char *target) {
	struct hf_call *call = hf_call_new(api);
	if (!call || !hf_call_start(call, target))
		abort();
	return call;
}

void ended_call(struct hf_call *call) {
	hf_call_end(call);
	hf_call_free(call);
}

struct hf_call *routed(struct world *w, enum hf_method method, const char *target) {
	struct hf_call *call = started_call(&w->api, target);
	call->request.method = method;
	set_headers(w, call);
	call->request.body_comes = method == HF_PUT || method == HF_POST;
	call->reader = w->f.reader;
	call->cache = w->cache;
	if (w->by)
		strncpy(call->by, w->by, HF_BY_MAX);
	hf_call_route(call);
	return call;
}

static void on_done(struct hf_write *write) { sem_post(write->context); }

static void commit_write(struct world *w, struct hf_write *write) {
	sem_t done;
	if (hf_committer_try(w->api.committer, write, w))
		return;
	sem_init(&done, 0, 0);
	write->context = &done;
	write->done = on_done;
	if (hf_committer_submit(w->api.committer, write, NULL))
		abort();
	while (sem_wait(&done) != 0)
		continue;
	sem_destroy(&done);
}

struct answer answered(struct world *w, struct hf_call *call) {
	struct answer a = {0};
	const struct hf_response *r = &call->response;
	a.first = hf_call_begin(call);
	if (a.first == HF_STEP_COMMIT) {
		commit_write(w, call->write);
		hf_call_committed(call);
	}
	a.status = r->status;
	if (r->body.len >= sizeof a.body)
		abort();
	memcpy(a.body, r->body.data, r->body.len);
	for (int i = 0; i < r->n_headers; i++) {
		if (strcmp(r->headers[i].name, "Holdfast-Outcome") == 0)
			strncpy(a.outcome, r->headers[i].value, sizeof a.outcome - 1);
		if (strcmp(r->headers[i].name, "ETag") == 0)
			strncpy(a.etag, r->headers[i].value, sizeof a.etag - 1);
		if (strcmp(r->headers[i].name, "Retry-After") == 0)
			strncpy(a.retry_after, r->headers[i].value, sizeof a.retry_after - 1);
	}
	ended_call(call);
	return a;
}

struct answer request(struct world *w, enum hf_method method, const char *target, const char *body) {
	struct hf_call *call = routed(w, method, target);
	hf_call_body(call, body, strlen(body));
	return answered(w, call);
}

/* call.c — a request's way down to its handler and back up. */
#include "call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/text/json.h"
#include "gate.h"
#include "metrics.h"
#include "origin.h"
#include "request.h"
#include "route.h"
#include "target.h"

#define EVENT_MAX_BYTES 1024
#define BUFFER_KEPT_BYTES 4096 /* capacity kept in each buffer from one request to the next */

struct hf_call *hf_call_new(struct hf_api *api) {
	struct hf_call *call = calloc(1, sizeof *call);
	if (call)
		call->api = api;
	return call;
}

void hf_call_free(struct hf_call *call) {
	if (!call)
		return;
	hf_buf_free(&call->request.target);
	hf_buf_free(&call->request.body);
	hf_buf_free(&call->response.body);
	hf_buf_free(&call->response.refused_claims);
	hf_request_free_joined(&call->request);
	free(call->own);
	free(call);
}

bool hf_call_start(struct hf_call *call, const char *target) {
	hf_buf_add(&call->request.target, target, strlen(target) + 1);
	return !call->request.target.failed;
}

static void close_sink(struct hf_call *call) {
	if (call->sink)
		call->sink->close(call->sink);
	call->sink = NULL;
}

/* Returns an empty buffer with the memory of a used one, if that is small. */
static struct hf_buf used_buffer(struct hf_buf *buf) {
	if (buf->cap > BUFFER_KEPT_BYTES)
		hf_buf_free(buf);
	return (struct hf_buf){.data = buf->data, .cap = buf->cap};
}

void hf_call_end(struct hf_call *call) {
	hf_buf_free(&call->response.refused_claims);
	close_sink(call);
	hf_request_free_joined(&call->request);
	if (call->own_end)
		call->own_end(call->own);
	if (call->counted)
		(*call->counted)--;
	struct hf_api *api = call->api;
	struct hf_buf target = used_buffer(&call->request.target), body = used_buffer(&call->request.body),
		      answer = used_buffer(&call->response.body);
	if (call->own_cap > BUFFER_KEPT_BYTES) {
		free(call->own);
		call->own = NULL;
		call->own_cap = 0;
	}
	void *own = call->own;
	size_t own_cap = call->own_cap;
	memset(call, 0, sizeof *call);
	call->api = api;
	call->own = own;
	call->own_cap = own_cap;
	call->request.target = target;
	call->request.body = body;
	call->response.body = answer;
}

void hf_call_set_header(struct hf_call *call, const char *name, const char *value) {
	struct hf_response *r = &call->response;
	if (r->n_headers == HF_HEADERS_MAX)
		return;
	size_t len = strnlen(value, sizeof r->headers[0].value - 1);
	r->headers[r->n_headers].name = name;
	memcpy(r->headers[r->n_headers].value, value, len);
	r->headers[r->n_headers].value[len] = '\0';
	r->n_headers++;
}

void *hf_call_own(struct hf_call *call, size_t size) {
	if (size > call->own_cap) {
		free(call->own);
		call->own = malloc(size);
		call->own_cap = call->own ? size : 0;
	}
	if (call->own)
		memset(call->own, 0, size);
	else
		(void)!hf_no_memory(&call->why);
	return call->own;
}

void hf_call_event(const struct hf_call *call, enum hf_event_level level, const char *message, const char *pairs) {
	char named[EVENT_MAX_BYTES];
	if (call->by[0])
		snprintf(named, sizeof named, "%s by=%s", pairs, call->by);
	hf_api_event(call->api, level, message, call->by[0] ? named : pairs);
}

struct hf_json hf_call_json(struct hf_call *call, int status) {
	call->response.status = status;
	call->response.content_type = "application/json";
	call->response.body.len = 0;
	return (struct hf_json){.out = &call->response.body};
}

/* Ends JSON with a newline, so that a terminal's prompt begins on its own line. */
void hf_call_not_modified(struct hf_call *call) {
	call->response.status = 304;
	call->response.content_type = NULL;
	call->response.body.len = 0;
}

static void end_line(struct hf_call *call) {
	if (call->response.content_type && strstr(call->response.content_type, "json") && call->response.body.len > 0)
		hf_buf_add(&call->response.body, "\n", 1);
}

static void write_problem(struct hf_json *json, enum hf_err err, const char *detail) {
	char type[64] = "urn:holdfast:problem:";
	strncat(type, hf_err_slug(err), sizeof type - strlen(type) - 1);
	hf_json_member(json, "type", type);
	hf_json_member(json, "title", hf_err_title(err));
	hf_json_member_uint(json, "status", (uint64_t)hf_err_status(err));
	hf_json_member(json, "code", hf_err_slug(err));
	hf_json_member(json, "detail", detail[0] ? detail : hf_err_title(err));
}

void hf_problem_write(struct hf_json *json, enum hf_err err, const char *detail) {
	hf_json_open(json, '{');
	write_problem(json, err, detail);
	hf_json_close(json, '}');
}

void hf_call_problem(struct hf_call *call, enum hf_err err) {
	call->err = err;
	hf_buf_free(&call->response.refused_claims);
	hf_buf_free(&call->response.body);				/* frees its failure mark too, if memory ran out */
	if (err != HF_E_METHOD_NOT_ALLOWED && err != HF_E_UNAUTHORIZED) /* these keep Allow and WWW-Authenticate */
		call->response.n_headers = 0;
	if (err == HF_E_CORRUPT ||
	    err == HF_E_PANIC) /* clients see any failure of the store as storage-error; the log has the code */
		err = HF_E_STORAGE;
	hf_metrics_problem(call->api->metrics, err);
	struct hf_json json = hf_call_json(call, hf_err_status(err));
	call->step = HF_STEP_DONE;
	call->response.content_type = "application/problem+json";
	hf_json_open(&json, '{');
	write_problem(&json, err, call->why.text);
	if (call->refused)
		call->refused(call, err, &json);
	hf_json_close(&json, '}');
	end_line(call);
	if (err == HF_E_OVERLOADED || err == HF_E_STORE_GONE)
		hf_call_set_header(call, "Retry-After", "1");
}

/* Takes a segment off a pattern, up to the next slash. Returns whether it equals the given one, or is a variable. */
static bool take_segment(const char **pattern, const char *segment) {
	const char *at = *pattern;
	if (*at == '{')
		at += strcspn(at, "/");
	else
		for (; *at && *at != '/'; at++, segment++)
			if (*at != *segment)
				return false;
	bool variable = **pattern == '{';
	*pattern = at;
	return variable || *segment == '\0';
}

/* Returns whether a path's segments fit a pattern; sets the variables. */
static bool matches(struct hf_call *call, const char *pattern) {
	int vars = 0, at = 0;
	for (; *pattern == '/'; at++) {
		bool variable = *++pattern == '{';
		if (at == call->n_segments || !take_segment(&pattern, call->segments[at]))
			return false;
		if (variable)
			call->vars[vars++] = call->segments[at];
	}
	return at == call->n_segments;
}

/* Returns the route of the request's method and path, or NULL. */
static const struct hf_route *find_route(struct hf_call *call) {
	for (int i = 0; i < call->api->n_routes; i++)
		if (call->api->routes[i].method == call->request.method && matches(call, call->api->routes[i].pattern))
			return &call->api->routes[i];
	return NULL;
}

/* Explains why no route was found: the path does not exist, or takes other methods. */
static enum hf_err refuse_route(struct hf_call *call) {
	static const char *const names[] = {"GET, HEAD", "PUT", "POST", "DELETE"};
	char allow[64] = "";
	for (int i = 0; i < call->api->n_routes; i++)
		if (matches(call, call->api->routes[i].pattern)) {
			strcat(allow, allow[0] ? ", " : "");
			strcat(allow, names[call->api->routes[i].method]);
		}
	if (!allow[0])
		return hf_fail(&call->why, HF_E_NOT_FOUND, "this path does not exist; /openapi.yaml lists the paths");
	hf_call_set_header(call, "Allow", allow);
	return hf_fail(&call->why, HF_E_METHOD_NOT_ALLOWED, "this path takes %s", allow);
}

static enum hf_err take_route(struct hf_call *call) {
	enum hf_err err = hf_target_split(call, &call->why);
	if (!err)
		err = hf_origin_check(call, &call->why);
	if (err)
		return err;
	call->route = find_route(call);
	err = hf_gate_authenticate(call);
	if (err)
		return err;
	if (!call->route)
		return refuse_route(call);
	if (call->route->body == HF_BODY_JSON_LARGE && call->body_max_bytes < HF_LARGE_BODY_BYTES)
		call->body_max_bytes = HF_LARGE_BODY_BYTES;
	if (call->route->params)
		err = hf_target_split_query(call, &call->why);
	if (!err && call->route->params)
		err = hf_target_check_params(call, call->route->params, &call->why);
	if (!err)
		err = hf_gate_authorise(call);
	if (!err && call->request.body_comes)
		err = hf_request_check_body(call, call->request.body_len > 0);
	if (!err && call->route->open)
		err = call->route->open(call);
	if (call->sink)
		call->body_max_bytes = call->sink->max_bytes;
	return err;
}

void hf_call_route(struct hf_call *call) {
	call->body_max_bytes = call->api->body_max_bytes;
	enum hf_err err = take_route(call);
	if (err)
		hf_call_problem(call, err);
}

void hf_call_body(struct hf_call *call, const char *data, size_t len) {
	size_t max = call->body_max_bytes;
	enum hf_err err = HF_OK;
	if (call->response.status) /* already answered */
		return;
	if (call->body_bytes == 0 && call->request.body_len == 0 &&
	    len > 0) /* otherwise the headers were already checked for a body */
		err = hf_request_check_body(call, true);
	call->body_bytes += len;
	if (err)
		; /* discard the rest, however long */
	else if (call->body_bytes > max)
		err = hf_fail(&call->why, HF_E_BODY_TOO_LARGE, "the body has more than %zu bytes", max);
	else if (call->sink)
		err = call->sink->feed(call->sink, data, len, &call->why);
	else
		hf_buf_add(&call->request.body, data, len);
	if (err) {
		hf_call_problem(call, err);
		call->refused = NULL;
		close_sink(call); /* release its memory now: other requests may need it while the rest arrives */
	}
}

enum hf_step hf_call_begin(struct hf_call *call) {
	if (call->response.status) /* routing has already answered */
		return HF_STEP_DONE;
	call->step = HF_STEP_DONE;
	enum hf_err err = HF_OK;
	if (call->request.body.failed) /* a lost body must not pass for an empty one */
		err = hf_no_memory(&call->why);
	bool reads = call->route->role != HF_ROLE_PROBE;
	if (!err && call->sink)
		err = call->sink->end(call->sink, &call->why);
	if (!err && reads && !call->reader)
		err = hf_fail(&call->why, HF_E_OVERLOADED, "the store has no reader left");
	if (!err && reads)
		err = hf_reader_begin(call->reader, &call->why);
	if (!err) {
		err = call->route->handle(call);
		if (reads)
			hf_reader_end(call->reader);
	}
	if (!err && call->step == HF_STEP_DONE)
		end_line(call);
	if (!err && call->response.body.failed)
		err = hf_no_memory(&call->why);
	if (err)
		hf_call_problem(call, err);
	return call->step;
}

void hf_call_committed(struct hf_call *call) {
	call->step = HF_STEP_DONE;
	if (call->write->err) {
		call->why = call->write->why;
		hf_call_problem(call, call->write->err);
		return;
	}
	call->committed(call);
	end_line(call);
	if (call->response.body.failed) /* the write is durable: a client that asks again sees it */
		hf_call_problem(call, hf_no_memory(&call->why));
}

void hf_call_commit(struct hf_call *call, struct hf_write *write, void (*committed)(struct hf_call *call)) {
	memcpy(write->by, call->by, sizeof write->by);
	call->write = write;
	call->committed = committed;
	call->step = HF_STEP_COMMIT;
}

const char *hf_call_param(const struct hf_call *call, const char *name) {
	for (int i = 0; i < call->n_params; i++)
		if (strcmp(call->params[i].name, name) == 0)
			return call->params[i].value;
	return NULL;
}

enum hf_err hf_call_param_uint(struct hf_call *call, const char *name, uint64_t min, uint64_t max, uint64_t *ret) {
	const char *text = hf_call_param(call, name);
	char *end;
	if (!text)
		return HF_OK;
	errno = 0;
	uint64_t value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < min || value > max)
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER,
			       "%s: \"%.40s\" is not a whole number from %" PRIu64 " to %" PRIu64, name, text, min, max);
	*ret = value;
	return HF_OK;
}

enum hf_err hf_call_param_bool(struct hf_call *call, const char *name, bool *ret) {
	const char *text = hf_call_param(call, name);
	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "%s: \"%.40s\" is neither true nor false", name, text);
	if (text)
		*ret = text[0] == 't';
	return HF_OK;
}

enum hf_err hf_call_param_name(struct hf_call *call, const char *name, size_t max, char *ret) {
	const char *text = hf_call_param(call, name);
	return text ? hf_name_set(name, text, max, &call->why, ret) : HF_OK;
}

enum hf_err hf_call_param_kind(struct hf_call *call, bool *ret_has, enum hf_kind *ret) {
	const char *text = hf_call_param(call, "kind");
	if (text && !hf_kind_parse(text, ret))
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER,
			       "kind: \"%.40s\" is not MeshService, MeshExternalService or MeshMultiZoneService", text);
	*ret_has = text != NULL;
	return HF_OK;
}

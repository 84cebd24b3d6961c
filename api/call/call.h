/* call.h — one request on its way down and up, without a socket and without LMDB.
 *
 * The server fills the request and calls hf_call_begin(). The answer is then ready (HF_STEP_DONE), or a write has to be committed
 * first (HF_STEP_COMMIT: commit call->write, then hf_call_committed()), or nothing has changed yet and the caller wants to wait
 * (HF_STEP_WAIT: call hf_call_begin() again when the store's revision exceeds call->wait_revision, or after call->wait_ms with
 * call->no_wait set).
 * Tests do the same without a server. One thread at a time.
 */
#ifndef HF_API_CALL_CALL_H
#define HF_API_CALL_CALL_H

#include "api.h"
#include "api/kuma/fingerprint_cache.h"
#include "api/text/buf.h"
#include "api/text/pieces.h"

/* The request headers that mean something here. */
enum hf_request_header {
	HF_CONTENT_TYPE,
	HF_CONTENT_ENCODING,
	HF_ACCEPT,
	HF_IF_MATCH,
	HF_IF_NONE_MATCH,
	HF_ZONE_EPOCH,
	HF_HOST,
	HF_ORIGIN,
	HF_SEC_FETCH_SITE,
	HF_REQUEST_HEADERS
};

enum hf_method { HF_GET, HF_PUT, HF_POST, HF_DELETE, HF_OTHER_METHOD };

#define HF_PARAMS_MAX 32
#define HF_SEGMENTS_MAX 12
#define HF_PATH_VARS_MAX 4
#define HF_HEADERS_MAX 6

struct hf_param {
	const char *name, *value; /* decoded */
};

/* What the server knows of a request. HEAD is HF_GET. */
struct hf_request {
	enum hf_method method;
	struct hf_buf target;			 /* path and query as sent, with a NUL; owned by the call, decoded in place */
	struct hf_buf body;			 /* owned by the call */
	const char *headers[HF_REQUEST_HEADERS]; /* NULL: not stated. The server's or in `joined`, valid until the request ends */
	char *joined[HF_REQUEST_HEADERS];	 /* lists that came on several lines; owned by the call */
	bool has_joined;
	bool body_comes;   /* one is announced, which may still be empty if its length is not */
	uint64_t body_len; /* as announced, or 0 */
};

struct hf_response {
	int status;
	const char *content_type; /* NULL: no body */
	struct hf_buf body;	  /* owned by the call */
	const void *fixed;	  /* instead of `body`: bytes that live as long as the program */
	size_t fixed_len;
	struct hf_stream *stream; /* instead of both; its sender closes it */
	int n_headers;
	struct {
		const char *name;
		char value[96];
	} headers[HF_HEADERS_MAX];
	struct hf_buf refused_claims; /* the header Holdfast-Claim-Refused; empty: no such header. Owned by the call */
};

/* Where a request is begun. One that may take long is not to be begun on a thread that others wait for. */
enum hf_lane_name { HF_LANE_WORKER, HF_LANE_SYNCS, HF_LANE_OPERATIONS };
#define HF_LANE_NAMES 3

enum hf_step { HF_STEP_DONE, HF_STEP_COMMIT, HF_STEP_WAIT };

struct hf_route;
struct hf_json;

struct hf_call {
	struct hf_api *api;
	struct hf_txn *reader;		    /* of whose thread it is, without a snapshot; NULL: the store has none left */
	struct hf_fingerprint_cache *cache; /* of whose thread it is; may be NULL */
	struct hf_request request;
	struct hf_response response;
	/* From the request's target. */
	const char *authority; /* of an absolute form, which counts instead of Host; else NULL */
	char *query;	       /* as sent; NULL: none */
	int n_params;
	struct hf_param params[HF_PARAMS_MAX];
	const char *segments[HF_SEGMENTS_MAX];
	int n_segments;
	const struct hf_route *route;	    /* NULL: no such path */
	const char *vars[HF_PATH_VARS_MAX]; /* the path's variables, in order */
	bool no_wait;			    /* set by the server: answer with what there is */
	/* What the handler leaves. */
	enum hf_step step;
	struct hf_why why;
	enum hf_err err; /* what was answered, HF_OK if no problem; for the log */
	struct hf_write *write;
	void (*committed)(struct hf_call *call); /* encodes the answer to a write that succeeded */
	/* Adds to a problem's members, and takes note of the refusal. NULL: there is nothing to add. */
	void (*refused)(struct hf_call *call, enum hf_err err, struct hf_json *json);
	int64_t wait_ms;	/* how long the caller wants to wait in all */
	uint64_t wait_revision; /* … for the store to exceed this revision; 0: has not waited yet */
	void *own;		/* the handler's, of hf_call_own(); kept for the next request unless it is large */
	size_t own_cap;
	_Atomic int *counted; /* what the request counts in, until it ends; NULL: nothing */
	enum hf_lane_name lane;
	const char
		*lane_key; /* what a long request is about, such as a zone; those about one thing are begun one after the other */
	struct hf_sink *sink;  /* NULL: the body is kept in request.body */
	int64_t asked_us;      /* when a check was asked for, on the monotonic clock */
	size_t body_bytes;     /* that came so far */
	size_t body_max_bytes; /* that may come; the route's, once that is known */
};

/* A call for one request after the other, so that most of them need no memory of their own. NULL if out of memory. */
struct hf_call *hf_call_new(struct hf_api *api);
void hf_call_free(struct hf_call *call); /* NULL is fine */

/* Begins a request. The target is copied. False: out of memory. */
bool hf_call_start(struct hf_call *call, const char *target);

/* Lets go of what the request held, the answer included. To be called once for each request, before the next or before
 * hf_call_free(). */
void hf_call_end(struct hf_call *call);

/* Finds the route from method, target and headers; no store is touched. An answer may be ready already (then HF_STEP_DONE and a
 * status): 400, 403, 404, 405, 415, 421. To be called once, before the body is read. */
void hf_call_route(struct hf_call *call);

/* Takes a piece of the body; all of them before hf_call_begin(). What is too large or wrong is answered at once, as by
 * hf_call_route(): what comes after that is ignored. */
void hf_call_body(struct hf_call *call, const char *data, size_t len);

enum hf_step hf_call_begin(struct hf_call *call);
void hf_call_committed(struct hf_call *call);

/* Answers with a problem; call->why has the detail. */
void hf_call_problem(struct hf_call *call, enum hf_err err);

/* For handlers. A parameter's value, or NULL; of a repeatable one the first. */
const char *hf_call_param(const struct hf_call *call, const char *name);
void hf_call_set_header(struct hf_call *call, const char *name, const char *value);
/* Reads a parameter as a whole number; *ret keeps its value if it is missing. HF_E_INVALID_PARAMETER. */
enum hf_err hf_call_param_uint(struct hf_call *call, const char *name, uint64_t min, uint64_t max, uint64_t *ret) HF_CHECKED;
/* Reads a parameter as true or false. */
enum hf_err hf_call_param_bool(struct hf_call *call, const char *name, bool *ret) HF_CHECKED;
/* Reads a parameter as a name of at most `max` characters into ret[max + 1]. HF_E_INVALID_NAME. */
enum hf_err hf_call_param_name(struct hf_call *call, const char *name, size_t max, char *ret) HF_CHECKED;
/* Reads the parameter `kind`. HF_E_INVALID_PARAMETER. */
enum hf_err hf_call_param_kind(struct hf_call *call, bool *ret_has, enum hf_kind *ret) HF_CHECKED;
/* A problem as an object (RFC 9457): its own five members. */
void hf_problem_write(struct hf_json *json, enum hf_err err, const char *detail);
/* Leaves a write to be committed; `committed` then encodes the answer. */
void hf_call_commit(struct hf_call *call, struct hf_write *write, void (*committed)(struct hf_call *call));
/* Returns zeroed memory of the handler's own, call->own, until the request ends; NULL: out of memory, with call->why set. */
void *hf_call_own(struct hf_call *call, size_t size);
/* Begins a JSON answer. */
struct hf_json hf_call_json(struct hf_call *call, int status);

#endif

/* call.h — one request on its way down and up, independent of sockets and of LMDB.
 *
 * The server fills the request and calls hf_call_begin(). Then one of three holds. The answer is ready (HF_STEP_DONE). A write
 * must be committed first (HF_STEP_COMMIT): commit call->write, then call hf_call_committed(). The request waits for a change
 * (HF_STEP_WAIT): call hf_call_begin() again when the store's revision exceeds call->wait_revision, or, with call->no_wait set,
 * after call->wait_ms. Tests do the same without a server. One thread at a time.
 */
#ifndef HF_API_CALL_CALL_H
#define HF_API_CALL_CALL_H

#include "api.h"
#include "api/access/principal.h"
#include "api/kuma/fingerprint_cache.h"
#include "api/text/buf.h"
#include "api/text/pieces.h"

/* The request headers that the API reads. */
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
	HF_AUTHORIZATION,
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

/* What the server knows about a request. HEAD is stored as HF_GET. */
struct hf_request {
	enum hf_method method;
	struct hf_buf target;			 /* path and query as sent, with a NUL; owned by the call, decoded in place */
	struct hf_buf body;			 /* owned by the call */
	const char *headers[HF_REQUEST_HEADERS]; /* NULL: absent. Owned by the server or `joined`, valid until the request ends */
	char *joined[HF_REQUEST_HEADERS];	 /* lists received on several lines; owned by the call */
	bool has_joined;
	bool body_comes;   /* the headers announce a body; it may still be empty if its length is unknown */
	uint64_t body_len; /* as announced, or 0 */
};

struct hf_response {
	int status;
	const char *content_type; /* NULL: no body */
	struct hf_buf body;	  /* owned by the call */
	const void *fixed;	  /* instead of `body`: bytes with static lifetime */
	size_t fixed_len;
	struct hf_stream *stream; /* instead of `body` and `fixed`; closed by its sender */
	int n_headers;
	struct {
		const char *name;
		char value[96];
	} headers[HF_HEADERS_MAX];
	struct hf_buf refused_claims; /* value of the header Holdfast-Claim-Refused; empty: omit the header. Owned by the call */
};

/* The thread on which a request begins. A request that may take long must not begin on a thread for which others wait. */
enum hf_lane_name { HF_LANE_WORKER, HF_LANE_SYNCS, HF_LANE_OPERATIONS };
#define HF_LANE_NAMES 3

enum hf_step { HF_STEP_DONE, HF_STEP_COMMIT, HF_STEP_WAIT };

struct hf_route;
struct hf_json;

struct hf_call {
	struct hf_api *api;
	struct hf_txn *reader;		    /* the thread's reader, without a snapshot; NULL: the store had none left */
	struct hf_fingerprint_cache *cache; /* the thread's cache; may be NULL */
	struct hf_request request;
	struct hf_response response;
	/* Read from the request's target. */
	const char *authority; /* host in an absolute-form target, which replaces the Host header; else NULL */
	char *query;	       /* as sent; NULL: none */
	int n_params;
	struct hf_param params[HF_PARAMS_MAX];
	const char *segments[HF_SEGMENTS_MAX];
	int n_segments;
	const struct hf_route *route;	    /* NULL: the path is unknown */
	const char *vars[HF_PATH_VARS_MAX]; /* the path's variables, in order */
	bool no_wait;			    /* set by the server: answer without waiting */
	struct hf_principal principal;	    /* who asks; nobody on a route for probes */
	char by[HF_BY_MAX + 1];		    /* the caller's name, its principal's id; "": it has none */
	/* Set by the handler. */
	enum hf_step step;
	struct hf_why why;
	enum hf_err err; /* the error that was answered, or HF_OK; for the log */
	struct hf_write *write;
	void (*committed)(struct hf_call *call); /* encodes the answer to a write that succeeded */
	/* Adds members to a problem, and records the refusal. May be NULL. */
	void (*refused)(struct hf_call *call, enum hf_err err, struct hf_json *json);
	int64_t wait_ms;	/* how long the client is willing to wait in total … */
	uint64_t wait_revision; /* … for the store to exceed this revision; 0: has not waited yet */
	void *own;		/* the handler's memory, from hf_call_own(); reused for the next request unless it is large */
	size_t own_cap;
	void (*own_end)(void *own); /* gives up what the handler's memory holds, when the request ends; NULL: nothing */
	_Atomic int *counted;	    /* the counter that includes the request until it ends; NULL: none */
	enum hf_lane_name lane;
	const char *lane_key;  /* the subject of a long request, such as a zone; requests with the same subject begin one after
				  another */
	struct hf_sink *sink;  /* NULL: the body is kept in request.body */
	int64_t asked_us;      /* when a check was requested, on the monotonic clock */
	size_t body_bytes;     /* bytes received so far */
	size_t body_max_bytes; /* limit for body_bytes; the route's, once that is known */
};

/* Creates a call, to be used for one request after another, so that most requests need no allocation. NULL: out of memory. */
struct hf_call *hf_call_new(struct hf_api *api);
void hf_call_free(struct hf_call *call); /* NULL is fine */

/* Starts a request. Copies the target. Returns false if out of memory. */
bool hf_call_start(struct hf_call *call, const char *target);

/* Releases everything that the request held, including the answer. Call it once for each request, before the next one or
 * hf_call_free(). */
void hf_call_end(struct hf_call *call);

/* Finds the route from the method, the target and the headers, without touching the store. May already set an answer (HF_STEP_DONE
 * and status 400, 401, 403, 404, 405, 415 or 421). Call it once, before the body is read. */
void hf_call_route(struct hf_call *call);

/* Takes a piece of the body. Pass all pieces before hf_call_begin(). A body that is too large or malformed is answered at once, as
 * by hf_call_route(); later pieces are ignored. */
void hf_call_body(struct hf_call *call, const char *data, size_t len);

enum hf_step hf_call_begin(struct hf_call *call);
void hf_call_committed(struct hf_call *call);

/* Answers with a problem; call->why has the detail. */
void hf_call_problem(struct hf_call *call, enum hf_err err);

/* The functions below are for handlers.
 * Returns a parameter's value, the first one of a repeatable parameter; NULL if it is absent. */
const char *hf_call_param(const struct hf_call *call, const char *name);
void hf_call_set_header(struct hf_call *call, const char *name, const char *value);
/* Reads a parameter as a whole number from `min` to `max`. Leaves *ret unchanged if it is absent.
 * Fails with HF_E_INVALID_PARAMETER if it is not such a number. */
enum hf_err hf_call_param_uint(struct hf_call *call, const char *name, uint64_t min, uint64_t max, uint64_t *ret) HF_CHECKED;
/* Reads a parameter as true or false. Leaves *ret unchanged if it is absent.
 * Fails with HF_E_INVALID_PARAMETER if it is neither. */
enum hf_err hf_call_param_bool(struct hf_call *call, const char *name, bool *ret) HF_CHECKED;
/* Reads a parameter as a name of at most `max` characters into ret[max + 1].
 * Fails with HF_E_INVALID_NAME if it is not a valid name. */
enum hf_err hf_call_param_name(struct hf_call *call, const char *name, size_t max, char *ret) HF_CHECKED;
/* Reads the parameter `kind`.
 * Fails with HF_E_INVALID_PARAMETER if it is not a known kind. */
enum hf_err hf_call_param_kind(struct hf_call *call, bool *ret_has, enum hf_kind *ret) HF_CHECKED;
/* Writes a problem as an object (RFC 9457) with its five members. */
void hf_problem_write(struct hf_json *json, enum hf_err err, const char *detail);
/* Leaves a write to be committed in the caller's name, after which `committed` encodes the answer. */
void hf_call_commit(struct hf_call *call, struct hf_write *write, void (*committed)(struct hf_call *call));
/* Returns zeroed memory for the handler, call->own, until the request ends. NULL: out of memory, with call->why set. */
void *hf_call_own(struct hf_call *call, size_t size);
/* Logs an event of a request, with its caller's name. */
void hf_call_event(const struct hf_call *call, enum hf_event_level level, const char *message, const char *pairs);
/* Begins a JSON answer. */
struct hf_json hf_call_json(struct hf_call *call, int status);
/* Makes 304 of an answer: keeps its headers, drops its body. */
void hf_call_not_modified(struct hf_call *call);

#endif

/* route.h — a route: which requests it takes, and which functions answer them. */
#ifndef HF_API_CALL_ROUTE_H
#define HF_API_CALL_ROUTE_H

#include "call.h"

/* Who may call the route, once there is authentication. */
enum hf_role { HF_ROLE_PROBE, HF_ROLE_READ, HF_ROLE_ZONE, HF_ROLE_ADMIN };

/* HF_BODY_LIST: a list of documents, as JSON or NDJSON, taken by a sink. HF_BODY_JSON_LARGE: of at most HF_LARGE_BODY_BYTES if that
 * is more than --max-body; a pool with as many ranges as it may have fits. */
enum hf_body { HF_BODY_NONE, HF_BODY_JSON, HF_BODY_JSON_OR_EMPTY, HF_BODY_JSON_LARGE, HF_BODY_LIST };
#define HF_LARGE_BODY_BYTES ((size_t)1 << 20)

struct hf_route {
	enum hf_method method;
	const char *pattern; /* {…} is a variable segment */
	const char *params; /* accepted query parameters, separated by spaces; a * marks a repeatable one. NULL: ignore the query */
	enum hf_body body;
	enum hf_role role;
	enum hf_kind kind; /* kind of its leases; 0 if it has none */
	/* Called before the body arrives: chooses where the request begins, and gives the call a sink for its body. NULL: the
	 * request begins on a worker, and its body is kept. */
	enum hf_err (*open)(struct hf_call *call);
	/* Answers, or leaves a write or a wait. An error becomes a problem with call->why as its detail. The reader has a
	 * snapshot. */
	enum hf_err (*handle)(struct hf_call *call);
};

#endif

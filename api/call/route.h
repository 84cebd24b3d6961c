/* route.h — a route: which requests it takes, and which functions answer them. */
#ifndef HF_API_CALL_ROUTE_H
#define HF_API_CALL_ROUTE_H

#include "call.h"

/* Which of the path's variables is the zone whose leases the route is about: the seat of access control. HF_NO_ZONE: none, and for
 * a route with HF_ROLE_ZONE, its handler checks the zones that its body names (call->principal). */
enum hf_zone_variable { HF_NO_ZONE, HF_ZONE_FIRST, HF_ZONE_SECOND };

/* HF_FENCED: a zone's principal must state the zone's epoch. */
enum hf_fence { HF_UNFENCED, HF_FENCED };

#define HF_MAX_RELEASE_DEFAULT 20 /* percent: the parameter maxRelease where it is absent; more needs a permission */

/* HF_BODY_LIST: a list of documents, as JSON or NDJSON, taken by a sink. HF_BODY_JSON_LARGE: of at most HF_LARGE_BODY_BYTES if that
 * is more than --max-body; a pool with as many ranges as it may have fits. */
enum hf_body { HF_BODY_NONE, HF_BODY_JSON, HF_BODY_JSON_OR_EMPTY, HF_BODY_JSON_LARGE, HF_BODY_LIST };
#define HF_LARGE_BODY_BYTES ((size_t)1 << 20)

struct hf_route {
	enum hf_method method;
	const char *pattern; /* {…} is a variable segment */
	const char *params; /* accepted query parameters, separated by spaces; a * marks a repeatable one. NULL: ignore the query */
	enum hf_body body;
	enum hf_role role; /* that a caller needs */
	enum hf_zone_variable zone;
	enum hf_fence fence;
	enum hf_kind kind; /* kind of its leases; 0 if it has none */
	/* Called before the body arrives: chooses where the request begins, and gives the call a sink for its body. NULL: the
	 * request begins on a worker, and its body is kept. */
	enum hf_err (*open)(struct hf_call *call);
	/* Answers, or leaves a write or a wait. An error becomes a problem with call->why as its detail. The reader has a
	 * snapshot. */
	enum hf_err (*handle)(struct hf_call *call);
};

#endif

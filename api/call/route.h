/* route.h — the static route table: the program's table of contents. */
#ifndef HF_API_CALL_ROUTE_H
#define HF_API_CALL_ROUTE_H

#include "call.h"

/* Who may call it, once there is authentication. */
enum hf_role { HF_ROLE_PROBE, HF_ROLE_READ, HF_ROLE_ZONE, HF_ROLE_ADMIN };

/* HF_BODY_LIST: a list of documents, as JSON or NDJSON; it has a sink. */
enum hf_body { HF_BODY_NONE, HF_BODY_JSON, HF_BODY_JSON_OR_EMPTY, HF_BODY_LIST };

struct hf_route {
	enum hf_method method;
	const char *pattern; /* {…} is a variable segment */
	const char *params;  /* the query parameters it takes, separated by spaces; with * repeatable. NULL: it ignores the query */
	enum hf_body body;
	enum hf_role role;
	enum hf_kind kind; /* of the leases below it; 0 where it does not matter */
	/* Says before the body comes where the request is begun, and gives the call a sink for its body. NULL: a worker, and it is
	 * kept. */
	enum hf_err (*open)(struct hf_call *call);
	/* Answers, or leaves a write or a wait; an error becomes a problem with call->why as its detail. The reader has a snapshot.
	 */
	enum hf_err (*handle)(struct hf_call *call);
};

extern const struct hf_route HF_ROUTES[];
extern const int HF_ROUTES_COUNT;

/* What an operator needs most: it is answered also where only the connections are left that are kept for that. NULL is nothing. */
bool hf_route_is_kept(const struct hf_route *route);

/* The handlers, one resource a file. */
enum hf_err hf_handle_lease_put(struct hf_call *call); /* leases.c */
enum hf_err hf_handle_lease_get(struct hf_call *call);
enum hf_err hf_handle_lease_delete(struct hf_call *call);
enum hf_err hf_handle_lease_list(struct hf_call *call);	 /* lease_list.c */
enum hf_err hf_handle_lookup(struct hf_call *call);	 /* lookup.c */
enum hf_err hf_handle_address_get(struct hf_call *call); /* addresses.c */
enum hf_err hf_handle_address_history(struct hf_call *call);
enum hf_err hf_handle_pool_list(struct hf_call *call); /* pools.c */
enum hf_err hf_handle_pool_get(struct hf_call *call);
enum hf_err hf_handle_pool_put(struct hf_call *call);
enum hf_err hf_handle_pool_delete(struct hf_call *call);
enum hf_err hf_handle_zone_list(struct hf_call *call); /* zones.c */
enum hf_err hf_handle_zone_get(struct hf_call *call);
enum hf_err hf_handle_zone_retire(struct hf_call *call);
enum hf_err hf_handle_zone_connect(struct hf_call *call);
enum hf_err hf_handle_zone_disconnect(struct hf_call *call);
enum hf_err hf_open_sync(struct hf_call *call); /* sync.c */
enum hf_err hf_open_manifest(struct hf_call *call);
enum hf_err hf_handle_sync(struct hf_call *call);
enum hf_err hf_handle_manifest(struct hf_call *call);
enum hf_err hf_handle_changes(struct hf_call *call); /* changes.c */
enum hf_err hf_handle_backup(struct hf_call *call);  /* operations.c */
enum hf_err hf_open_verify(struct hf_call *call);
enum hf_err hf_handle_verify(struct hf_call *call);
enum hf_err hf_handle_status(struct hf_call *call); /* status.c */
enum hf_err hf_handle_livez(struct hf_call *call);
enum hf_err hf_handle_readyz(struct hf_call *call);
enum hf_err hf_handle_openapi(struct hf_call *call);
enum hf_err hf_handle_metrics(struct hf_call *call); /* metrics.c */

#endif

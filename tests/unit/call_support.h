/* call_support.h — requests through the API without a socket. */
#ifndef HF_TESTS_CALL_SUPPORT_H
#define HF_TESTS_CALL_SUPPORT_H

#include "api/call/call.h"
#include "api/call/metrics.h"
#include "api/sync/sync_ledger.h"
#include "support.h"

/* Limits as the server has them without settings. */
#define BODY_MAX ((size_t)256 << 10)
#define SYNC_BODY_MAX ((size_t)256 << 20)
#define SYNC_ITEMS_MAX 100000
#define SYNC_MEMORY ((size_t)512 << 20)

struct world {
	struct fixture f;
	struct hf_api api;
	struct hf_fingerprint_cache *cache;
	const char *header_name, *header_value; /* one that every request has; NULL: none */
	const char *by;				/* whose requests they are; NULL: of a caller without a name */
	const char *content_type;		/* NULL: none is stated; application/json at first */
};

/* A store with its committer, and what requests share; the limits of syncs by default. */
void world_open(struct world *w);
void world_open_with(struct world *w, const struct hf_syncs_options *options);
void world_close(struct world *w);

struct answer {
	enum hf_step first; /* where hf_call_begin() left it */
	int status;
	char body[16384], outcome[16], etag[64], retry_after[8];
};

/* A call of its own for one request. */
struct hf_call *started_call(struct hf_api *api, const char *target);
void ended_call(struct hf_call *call);

/* A call that is routed; its body is to come. */
struct hf_call *routed(struct world *w, enum hf_method method, const char *target);

/* What a server does with a call whose body is there, to the end; frees the call. */
struct answer answered(struct world *w, struct hf_call *call);

struct answer request(struct world *w, enum hf_method method, const char *target, const char *body);

#endif

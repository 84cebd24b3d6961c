/* pool_requests.h — write, delete and read pools. */
#ifndef HF_STORAGE_REQUESTS_POOL_REQUESTS_H
#define HF_STORAGE_REQUESTS_POOL_REQUESTS_H

#include "storage/model/pool.h"
#include "storage/store/store.h"
#include "storage/store/write.h"

/* Create or replace a pool's configuration. No lease ever moves. */
struct hf_pool_put {
	struct hf_write write;
	char name[HF_NAME_MAX + 1];   /* checked */
	struct hf_pool_config config; /* checked by hf_pool_config_check() */
	bool drain;		      /* ranges that are taken away while they have leases drain, instead of being refused */
	/* The result. */
	enum { HF_POOL_CREATED, HF_POOL_UPDATED, HF_POOL_UNCHANGED } outcome;
	struct hf_pool pool;
};

/* Makes it a write. Its errors: HF_E_POOL_OVERLAP with another pool, HF_E_POOL_IN_USE (a range that is taken away has leases, and
 * no drain), HF_E_INVALID_PARAMETER (too many draining ranges). An equal configuration writes nothing. */
void hf_pool_put_begin(struct hf_pool_put *request);

/* Delete a pool that has no leases. */
struct hf_pool_delete {
	struct hf_write write;
	char name[HF_NAME_MAX + 1];
	/* The result: the pool as it was. */
	struct hf_pool pool;
};

/* Makes it a write. Its errors: HF_E_NOT_FOUND, HF_E_POOL_IN_USE. */
void hf_pool_delete_begin(struct hf_pool_delete *request);

/* Reads a pool. HF_E_NOT_FOUND, or a fault. */
enum hf_err hf_pool_read(struct hf_txn *reader, const char *name, struct hf_why *why, struct hf_pool *ret) HF_CHECKED;

/* Calls `each` for every pool, by name. The pool is the callee's only during the call. */
enum hf_err hf_pools_each(struct hf_txn *reader, void (*each)(void *context, const struct hf_pool *pool), void *context,
			  struct hf_why *why) HF_CHECKED;

/* The same for the pools after a name ("": all), as long as `take` takes them; *ret_more: there was one that it did not. */
enum hf_err hf_pools_page(struct hf_txn *reader, const char *after, bool (*take)(void *context, const struct hf_pool *pool),
			  void *context, struct hf_why *why, bool *ret_more) HF_CHECKED;

#endif

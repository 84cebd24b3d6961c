/* pool_requests.h — writes, deletes and reads pools. */
#ifndef HF_STORAGE_REQUESTS_POOL_REQUESTS_H
#define HF_STORAGE_REQUESTS_POOL_REQUESTS_H

#include "storage/model/pool.h"
#include "storage/store/store.h"
#include "storage/store/write.h"

/* Creates a pool, or replaces its configuration. No lease ever moves. The request owns the ranges of its configuration and of its
 * result until hf_pool_put_end(). */
struct hf_pool_put {
	struct hf_write write;
	char name[HF_NAME_MAX + 1];   /* checked */
	struct hf_pool_config config; /* checked by hf_pool_config_check() */
	struct hf_condition if_match, if_none_match;
	bool drain; /* removed ranges that have leases become draining, instead of being refused */
	/* The result. */
	enum { HF_POOL_CREATED, HF_POOL_UPDATED, HF_POOL_UNCHANGED } outcome;
	struct hf_pool pool;
};

/* Prepares the write. An equal configuration writes nothing. The write:
 * Fails with HF_E_PRECONDITION_FAILED if a condition does not hold.
 * Fails with HF_E_POOL_OVERLAP if a CIDR overlaps a range of another pool.
 * Fails with HF_E_POOL_IN_USE if a removed range has leases and `drain` is not set.
 * Fails with HF_E_INVALID_PARAMETER if too many ranges would be draining. */
void hf_pool_put_begin(struct hf_pool_put *request);
void hf_pool_put_end(struct hf_pool_put *request);

/* Deletes a pool that has no leases. The request owns the ranges of its result until hf_pool_delete_end(). */
struct hf_pool_delete {
	struct hf_write write;
	char name[HF_NAME_MAX + 1];
	struct hf_condition if_match, if_none_match;
	/* The result: the pool as it was. */
	struct hf_pool pool;
};

/* Prepares the write, which:
 * Fails with HF_E_PRECONDITION_FAILED if a condition does not hold.
 * Fails with HF_E_NOT_FOUND if the pool does not exist.
 * Fails with HF_E_POOL_IN_USE if the pool has leases, or previous addresses of leases. */
void hf_pool_delete_begin(struct hf_pool_delete *request);
void hf_pool_delete_end(struct hf_pool_delete *request);

/* Judges the conditions of a write for a pool as it is; NULL: it does not exist.
 * Fails with HF_E_PRECONDITION_FAILED. */
enum hf_err hf_pool_judge(const struct hf_condition *if_match, const struct hf_condition *if_none_match, const struct hf_pool *pool,
			  struct hf_why *why) HF_CHECKED;

/* Reads a pool, which the caller drops.
 * Fails with HF_E_NOT_FOUND if the pool does not exist.
 * Fails with the reader's fault. */
enum hf_err hf_pool_read(struct hf_txn *reader, const char *name, struct hf_why *why, struct hf_pool *ret) HF_CHECKED;

/* Calls `each` for every pool, by name. The pool is valid only during the call.
 * Fails with the reader's fault. */
enum hf_err hf_pools_each(struct hf_txn *reader, void (*each)(void *context, const struct hf_pool *pool), void *context,
			  struct hf_why *why) HF_CHECKED;

/* Calls `take` for the pools after a name ("": all), by name, until it returns false; then sets *ret_more.
 * Fails with the reader's fault. */
enum hf_err hf_pools_page(struct hf_txn *reader, const char *after, bool (*take)(void *context, const struct hf_pool *pool),
			  void *context, struct hf_why *why, bool *ret_more) HF_CHECKED;

#endif

/* support.h — what the tests share: a store in a directory of its own, a clock to turn, one-line writes. */
#ifndef HF_TESTS_SUPPORT_H
#define HF_TESTS_SUPPORT_H

#include "storage/requests/leases.h"
#include "storage/requests/pool_requests.h"
#include "storage/requests/zone_requests.h"
#include "storage/store/committer.h"

/* A store with a clock that only the test moves. Directories are made below $TMPDIR, /dev/shm or /tmp. */
struct fixture {
	char dir[128];
	int64_t now_ms, monotonic_ms;
	int64_t shift_ms; /* the wall clock is wrong by so much */
	uint64_t boot;	  /* which boot the monotonic clock counts in; 0: not known */
	struct hf_store_options options;
	struct hf_store *store;
	struct hf_txn *reader;
};

void fixture_dir(struct fixture *f);	/* a new empty directory, default options and clock; nothing is opened */
void fixture_new(struct fixture *f);	/* the first of these, then the next */
void fixture_open(struct fixture *f);	/* opens the store and a reader; fails the program on error */
void fixture_close(struct fixture *f);	/* closes them; the directory stays */
void fixture_remove(struct fixture *f); /* closes and removes everything */

/* A digest of every key and value of every table. */
struct hf_digest fixture_digest(struct fixture *f);

/* Checks the store's invariants; fails the test with what is wrong. */
void verify_clean(struct fixture *f, const char *when);

/* Applies and commits one write as a batch of its own, as the committer does; returns the commit's error, else the write's. */
enum hf_err commit(struct fixture *f, struct hf_write *write);

struct hf_identity identity(const char *zone, const char *mesh, const char *service); /* a MeshService */

/* Acquire with a configuration whose fingerprint and raw digest follow from the text ("" for an empty body). */
struct hf_acquire acquire_request(struct hf_identity id, const char *config);
enum hf_err acquire(struct fixture *f, struct hf_acquire *request);
void acquire_services(struct fixture *f, int from,
		      int to); /* s0, s1, … of zone east, in one batch; fails the program on an error */
enum hf_err release(struct fixture *f, struct hf_identity id, bool purge, struct hf_lease *ret);

/* Connects or disconnects a zone, unfenced; the request is written back with its result. */
enum hf_err connect_zone(struct fixture *f, const char *zone, const char *instance, struct hf_zone_connect *ret);
enum hf_err disconnect_zone(struct fixture *f, const char *zone);

/* Space-separated ranges, or ""; one more range. The caller drops the list. */
struct hf_ranges ranges_of(const char *text);
void add_range(struct hf_ranges *ranges, struct hf_range range);

/* Write, delete a pool: a request that gives up its ranges at the end of its block. */
#define POOL_PUT_REQUEST __attribute__((cleanup(hf_pool_put_end))) struct hf_pool_put
#define POOL_DELETE_REQUEST __attribute__((cleanup(hf_pool_delete_end))) struct hf_pool_delete

/* A pool with space-separated CIDRs and reserved ranges (or ""), sequential, quarantine in seconds. */
struct hf_pool_put pool_request(const char *name, const char *cidrs, const char *reserved, uint32_t quarantine_seconds);

/* A quarantined lease with two addresses and something in each member: generation 3, revision 17, version "v1". */
struct hf_lease sample_lease(void);

struct hf_addr addr(const char *text);			   /* fails the program if it is none */
const char *vip_text(const struct hf_lease *lease, int i); /* static buffer */

#endif

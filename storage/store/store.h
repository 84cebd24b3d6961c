/* store.h — the store: a data directory opened by this process, and readers over it.
 *
 * One store per directory, locked against any other process (and against being opened twice in this one). Readers never wait for
 * the writer or for each other. All writes go through a committer (committer.h) or a separate batch (batch.h), one at a time.
 */
#ifndef HF_STORAGE_STORE_STORE_H
#define HF_STORAGE_STORE_STORE_H

#include <stdatomic.h>

#include "storage/base/clock.h"
#include "storage/lmdb/txn.h"
#include "storage/model/change.h"
#include "storage/model/defaults.h"
#include "storage/model/meta.h"
#include "storage/model/pool.h"
#include "storage/model/zone.h"
#include "storage/tables/meta_table.h"

struct hf_store_options {
	uint64_t map_size_bytes;     /* the file's sparse limit; 0: the default (defaults.h) */
	uint32_t quarantine_seconds; /* of the pools created at the first start */
	uint64_t changes_max;	     /* changes kept in the feed; 0: the default */
	int64_t changes_age_ms;	     /* how long changes are kept; 0: the default */
	uint64_t remembered_max;     /* remembered addresses of one pool and family (memory.h); 0: 1,048,576 */
	struct hf_clock clock;	     /* now_ms NULL: the system's */
	bool keep_format;	     /* refuse a store of an older format instead of migrating it */
	bool follow_clock;	     /* the store will be served: continue its time, and follow the wall clock (follow.h) */
	int64_t follow_after_ms;     /* how long the wall clock must be ahead before it is followed; 0: 10 s; negative: at once */
};

struct hf_store;

/* Returns how many milliseconds the opening took to check every page of the file, because it was not closed properly or was
 * written since; -1: it did not check them. */
int64_t hf_store_checked_ms(const struct hf_store *store);

/* Returns whether the opening created the store. */
bool hf_store_is_new(const struct hf_store *store);

/* Returns the format that the store had when it was opened. If it was older than HF_FORMAT, sets *ret_aside to the path of the
 * copy kept aside, which the store owns; "" if the store was opened for reading only. */
unsigned hf_store_format_found(const struct hf_store *store, const char **ret_aside);

/* Closes the store; readers must be closed and the committer stopped. NULL is fine. */
void hf_store_close(struct hf_store *store);

/* Returns the store's time (clock.h), or the wall clock's if the store does not follow that. It dates changes, and is compared
 * with the ends of quarantines. Thread-safe. */
int64_t hf_store_now_ms(const struct hf_store *store);

/* Returns the time by which history and feed are judged to be old: the store's time, minus what it was set forward since they were
 * written. Thread-safe. */
int64_t hf_store_patient_ms(const struct hf_store *store);

/* Returns milliseconds since an arbitrary moment, by the monotonic clock; for durations, such as a server's uptime. */
int64_t hf_store_monotonic_ms(const struct hf_store *store);

/* What happened to the store's time at the opening, or when the wall clock was last read. */
struct hf_clock_news {
	enum hf_clock_what {
		HF_CLOCK_CONTINUES, /* nothing */
		HF_CLOCK_STEPPED,   /* the wall clock stepped by `by_ms`; the store's time follows, at once or if the step lasts */
		HF_CLOCK_RETURNED,  /* the wall clock stepped back by `by_ms` before it was followed */
		HF_CLOCK_BOOTED,    /* a boot: now is `by_ms` after the newest time that the store knew; how long it really took is
				       unknown */
		HF_CLOCK_UNSET /* the wall clock was not set yet: the store's time continues from the newest time that it knew */
	} what;
	int64_t by_ms;
};
struct hf_clock_news hf_store_clock_start(const struct hf_store *store);

/* Return the number of steps of the wall clock since the opening, and its current distance from the store's time. Thread-safe. */
uint64_t hf_store_clock_steps(const struct hf_store *store, bool forward);
int64_t hf_store_clock_offset_ms(const struct hf_store *store);

void hf_store_size(const struct hf_store *store, uint64_t *ret_used_bytes, uint64_t *ret_map_bytes);

/* Returns the store's identity, epoch and last revision without reading the database, which may be damaged. */
void hf_store_known(const struct hf_store *store, uint8_t ret_store_id[16], uint64_t *ret_store_epoch, uint64_t *ret_revision);

/* Returns for how many milliseconds the oldest snapshot in use, in this process or another, has been out of date: while it is in
 * use, no page freed since then is reused. 0: no such snapshot is in use, or it is younger than a second. The value is at most a
 * second old. */
int64_t hf_store_oldest_reader_ms(const struct hf_store *store);

/* Returns how many addresses of existing leases were ever changed, by cause; counted where records are written. */
uint64_t hf_store_vip_changes(const struct hf_store *store, enum hf_cause cause);

/* A reader serves one thread at a time, and is reused for one request after another. hf_reader_begin() takes the newest snapshot,
 * hf_reader_end() releases it; nothing that was read is valid after that. */
enum hf_err hf_reader_open(struct hf_store *store, struct hf_why *why, struct hf_txn **ret) HF_CHECKED;
enum hf_err hf_reader_begin(struct hf_txn *reader, struct hf_why *why) HF_CHECKED;
void hf_reader_end(struct hf_txn *reader);
void hf_reader_close(struct hf_txn *reader);

/* For storage/ alone. */

/* Returns the writer's copy of the meta record. Only the writer's thread may use this and the following functions. */
const struct hf_meta *hf_store_meta(const struct hf_store *store);

/* Begins a write transaction outside any batch. The writer's copies do not follow its writes; the next batch reads them again. The
 * caller has exclusive use of the store, and ends the transaction.
 * Fails as hf_txn_begin() does. */
enum hf_err hf_store_begin_alone(struct hf_store *store, struct hf_why *why, struct hf_txn **ret) HF_CHECKED;

/* Returns another descriptor of the lock, which outlives the store; -1 and errno if no descriptor is left. The caller closes it. */
int hf_store_share_lock(const struct hf_store *store);

#endif

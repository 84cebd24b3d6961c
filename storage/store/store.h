/* store.h — the store: a data directory opened by this process, and readers over it.
 *
 * One store per directory, locked against any other process (and any other opening in this one). Readers are free of the writer
 * and of each other; all writes go through a committer (committer.h) or a batch of one's own (batch.h), one at a time.
 */
#ifndef HF_STORAGE_STORE_STORE_H
#define HF_STORAGE_STORE_STORE_H

#include <stdatomic.h>

#include "storage/base/clock.h"
#include "storage/lmdb/txn.h"
#include "storage/model/change.h"
#include "storage/model/meta.h"
#include "storage/model/pool.h"
#include "storage/model/zone.h"
#include "storage/tables/meta_table.h"

#define HF_DEFAULT_MAP_BYTES ((uint64_t)64 << 30)

struct hf_store_options {
	uint64_t map_size_bytes;     /* the file's limit; sparse. 0: 64 GiB */
	uint32_t quarantine_seconds; /* of the pools made at first start */
	uint64_t changes_max;	     /* changes kept in the feed; 0: 200,000 */
	int64_t changes_age_ms;	     /* and for how long; 0: 7 days */
	struct hf_clock clock;	     /* now_ms NULL: the system's */
	bool keep_format;	     /* a store of an older format is refused instead of being migrated */
	bool follow_clock;	     /* the store is to be served: its time is taken up, and follows the wall clock (follow.h) */
	int64_t follow_after_ms;     /* how long the wall clock must be ahead before it is followed; 0: 10 s; below: at once */
};

struct hf_store;

/* For how long the opening looked at every page of the file, as it was not closed in order or was written since; -1: it did not. */
int64_t hf_store_checked_ms(const struct hf_store *store);

/* Whether the opening made the store, as there was none. */
bool hf_store_is_new(const struct hf_store *store);

/* The format that the store had when it was opened. If that was an older one than HF_FORMAT, *ret_aside is the path of the copy
 * that was kept, "" of a store that is only read; the store's memory. */
unsigned hf_store_format_found(const struct hf_store *store, const char **ret_aside);

/* Closes it; readers must be closed and the committer stopped. NULL is fine. */
void hf_store_close(struct hf_store *store);

/* The store's time (clock.h), or the wall clock's if it does not follow that: when something happens, and what is compared with the
 * ends of quarantines. From any thread. */
int64_t hf_store_now_ms(const struct hf_store *store);

/* The time by which it is judged whether history and feed are old: the store's, less what it was set forward since they were
 * written. From any thread. */
int64_t hf_store_patient_ms(const struct hf_store *store);

/* Milliseconds since some moment, by the monotonic clock; for durations, such as how long a server has been up. */
int64_t hf_store_monotonic_ms(const struct hf_store *store);

/* What became of the store's time: at the opening, or when its wall clock was looked at. */
struct hf_clock_news {
	enum hf_clock_what {
		HF_CLOCK_CONTINUES, /* as it was */
		HF_CLOCK_STEPPED,   /* the wall clock stepped by `by_ms`; the store's time follows, at once or if that lasts */
		HF_CLOCK_RETURNED,  /* it stepped back by `by_ms` before it was followed */
		HF_CLOCK_BOOTED, /* `by_ms` lie between the newest time that the store knew and now, nobody knows how long it was */
		HF_CLOCK_UNSET	 /* the wall clock was not set yet: the store's time goes on from the newest that it knew */
	} what;
	int64_t by_ms;
};
struct hf_clock_news hf_store_clock_start(const struct hf_store *store);

/* Steps of the wall clock that were seen since the opening, and how far it is from the store's time now. From any thread. */
uint64_t hf_store_clock_steps(const struct hf_store *store, bool forward);
int64_t hf_store_clock_offset_ms(const struct hf_store *store);

void hf_store_size(const struct hf_store *store, uint64_t *ret_used_bytes, uint64_t *ret_map_bytes);

/* The store's identity, epoch and last revision without a look at the database, which may be damaged. */
void hf_store_known(const struct hf_store *store, uint8_t ret_store_id[16], uint64_t *ret_store_epoch, uint64_t *ret_revision);

/* For how long the oldest snapshot that anybody reads, another process too, has been out of date: as long as it is read, no page
 * that was freed since is used again. 0: no such snapshot is read, or it is younger than a second. As upkeep saw it at most a
 * second ago. */
int64_t hf_store_oldest_reader_ms(const struct hf_store *store);

/* Addresses of existing leases that a write changed, by cause, in all the store's time; counted where records are written. */
uint64_t hf_store_vip_changes(const struct hf_store *store, enum hf_cause cause);

/* A reader: one thread at a time, reused for request after request. begin takes the newest snapshot, end lets go of it; nothing
 * read outlives the end. */
enum hf_err hf_reader_open(struct hf_store *store, struct hf_why *why, struct hf_txn **ret) HF_CHECKED;
enum hf_err hf_reader_begin(struct hf_txn *reader, struct hf_why *why) HF_CHECKED;
void hf_reader_end(struct hf_txn *reader);
void hf_reader_close(struct hf_txn *reader);

/* For storage/ alone. */

/* The writer's copy of the meta record; neither it nor what follows is for another thread than the writer's. */
const struct hf_meta *hf_store_meta(const struct hf_store *store);

/* Begins a write transaction beside any batch, whose writes the writer's copies do not follow: the next batch reads them again. The
 * caller has the store for itself, and ends the transaction. Errors as hf_txn_begin(). */
enum hf_err hf_store_begin_alone(struct hf_store *store, struct hf_why *why, struct hf_txn **ret) HF_CHECKED;

/* Returns another descriptor of the lock, which outlives the store; -1 and errno if the system has none left. The caller closes it.
 */
int hf_store_share_lock(const struct hf_store *store);

#endif

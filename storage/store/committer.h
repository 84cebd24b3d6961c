/* committer.h — the committer: one writer, group commit.
 *
 * All queued writes are committed together, in one write transaction with one flush, and each is answered only after that. Under
 * load the batch grows and the flush is shared. A single write that finds the committer idle may be committed at once on its
 * caller's own thread, if only the writer waits for that thread, as a disk may hang. A refused write changes nothing and does not
 * disturb the others; a storage fault fails its whole batch. A solo write, such as a sync, commits alone. All small writes queued
 * when a solo write ends go before the next one, so that a small write waits for at most one of them. Between batches the committer
 * processes deadlines and compacts the feed. All functions are thread-safe.
 */
#ifndef HF_STORAGE_STORE_COMMITTER_H
#define HF_STORAGE_STORE_COMMITTER_H

#include "storage/base/histogram.h"
#include "store.h"
#include "ttl.h"
#include "write.h"

struct hf_committer;

/* A longer commit counts as slow: the disk is hanging. */
#define HF_COMMIT_SLOW_US 1000000

struct hf_committer_options {
	int queue_max; /* writes waiting; a further one fails with HF_E_OVERLOADED. 0: HF_DEFAULT_QUEUE */
	/* Called after each commit that raised the revision, on the committing thread. May be NULL. Must not block. */
	void (*committed)(void *context, uint64_t revision);
	/* Called when a batch or the upkeep fails, on the committing thread: once for each failure. May be NULL. */
	void (*failed)(void *context, enum hf_err err, const struct hf_why *why);
	/* Called on the committing thread when the database file is found missing (presence.h), and when it is back. May be
	 * NULL. */
	void (*presence)(void *context, bool is_gone, const struct hf_why *why);
	/* Called on the committing thread for each zone that was taken offline because nobody refreshed its connection. May be
	 * NULL. */
	void (*zone_lapsed)(void *context, const struct hf_ttl_news *news);
	/* Called on the committing thread when the wall clock is found to have stepped, or to be unset. May be NULL. */
	void (*clock_news)(void *context, struct hf_clock_news news);
	/* Called on the committing thread after a slow batch or slow upkeep. May be NULL. */
	void (*slow)(void *context, int64_t duration_us);
	void *context;
};

/* Counters since the start. Durations in microseconds. */
struct hf_committer_stats {
	struct hf_histogram batch_writes, batch_duration_us;
	_Atomic uint64_t inline_batches, failed_batches, refused_overloaded;
	_Atomic uint64_t zones_lapsed;
	_Atomic uint64_t slow;	  /* batches, and rounds of upkeep */
	_Atomic int64_t since_us; /* when the current one began, on the monotonic clock; 0: idle */
	_Atomic int queued;
};

/* Starts the committing thread; the store must outlive it.
 * Fails with HF_E_OVERLOADED if memory runs out, or all reader slots are taken.
 * Fails with HF_E_STORAGE if the system cannot start a thread. */
enum hf_err hf_committer_start(struct hf_store *store, const struct hf_committer_options *options, struct hf_why *why,
			       struct hf_committer **ret) HF_CHECKED;

/* Commits the queued writes except waiting solo writes, and ends the thread. Refuses waiting solo writes and later writes with
 * HF_E_OVERLOADED. */
void hf_committer_stop(struct hf_committer *committer);

/* Frees the committer, after hf_committer_stop(). NULL is fine. */
void hf_committer_free(struct hf_committer *committer);

/* Commits one write on this thread if the committer is idle and no other source wrote in the last 10 ms. Returns true if it did,
 * with write->err set; `done` is not called. Returns false if nothing has happened: submit the write instead. `source` identifies
 * the writer, such as a connection. The commit may hang as long as the disk does, so call this only on a thread that no other
 * request needs. */
bool hf_committer_try(struct hf_committer *committer, struct hf_write *write, const void *source);

/* Queues a write; its `done` is called once, perhaps before this returns.
 * Fails with HF_E_OVERLOADED if the queue is full, or the committer is stopping; `done` is not called. */
enum hf_err hf_committer_submit(struct hf_committer *committer, struct hf_write *write, struct hf_why *why) HF_CHECKED;

/* Processes everything that is due now, as the thread does every second; for tests with their own clock. */
void hf_committer_upkeep(struct hf_committer *committer);

struct hf_committer_stats *hf_committer_stats(struct hf_committer *committer);

#endif

/* committer.h — the committer: one writer, group commit.
 *
 * Whatever is queued is committed together, in one write transaction with one sync, and every write is answered only after that.
 * Under load the batch grows and the sync is shared; a write that finds the committer idle and itself alone is committed at once on
 * the caller's own thread, if nobody but the writer waits for that: a disk may hang. A write that is refused changes nothing and
 * disturbs nobody; a storage fault fails its whole batch. A solo write, such as a sync, commits alone. All that is queued when one
 * ends goes before the next, so that a small write waits for one of them at the most. Between batches the committer carries out
 * deadlines and compacts the feed. All functions are thread-safe.
 */
#ifndef HF_STORAGE_STORE_COMMITTER_H
#define HF_STORAGE_STORE_COMMITTER_H

#include "storage/base/histogram.h"
#include "store.h"
#include "write.h"

struct hf_committer;

/* A commit that takes longer is slow: a disk that hangs rather than works. */
#define HF_COMMIT_SLOW_US 1000000

struct hf_committer_options {
	int queue_max; /* writes waiting; beyond it HF_E_OVERLOADED. 0: 4,096 */
	/* Called after each commit that raised the revision, on the committing thread. May be NULL. Must not block. */
	void (*committed)(void *context, uint64_t revision);
	/* Called when a batch or the upkeep fails, on the committing thread: once for each failure. May be NULL. */
	void (*failed)(void *context, enum hf_err err, const struct hf_why *why);
	/* Called on the committing thread when the database file was found to be gone (presence.h), and when it is back. May be
	 * NULL. */
	void (*presence)(void *context, bool is_gone, const struct hf_why *why);
	/* Called when the wall clock was found to have stepped, or not to be set any more, on the committing thread. May be NULL.
	 */
	void (*clock_news)(void *context, struct hf_clock_news news);
	/* Called on the committing thread when a batch or the upkeep has ended that was slow. May be NULL. */
	void (*slow)(void *context, int64_t duration_us);
	void *context;
};

/* Counters since the start. Durations in microseconds. */
struct hf_committer_stats {
	struct hf_histogram batch_writes, batch_duration_us;
	_Atomic uint64_t inline_batches, failed_batches, refused_overloaded;
	_Atomic uint64_t slow;	  /* batches, and rounds of upkeep */
	_Atomic int64_t since_us; /* when the one under way began, on the monotonic clock; 0: there is none */
	_Atomic int queued;
};

/* Starts the committing thread; the store must outlive it. */
enum hf_err hf_committer_start(struct hf_store *store, const struct hf_committer_options *options, struct hf_why *why,
			       struct hf_committer **ret) HF_CHECKED;

/* Commits what is queued, but for solo writes that wait; refuses these, and what comes later, with HF_E_OVERLOADED. Ends the
 * thread. */
void hf_committer_stop(struct hf_committer *committer);

/* After stop. NULL is fine. */
void hf_committer_free(struct hf_committer *committer);

/* Commits one write on this thread if the committer is idle and the writer is alone: no other source wrote in the last 10 ms. True:
 * it is done and write->err is set; `done` is not called. False: nothing has happened; submit it. `source` stands for whoever
 * writes, such as a connection. The commit may hang for as long as the disk does: only for a thread that nobody else waits for. */
bool hf_committer_try(struct hf_committer *committer, struct hf_write *write, const void *source);

/* Queues a write; its `done` is called once, perhaps before this returns. HF_E_OVERLOADED: the queue is full or the committer is
 * stopping; `done` is not called. */
enum hf_err hf_committer_submit(struct hf_committer *committer, struct hf_write *write, struct hf_why *why) HF_CHECKED;

/* Carries out what is due now, as the thread does every second; for tests with a clock of their own. */
void hf_committer_upkeep(struct hf_committer *committer);

struct hf_committer_stats *hf_committer_stats(struct hf_committer *committer);

#endif

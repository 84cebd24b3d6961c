/* lane.h — the lane for long requests: a thread of their own, so that they never hold a worker up.
 *
 * A job is about one key, such as a zone. Jobs of one key go strictly one after the other; those of different keys take turns while
 * one waits, for a commit. Keys take turns too: a job waits for at most one job of each other key to begin, and for those of its
 * own that came before. Thread-safe.
 */
#ifndef HF_SERVER_HTTP_LANE_H
#define HF_SERVER_HTTP_LANE_H

#include "storage/store/store.h"

enum hf_lane_state { HF_LANE_NEW, HF_LANE_READY, HF_LANE_RUNNING, HF_LANE_WAITING };

/* One job; its owner's memory until `done`. */
struct hf_lane_job {
	const char *key;
	/* Called on the lane's thread, with a reader that has no snapshot yet. True: the job has ended. False: it waits for
	 * something, and whoever that is calls hf_lane_ready(), perhaps before this returns; it is then run again. */
	bool (*run)(struct hf_lane_job *job, struct hf_txn *reader);
	/* Called on the lane's thread once the job has ended; the lane has forgotten it by then. */
	void (*done)(struct hf_lane_job *job);
	/* The lane's own. */
	struct hf_lane_job *next;
	enum hf_lane_state state;
	bool woken; /* made ready while it still ran */
};

struct hf_lane;

/* Starts the thread. HF_E_OVERLOADED: out of memory, threads or readers. */
enum hf_err hf_lane_start(struct hf_store *store, struct hf_lane **ret) HF_CHECKED;

/* False: the lane is stopping, and the job is still the caller's. */
bool hf_lane_add(struct hf_lane *lane, struct hf_lane_job *job);

/* Takes a job out that has not begun: it is the caller's again, and `done` is not called. False: it has begun, or has ended. */
bool hf_lane_drop(struct hf_lane *lane, struct hf_lane_job *job);

void hf_lane_ready(struct hf_lane *lane, struct hf_lane_job *job);

/* Refuses further jobs and waits for the end of those there are; what they wait for must still come. NULL is fine. */
void hf_lane_stop(struct hf_lane *lane);
void hf_lane_free(struct hf_lane *lane); /* after the stop; NULL is fine */

#endif

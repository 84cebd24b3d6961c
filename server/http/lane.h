/* lane.h — runs long requests on a thread of their own, so that they never hold up a worker.
 *
 * Each job has a key, such as its zone. Jobs of one key run strictly one after the other; while one waits for a commit, jobs of
 * other keys run. Keys take turns: a job waits for at most one job of each other key to begin, and for the earlier jobs of its own
 * key. Thread-safe.
 */
#ifndef HF_SERVER_HTTP_LANE_H
#define HF_SERVER_HTTP_LANE_H

#include "storage/store/store.h"

enum hf_lane_state { HF_LANE_NEW, HF_LANE_READY, HF_LANE_RUNNING, HF_LANE_WAITING };

/* One job. The caller owns it, and must not free it before `done`. */
struct hf_lane_job {
	const char *key;
	/* Runs on the lane's thread, with a reader that has no snapshot yet. Returns true if the job has ended. Returns false if it
	 * waits for an event, and runs again after hf_lane_ready(), which may be called before this returns. */
	bool (*run)(struct hf_lane_job *job, struct hf_txn *reader);
	/* Runs on the lane's thread after the job has ended; the lane does not touch the job afterwards. */
	void (*done)(struct hf_lane_job *job);
	/* Private to the lane. */
	struct hf_lane_job *next;
	enum hf_lane_state state;
	bool woken; /* made ready while it was still running */
};

struct hf_lane;

/* Starts the thread.
 * Fails with HF_E_OVERLOADED if memory, threads or readers run out. */
enum hf_err hf_lane_start(struct hf_store *store, struct hf_lane **ret) HF_CHECKED;

/* Adds a job. Returns false if the lane is stopping and has not taken it. */
bool hf_lane_add(struct hf_lane *lane, struct hf_lane_job *job);

/* Removes a job that has not begun; `done` is not called. Returns false if it has begun, or has ended. */
bool hf_lane_drop(struct hf_lane *lane, struct hf_lane_job *job);

/* Makes a job ready that waits for an event. */
void hf_lane_ready(struct hf_lane *lane, struct hf_lane_job *job);

/* Refuses further jobs and waits for the existing ones to end; the events that they wait for must still come. NULL is fine. */
void hf_lane_stop(struct hf_lane *lane);
void hf_lane_free(struct hf_lane *lane); /* after hf_lane_stop(); NULL is fine */

#endif

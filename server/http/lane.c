/* lane.c — a list of jobs, and the thread that runs them. */
#include "lane.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct hf_lane {
	pthread_t thread;
	struct hf_txn *reader;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct hf_lane_job
		*first; /* in the order of their turns, jobs of a key in their order of arrival; each stays until it ends */
	bool stopping;
};

/* Returns true if an earlier job has the same key. */
static bool is_behind(const struct hf_lane *lane, const struct hf_lane_job *job) {
	for (const struct hf_lane_job *at = lane->first; at != job; at = at->next)
		if (strcmp(at->key, job->key) == 0)
			return true;
	return false;
}

/* When a job begins, moves the others of its key to the end of the list, in their order. So each key gets one turn a round, however
 * many jobs it has. */
static void defer_others(struct hf_lane *lane, const struct hf_lane_job *begins) {
	struct hf_lane_job **at = &lane->first, *deferred = NULL, **last = &deferred;
	while (*at) {
		struct hf_lane_job *job = *at;
		if (job == begins || strcmp(job->key, begins->key) != 0) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		*last = job;
		last = &job->next;
	}
	*last = NULL;
	*at = deferred;
}

/* Returns a job that can run now, one that has begun before a new one, or NULL. The caller holds the lock. */
static struct hf_lane_job *choose(struct hf_lane *lane) {
	for (struct hf_lane_job *job = lane->first; job; job = job->next)
		if (job->state == HF_LANE_READY)
			return job;
	for (struct hf_lane_job *job = lane->first; job; job = job->next)
		if (job->state == HF_LANE_NEW && !is_behind(lane, job)) {
			defer_others(lane, job);
			return job;
		}
	return NULL;
}

static void forget(struct hf_lane *lane, struct hf_lane_job *job) {
	struct hf_lane_job **at = &lane->first;
	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
}

static void *run(void *context) {
	struct hf_lane *lane = context;
	pthread_mutex_lock(&lane->lock);
	while (!lane->stopping || lane->first) {
		struct hf_lane_job *job = choose(lane);
		if (!job) {
			pthread_cond_wait(&lane->changed, &lane->lock);
			continue;
		}
		job->state = HF_LANE_RUNNING;
		job->woken = false;
		pthread_mutex_unlock(&lane->lock);
		bool ended = job->run(job, lane->reader);
		pthread_mutex_lock(&lane->lock);
		if (!ended) {
			job->state = job->woken ? HF_LANE_READY : HF_LANE_WAITING;
			continue;
		}
		forget(lane, job);
		pthread_mutex_unlock(&lane->lock);
		job->done(job);
		pthread_mutex_lock(&lane->lock);
	}
	pthread_mutex_unlock(&lane->lock);
	return NULL;
}

enum hf_err hf_lane_start(struct hf_store *store, struct hf_lane **ret) {
	struct hf_lane *lane = calloc(1, sizeof *lane);
	if (!lane)
		return HF_E_OVERLOADED;
	pthread_mutex_init(&lane->lock, NULL);
	pthread_cond_init(&lane->changed, NULL);
	if (hf_reader_open(store, NULL, &lane->reader) || pthread_create(&lane->thread, NULL, run, lane) != 0) {
		hf_lane_free(lane);
		return HF_E_OVERLOADED;
	}
	*ret = lane;
	return HF_OK;
}

bool hf_lane_add(struct hf_lane *lane, struct hf_lane_job *job) {
	pthread_mutex_lock(&lane->lock);
	bool takes = !lane->stopping;
	if (takes) {
		struct hf_lane_job **at = &lane->first;
		while (*at)
			at = &(*at)->next;
		*at = job;
		job->next = NULL;
		job->state = HF_LANE_NEW;
		pthread_cond_signal(&lane->changed);
	}
	pthread_mutex_unlock(&lane->lock);
	return takes;
}

bool hf_lane_drop(struct hf_lane *lane, struct hf_lane_job *job) {
	pthread_mutex_lock(&lane->lock);
	struct hf_lane_job *at = lane->first;
	while (at && at != job)
		at = at->next;
	bool drops = at && job->state == HF_LANE_NEW;
	if (drops) {
		forget(lane, job);
		pthread_cond_signal(&lane->changed); /* the next of its key may begin, or the lane is stopping */
	}
	pthread_mutex_unlock(&lane->lock);
	return drops;
}

void hf_lane_ready(struct hf_lane *lane, struct hf_lane_job *job) {
	pthread_mutex_lock(&lane->lock);
	if (job->state == HF_LANE_RUNNING)
		job->woken = true;
	else
		job->state = HF_LANE_READY;
	pthread_cond_signal(&lane->changed);
	pthread_mutex_unlock(&lane->lock);
}

void hf_lane_stop(struct hf_lane *lane) {
	if (!lane)
		return;
	pthread_mutex_lock(&lane->lock);
	lane->stopping = true;
	pthread_cond_signal(&lane->changed);
	pthread_mutex_unlock(&lane->lock);
	pthread_join(lane->thread, NULL);
}

void hf_lane_free(struct hf_lane *lane) {
	if (!lane)
		return;
	hf_reader_close(lane->reader);
	pthread_cond_destroy(&lane->changed);
	pthread_mutex_destroy(&lane->lock);
	free(lane);
}

/* stall.c — a thread that looks once a second, and ten times a second while the process stops.
 *
 * The limits of a stop are counted in looks, not by a clock: time in which the process itself was stopped (SIGSTOP) does not count.
 */
#include "stall.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "logwriter.h"
#include "storage/base/monotonic.h"

#define LOOK_MS 1000
#define STOPPING_LOOK_MS 100
#define END_LOOKS 45	     /* while a commit hangs */
#define HANGS_LOOKS 10	     /* looks that saw the same commit */
#define END_AT_LAST_LOOKS 90 /* in any case */
#define FLUSH_MS 200
#define STATUS 1 /* failed while running */

struct hf_stall {
	struct hf_api *api;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	bool stopping, ended;
	int looks;	     /* since hf_stall_stopping() */
	int64_t reported_us; /* start of the commit that was logged */
	int64_t seen_us;     /* start of the commit at the last look */
	int hangs_looks;     /* consecutive looks that saw the same */
};

static void look_at_commit(struct hf_stall *w) {
	int64_t since_us = hf_committer_stats(w->api->committer)->since_us;
	int64_t age_us = since_us ? hf_monotonic_us() - since_us : 0;
	bool hangs = age_us > HF_COMMIT_SLOW_US;
	w->hangs_looks = since_us && since_us == w->seen_us ? w->hangs_looks + 1 : 0;
	w->seen_us = since_us;
	hf_logwriter_distrust_files(hangs);
	if (hangs && w->reported_us != since_us) {
		w->reported_us = since_us;
		hf_log(HF_LOG_WARN, "a commit takes long",
		       "seconds=%.1f detail=\"a hanging disk or a very large sync: other writes wait, reads continue\"",
		       (double)age_us / 1e6);
	}
}

static void end_process(const struct hf_stall *w) {
	bool hangs = w->hangs_looks >= HANGS_LOOKS;
	hf_log(HF_LOG_ERROR, "stopped with something undone", "status=%d detail=\"%s\"", STATUS,
	       hangs ? "a commit hangs: its writes were not answered, and nothing that was answered is lost"
		     : "the stop took too long; nothing that was answered is lost");
	hf_logwriter_flush(FLUSH_MS);
	_exit(STATUS);
}

static void *run(void *context) {
	struct hf_stall *w = context;
	pthread_mutex_lock(&w->lock);
	while (!w->ended) {
		int64_t until_us = hf_monotonic_us() + (w->stopping ? STOPPING_LOOK_MS : LOOK_MS) * 1000;
		hf_condition_wait(&w->changed, &w->lock, until_us);
		if (w->ended)
			break;
		look_at_commit(w);
		w->looks += w->stopping ? 1 : 0;
		if (w->looks >= END_AT_LAST_LOOKS || (w->looks >= END_LOOKS && w->hangs_looks >= HANGS_LOOKS))
			end_process(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

enum hf_err hf_stall_start(struct hf_api *api, struct hf_stall **ret) {
	struct hf_stall *w = calloc(1, sizeof *w);
	if (!w)
		return HF_E_OVERLOADED;
	w->api = api;
	hf_condition_init(&w->changed);
	pthread_mutex_init(&w->lock, NULL);
	if (pthread_create(&w->thread, NULL, run, w) != 0) {
		free(w);
		return HF_E_OVERLOADED;
	}
	*ret = w;
	return HF_OK;
}

void hf_stall_stopping(struct hf_stall *w) {
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

void hf_stall_end(struct hf_stall *w) {
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

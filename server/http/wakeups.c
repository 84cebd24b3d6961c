/* wakeups.c — a list of wakeups, and the thread that fires them. */
#include "wakeups.h"

#include <pthread.h>
#include <stdlib.h>

#define IDLE_US 3600000000 /* nothing waits: look again after an hour */

struct hf_wakeups {
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct hf_wakeup *first;
	uint64_t revision; /* the newest committed one */
	bool stopping;
};

static void unlink_wakeup(struct hf_wakeups *w, struct hf_wakeup *wakeup) {
	if (wakeup->prev)
		wakeup->prev->next = wakeup->next;
	else
		w->first = wakeup->next;
	if (wakeup->next)
		wakeup->next->prev = wakeup->prev;
	wakeup->waiting = false;
}

/* Fires what is due. Returns the next deadline. */
static int64_t fire_due(struct hf_wakeups *w) {
	int64_t now_us = hf_monotonic_us(), next_us = now_us + IDLE_US;
	for (struct hf_wakeup *at = w->first, *next; at; at = next) {
		next = at->next;
		bool waits_for_change = at->revision != UINT64_MAX;
		if ((w->stopping && waits_for_change) || w->revision > at->revision || at->deadline_us <= now_us) {
			unlink_wakeup(w, at);
			at->fire(at);
		} else if (at->deadline_us < next_us) {
			next_us = at->deadline_us;
		}
	}
	return next_us;
}

static void *run(void *context) {
	struct hf_wakeups *w = context;
	pthread_mutex_lock(&w->lock);
	while (!w->stopping) {
		int64_t until_us = fire_due(w);
		hf_condition_wait(&w->changed, &w->lock, until_us);
	}
	fire_due(w);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

enum hf_err hf_wakeups_start(struct hf_wakeups **ret) {
	struct hf_wakeups *w = calloc(1, sizeof *w);
	if (!w)
		return HF_E_OVERLOADED;
	hf_condition_init(&w->changed);
	pthread_mutex_init(&w->lock, NULL);
	if (pthread_create(&w->thread, NULL, run, w) != 0) {
		hf_wakeups_free(w);
		return HF_E_OVERLOADED;
	}
	*ret = w;
	return HF_OK;
}

void hf_wakeups_stop(struct hf_wakeups *w) {
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
}

void hf_wakeups_free(struct hf_wakeups *w) {
	if (!w)
		return;
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

bool hf_wakeups_add(struct hf_wakeups *w, struct hf_wakeup *wakeup) {
	pthread_mutex_lock(&w->lock);
	bool wait = !w->stopping && w->revision <= wakeup->revision;
	if (wait) {
		wakeup->prev = NULL;
		wakeup->next = w->first;
		if (w->first)
			w->first->prev = wakeup;
		w->first = wakeup;
		wakeup->waiting = true;
		pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return wait;
}

void hf_wakeups_remove(struct hf_wakeups *w, struct hf_wakeup *wakeup) {
	pthread_mutex_lock(&w->lock);
	if (wakeup->waiting)
		unlink_wakeup(w, wakeup);
	pthread_mutex_unlock(&w->lock);
}

bool hf_wakeups_fire(struct hf_wakeups *w, struct hf_wakeup *wakeup) {
	pthread_mutex_lock(&w->lock);
	bool waits = wakeup->waiting;
	if (waits) {
		unlink_wakeup(w, wakeup);
		wakeup->fire(wakeup);
	}
	pthread_mutex_unlock(&w->lock);
	return waits;
}

void hf_wakeups_committed(struct hf_wakeups *w, uint64_t revision) {
	pthread_mutex_lock(&w->lock);
	if (revision > w->revision)
		w->revision = revision;
	if (w->first)
		pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

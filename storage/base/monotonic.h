/* monotonic.h — a clock for waits and durations. No rule reads it. */
#ifndef HF_STORAGE_BASE_MONOTONIC_H
#define HF_STORAGE_BASE_MONOTONIC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Returns the microseconds since an arbitrary moment; never goes back (CLOCK_MONOTONIC). */
static inline int64_t hf_monotonic_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline struct timespec hf_monotonic_time(int64_t us) { return (struct timespec){us / 1000000, us % 1000000 * 1000}; }

/* Initialises a condition for hf_condition_wait(). */
static inline void hf_condition_init(pthread_cond_t *condition) {
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attr);
	pthread_condattr_destroy(&attr);
}

/* Waits as pthread_cond_wait(), but no longer than until `until_us`. Returns false if that time has come. */
static inline bool hf_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_us) {
	struct timespec until = hf_monotonic_time(until_us);
	return pthread_cond_timedwait(condition, lock, &until) == 0;
}

#endif

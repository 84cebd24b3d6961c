/* monotonic.h — a clock for waits and durations. No rule reads it. */
#ifndef HF_STORAGE_BASE_MONOTONIC_H
#define HF_STORAGE_BASE_MONOTONIC_H

#include <stdint.h>
#include <time.h>

/* Returns the microseconds since an arbitrary moment; never goes back (CLOCK_MONOTONIC). */
static inline int64_t hf_monotonic_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#endif

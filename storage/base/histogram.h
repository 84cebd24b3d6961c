/* histogram.h — a histogram of fixed buckets, counted without locks. Thread-safe; zero-initialised memory is empty. */
#ifndef HF_STORAGE_BASE_HISTOGRAM_H
#define HF_STORAGE_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

/* Upper bounds 1, 2, 5, 10, 20, 50, … 10^8 · unit; a last bucket holds everything above. */
#define HF_HISTOGRAM_BOUNDS 25

struct hf_histogram {
	_Atomic uint64_t buckets[HF_HISTOGRAM_BOUNDS + 1];
	_Atomic uint64_t sum;
};

static inline uint64_t hf_histogram_bound(int i) {
	static const uint64_t steps[] = {1, 2, 5};
	uint64_t bound = steps[i % 3];
	for (; i >= 3; i -= 3)
		bound *= 10;
	return bound;
}

static inline void hf_histogram_observe(struct hf_histogram *h, uint64_t value) {
	int i = 0;
	while (i < HF_HISTOGRAM_BOUNDS && value > hf_histogram_bound(i))
		i++;
	atomic_fetch_add_explicit(&h->buckets[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum, value, memory_order_relaxed);
}

#endif

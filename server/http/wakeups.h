/* wakeups.h — waking what waits: requests that wait for a change, and answers that take too long. Thread-safe. */
#ifndef HF_SERVER_HTTP_WAKEUPS_H
#define HF_SERVER_HTTP_WAKEUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"
#include "storage/base/monotonic.h"

/* One thing that waits; its owner's memory. `fire` is called once, on the wakeups' thread or that of hf_wakeups_fire(), with their
 * lock held: it must not block nor call back. After that, or after hf_wakeups_remove(), the memory is the owner's again. */
struct hf_wakeup {
	int64_t deadline_us; /* monotonic; when it fires at the latest */
	uint64_t revision;   /* fires once the store is beyond this revision; UINT64_MAX: only at the deadline */
	void (*fire)(struct hf_wakeup *wakeup);
	struct hf_wakeup *prev, *next;
	bool waiting;
};

struct hf_wakeups;

/* Starts the thread. HF_E_OVERLOADED: out of memory or threads. */
enum hf_err hf_wakeups_start(struct hf_wakeups **ret) HF_CHECKED;

/* Fires all that wait for a change, and refuses new ones; the thread ends. What had a deadline alone is left to its owner.
 * hf_wakeups_free() after nobody can call any more; NULL is fine. */
void hf_wakeups_stop(struct hf_wakeups *wakeups);
void hf_wakeups_free(struct hf_wakeups *wakeups);

/* False: not to wait at all, as the revision is past already or the server is stopping; `fire` is then not called. */
bool hf_wakeups_add(struct hf_wakeups *wakeups, struct hf_wakeup *wakeup);
void hf_wakeups_remove(struct hf_wakeups *wakeups, struct hf_wakeup *wakeup);

/* Fires it now, on this thread. False: it does not wait any more. */
bool hf_wakeups_fire(struct hf_wakeups *wakeups, struct hf_wakeup *wakeup);

/* The store has reached a revision. Quick: the thread does the rest. */
void hf_wakeups_committed(struct hf_wakeups *wakeups, uint64_t revision);

#endif

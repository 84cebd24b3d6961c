/* wakeups.h — wakes requests that wait for a change, and ends answers that take too long. Thread-safe. */
#ifndef HF_SERVER_HTTP_WAKEUPS_H
#define HF_SERVER_HTTP_WAKEUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"
#include "storage/base/monotonic.h"

/* One waiting thing. The caller owns it, and must not free it before `fire` has returned or hf_wakeups_remove() was called. `fire`
 * is called once, on the wakeups' thread or in hf_wakeups_fire(), with their lock held: it must neither block nor call back. */
struct hf_wakeup {
	int64_t deadline_us; /* monotonic; fires at this time at the latest */
	uint64_t revision;   /* fires as soon as the store is past this revision; UINT64_MAX: only at the deadline */
	void (*fire)(struct hf_wakeup *wakeup);
	struct hf_wakeup *prev, *next;
	bool waiting;
};

struct hf_wakeups;

/* Starts the thread.
 * Fails with HF_E_OVERLOADED if memory or threads run out. */
enum hf_err hf_wakeups_start(struct hf_wakeups **ret) HF_CHECKED;

/* Fires all that wait for a change, refuses new ones, and ends the thread; wakeups with only a deadline are left to their owners.
 * Call hf_wakeups_free() when no thread uses the wakeups any more; NULL is fine. */
void hf_wakeups_stop(struct hf_wakeups *wakeups);
void hf_wakeups_free(struct hf_wakeups *wakeups);

/* Adds or removes a wakeup. Returns false if the revision has passed already, or the server is stopping; `fire` will not be called.
 */
bool hf_wakeups_add(struct hf_wakeups *wakeups, struct hf_wakeup *wakeup);
void hf_wakeups_remove(struct hf_wakeups *wakeups, struct hf_wakeup *wakeup);

/* Fires a wakeup now, on this thread. Returns false if it is not waiting. */
bool hf_wakeups_fire(struct hf_wakeups *wakeups, struct hf_wakeup *wakeup);

/* Reports that the store has reached a revision. Quick: the thread does the rest. */
void hf_wakeups_committed(struct hf_wakeups *wakeups, uint64_t revision);

#endif

/* shares.h — limits what answers hold while they are read: backups, streams of leases, and answers waiting in memory.
 *
 * Each kind has a limit. When a further share would exceed it, the share whose reader lags most is expired, if it lags by more
 * than HF_SHARE_LAG_US: every reader is expected to read HF_SHARE_BYTES_PER_S. So active readers are never cut off, and inactive
 * ones cannot keep others out. Thread-safe.
 */
#ifndef HF_API_CALL_SHARES_H
#define HF_API_CALL_SHARES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"

struct hf_buf;

enum hf_share_kind {
	HF_SHARE_BACKUPS, /* each holds a snapshot, and so pages */
	HF_SHARE_STREAMS, /* of leases; each holds a snapshot and one of the store's readers */
	HF_SHARE_ANSWERS, /* bytes of finished answers larger than HF_SHARE_SMALL_BYTES */
};
#define HF_SHARE_KINDS 3

#define HF_SHARE_BACKUPS_MAX 4
#define HF_SHARE_STREAMS_MAX 64
#define HF_SHARE_ANSWERS_MAX ((uint64_t)64 << 20)
#define HF_SHARE_SMALL_BYTES ((size_t)64 << 10)

#define HF_SHARE_BYTES_PER_S ((int64_t)256 << 10)
#define HF_SHARE_LAG_US 2000000 /* a reader that lags more makes room */

/* One share. Its owner provides the memory, until the share is given back. */
struct hf_share {
	enum hf_share_kind kind;
	uint64_t cost; /* 1, or bytes */
	/* Releases what the share holds, soon and without waiting. Called at most once, on any thread, with the lock of the shares
	 * held. */
	void (*expire)(struct hf_share *share);
	/* Private to the shares. */
	int64_t since_us;
	_Atomic uint64_t sent;
	struct hf_share *prev, *next;
	bool held;
};

/* All shares. Initialised by zeros. */
struct hf_shares {
	pthread_mutex_t lock; /* guards what follows */
	struct hf_share *first;
	uint64_t used[HF_SHARE_KINDS], refused[HF_SHARE_KINDS], cut[HF_SHARE_KINDS];
};

/* Takes a share, at a time of the monotonic clock.
 * Fails with HF_E_OVERLOADED if no share is left and no reader has to make room. */
enum hf_err hf_shares_take(struct hf_shares *shares, struct hf_share *share, int64_t now_us, struct hf_why *why) HF_CHECKED;

/* Takes a share for an answer that can no longer be refused, even beyond the limit. */
void hf_shares_take_anyway(struct hf_shares *shares, struct hf_share *share, int64_t now_us);

/* Records that the reader has taken `bytes` more. */
static inline void hf_share_sent(struct hf_share *share, uint64_t bytes) { share->sent += bytes; }

/* Gives a share back, if it is held. It is not expired after that. */
void hf_shares_give_back(struct hf_shares *shares, struct hf_share *share);

/* Writes the metrics of the shares. */
void hf_shares_write(struct hf_shares *shares, struct hf_buf *out);

#endif

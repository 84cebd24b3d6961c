/* shares.h — what answers hold while they are read: backups, streams of leases, and answers that wait in memory.
 *
 * Each kind has a limit. When it is reached and another one comes, the one whose reader is furthest behind makes room, if it is
 * behind: each is expected to read HF_SHARE_BYTES_PER_S. So readers that read are never cut, and those that do not read hold
 * nobody off. Thread-safe.
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
	HF_SHARE_STREAMS, /* of leases; likewise, and a reader of the store */
	HF_SHARE_ANSWERS, /* bytes of answers that are ready and larger than HF_SHARE_SMALL_BYTES */
};
#define HF_SHARE_KINDS 3

#define HF_SHARE_BACKUPS_MAX 4
#define HF_SHARE_STREAMS_MAX 64
#define HF_SHARE_ANSWERS_MAX ((uint64_t)64 << 20)
#define HF_SHARE_SMALL_BYTES ((size_t)64 << 10)

#define HF_SHARE_BYTES_PER_S ((int64_t)256 << 10)
#define HF_SHARE_LAG_US 2000000 /* who is more behind makes room */

/* One of them; its owner's memory until it is given back. */
struct hf_share {
	enum hf_share_kind kind;
	uint64_t cost; /* 1, or bytes */
	/* Lets go of what it holds, soon and without waiting. Called once at most, on any thread, with the lock of the shares held.
	 */
	void (*expire)(struct hf_share *share);
	/* The shares' own. */
	int64_t since_us;
	_Atomic uint64_t sent;
	struct hf_share *prev, *next;
	bool held;
};

/* All of them. Zeros are a good beginning. */
struct hf_shares {
	pthread_mutex_t lock; /* guards what follows */
	struct hf_share *first;
	uint64_t used[HF_SHARE_KINDS], refused[HF_SHARE_KINDS], cut[HF_SHARE_KINDS];
};

/* Takes a share, at a time of the monotonic clock.
 * Fails with HF_E_OVERLOADED if no share is left, and no reader has to make room. */
enum hf_err hf_shares_take(struct hf_shares *shares, struct hf_share *share, int64_t now_us, struct hf_why *why) HF_CHECKED;

/* The same for what cannot be refused any more: the limit may be exceeded. */
void hf_shares_take_anyway(struct hf_shares *shares, struct hf_share *share, int64_t now_us);

/* So many more bytes were taken by the reader. */
static inline void hf_share_sent(struct hf_share *share, uint64_t bytes) { share->sent += bytes; }

/* Gives it back, if it is held; after that it is not expired any more. */
void hf_shares_give_back(struct hf_shares *shares, struct hf_share *share);

/* Adds their metrics to a page. */
void hf_shares_write(struct hf_shares *shares, struct hf_buf *out);

#endif

/* pieces.h — what comes or goes piece by piece: bodies and answers that are never wholly in memory. Each is the head of its maker's
 * own struct. One thread at a time, unless it says otherwise.
 */
#ifndef HF_API_TEXT_PIECES_H
#define HF_API_TEXT_PIECES_H

#include <stdint.h>
#include <sys/types.h>

#include "storage/base/err.h"

/* An answer that is produced piece by piece while it is sent. */
struct hf_stream {
	uint64_t len_bytes; /* of all of it; 0: not known before */
	int64_t limit_ms;   /* how long its reader may take in all; then it expires */
	/* Writes up to `max` bytes (at least 4,096); returns how many, 0 at the end, -1 if it cannot go on (the answer is then cut
	 * off). */
	ssize_t (*fill)(struct hf_stream *stream, char *ret, size_t max);
	/* From any thread: it took too long; let go of what it holds. */
	void (*expire)(struct hf_stream *stream);
	void (*close)(struct hf_stream *stream);
};

/* Takes a body in as it comes, instead of its being kept. */
struct hf_sink {
	size_t max_bytes; /* of the body */
	enum hf_err (*feed)(struct hf_sink *sink, const char *data, size_t len, struct hf_why *why);
	enum hf_err (*end)(struct hf_sink *sink, struct hf_why *why); /* the body is over; before there is a snapshot */
	void (*close)(struct hf_sink *sink);			      /* with the call */
};

#endif

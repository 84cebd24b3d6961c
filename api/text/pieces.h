/* pieces.h — bodies and answers that are handled in pieces and never held in memory as a whole. Each struct is the first member of
 * a struct of its creator. One thread at a time, except where stated.
 */
#ifndef HF_API_TEXT_PIECES_H
#define HF_API_TEXT_PIECES_H

#include <stdint.h>
#include <sys/types.h>

#include "storage/base/err.h"

/* An answer that is produced piece by piece while it is sent. */
struct hf_stream {
	uint64_t len_bytes; /* of the whole answer; 0: unknown */
	int64_t limit_ms;   /* the total time its reader may take, in ms; after that it expires */
	/* Writes up to `max` bytes (at least 4,096) and returns the number written; 0 at the end; -1 if it cannot continue, which
	 * cuts the answer off. */
	ssize_t (*fill)(struct hf_stream *stream, char *ret, size_t max);
	/* Releases what the stream holds because it took too long. From any thread. */
	void (*expire)(struct hf_stream *stream);
	void (*close)(struct hf_stream *stream);
};

/* Takes a body as it arrives, so that it is not kept. */
struct hf_sink {
	size_t max_bytes; /* of the body */
	enum hf_err (*feed)(struct hf_sink *sink, const char *data, size_t len, struct hf_why *why);
	enum hf_err (*end)(struct hf_sink *sink, struct hf_why *why); /* after the whole body, before a snapshot is taken */
	void (*close)(struct hf_sink *sink);			      /* with the call */
};

#endif

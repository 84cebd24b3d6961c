/* stream.c — sends an answer piece by piece, within its time limit. */
#include "stream.h"

#include <stdlib.h>

#include "storage/base/container.h"

#define BLOCK_BYTES 65536

/* A stream while it is sent; it outlives the request. */
struct sending {
	struct hf_stream *stream;
	struct hf_wakeups *wakeups;
	struct hf_wakeup wakeup;
};

static ssize_t send_piece(void *context, uint64_t position, char *buffer, size_t max) {
	struct sending *sending = context;
	(void)position;
	ssize_t n = sending->stream->fill(sending->stream, buffer, max);
	return n > 0 ? n : n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void end_sending(void *context) {
	struct sending *sending = context;
	hf_wakeups_remove(sending->wakeups, &sending->wakeup);
	sending->stream->close(sending->stream);
	free(sending);
}

static void expire_sending(struct hf_wakeup *wakeup) {
	struct sending *sending = HF_CONTAINER_OF(wakeup, struct sending, wakeup);
	sending->stream->expire(sending->stream);
}

struct MHD_Response *hf_stream_response(struct hf_stream *stream, struct hf_wakeups *wakeups) {
	struct sending *sending = calloc(1, sizeof *sending);
	struct MHD_Response *response = NULL;
	if (sending)
		response = MHD_create_response_from_callback(stream->len_bytes ? stream->len_bytes : MHD_SIZE_UNKNOWN, BLOCK_BYTES,
							     send_piece, sending, end_sending);
	if (!response) {
		stream->close(stream);
		free(sending);
		return NULL;
	}
	sending->stream = stream;
	sending->wakeups = wakeups;
	sending->wakeup.deadline_us = hf_monotonic_us() + stream->limit_ms * 1000;
	sending->wakeup.revision = UINT64_MAX;
	sending->wakeup.fire = expire_sending;
	if (!hf_wakeups_add(wakeups, &sending->wakeup)) /* stopping */
		sending->stream->expire(sending->stream);
	return response;
}

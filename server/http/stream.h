/* stream.h — sends an answer that is produced while it is sent. */
#ifndef HF_SERVER_HTTP_STREAM_H
#define HF_SERVER_HTTP_STREAM_H

#include <microhttpd.h>

#include "api/call/call.h"
#include "wakeups.h"

/* Returns a response that sends the stream in chunks and closes it at its end. A client that takes longer than the stream allows is
 * cut off, without a final chunk. NULL: out of memory; the stream is closed. */
struct MHD_Response *hf_stream_response(struct hf_stream *stream, struct hf_wakeups *wakeups);

#endif

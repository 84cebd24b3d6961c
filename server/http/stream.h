/* stream.h — an answer that is produced while it is sent, as libmicrohttpd sends it. */
#ifndef HF_SERVER_HTTP_STREAM_H
#define HF_SERVER_HTTP_STREAM_H

#include <microhttpd.h>

#include "api/call/call.h"
#include "wakeups.h"

/* A response that sends the stream in chunks and closes it at its end. A reader that takes longer than the stream allows is cut
 * off, without a final chunk. NULL, and the stream closed, if out of memory. */
struct MHD_Response *hf_stream_response(struct hf_stream *stream, struct hf_wakeups *wakeups);

#endif

/* kept.h — large answers in memory, which become streams with a share of the memory for such answers. */
#ifndef HF_API_CALL_KEPT_H
#define HF_API_CALL_KEPT_H

#include "call.h"

/* An answer that is ready, larger than HF_SHARE_SMALL_BYTES and in memory becomes a stream that has a share of the memory for such
 * answers; 503 if no share is left and nothing was written. To be called once, before it is sent. */
void hf_call_keep(struct hf_call *call);

#endif

/* kept.h — large answers in memory, which become streams with a share of the memory for such answers. */
#ifndef HF_API_CALL_KEPT_H
#define HF_API_CALL_KEPT_H

#include "call.h"

/* Turns a finished answer in memory that is larger than HF_SHARE_SMALL_BYTES into a stream that holds a share of the memory for
 * such answers. Answers 503 instead if no share is left and nothing was written. Call it once, before the answer is sent. */
void hf_call_keep(struct hf_call *call);

#endif

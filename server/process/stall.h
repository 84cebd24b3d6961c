/* stall.h — watches for commits that hang, and for a stop that takes too long. */
#ifndef HF_SERVER_PROCESS_STALL_H
#define HF_SERVER_PROCESS_STALL_H

#include "api/call/api.h"

struct hf_stall;

/* Starts the thread; the committer must outlive it. Each commit that takes longer than a second is logged once, while it lasts.
 * Fails with HF_E_OVERLOADED if memory or threads run out. */
enum hf_err hf_stall_start(struct hf_api *api, struct hf_stall **ret) HF_CHECKED;

/* Limits how long the stop may take from now on: ends the process with a log line and status 1 after 4.5 seconds if a commit hangs,
 * or else after 9. Everything that was answered is durable. hf_stall_end() cancels the limit. */
void hf_stall_stopping(struct hf_stall *stall);

/* Ends the thread and frees it; NULL is fine. */
void hf_stall_end(struct hf_stall *stall);

#endif

/* stall.h — looks at the process from outside of its work: commits that hang, and a stop that does not come to its end. */
#ifndef HF_SERVER_PROCESS_STALL_H
#define HF_SERVER_PROCESS_STALL_H

#include "api/call/api.h"

struct hf_stall;

/* Starts its thread; the committer must outlive it. A commit that has taken longer than a second is a line in the log while it
 * hangs, one for each. HF_E_OVERLOADED: out of memory or threads. */
enum hf_err hf_stall_start(struct hf_api *api, struct hf_stall **ret) HF_CHECKED;

/* The process is to stop. If a commit hangs it is ended, with a line in the log and status 1, after 4.5 seconds, else after 9: what
 * was answered is durable, and what hangs was not answered. hf_stall_end() before that prevents it. */
void hf_stall_stopping(struct hf_stall *stall);

void hf_stall_end(struct hf_stall *stall); /* NULL is fine */

#endif

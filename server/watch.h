/* watch.h — looks at the process from outside of its work: commits that hang, and a stop that does not come to its end. */
#ifndef HF_SERVER_WATCH_H
#define HF_SERVER_WATCH_H

#include "api/api.h"

struct hf_watch;

/* Starts its thread; the committer must outlive it. A commit that has taken longer than a second is a line in the log while it
 * hangs, one for each. HF_E_OVERLOADED: out of memory or threads. */
enum hf_err hf_watch_start(struct hf_api *api, struct hf_watch **ret) HF_CHECKED;

/* The process is to stop. If a commit hangs it is ended, with a line in the log and status 1, after 4.5 seconds, else after 9: what
 * was answered is durable, and what hangs was not answered. hf_watch_end() before that prevents it. */
void hf_watch_stopping(struct hf_watch *watch);

void hf_watch_end(struct hf_watch *watch); /* NULL is fine */

#endif

/* watch.h — ends connections that take too long, and the waiting of clients that have gone.
 *
 * One thread looks at all connections each second, or more often if the limits are short, while there are any. Nobody tells it of a
 * request: it reads what each connection's thread has noted anyway. A limit is thus kept to a second or a fifth of it.
 */
#ifndef HF_SERVER_HTTP_WATCH_H
#define HF_SERVER_HTTP_WATCH_H

#include "storage/base/err.h"

struct hf_clients;
struct hf_watch;

/* Starts the thread. HF_E_OVERLOADED: out of memory or threads. */
enum hf_err hf_watch_start(struct hf_clients *clients, struct hf_watch **ret) HF_CHECKED;

/* A connection was opened; the clients' lock is held. */
void hf_watch_wake(struct hf_watch *watch);

/* Ends the thread and frees; NULL is fine. */
void hf_watch_stop(struct hf_watch *watch);

#endif

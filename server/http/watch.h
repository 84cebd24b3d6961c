/* watch.h — ends connections that take too long, and the waits of clients that have gone.
 *
 * While any connection is open, one thread looks at all of them each second, or more often if the limits are short. It only reads
 * what each connection's thread notes anyway, so requests pay nothing for it. A limit is kept to within a second or a fifth of it.
 */
#ifndef HF_SERVER_HTTP_WATCH_H
#define HF_SERVER_HTTP_WATCH_H

#include "storage/base/err.h"

struct hf_clients;
struct hf_watch;

/* Starts the thread.
 * Fails with HF_E_OVERLOADED if memory or threads run out. */
enum hf_err hf_watch_start(struct hf_clients *clients, struct hf_watch **ret) HF_CHECKED;

/* Wakes the thread after a connection was opened. Any thread, without the clients' lock. */
void hf_watch_wake(struct hf_watch *watch);

/* Ends the thread and frees the watch; NULL is fine. */
void hf_watch_stop(struct hf_watch *watch);

#endif

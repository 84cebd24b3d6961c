/* linger.h — keeps connections open that were closed before their client had sent everything.
 *
 * Closing a socket with unread bytes resets the connection, and the client may lose an answer that it has not read yet. So such a
 * socket stays open for a while with its sending side shut down, and what arrives is discarded until the client closes too: at most
 * 2 s without a byte, and 10 s or 32 MiB in all. At most 64 sockets are kept; any more are closed at once. Thread-safe.
 */
#ifndef HF_SERVER_HTTP_LINGER_H
#define HF_SERVER_HTTP_LINGER_H

#include "storage/base/err.h"

struct hf_linger;

/* Starts the thread.
 * Fails with HF_E_OVERLOADED if memory, threads or descriptors run out. */
enum hf_err hf_linger_start(struct hf_linger **ret) HF_CHECKED;

/* Keeps a socket open that the caller is about to close, with a descriptor of its own. NULL is fine. */
void hf_linger_keep(struct hf_linger *linger, int fd);

/* Closes the remaining sockets and ends the thread. NULL is fine. */
void hf_linger_stop(struct hf_linger *linger);

#endif

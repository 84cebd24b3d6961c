/* linger.h — connections that were closed before their client had sent everything.
 *
 * A socket that is closed with bytes unread resets the connection, and the client may lose the answer that it has not read yet. So
 * such a socket is kept for a while, its sending side shut down, and what comes is thrown away until the client closes too: for 2 s
 * without a byte, 10 s or 32 MiB in all, and at most 64 of them, beyond which they are closed at once. Thread-safe.
 */
#ifndef HF_SERVER_HTTP_LINGER_H
#define HF_SERVER_HTTP_LINGER_H

#include "storage/base/err.h"

struct hf_linger;

/* Starts the thread that does it. HF_E_OVERLOADED. */
enum hf_err hf_linger_start(struct hf_linger **ret) HF_CHECKED;

/* Keeps a socket open that its owner is about to close: it holds a descriptor of its own. NULL is fine. */
void hf_linger_keep(struct hf_linger *linger, int fd);

/* Closes what is left. NULL is fine. */
void hf_linger_stop(struct hf_linger *linger);

#endif

/* refusal.h — answers past libmicrohttpd, where it takes none or would give a wrong one.
 *
 * libmicrohttpd takes no answer while a body comes, has no memory left for one where the head or the body has filled it, and
 * answers a Content-Length that it cannot read twice. So a refusal that ends the connection is written to the socket here, and the
 * sending side is shut down: what libmicrohttpd still writes goes nowhere. All of it on the connection's thread.
 */
#ifndef HF_SERVER_HTTP_REFUSAL_H
#define HF_SERVER_HTTP_REFUSAL_H

#include <microhttpd.h>

#include "api/call/call.h"

struct hf_exchange;

/* Sends the answer that a call has ready, with Connection: close, as the connection's last. `head`: without its body. Never waits:
 * should the socket have no room for it, the client sees the end of the connection alone. */
void hf_refusal_send(struct MHD_Connection *connection, const struct hf_call *call, bool head);

/* A request whose head is not whole yet, of this thread; all 0 is none. */
struct hf_unread {
	struct hf_unread *next, **place;
	struct MHD_Connection *connection;
	struct hf_exchange *exchange;
};

void hf_unread_add(struct hf_unread *unread, struct MHD_Connection *connection, struct hf_exchange *exchange);
void hf_unread_remove(struct hf_unread *unread); /* nothing, if it was removed already */

/* libmicrohttpd says in its log, its one sign of it, that it answers with an error. If that is about a request of this thread whose
 * head is whole, which the handler has not seen and will not see, refuses it here. */
void hf_refusal_by_library(unsigned status);

#endif

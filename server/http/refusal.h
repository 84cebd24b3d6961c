/* refusal.h — answers written past libmicrohttpd, where it takes none or would send a wrong one.
 *
 * libmicrohttpd accepts no answer while a body arrives, has no memory left for one after the head or the body has filled it, and
 * answers a Content-Length that it cannot read twice. So a refusal that ends the connection is written to the socket here, and the
 * sending side is shut down: what libmicrohttpd writes afterwards goes nowhere. All functions are for the connection's own thread.
 */
#ifndef HF_SERVER_HTTP_REFUSAL_H
#define HF_SERVER_HTTP_REFUSAL_H

#include <microhttpd.h>

#include "api/call/call.h"

/* Sends a call's answer as the connection's last, with Connection: close. `head`: without its body. Never waits: if the socket has
 * no room for it, the client sees only the end of the connection. */
void hf_refusal_send(struct MHD_Connection *connection, const struct hf_call *call, bool head);

/* A request of this thread whose head the handler has not seen yet; its owner's memory. All 0: not in the list. */
struct hf_unread {
	struct hf_unread *next, **place;
	struct MHD_Connection *connection;
	/* Refuses the request, which was removed from the list before. */
	void (*refuse)(struct hf_unread *unread, enum hf_err err, const char *detail);
};

/* Adds a request to this thread's list. */
void hf_unread_add(struct hf_unread *unread, struct MHD_Connection *connection,
		   void (*refuse)(struct hf_unread *unread, enum hf_err err, const char *detail));

/* Removes it; does nothing if it is not in the list. */
void hf_unread_remove(struct hf_unread *unread);

/* Handles libmicrohttpd's log line that it answers with an error, which is the only sign of it. If that is a request of this thread
 * whose head is complete and which the handler will never see, refuses it. */
void hf_refusal_by_library(unsigned status);

#endif

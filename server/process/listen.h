/* listen.h — the listening socket. */
#ifndef HF_SERVER_PROCESS_LISTEN_H
#define HF_SERVER_PROCESS_LISTEN_H

#include <stdbool.h>

#include "storage/base/err.h"

#define HF_URL_TEXT 96

/* What allows other addresses than loopback: both. */
struct hf_beyond {
	bool auth; /* callers are authenticated, or need not be */
	bool tls;  /* what they send is encrypted, or need not be */
};

/* Binds and listens on "HOST:PORT", "[HOST]:PORT" or ":PORT" (loopback); HOST is a numeric address or localhost. ret_url gets
 * http://HOST:PORT with the bound port. The caller closes *ret_fd. Fails with HF_E_INVALID_PARAMETER if the text has another form,
 * or is not loopback and `beyond` does not allow that. Fails with HF_E_LISTEN if the system refuses. */
enum hf_err hf_listen(const char *text, struct hf_beyond beyond, struct hf_why *why, int *ret_fd,
		      char ret_url[HF_URL_TEXT]) HF_CHECKED;

/* Checks a text as hf_listen() does, without opening anything.
 * Fails with HF_E_INVALID_PARAMETER as hf_listen() does. */
enum hf_err hf_listen_check(const char *text, struct hf_beyond beyond, struct hf_why *why) HF_CHECKED;

#endif

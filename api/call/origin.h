/* origin.h — decides which hosts are this server's, and whether a request comes from a page of another one.
 *
 * A browser on the server's own machine can reach its loopback address. Two checks keep its pages out. A foreign name that was
 * made to resolve to this server (DNS rebinding) is refused by the host that the request names. A page of another origin is
 * refused by the headers that browsers add to its requests and that no page can change. Pure and thread-safe.
 */
#ifndef HF_API_CALL_ORIGIN_H
#define HF_API_CALL_ORIGIN_H

#include "call.h"

#define HF_HOST_NAMES_BYTES 1024

struct hf_hosts {
	char own[64]; /* the address and port as most clients write them */
	struct hf_addr listen;
	bool any_address;		 /* listens on all addresses: accept any address, since only names can be rebound */
	char names[HF_HOST_NAMES_BYTES]; /* further accepted names, besides these and loopback, separated by commas */
};

/* Checks that a text is a list of names and addresses, without ports, separated by commas.
 * Fails with HF_E_INVALID_PARAMETER if an entry is malformed; `why` names it. */
enum hf_err hf_hosts_check(const char *names, struct hf_why *why) HF_CHECKED;

/* Sets the server's own hosts. `url` is http:// and the numeric address that the server listens on, with its port; `names` have
 * been checked. */
void hf_hosts_set(const char *url, const char *names, struct hf_hosts *ret);

/* Judges a request's destination and origin. Without api->hosts, accepts every host.
 * Fails with HF_E_INVALID_PARAMETER if Host is malformed.
 * Fails with HF_E_MISDIRECTED if the host is not this server's.
 * Fails with HF_E_CROSS_ORIGIN if the request comes from a page of another origin. */
enum hf_err hf_origin_check(const struct hf_call *call, struct hf_why *why) HF_CHECKED;

#endif

/* origin.h — which hosts are this server's, and whether a request comes from a page of another one.
 *
 * A browser on the server's own machine reaches its loopback address. Two things keep the pages in it out: a name that is not the
 * server's, made to lead there (DNS rebinding), is refused by the host that the request is for; a page of another origin by the
 * headers that browsers add to what a page sends and that no page can change. Pure and thread-safe.
 */
#ifndef HF_API_CALL_ORIGIN_H
#define HF_API_CALL_ORIGIN_H

#include "call.h"

#define HF_HOST_NAMES_BYTES 1024

struct hf_hosts {
	char own[64]; /* the address and port as most clients write them */
	struct hf_addr listen;
	bool any_address; /* it listens on all addresses: any may be its own, and none is a name that could be rebound */
	char names[HF_HOST_NAMES_BYTES]; /* besides these and loopback, separated by commas */
};

/* Whether a text is a list of names and addresses, without ports, separated by commas. HF_E_INVALID_PARAMETER names the wrong one.
 */
enum hf_err hf_hosts_check(const char *names, struct hf_why *why) HF_CHECKED;

/* `url` is http:// and the address that is listened on, numeric, with its port; `names` have been checked. */
void hf_hosts_set(const char *url, const char *names, struct hf_hosts *ret);

/* Judges where a request wants to go and where it comes from; without api->hosts every host is right.
 * Fails with HF_E_INVALID_PARAMETER if Host is out of form.
 * Fails with HF_E_MISDIRECTED if it is not this server's.
 * Fails with HF_E_CROSS_ORIGIN if the request comes from a page of another origin. */
enum hf_err hf_origin_check(const struct hf_call *call, struct hf_why *why) HF_CHECKED;

#endif

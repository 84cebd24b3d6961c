/* strangers.h — logs requests without a valid token: one line an address in ten seconds. Thread-safe. */
#ifndef HF_SERVER_HTTP_STRANGERS_H
#define HF_SERVER_HTTP_STRANGERS_H

#include "api/call/api.h"
#include "client.h"

/* Logs a request of a client that was answered 401, or counts it for the next line. */
void hf_strangers_note(struct hf_api *api, const struct hf_client *client);

/* Logs the counts of addresses that had no line for ten seconds, or `all` counts. Call it about once a second, and before the end.
 */
void hf_strangers_report(struct hf_api *api, bool all);

#endif

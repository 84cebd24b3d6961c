/* strangers.c — logs requests without a valid token. */
#include "strangers.h"

#include <inttypes.h>

#include "api/access/access.h"
#include "api/access/refusals.h"
#include "server/process/log.h"
#include "storage/base/monotonic.h"

void hf_strangers_note(struct hf_api *api, const struct hf_client *client) {
	char address[HF_ADDRESS_TEXT];
	uint64_t unlogged = 0;
	if (!api->access)
		return;
	hf_address_text(client->address, address);
	if (hf_refusals_note(hf_access_strangers(api->access), address, HF_E_UNAUTHORIZED, hf_monotonic_us() / 1000, &unlogged))
		hf_log(HF_LOG_WARN, "unauthorized", "address=%s unlogged=%" PRIu64, address, unlogged);
}

static void log_count(void *context, const char *address, enum hf_err code, uint64_t unlogged) {
	(void)context, (void)code;
	hf_log(HF_LOG_WARN, "unauthorized", "address=%s unlogged=%" PRIu64, address[0] ? address : "others", unlogged);
}

void hf_strangers_report(struct hf_api *api, bool all) {
	if (api->access)
		hf_refusals_report(hf_access_strangers(api->access), hf_monotonic_us() / 1000, all, log_count, NULL);
}

/* transfers.c — /v1/transfers: leases go to other identities, all of them or none. */
#include <inttypes.h>

#include "api/sync/transfer_body.h"
#include "api/text/json.h"
#include "resources.h"

static void write_identity(struct hf_json *json, const char *name, const uint8_t *key, size_t len) {
	struct hf_identity id;
	hf_json_key(json, name);
	hf_json_open(json, '{');
	if (hf_identity_decode(key, len, &id))
		hf_json_identity(json, &id);
	hf_json_close(json, '}');
}

static void answer(struct hf_call *call) {
	const struct hf_transfer_body *body = hf_transfer_body_of(call);
	const struct hf_transfer *transfer = &body->transfer;
	struct hf_json json = hf_call_json(call, 200);
	hf_json_open(&json, '{');
	hf_json_key(&json, "dryRun");
	hf_json_bool(&json, transfer->dry_run);
	hf_json_member_uint(&json, "transferred", transfer->n);
	hf_json_member_uint(&json, "revision", transfer->revision);
	hf_json_key(&json, "results");
	hf_json_open(&json, '[');
	for (const struct hf_transfer_item *item = transfer->first; item && body->wants_all; item = item->next) {
		hf_json_open(&json, '{');
		write_identity(&json, "from", item->from, item->from_len);
		write_identity(&json, "to", item->to, item->to_len);
		hf_json_key(&json, "vips");
		hf_json_vips(&json, item->vips, item->n_vips);
		hf_json_close(&json, '}');
	}
	hf_json_close(&json, ']');
	hf_json_close(&json, '}');
	call->refused = NULL;
}

/* Adds which item was refused, counted from 1. */
static void refused(struct hf_call *call, enum hf_err err, struct hf_json *json) {
	const struct hf_transfer *transfer = &hf_transfer_body_of(call)->transfer;
	(void)err;
	if (transfer->failed != HF_TRANSFER_WHOLE)
		hf_json_member_uint(json, "item", transfer->failed + 1);
}

enum hf_err hf_open_transfers(struct hf_call *call) {
	enum hf_err err = hf_transfer_body_open(call);
	if (!err)
		call->refused = refused;
	return err;
}

enum hf_err hf_handle_transfers(struct hf_call *call) {
	struct hf_transfer *transfer = &hf_transfer_body_of(call)->transfer;
	hf_transfer_begin(transfer);
	hf_call_commit(call, &transfer->write, answer);
	return HF_OK;
}

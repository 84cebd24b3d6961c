/* sync_shortcut.c — recognises documents that are unchanged since a lease was last stored, so that they need no parsing. */
#include "sync_shortcut.h"

#include <string.h>

#include "api/kuma/claims.h"
#include "storage/tables/lease_table.h"
#include "sync_ledger.h"

#define KNOWN_AFTER 16 /* documents, at least, before the zone's leases are read to know them again */
#define KNOWN_SHARE 32 /* … and in a delta this share of the leases: parsing a document costs as much as reading so many leases */

/* Returns the number of documents from which it pays to read the zone's known documents, which walks over all of its leases. A
 * full list has about as many documents as the zone has leases. */
static uint32_t learn_at(struct hf_call *call, const struct hf_sync *sync) {
	struct hf_scope sum = hf_zone_sum(call->reader, sync->zone);
	uint64_t leases = sum.active + sum.quarantined, share = sync->mode == HF_SYNC_FULL ? 0 : leases / KNOWN_SHARE;
	if (leases == 0 || share > UINT32_MAX)
		return UINT32_MAX;
	return share > KNOWN_AFTER ? (uint32_t)share : KNOWN_AFTER;
}

void hf_sync_learn(struct hf_sync_shortcut *shortcut, struct hf_call *call, const struct hf_sync *sync) {
	if (++shortcut->n_documents < KNOWN_AFTER || shortcut->n_documents < shortcut->learn_at || !call->reader ||
	    hf_reader_begin(call->reader, NULL))
		return;
	if (shortcut->learn_at == 0)
		shortcut->learn_at = learn_at(call, sync);
	if (shortcut->n_documents >= shortcut->learn_at) {
		shortcut->learn_at = UINT32_MAX;
		hf_known_read(call->reader, sync->zone, hf_syncs_options(call->api->syncs)->items_max, &shortcut->known);
	}
	hf_reader_end(call->reader);
}

/* Returns whether a document may belong to the zone global, so that it has to be parsed: older versions stored such documents as
 * leases of this zone. Searching for a letter is faster than for a word. */
static bool may_be_global(const struct hf_sync *sync, const char *text, size_t len) {
	static const char rest[] = "lobal\"";
	const char *at = text + 1, *end = text + len;
	if (strcmp(sync->zone, "global") == 0)
		return false;
	for (; at < end && (at = memchr(at, 'g', (size_t)(end - at))); at++)
		if (at[-1] == '"' && (size_t)(end - at) >= sizeof rest && memcmp(at + 1, rest, sizeof rest - 1) == 0)
			return true;
	return false;
}

bool hf_sync_take_known(const struct hf_sync_shortcut *shortcut, const struct hf_sync *sync, bool reads_claims,
			struct hf_sync_input *input, const char *text, size_t len, struct hf_identity *id) {
	const struct hf_known_document *known = hf_known_find(&shortcut->known, &input->raw);
	if (!known || may_be_global(sync, text, len))
		return false;
	int claimed = hf_claims_peek(text, len, known->vips, known->n_vips), all = (1 << known->n_vips) - 1;
	if ((claimed != 0 && claimed != all) || (claimed == all && reads_claims) ||
	    !hf_identity_decode(known->key, known->key_len, id))
		return false;
	input->claims_unread = claimed == all;
	if (input->claims_unread) { /* exactly these, whatever address the lease has when the sync is decided */
		input->n_claims = known->n_vips;
		input->claims = known->vips;
	}
	input->id = id;
	input->fingerprint = known->fingerprint;
	input->fingerprint_version = known->fingerprint_version;
	return true;
}

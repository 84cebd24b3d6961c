/* sync_known.c — documents that a lease was last stored from as they are: they need no parsing. */
#include <string.h>

#include "json.h"
#include "storage/read.h"
#include "sync_body.h"

#define KNOWN_AFTER 16 /* documents, at least, before the zone's leases are read to know them again */
#define KNOWN_SHARE 32 /* … and in a delta this share of the leases: parsing a document costs as much as reading so many leases */

/* When it pays to read what is known of the zone, in documents: that walks over all of its leases. A full list has about as many.
 */
static uint32_t learn_at(struct hf_sync_body *body) {
	struct hf_scope sum = hf_zone_sum(body->call->reader, body->sync.zone);
	uint64_t leases = sum.active + sum.quarantined, share = body->sync.mode == HF_SYNC_FULL ? 0 : leases / KNOWN_SHARE;
	if (leases == 0 || share > UINT32_MAX)
		return UINT32_MAX;
	return share > KNOWN_AFTER ? (uint32_t)share : KNOWN_AFTER;
}

void hf_sync_learn(struct hf_sync_body *body) {
	struct hf_call *call = body->call;
	if (++body->n_documents < KNOWN_AFTER || body->n_documents < body->learn_at || !call->reader ||
	    hf_reader_begin(call->reader, NULL))
		return;
	if (body->learn_at == 0)
		body->learn_at = learn_at(body);
	if (body->n_documents >= body->learn_at) {
		body->learn_at = UINT32_MAX;
		hf_known_read(call->reader, body->sync.zone, hf_syncs_options(call->api->syncs)->items_max, &body->known);
	}
	hf_reader_end(call->reader);
}

enum claim_text { CLAIMS_NONE, CLAIMS_ITS_OWN, CLAIMS_UNKNOWN };

/* Which of the lease's addresses is the value of the member whose name ends at `at`; -1 if none, or if it is written otherwise. */
static int vip_at(const char *at, const char *end, const struct hf_known_document *known) {
	char quoted[HF_ADDR_TEXT + 1];
	const char *value = hf_text_next(at, end, ':');
	value = value ? hf_text_next(value, end, '"') : NULL;
	for (int i = 0; value && i < known->n_vips; i++) {
		hf_addr_format(known->vips[i], quoted);
		strcat(quoted, "\"");
		if ((size_t)(end - value) >= strlen(quoted) && memcmp(value, quoted, strlen(quoted)) == 0)
			return i;
	}
	return -1;
}

/* Moves behind the next name "vips" or "ip", whose first letter is `first`; false if there is none. A letter is found faster than a
 * word. */
static bool find_name(const char **at, const char *end, char first, const char *rest, size_t len) {
	const char *found = *at;
	while ((found = memchr(found, first, (size_t)(end - found)))) {
		bool opened = found[-1] == '"'; /* a document's first byte is a bracket */
		found++;
		if (opened && (size_t)(end - found) >= len && memcmp(found, rest, len) == 0) {
			*at = found + len;
			return true;
		}
	}
	return false;
}

/* What a document claims, told from its text: nothing, as it has no member "vips" but empty ones; what the lease has, all of it and
 * nothing else, as its members "ip" say no more; or it has to be parsed, as where an escape may hide something. */
static enum claim_text claims_of(const char *text, size_t len, const struct hf_known_document *known) {
	const char *end = text + len, *at = text;
	unsigned seen = 0;
	bool some = false;
	if (memchr(text, '\\', len))
		return CLAIMS_UNKNOWN;
	while (!some && find_name(&at, end, 'v', "ips\"", 4)) {
		const char *value = hf_text_next(at, end, ':');
		value = value ? hf_text_next(value, end, '[') : NULL;
		some = !value || !hf_text_next(value, end, ']');
	}
	if (!some)
		return CLAIMS_NONE;
	for (at = text; find_name(&at, end, 'i', "p\"", 2);) {
		int vip = vip_at(at, end, known);
		if (vip < 0)
			return CLAIMS_UNKNOWN;
		seen |= 1u << vip;
	}
	return seen == (1u << known->n_vips) - 1 ? CLAIMS_ITS_OWN : CLAIMS_UNKNOWN;
}

bool hf_sync_take_known(struct hf_sync_body *body, struct hf_sync_input *input, const char *text, size_t len,
			struct hf_identity *id) {
	const struct hf_known_document *known = hf_known_find(&body->known, &input->raw);
	enum claim_text claims = known ? claims_of(text, len, known) : CLAIMS_UNKNOWN;
	if (claims == CLAIMS_UNKNOWN || (claims == CLAIMS_ITS_OWN && body->want == HF_RETURN_ALL) ||
	    !hf_identity_decode(known->key, known->key_len, id))
		return false;
	input->claims_unread = claims == CLAIMS_ITS_OWN;
	input->id = id;
	input->fingerprint = known->fingerprint;
	input->fingerprint_version = known->fingerprint_version;
	return true;
}

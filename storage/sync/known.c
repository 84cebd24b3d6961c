/* known.c — a table of digests, built for one sync. */
#include "known.h"

#include "storage/tables/lease_table.h"

struct hf_digest hf_known_digest(const char *zone, const void *document, size_t len) {
	return hf_digest_of_two(zone, strlen(zone) + 1, document, len);
}

/* Returns the slot of a digest: its own, or the free one for it. Digests are random, so their first bytes serve as the hash. */
static struct hf_known_document **slot_of(const struct hf_known *known, const struct hf_digest *raw) {
	size_t at;
	memcpy(&at, raw->bytes, sizeof at);
	for (at &= known->mask; known->slots[at]; at = (at + 1) & known->mask)
		if (hf_digest_equal(&known->slots[at]->raw, raw))
			break;
	return &known->slots[at];
}

/* Makes slots for twice as many leases as the zone has. */
static bool make_slots(size_t leases, struct hf_known *known) {
	size_t slots = 64;
	while (slots < 2 * leases)
		slots *= 2;
	known->slots = hf_arena_alloc(&known->arena, sizeof *known->slots * slots);
	if (!known->slots)
		return false;
	memset(known->slots, 0, sizeof *known->slots * slots);
	known->mask = slots - 1;
	return true;
}

static bool add(struct hf_known *known, const struct hf_lease *lease, struct hf_slice key) {
	struct hf_known_document **slot = slot_of(known, &lease->raw);
	if (*slot)
		return true;
	struct hf_known_document *document = hf_arena_alloc(&known->arena, sizeof *document + key.len);
	if (!document)
		return false;
	document->raw = lease->raw;
	document->fingerprint = lease->fingerprint;
	document->fingerprint_version = lease->fingerprint_version;
	document->n_vips = (uint8_t)lease->n_vips;
	memcpy(document->vips, lease->vips, sizeof document->vips);
	document->key_len = (uint16_t)key.len;
	memcpy(document->key, key.data, key.len);
	*slot = document;
	return true;
}

/* Adds all of the zone's leases; returns false if that fails. The scopes count `left` leases, and may be damaged: the slots must
 * never fill up. */
static bool add_leases(struct hf_txn *reader, const char *zone, uint64_t left, struct hf_known *known) {
	static const struct hf_digest none;
	struct hf_slice prefix = {zone, strlen(zone) + 1}; /* with its NUL, so that it matches no other zone's keys */
	struct hf_lease lease;
	HF_CURSOR leases;
	hf_cursor_open(reader, HF_LEASES, &leases);
	for (bool found = hf_cursor_seek(&leases, prefix); found && hf_slice_extends(leases.key, prefix);
	     found = hf_cursor_next(&leases)) {
		if (left-- == 0)
			hf_txn_corrupt(reader, HF_SCOPES, "a zone has more leases than its scopes count");
		else if (!hf_lease_decode(leases.key, leases.value, &lease))
			hf_txn_damaged(reader, HF_LEASES);
		else if (hf_digest_equal(&lease.raw, &none) || add(known, &lease, leases.key))
			continue;
		return false;
	}
	return hf_txn_fault(reader, NULL) == HF_OK;
}

void hf_known_read(struct hf_txn *reader, const char *zone, size_t max, struct hf_known *known) {
	struct hf_scope sum = hf_zone_sum(reader, zone);
	uint64_t leases = sum.active + sum.quarantined;
	if (leases > max || !make_slots(leases, known) || !add_leases(reader, zone, leases, known))
		hf_known_free(known);
}

void hf_known_free(struct hf_known *known) {
	hf_arena_free(&known->arena);
	known->slots = NULL;
}

const struct hf_known_document *hf_known_find(const struct hf_known *known, const struct hf_digest *raw) {
	return known->slots ? *slot_of(known, raw) : NULL;
}

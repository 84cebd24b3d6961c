/* lease.c — the lease's record. The layout is storage/FORMAT.md's table "leases". */
#include "lease.h"

#define RECORD_VERSION 1	  /* without previous addresses */
#define RECORD_VERSION_PREVIOUS 2 /* with some, after the rest */
#define STATE_FORCED 3		  /* quarantined, by force */

static void put_previous(struct hf_writer *w, const struct hf_lease *lease) {
	hf_put_uint(w, (uint64_t)lease->n_previous, 1);
	for (int i = 0; i < lease->n_previous; i++) {
		hf_put_addr(w, lease->previous[i].address);
		hf_put_uint(w, (uint64_t)lease->previous[i].until_ms, 8);
		hf_put_uint(w, lease->previous[i].overlap_seconds, 4);
	}
}

/* Sets p->bad if there are none, or too many. */
static void take_previous(struct hf_parser *p, struct hf_lease *ret) {
	uint64_t n = hf_take_uint(p, 1);
	if (n < 1 || n > HF_PREVIOUS_MAX) {
		p->bad = true;
		return;
	}
	for (ret->n_previous = 0; ret->n_previous < (int)n; ret->n_previous++) {
		struct hf_previous *previous = &ret->previous[ret->n_previous];
		previous->address = hf_take_addr(p);
		previous->until_ms = (int64_t)hf_take_uint(p, 8);
		previous->overlap_seconds = (uint32_t)hf_take_uint(p, 4);
	}
}

struct hf_slice hf_lease_encode(const struct hf_lease *lease, uint8_t buffer[HF_LEASE_RECORD_MAX]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, lease->n_previous ? RECORD_VERSION_PREVIOUS : RECORD_VERSION, 1);
	hf_put_uint(&w, lease->state == HF_QUARANTINED && lease->forced ? STATE_FORCED : lease->state, 1);
	hf_put_uint(&w, lease->fingerprint_version, 1);
	hf_put_uint(&w, (uint64_t)lease->n_vips, 1);
	hf_put_uint(&w, lease->generation, 8);
	hf_put_uint(&w, lease->revision, 8);
	hf_put_uint(&w, (uint64_t)lease->created_ms, 8);
	hf_put_uint(&w, (uint64_t)lease->modified_ms, 8);
	hf_put_uint(&w, (uint64_t)lease->quarantined_until_ms, 8);
	hf_put_bytes(&w, lease->fingerprint.bytes, HF_DIGEST_BYTES);
	hf_put_bytes(&w, lease->raw.bytes, HF_DIGEST_BYTES);
	for (int i = 0; i < lease->n_vips; i++)
		hf_put_addr(&w, lease->vips[i]);
	hf_put_text(&w, lease->pool);
	hf_put_text(&w, lease->version);
	if (lease->n_previous)
		put_previous(&w, lease);
	return hf_writer_end(&w);
}

bool hf_lease_decode(struct hf_slice key, struct hf_slice value, struct hf_lease *ret) {
	struct hf_parser p = hf_parser_begin(value);
	uint64_t version = hf_take_uint(&p, 1);
	if (!hf_identity_decode(key.data, key.len, &ret->id) || version < RECORD_VERSION || version > RECORD_VERSION_PREVIOUS)
		return false;
	uint64_t state = hf_take_uint(&p, 1);
	ret->forced = state == STATE_FORCED;
	ret->state = ret->forced ? HF_QUARANTINED : (enum hf_lease_state)state;
	ret->fingerprint_version = (uint8_t)hf_take_uint(&p, 1);
	ret->n_vips = (int)hf_take_uint(&p, 1);
	if (ret->n_vips < 1 || ret->n_vips > HF_FAMILIES || (ret->state != HF_ACTIVE && ret->state != HF_QUARANTINED))
		return false;
	ret->generation = hf_take_uint(&p, 8);
	ret->revision = hf_take_uint(&p, 8);
	ret->created_ms = (int64_t)hf_take_uint(&p, 8);
	ret->modified_ms = (int64_t)hf_take_uint(&p, 8);
	ret->quarantined_until_ms = (int64_t)hf_take_uint(&p, 8);
	hf_take_copy(&p, ret->fingerprint.bytes, HF_DIGEST_BYTES);
	hf_take_copy(&p, ret->raw.bytes, HF_DIGEST_BYTES);
	for (int i = 0; i < ret->n_vips; i++)
		ret->vips[i] = hf_take_addr(&p);
	hf_take_text(&p, HF_NAME_MAX, ret->pool);
	hf_take_text(&p, HF_VERSION_MAX, ret->version);
	ret->n_previous = 0;
	if (version == RECORD_VERSION_PREVIOUS)
		take_previous(&p, ret);
	return hf_parser_end(&p);
}

struct hf_digest hf_lease_digest(const struct hf_lease *lease) {
	struct hf_key key;
	uint8_t text[HF_KEY_MAX + 1 + HF_DIGEST_BYTES];
	hf_identity_encode(&lease->id, &key);
	memcpy(text, key.bytes, key.len);
	text[key.len] = 0;
	memcpy(text + key.len + 1, lease->fingerprint.bytes, HF_DIGEST_BYTES);
	return hf_digest_of(text, key.len + 1u + HF_DIGEST_BYTES);
}

void hf_lease_etag(const struct hf_lease *lease, char ret_text[HF_ETAG_TEXT]) {
	char revision[HF_COUNT_TEXT], *at = stpcpy(stpcpy(ret_text, "\""), hf_count_format(lease->revision, revision));
	if (lease->version[0]) {
		struct hf_digest d = hf_digest_of(lease->version, strlen(lease->version));
		*at++ = '-';
		hf_hex_encode(d.bytes, 4, at);
		at += 8;
	}
	strcpy(at, "\"");
}

bool hf_lease_vip(const struct hf_lease *lease, enum hf_family family, struct hf_addr *ret) {
	for (int i = 0; i < lease->n_vips; i++)
		if (hf_addr_family(lease->vips[i]) == family) {
			*ret = lease->vips[i];
			return true;
		}
	return false;
}

bool hf_lease_has(const struct hf_lease *lease, struct hf_addr a) {
	for (int i = 0; i < lease->n_vips; i++)
		if (lease->vips[i].n == a.n)
			return true;
	return false;
}

bool hf_lease_binds(const struct hf_lease *lease, struct hf_addr a) {
	for (int i = 0; i < hf_lease_bound(lease); i++)
		if (hf_lease_bound_at(lease, i).n == a.n)
			return true;
	return false;
}

static int add_end(int64_t *ret_ms, int n, int64_t end_ms) {
	for (int i = 0; i < n; i++)
		if (ret_ms[i] == end_ms)
			return n;
	ret_ms[n] = end_ms;
	return n + 1;
}

int hf_lease_ends(const struct hf_lease *lease, int64_t ret_ms[HF_LEASE_ENDS_MAX]) {
	int n = 0;
	if (lease->state == HF_QUARANTINED)
		n = add_end(ret_ms, n, lease->quarantined_until_ms);
	for (int i = 0; i < lease->n_previous; i++)
		n = add_end(ret_ms, n, lease->previous[i].until_ms);
	return n;
}

bool hf_lease_ends_at(const struct hf_lease *lease, int64_t ms) {
	int64_t ends[HF_LEASE_ENDS_MAX];
	for (int n = hf_lease_ends(lease, ends), i = 0; i < n; i++)
		if (ends[i] == ms)
			return true;
	return false;
}

enum hf_err hf_lease_not_found(const struct hf_identity *id, struct hf_why *why) {
	char words[HF_IDENTITY_WORDS_MIN];
	return hf_fail(why, HF_E_NOT_FOUND, "%s has no lease", hf_identity_words(id, words, sizeof words));
}

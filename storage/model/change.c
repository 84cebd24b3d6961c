/* change.c — the change's record. The layout is storage/FORMAT.md's table "changes". */
#include "change.h"

/* Version 1 has no `by`. It is still written where nobody is named: so a record of an older store is written as it was. */
#define RECORD_VERSION 1
#define RECORD_VERSION_BY 2
#define RECORD_VERSION_PREVIOUS 3 /* and with previous addresses */

static const char *const TYPES[] = {
#define HF_CHANGE_ROW(name, text) [HF_CHANGE_##name] = text,
	HF_CHANGE_LIST(HF_CHANGE_ROW)
#undef HF_CHANGE_ROW
};

const char *hf_change_type_name(enum hf_change_type type) { return TYPES[type]; }

const char *hf_cause_name(enum hf_cause cause) {
	static const char *const names[] = {[HF_CAUSE_REQUEST] = "request",
					    [HF_CAUSE_DEADLINE] = "deadline",
					    [HF_CAUSE_START] = "start",
					    [HF_CAUSE_SYNC] = "sync",
					    [HF_CAUSE_ADMIN] = "admin"};
	return names[cause];
}

const char *hf_by_name(const char *by) { return by[0] ? by : HF_BY_ANONYMOUS; }

struct hf_slice hf_change_key(uint64_t revision, uint8_t buffer[HF_CHANGE_KEY_BYTES]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, revision, HF_CHANGE_KEY_BYTES);
	return hf_writer_end(&w);
}

static void put_identity(struct hf_writer *w, const struct hf_identity *id) {
	struct hf_key key;
	hf_identity_encode(id, &key);
	hf_put_uint(w, key.len, 2);
	hf_put_bytes(w, key.bytes, key.len);
}

static bool take_identity(struct hf_parser *p, struct hf_identity *ret) {
	size_t len = hf_take_uint(p, 2);
	const uint8_t *at = hf_take_bytes(p, len);
	return at && hf_identity_decode(at, len, ret);
}

static void put_previous(struct hf_writer *w, const struct hf_change *change) {
	hf_put_uint(w, (uint64_t)change->n_previous, 1);
	for (int i = 0; i < change->n_previous; i++) {
		hf_put_addr(w, change->previous[i].address);
		hf_put_uint(w, (uint64_t)change->previous[i].until_ms, 8);
	}
}

static void take_previous(struct hf_parser *p, struct hf_change *ret) {
	uint64_t n = hf_take_uint(p, 1);
	p->bad = p->bad || n < 1 || n > HF_PREVIOUS_MAX;
	for (; !p->bad && ret->n_previous < (int)n; ret->n_previous++) {
		ret->previous[ret->n_previous].address = hf_take_addr(p);
		ret->previous[ret->n_previous].until_ms = (int64_t)hf_take_uint(p, 8);
	}
}

struct hf_slice hf_change_encode(const struct hf_change *change, uint8_t buffer[HF_CHANGE_RECORD_MAX]) {
	struct hf_writer w = hf_writer_begin(buffer);
	bool is_transfer = change->type == HF_CHANGE_TRANSFERRED, has_by = change->by[0] || is_transfer || change->n_previous;
	hf_put_uint(&w, change->n_previous ? RECORD_VERSION_PREVIOUS : has_by ? RECORD_VERSION_BY : RECORD_VERSION, 1);
	hf_put_uint(&w, change->type, 1);
	hf_put_uint(&w, change->cause, 1);
	hf_put_uint(&w, (uint64_t)change->at_ms, 8);
	hf_put_text(&w, change->pool);
	if (has_by)
		hf_put_text(&w, change->by);
	if (is_transfer)
		put_identity(&w, &change->from);
	if (change->has_lease) {
		struct hf_key key;
		hf_identity_encode(&change->id, &key);
		hf_put_uint(&w, change->generation, 8);
		hf_put_uint(&w, (uint64_t)change->n_vips, 1);
		for (int i = 0; i < change->n_vips; i++)
			hf_put_addr(&w, change->vips[i]);
		if (change->n_previous)
			put_previous(&w, change);
		hf_put_bytes(&w, key.bytes, key.len);
	}
	return hf_writer_end(&w);
}

bool hf_change_decode(struct hf_slice key, struct hf_slice value, struct hf_change *ret) {
	struct hf_parser k = hf_parser_begin(key), p = hf_parser_begin(value);
	*ret = (struct hf_change){.revision = hf_take_uint(&k, 8)};
	uint64_t version = hf_take_uint(&p, 1);
	if (!hf_parser_end(&k) || version < RECORD_VERSION || version > RECORD_VERSION_PREVIOUS)
		return false;
	ret->type = (enum hf_change_type)hf_take_uint(&p, 1);
	ret->cause = (enum hf_cause)hf_take_uint(&p, 1);
	ret->at_ms = (int64_t)hf_take_uint(&p, 8);
	hf_take_text(&p, HF_NAME_MAX, ret->pool);
	if (version >= RECORD_VERSION_BY)
		hf_take_text(&p, HF_BY_MAX, ret->by);
	if (p.bad || ret->type <= HF_CHANGE_NONE || ret->type >= HF_CHANGE_TYPES || ret->cause < 1 || ret->cause > HF_CAUSES)
		return false;
	if (ret->type == HF_CHANGE_TRANSFERRED && (version < RECORD_VERSION_BY || !take_identity(&p, &ret->from)))
		return false;
	bool of_pool = ret->type == HF_CHANGE_POOL_WRITTEN || ret->type == HF_CHANGE_POOL_DELETED;
	ret->has_lease = p.at != p.end;
	if (ret->has_lease == of_pool)
		return false;
	if (!ret->has_lease)
		return true;
	ret->generation = hf_take_uint(&p, 8);
	ret->n_vips = (int)hf_take_uint(&p, 1);
	if (ret->n_vips > HF_FAMILIES)
		return false;
	for (int i = 0; i < ret->n_vips; i++)
		ret->vips[i] = hf_take_addr(&p);
	if (version == RECORD_VERSION_PREVIOUS)
		take_previous(&p, ret);
	return !p.bad && hf_identity_decode(p.at, (size_t)(p.end - p.at), &ret->id);
}

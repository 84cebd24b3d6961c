/* verify_addresses.c — checks the holders of addresses, current and past, and the deadlines. */
#include "verify_pass.h"

#include <inttypes.h>

#include "storage/tables/deadline.h"
#include "storage/tables/holders.h"

#define DEADLINE_VERSION 1 /* a deadline's value is only this */

static void check_binding(struct hf_verify *v, enum hf_table table, const char *address, const struct hf_holder *holder,
			  const struct hf_change *change) {
	char id[HF_IDENTITY_WORDS_MAX];
	if (!change->has_lease || !hf_identity_equal(&change->id, &holder->id))
		hf_verify_say(v, table, "%s, from revision %" PRIu64 ": that was not a change of %s", address,
			      holder->from_revision, hf_identity_words(&holder->id, id, sizeof id));
	else if (strcmp(change->by, holder->by) != 0)
		hf_verify_say(v, table, "%s, from revision %" PRIu64 ": bound by %s, but that change was by %s", address,
			      holder->from_revision, hf_by_name(holder->by), hf_by_name(change->by));
}

/* Every holder, current or past, was bound by a change of its own lease. */
static void check_from(struct hf_verify *v, enum hf_table table, struct hf_addr a, const struct hf_holder *holder) {
	char text[HF_ADDR_TEXT];
	struct hf_change change;
	hf_addr_format(a, text);
	if (holder->from_revision == 0 || holder->from_revision > v->meta.revision)
		hf_verify_say(v, table, "%s, from revision %" PRIu64 ": the store has revisions only up to %" PRIu64, text,
			      holder->from_revision, v->meta.revision);
	else if (holder->from_revision > v->meta.compacted && hf_verify_change(v, holder->from_revision, &change))
		check_binding(v, table, text, holder, &change);
}

static void check_present(struct hf_verify *v, struct hf_addr a, const struct hf_holder *holder) {
	char text[HF_ADDR_TEXT], id[HF_IDENTITY_WORDS_MAX];
	struct hf_lease lease;
	hf_addr_format(a, text);
	hf_identity_words(&holder->id, id, sizeof id);
	if (!hf_verify_lease(v, &holder->id, &lease))
		hf_verify_say(v, HF_ADDRESSES, "%s is held by %s, which has no lease", text, id);
	else if (!hf_lease_binds(&lease, a))
		hf_verify_say(v, HF_ADDRESSES, "%s is held by %s, whose lease has other addresses", text, id);
	check_from(v, HF_ADDRESSES, a, holder);
}

static void check_past(struct hf_verify *v, struct hf_addr a, const struct hf_holder *holder) {
	char text[HF_ADDR_TEXT];
	struct hf_deadline end = {.at_ms = holder->to_ms + HF_HISTORY_AGE_MS, .address = a, .from_revision = holder->from_revision};
	hf_addr_format(a, text);
	check_from(v, HF_HISTORY, a, holder);
	if (holder->to_ms == 0)
		hf_verify_say(v, HF_HISTORY, "%s, from revision %" PRIu64 ": the end of a past holder is missing", text,
			      holder->from_revision);
	else if (!hf_deadline_has(v->txn, &end))
		hf_verify_say(v, HF_DEADLINES,
			      "%s, from revision %" PRIu64 ": the deadline is missing that drops this holder at %" PRId64 " ms",
			      text, holder->from_revision, end.at_ms);
}

/* The past holders of one address, oldest first: how many were seen, and the newest one's revision. */
struct past {
	struct hf_addr a;
	int n; /* 0: before the first address */
	uint64_t newest;
};

/* Checks an address after all of its past holders have been seen. Holders are ordered by revision, because the time may jump. */
static void end_past(struct hf_verify *v, const struct past *past) {
	char text[HF_ADDR_TEXT];
	struct hf_holder present;
	if (past->n == 0)
		return;
	hf_addr_format(past->a, text);
	if (past->n > HF_HISTORY_HOLDERS)
		hf_verify_say(v, HF_HISTORY, "%s has %d past holders; at most %d are kept", text, past->n, HF_HISTORY_HOLDERS);
	if (hf_verify_holder(v, past->a, &present) && present.from_revision <= past->newest)
		hf_verify_say(v, HF_HISTORY, "%s is held from revision %" PRIu64 ", but a past holder was bound by %" PRIu64, text,
			      present.from_revision, past->newest);
}

static void check_history(struct hf_verify *v) {
	struct past past = {.n = 0};
	struct hf_holder holder;
	struct hf_addr a;
	HF_CURSOR cursor;
	hf_cursor_open(v->txn, HF_HISTORY, &cursor);
	for (; hf_cursor_next(&cursor); v->counts.holders++) {
		if (!hf_holders_decode(cursor.key, cursor.value, &a, &holder)) {
			hf_verify_damaged(v, HF_HISTORY, cursor.key);
			continue;
		}
		if (past.n > 0 && a.n != past.a.n) {
			end_past(v, &past);
			past.n = 0;
		}
		past = (struct past){a, past.n + 1, holder.from_revision};
		check_past(v, a, &holder);
	}
	end_past(v, &past);
}

void hf_verify_addresses(struct hf_verify *v) {
	struct hf_holder holder;
	struct hf_addr a;
	HF_CURSOR cursor;
	hf_cursor_open(v->txn, HF_ADDRESSES, &cursor);
	for (; hf_cursor_next(&cursor); v->counts.addresses++) {
		if (hf_holders_decode_present(cursor.key, cursor.value, &a, &holder))
			check_present(v, a, &holder);
		else
			hf_verify_damaged(v, HF_ADDRESSES, cursor.key);
	}
	check_history(v);
}

static void check_lease_deadline(struct hf_verify *v, const struct hf_deadline *deadline) {
	char text[HF_IDENTITY_WORDS_MAX];
	struct hf_identity id;
	struct hf_lease lease;
	if (!hf_identity_decode(deadline->lease.bytes, deadline->lease.len, &id))
		return; /* cannot happen, as the deadline was decoded */
	hf_identity_words(&id, text, sizeof text);
	if (!hf_verify_lease(v, &id, &lease))
		hf_verify_say(v, HF_DEADLINES, "%" PRId64 " ms, of %s, which has no lease", deadline->at_ms, text);
	else if (!hf_lease_ends_at(&lease, deadline->at_ms))
		hf_verify_say(v, HF_DEADLINES, "%" PRId64 " ms, of %s, but neither its quarantine nor an overlap ends then",
			      deadline->at_ms, text);
}

static void check_history_deadline(struct hf_verify *v, const struct hf_deadline *deadline) {
	uint8_t bytes[HF_ADDR_BYTES + 8];
	char text[HF_ADDR_TEXT];
	struct hf_holder holder;
	struct hf_slice value;
	struct hf_addr a;
	struct hf_writer w = hf_writer_begin(bytes);
	hf_put_addr(&w, deadline->address);
	hf_put_uint(&w, deadline->from_revision, 8);
	struct hf_slice key = hf_writer_end(&w);
	hf_addr_format(deadline->address, text);
	if (!hf_txn_get(v->txn, HF_HISTORY, key, &value) || !hf_holders_decode(key, value, &a, &holder))
		hf_verify_say(v, HF_DEADLINES, "%" PRId64 " ms, of %s from revision %" PRIu64 ": the holder does not exist",
			      deadline->at_ms, text, deadline->from_revision);
	else if (holder.to_ms == 0 || holder.to_ms + HF_HISTORY_AGE_MS != deadline->at_ms)
		hf_verify_say(v, HF_DEADLINES,
			      "%" PRId64 " ms, of %s from revision %" PRIu64 ": that is not 90 days after the end of this holder",
			      deadline->at_ms, text, deadline->from_revision);
}

/* The other passes check that every required deadline exists; this one, that every deadline is required. */
void hf_verify_deadlines(struct hf_verify *v) {
	struct hf_deadline deadline;
	HF_CURSOR deadlines;
	hf_cursor_open(v->txn, HF_DEADLINES, &deadlines);
	for (; hf_cursor_next(&deadlines); v->counts.deadlines++) {
		struct hf_parser p = hf_parser_begin(deadlines.value);
		if (hf_take_uint(&p, 1) != DEADLINE_VERSION || !hf_parser_end(&p) || !hf_deadline_decode(deadlines.key, &deadline))
			hf_verify_damaged(v, HF_DEADLINES, deadlines.key);
		else if (deadline.is_lease)
			check_lease_deadline(v, &deadline);
		else
			check_history_deadline(v, &deadline);
	}
}

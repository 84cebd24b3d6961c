/* verify_addresses.c — held addresses and their history side by side, and the deadlines. */
#include "verify_internal.h"

#include <inttypes.h>

#include "deadline.h"
#include "history.h"

/* The held addresses, walked beside the history. */
struct held_walk {
	struct hf_cursor cursor;
	bool at; /* the cursor stands on an address; the next two are set */
	struct hf_addr a;
	struct hf_identity holder;
};

static bool has_address(const struct hf_lease *lease, struct hf_addr a) {
	for (int i = 0; i < lease->n_vips; i++)
		if (lease->vips[i].n == a.n)
			return true;
	return false;
}

/* Stands on the next address that can be read, and looks whether its holder has it. */
static void next_held(struct hf_verify *v, struct held_walk *walk) {
	char text[HF_ADDR_TEXT], id[HF_VERIFY_ID_TEXT];
	struct hf_lease lease;
	while ((walk->at = hf_cursor_next(&walk->cursor))) {
		v->counts.addresses++;
		if (walk->cursor.key.len == HF_ADDR_BYTES && hf_verify_read_holder(walk->cursor.value, &walk->holder))
			break;
		hf_verify_damaged(v, HF_ADDRESSES, walk->cursor.key);
	}
	if (!walk->at)
		return;
	walk->a = hf_addr_read(walk->cursor.key.data);
	hf_addr_format(walk->a, text);
	hf_verify_id(&walk->holder, id);
	if (!hf_verify_lease(v, &walk->holder, &lease))
		hf_verify_say(v, HF_ADDRESSES, "%s points to %s, which has no lease", text, id);
	else if (!has_address(&lease, walk->a))
		hf_verify_say(v, HF_ADDRESSES, "%s points to %s, whose lease has other addresses", text, id);
}

/* The holders of one address, oldest first: how many there were, and the newest. */
struct holders {
	struct hf_addr a;
	int n; /* 0: no address yet */
	struct hf_holder newest;
};

/* The history of an address is complete: its newest holder has it still, or nobody has. */
static void end_holders(struct hf_verify *v, struct held_walk *walk, const struct holders *h) {
	char text[HF_ADDR_TEXT], id[HF_VERIFY_ID_TEXT];
	for (; walk->at && (h->n == 0 || walk->a.n < h->a.n); next_held(v, walk)) {
		hf_addr_format(walk->a, text);
		hf_verify_say(v, HF_HISTORY, "%s is held by %s, but has no history", text, hf_verify_id(&walk->holder, id));
	}
	if (h->n == 0)
		return;
	bool held = walk->at && walk->a.n == h->a.n;
	hf_addr_format(h->a, text);
	if (held && h->newest.to_ms != 0)
		hf_verify_say(v, HF_HISTORY, "%s is held by %s, but its history ends", text, hf_verify_id(&walk->holder, id));
	else if (held && !hf_verify_same(&h->newest.id, &walk->holder))
		hf_verify_say(v, HF_HISTORY, "%s: the newest holder is not the present one, %s", text, hf_verify_id(&walk->holder, id));
	else if (!held && h->newest.to_ms == 0)
		hf_verify_say(v, HF_HISTORY, "%s is held by nobody, but %s is said to have it still", text,
			      hf_verify_id(&h->newest.id, id));
	if (h->n > HF_HISTORY_HOLDERS)
		hf_verify_say(v, HF_HISTORY, "%s has %d holders; at most %d are kept", text, h->n, HF_HISTORY_HOLDERS);
	if (held)
		next_held(v, walk);
}

static void check_holder(struct hf_verify *v, struct hf_addr a, const struct hf_holder *holder) {
	char text[HF_ADDR_TEXT];
	struct hf_deadline end = {.at_ms = holder->to_ms + HF_HISTORY_AGE_MS, .address = a, .from_revision = holder->from_revision};
	hf_addr_format(a, text);
	if (holder->from_revision == 0 || holder->from_revision > v->meta.revision)
		hf_verify_say(v, HF_HISTORY, "%s, from revision %" PRIu64 ": that is not one of the store's, up to %" PRIu64, text,
			      holder->from_revision, v->meta.revision);
	if (holder->to_ms != 0 && !hf_deadline_has(v->txn, &end))
		hf_verify_say(v, HF_DEADLINES, "%s, from revision %" PRIu64 ": no deadline drops this holder at %" PRId64 " ms", text,
			      holder->from_revision, end.at_ms);
}

/* Time may jump, so the order of the holders is that of revisions: each but the newest must have let go. */
void hf_verify_addresses(struct hf_verify *v) {
	struct held_walk walk;
	struct holders holders = {.n = 0};
	struct hf_holder holder;
	struct hf_addr a;
	char text[HF_ADDR_TEXT];
	HF_CURSOR history;
	hf_cursor_open(v->txn, HF_HISTORY, &history);
	hf_cursor_open(v->txn, HF_ADDRESSES, &walk.cursor);
	next_held(v, &walk);
	for (; hf_cursor_next(&history); v->counts.holders++) {
		if (!hf_history_decode(history.key, history.value, &a, &holder)) {
			hf_verify_damaged(v, HF_HISTORY, history.key);
			continue;
		}
		if (holders.n > 0 && a.n != holders.a.n) {
			end_holders(v, &walk, &holders);
			holders.n = 0;
		}
		if (holders.n > 0 && holders.newest.to_ms == 0) {
			hf_addr_format(a, text);
			hf_verify_say(v, HF_HISTORY, "%s, from revision %" PRIu64 ": the next holder came before this one let go", text,
				      holders.newest.from_revision);
		}
		holders = (struct holders){a, holders.n + 1, holder};
		check_holder(v, a, &holder);
	}
	if (holders.n > 0)
		end_holders(v, &walk, &holders);
	end_holders(v, &walk, &(struct holders){.n = 0});
	hf_cursor_close(&walk.cursor);
}

static void check_lease_deadline(struct hf_verify *v, const struct hf_deadline *deadline) {
	char text[HF_VERIFY_ID_TEXT];
	struct hf_identity id;
	struct hf_lease lease;
	if (!hf_identity_decode(deadline->lease.bytes, deadline->lease.len, &id))
		return; /* the deadline was decoded, so it cannot be */
	hf_verify_id(&id, text);
	if (!hf_verify_lease(v, &id, &lease))
		hf_verify_say(v, HF_DEADLINES, "%" PRId64 " ms, of %s, which has no lease", deadline->at_ms, text);
	else if (lease.state != HF_QUARANTINED)
		hf_verify_say(v, HF_DEADLINES, "%" PRId64 " ms, of %s, which is not in quarantine", deadline->at_ms, text);
	else if (lease.quarantined_until_ms != deadline->at_ms)
		hf_verify_say(v, HF_DEADLINES, "%" PRId64 " ms, of %s, which is in quarantine until %" PRId64 " ms", deadline->at_ms, text,
			      lease.quarantined_until_ms);
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
	if (!hf_txn_get(v->txn, HF_HISTORY, key, &value) || !hf_history_decode(key, value, &a, &holder))
		hf_verify_say(v, HF_DEADLINES, "%" PRId64 " ms, of %s from revision %" PRIu64 ": there is no such holder", deadline->at_ms,
			      text, deadline->from_revision);
	else if (holder.to_ms == 0 || holder.to_ms + HF_HISTORY_AGE_MS != deadline->at_ms)
		hf_verify_say(v, HF_DEADLINES, "%" PRId64 " ms, of %s from revision %" PRIu64 ": that is not 90 days after this holder let go",
			      deadline->at_ms, text, deadline->from_revision);
}

/* Whatever must have a deadline was seen to have it; here none is left over. */
void hf_verify_deadlines(struct hf_verify *v) {
	struct hf_deadline deadline;
	HF_CURSOR deadlines;
	hf_cursor_open(v->txn, HF_DEADLINES, &deadlines);
	for (; hf_cursor_next(&deadlines); v->counts.deadlines++) {
		if (!hf_deadline_decode(deadlines.key, &deadline))
			hf_verify_damaged(v, HF_DEADLINES, deadlines.key);
		else if (deadline.is_lease)
			check_lease_deadline(v, &deadline);
		else
			check_history_deadline(v, &deadline);
	}
}

/* replay.c — the feed, read by itself. */
#include "replay.h"

#include <inttypes.h>
#include <string.h>

#include "seen.h"
#include "storage/tables/change_table.h"
#include "storage/tables/holders.h"

struct bound {
	int n;
	hf_u128 a[HF_BOUND_MAX];
};

static struct {
	uint64_t revision;
	struct bound of[M_IDENTITIES];
} REPLAY;

static bool has(const struct bound *bound, hf_u128 a) {
	for (int i = 0; i < bound->n; i++)
		if (bound->a[i] == a)
			return true;
	return false;
}

static bool holds_all(const struct bound *bound, const struct bound *part) {
	for (int i = 0; i < part->n; i++)
		if (!has(bound, part->a[i]))
			return false;
	return true;
}

static int owner(hf_u128 a, int but) {
	for (int who = 0; who < M_IDENTITIES; who++)
		if (who != but && has(&REPLAY.of[who], a))
			return who;
	return -1;
}

static void read_table(struct run *run, struct bound *of) {
	struct hf_holder holder;
	struct hf_addr a;
	HF_CURSOR cursor;
	memset(of, 0, sizeof *of * M_IDENTITIES);
	hf_cursor_open(run->f.reader, HF_ADDRESSES, &cursor);
	while (hf_cursor_next(&cursor)) {
		if (!hf_holders_decode_present(cursor.key, cursor.value, &a, &holder))
			c_fail(run, "a record of an address is damaged");
		struct bound *bound = &of[m_find_identity(&run->model, &holder.id)];
		if (bound->n == HF_BOUND_MAX)
			c_fail(run, "\"%s\" has more addresses than a lease can have", holder.id.service);
		bound->a[bound->n++] = a.n;
	}
}

static void start(struct run *run) {
	read_table(run, REPLAY.of);
	REPLAY.revision = hf_meta_read(run->f.reader).revision;
}

void replay_begin(struct run *run) {
	c_err(run, "reader", hf_reader_begin(run->f.reader, NULL), HF_OK);
	start(run);
	hf_reader_end(run->f.reader);
}

static struct bound bound_after(const struct hf_change *change) {
	struct bound bound = {.n = 0};
	if (change->type == HF_CHANGE_EXPIRED || change->type == HF_CHANGE_PURGED)
		return bound;
	for (int i = 0; i < change->n_vips; i++)
		bound.a[bound.n++] = change->vips[i].n;
	for (int i = 0; i < change->n_previous; i++)
		bound.a[bound.n++] = change->previous[i].address.n;
	return bound;
}

/* Whether a change may turn what a lease had into what it has. */
static bool may_follow(const struct hf_change *change, const struct bound *before, const struct bound *after) {
	bool same = before->n == after->n && holds_all(before, after);
	switch (change->type) {
	case HF_CHANGE_MOVED:
		return before->n > 0;
	case HF_CHANGE_ACQUIRED:
		return before->n == 0;
	case HF_CHANGE_RESTORED: /* also of what was remembered */
		return before->n == 0 || same;
	case HF_CHANGE_UPDATED: /* an overlap ends */
		return same || (change->cause == HF_CAUSE_DEADLINE && after->n < before->n && holds_all(before, after));
	case HF_CHANGE_EXPIRED:
	case HF_CHANGE_PURGED:
		return before->n > 0;
	default:
		return same;
	}
}

static void read_change(void *context, const struct hf_change *change) {
	struct run *run = context;
	if (change->revision != REPLAY.revision + 1)
		c_fail(run, "replay: revision %" PRIu64 " after %" PRIu64, change->revision, REPLAY.revision);
	REPLAY.revision = change->revision;
	if (!change->has_lease)
		return;
	int who = m_find_identity(&run->model, &change->id);
	struct bound *bound = &REPLAY.of[who], after = bound_after(change);
	if (change->type == HF_CHANGE_TRANSFERRED) {
		struct bound *from = &REPLAY.of[m_find_identity(&run->model, &change->from)];
		if (bound->n > 0)
			c_fail(run, "replay: \"%s\" is given a lease though it has one", change->id.service);
		*bound = *from;
		from->n = 0;
		seen.replayed_transfers++;
	}
	if (!may_follow(change, bound, &after))
		c_fail(run, "replay: \"%s\" has %d addresses after \"%s\" at revision %" PRIu64 ", and had %d", change->id.service,
		       after.n, hf_change_type_name(change->type), change->revision, bound->n);
	for (int i = 0; i < after.n; i++)
		if (owner(after.a[i], who) >= 0)
			c_fail(run, "replay: at revision %" PRIu64 " an address of \"%s\" is bound to \"%s\" as well",
			       change->revision, change->id.service, run->world.ids[owner(after.a[i], who)].service);
	seen.replayed_overlaps += change->n_previous > 0;
	*bound = after;
	seen.replayed++;
}

void replay_changes(struct run *run) {
	struct hf_feed_page page = {.more = true};
	struct hf_feed_query query = {.since = REPLAY.revision, .limit = HF_FEED_EXAMINED_MAX};
	if (hf_meta_read(run->f.reader).compacted > REPLAY.revision) { /* one commit wrote more than the feed keeps */
		start(run);
		return;
	}
	for (; page.more; query.since = page.examined)
		c_err(run, "replay", hf_feed_read(run->f.reader, &query, read_change, run, NULL, &page), HF_OK);
}

void replay_check(struct run *run) {
	static struct bound is[M_IDENTITIES];
	read_table(run, is);
	for (int who = 0; who < M_IDENTITIES; who++)
		if (is[who].n != REPLAY.of[who].n || !holds_all(&REPLAY.of[who], &is[who]))
			c_fail(run, "replay: \"%s\" has %d addresses in the table, and %d by the feed", run->world.ids[who].service,
			       is[who].n, REPLAY.of[who].n);
}

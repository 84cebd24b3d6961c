/* syncs.c — random syncs and manifests of a zone, against the model. */
#include "syncs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model_sync.h"
#include "random_sync.h"
#include "seen.h"
#include "storage/store/upkeep.h"
#include "storage/sync/sync_apply.h"
#include "storage/sync/sync_judge.h"
#include "words.h"
#include "writes.h"

static void say_sync(struct run *run, const struct m_sync *s) {
	static const char *const MODES[] = {"full", "delta", "manifest"};
	say(run, "%s sync of zone %s, kind %d, mesh \"%s\", %d items, maxRelease %d%s%s", MODES[s->mode], s->zone, s->kind, s->mesh,
	    s->n, s->percent, s->dry_run ? ", dry run" : "", s->force ? ", force" : "");
	if (s->renames)
		say(run, ", renames");
	if (s->has_epoch)
		say(run, ", epoch %" PRIu64, s->epoch);
	say(run, ":");
	for (int i = 0; i < s->n; i++)
		if (s->items[i].who >= 0)
			say(run, " %s%s/%s/%.20s", s->items[i].role == HF_SYNC_REMOVED ? "-" : "",
			    run->world.ids[s->items[i].who].zone, run->world.ids[s->items[i].who].mesh,
			    run->world.ids[s->items[i].who].service);
}

/* The store's request, of the model's. */
static void make(struct run *run, const struct m_sync *m, struct hf_budget *budget, struct hf_sync *ret) {
	hf_sync_init(ret, budget);
	strcpy(ret->zone, m->zone);
	strcpy(ret->mesh, m->mesh);
	ret->mode = m->mode;
	ret->kind = (enum hf_kind)m->kind;
	ret->has_epoch = m->has_epoch;
	ret->epoch = m->epoch;
	ret->dry_run = m->dry_run;
	ret->force = m->force;
	ret->renames = m->renames;
	ret->max_release_percent = m->percent;
	for (int i = 0; i < m->n; i++) {
		const struct m_item *item = &m->items[i];
		struct hf_sync_input input = {.role = item->role,
					      .place = (uint32_t)i + 1,
					      .id = item->who >= 0 ? &run->world.ids[item->who] : NULL,
					      .err = item->refused,
					      .why = "refused by the reader",
					      .raw = item->raw,
					      .fingerprint = item->fingerprint,
					      .fingerprint_version = 1,
					      .n_claims = item->n_claims,
					      .claims = item->claims,
					      .version = item->version};
		c_err(run, "an item", hf_sync_add(ret, &input, NULL), HF_OK);
	}
	c_err(run, "the end of the list", hf_sync_close_list(ret, NULL), HF_OK);
}

static void number(struct run *run, const char *what, uint64_t is, uint64_t expected) {
	if (is != expected)
		c_fail(run, "sync: %s: %" PRIu64 ", expected %" PRIu64, what, is, expected);
}

static void check_summary(struct run *run, const struct hf_sync *is, const struct m_sync *m) {
	for (int i = 0; i < HF_SYNC_OUTCOMES; i++)
		number(run, hf_sync_outcome_name((enum hf_sync_outcome)i), is->summary.of[i], m->summary.of[i]);
	number(run, "releases that were skipped", is->summary.release_skipped, m->summary.release_skipped);
	number(run, "active leases in the scope", is->active, m->active);
	number(run, "releases", is->releases, m->releases);
}

static void check_vips(struct run *run, const struct hf_sync_item *is, int place, const struct m_lease *lease) {
	bool same = is->n_vips == (lease ? lease->n_vips : 0);
	for (int v = 0; same && v < is->n_vips; v++)
		same = is->vips[v].n == lease->vips[v];
	if (!same)
		c_fail(run, "sync: place %d: another address than expected (%d of them)", place, is->n_vips);
	number(run, "previous addresses", is->n_previous, (uint64_t)(lease ? lease->n_previous : 0));
	for (int i = 0; i < is->n_previous; i++) {
		if (is->previous[i].address.n != lease->previous[i].a)
			c_fail(run, "sync: place %d: another previous address than expected", place);
		if (is->previous[i].until_ms > lease->previous[i].until_ms) /* it is put off without a revision */
			c_fail(run, "sync: place %d: an overlap ends later than expected", place);
	}
}

/* Who it is renamed from. */
static void check_from(struct run *run, const struct hf_sync_item *is, const struct m_item *m) {
	struct hf_identity id;
	bool renamed = m->outcome == HF_SYNC_TRANSFERRED;
	if (is->from != NULL && !hf_identity_decode(is->from, is->from_len, &id))
		c_fail(run, "sync: the old name is damaged");
	if ((is->from != NULL) != renamed || (renamed && m_identity_order(&id, &run->world.ids[m->from]) != 0))
		c_fail(run, "sync: it is renamed from another, or not at all");
}

static void check_item(struct run *run, const struct hf_sync_item *is, int place, const struct m_item *m) {
	if (is->outcome != m->outcome)
		c_fail(run, "sync: place %d: %s (%s), expected %s", place, hf_sync_outcome_name(is->outcome),
		       is->outcome == HF_SYNC_REJECTED ? is->why : "", hf_sync_outcome_name(m->outcome));
	if (is->outcome == HF_SYNC_REJECTED)
		number(run, "a rejected item's error", is->err, m->err);
	number(run, "place", is->place, (uint64_t)place);
	check_vips(run, is, place, m->has_lease ? &m->lease : NULL);
	number(run, "claim refused", hf_sync_claim_refused(is), m->claim_refused);
	seen.items[m->outcome]++;
	if (m->outcome == HF_SYNC_REJECTED)
		seen.rejected[m->err]++;
	seen.claims_refused += m->claim_refused;
	check_from(run, is, m);
}

/* What was not listed and is released, in key order. */
static void check_unlisted(struct run *run, const struct hf_sync *is, const struct m_sync *m) {
	struct hf_identity id;
	const struct hf_sync_item *item = is->released;
	for (int i = 0; i < m->n_unlisted; i++, item = item->next) {
		int who = m->unlisted[i];
		if (!item || !hf_identity_decode(item->key, item->key_len, &id) || m_identity_order(&id, &run->world.ids[who]) != 0)
			c_fail(run, "sync: \"%s\" is not the next to be released", run->world.ids[who].service);
		if (item->outcome != HF_SYNC_RELEASED)
			c_fail(run, "sync: \"%s\": %s", id.service, hf_sync_outcome_name(item->outcome));
		check_vips(run, item, 0, &run->model.leases[who]);
		seen.items[HF_SYNC_RELEASED]++;
	}
	if (item)
		c_fail(run, "sync: more is released than expected");
}

static void check_result(struct run *run, const struct hf_sync *is, const struct m_sync *m) {
	int i = 0;
	check_summary(run, is, m);
	for (const struct hf_sync_item *item = is->first; item; item = item->next, i++)
		check_item(run, item, i + 1, &m->items[i]);
	number(run, "items", (uint64_t)i, (uint64_t)m->n);
	check_unlisted(run, is, m);
	number(run, "revision", is->revision, m->revision);
	number(run, "epoch of the zone", is->zone_epoch, m->zone_epoch);
	number(run, "whether the zone is known", is->zone_known, m->zone_known);
	number(run, "reallocations avoided", is->reallocations_avoided, m->avoided);
	if (!hf_digest_equal(&is->digest, &m->digest))
		c_fail(run, "sync: another digest of the zone");
	seen.skipped += m->summary.release_skipped;
	seen.avoided += m->avoided;
}

static void see_guarded(const struct m_sync *m) {
	seen.guarded_empty += m->guarded_empty;
	seen.guarded_part += m->guarded_part;
	seen.guarded_worn += m->guarded_worn;
}

/* Returns whether it is to be committed. */
static bool peek(struct run *run, struct hf_sync *sync, struct m_sync *m) {
	bool write = false, expected = false;
	struct hf_why why = {""};
	c_err(run, "reader", hf_reader_begin(run->f.reader, NULL), HF_OK);
	enum hf_err err = hf_sync_peek(run->f.reader, sync, &why, &write);
	hf_reader_end(run->f.reader);
	enum hf_err expected_err = m_sync_peek(&run->model, m, &expected);
	c_err(run, "peek at a sync", err, expected_err);
	seen.sync_errors[err]++;
	if (err == HF_E_MASS_RELEASE_GUARD) {
		check_summary(run, sync, m);
		see_guarded(m);
	}
	if (err)
		return false;
	if (write != expected)
		c_fail(run, "peek: the sync is%s to be written, expected%s", write ? "" : " not", expected ? "" : " not");
	if (write)
		return true;
	check_result(run, sync, m);
	seen.unwritten++;
	return false;
}

/* The model has what was before in its spare. */
static void see_renames(const struct run *run, const struct m_sync *m) {
	for (int i = 0; i < M_NOT_RENAMED; i++)
		seen.not_renamed[i] += m->not_renamed[i];
	for (int i = 0; i < m->n; i++) {
		const struct m_item *item = &m->items[i];
		if (item->outcome != HF_SYNC_TRANSFERRED)
			continue;
		seen.renamed_removed += m->mode == HF_SYNC_DELTA;
		seen.renamed_quarantined += run->spare.leases[item->from].quarantined;
		seen.renamed_previous += item->lease.n_previous > 0;
	}
}

/* As the committer does with a write that commits alone. Returns whether it was committed. */
static bool commit_alone(struct run *run, struct hf_sync *sync, struct m_sync *m) {
	struct hf_batch *batch;
	struct hf_why why = {""};
	struct hf_write *write = &sync->write;
	struct stat before = age_file(run);
	uint64_t revision = run->model.revision;
	m_copy(&run->spare, &run->model);
	hf_sync_begin(sync);
	c_err(run, "begin", hf_upkeep_begin(run->f.store, NULL, &batch), HF_OK);
	bool writes = m_begin(&run->model, run->f.now_ms, M_SWEEP) > 0;
	run->f.monotonic_ms += 30000 * (1 + w_below(&run->world, 4)); /* no two syncs in one step of what is remembered */
	run->model.monotonic_ms = run->f.monotonic_ms;
	uint64_t swept = run->model.revision;
	run->model.by = w_caller(&run->world);
	hf_batch_set_by(batch, run->model.by);
	enum hf_err expected = m_sync_commit(&run->model, m);
	see_renames(run, m);
	write->err = write->apply(batch, write, &why);
	if (write->err != expected)
		c_fail(run, "sync: the answer is %s (%s), expected %s", hf_err_slug(write->err), why.text, hf_err_slug(expected));
	/* A batch that changed nothing is given up too. */
	bool given_up = expected || m->dry_run || run->model.revision == revision;
	if (!write->solo || (!write->err && write->discard != given_up))
		c_fail(run, "sync: solo %d, discard %d", write->solo, write->discard);
	if (expected == HF_E_MASS_RELEASE_GUARD)
		check_summary(run, sync, m);
	if (!expected)
		check_result(run, sync, m);
	seen.sync_errors[expected]++;
	if (expected == HF_E_MASS_RELEASE_GUARD)
		see_guarded(m);
	seen.dry_runs += !expected && m->dry_run;
	writes = (writes || run->model.revision != swept) && !given_up;
	if (given_up) {
		hf_batch_abort(batch);
		give_up(run);
	} else {
		seen.forced +=
			m->releases > 0 && m->force && run->model.zones[m_find_zone(&run->model, m->zone)].state == HF_ZONE_OFFLINE;
		seen.partly_claimed += m->claimed_in_part > 0;
		seen.written += run->model.revision != revision;
		c_err(run, "commit", hf_upkeep_commit(batch, NULL), HF_OK);
	}
	check_file(run, &before, writes);
	check_meta(run);
	return !given_up;
}

/* Whether the zone had changes since the revision, and whether others had. */
static void see_between(const struct run *run, const char *zone, uint64_t since) {
	bool same = false, other = false;
	for (uint64_t r = since + 1; r <= run->model.revision; r++) {
		int who = m_change(&run->model, r)->who;
		bool of_zone = who >= 0 && strcmp(run->world.ids[who].zone, zone) == 0;
		int from = m_change(&run->model, r)->from;
		of_zone = of_zone || (from >= 0 && strcmp(run->world.ids[from].zone, zone) == 0);
		same = same || of_zone;
		other = other || !of_zone;
	}
	seen.between += same || other;
	seen.between_same += same;
	seen.between_other += other && !same;
}

bool do_this_sync(struct run *run, struct m_sync *m) {
	struct hf_budget budget = {.max_bytes = (size_t)64 << 20};
	struct hf_sync sync;
	say_sync(run, m);
	make(run, m, &budget, &sync);
	bool committed = peek(run, &sync, m) && commit_alone(run, &sync, m);
	hf_sync_free(&sync);
	return committed;
}

/* What a document shows is no longer others' too; or it has got a lease of its own. */
static void change_renames(struct run *run, const struct m_sync *m) {
	bool others = w_chance(&run->world, 50);
	for (int i = 0; i < m->n; i++) {
		const struct m_item *item = &m->items[i];
		if (item->todo != M_CREATE && item->todo != M_RENAME)
			continue;
		for (int c = 0; others && c < item->n_claims; c++) {
			int who = m_holder_of(&run->model, item->claims[c].n);
			if (who < 0 || strcmp(run->world.ids[who].zone, m->zone) == 0)
				continue;
			say(run, "; meanwhile: ");
			do_purge(run, who);
		}
		if (others || item->n_claims == 0)
			continue;
		struct hf_acquire request = {.want = {.id = run->world.ids[item->who],
						      .has_config = true,
						      .has_fingerprint = true,
						      .fingerprint_version = 1,
						      .fingerprint = item->fingerprint,
						      .raw = item->raw}};
		say(run, "; meanwhile: ");
		do_acquire(run, &request);
	}
	say(run, "; then the sync is committed");
}

void do_sync(struct run *run, void (*between)(struct run *run)) {
	static struct m_sync syncs[2]; /* the second while the first is between peek and commit */
	static int depth;
	struct m_sync *m = &syncs[depth];
	struct hf_budget budget = {.max_bytes = (size_t)64 << 20};
	struct hf_sync sync;
	do
		w_sync(&run->world, &run->model, m);
	while (depth == 1 && m->zone == syncs[0].zone); /* syncs of one zone come one after the other */
	say_sync(run, m);
	make(run, m, &budget, &sync);
	seen.syncs[m->mode]++;
	if (peek(run, &sync, m)) {
		uint64_t revision = run->model.revision;
		if (between && m->renames && w_chance(&run->world, 30)) {
			change_renames(run, m);
			see_between(run, m->zone, revision);
		} else if (between && w_chance(&run->world, 40)) {
			depth++;
			w_focus(&run->world, m->zone);
			between(run);
			w_focus(&run->world, NULL);
			depth--;
			see_between(run, m->zone, revision);
			say(run, "; then the sync of zone %s is committed", m->zone);
		}
		commit_alone(run, &sync, m);
	}
	hf_sync_free(&sync);
}

/* moves.c — transfers, and counts of moves. */
#include "moves.h"

#include <inttypes.h>
#include <string.h>

#include "random_moves.h"
#include "seen.h"
#include "storage/requests/transfer.h"
#include "storage/store/upkeep.h"
#include "words.h"
#include "writes.h"

void see_move(const struct model *m, const struct hf_move *move, const struct m_lease *before, const struct m_answer *answer) {
	const struct m_lease *lease = &answer->lease;
	struct seen_moves *s = &seen.moves;
	s->errors[answer->err]++;
	s->too_many += answer->err == HF_E_LEASE_EXISTS && before->exists && !before->quarantined;
	if (answer->err)
		return;
	s->stayed += !answer->writes;
	if (!answer->writes)
		return;
	s->moved++;
	s->overlapped += lease->n_previous > 0;
	s->other_pool += lease->pool != before->pool;
	s->forced += m->zones[m_find_zone(m, move->want.id.zone)].state == HF_ZONE_OFFLINE;
	for (int i = 0; i < before->n_previous; i++) {
		bool back = false, kept = false;
		for (int v = 0; v < lease->n_vips; v++)
			back = back || lease->vips[v] == before->previous[i].a;
		for (int v = 0; v < before->n_vips; v++)
			kept = kept || m_binds(lease, before->vips[v]);
		s->back += back;
		s->swapped += back && kept && move->want.overlap_seconds > 0;
		s->back_to_draining +=
			back && m_in(m->pools[lease->pool].draining, m->pools[lease->pool].n_draining, before->previous[i].a);
	}
	for (int i = 0; i < lease->n_previous; i++)
		s->across_pools += m_pool_at(m, lease->previous[i].a) != lease->pool;
}

static void say_transfer(struct run *run, const struct m_transfer *t) {
	const struct hf_identity *ids = run->world.ids;
	say(run, "transfer of %d, maxRelease %d%s%s", t->n, t->percent, t->dry_run ? ", dry run" : "", t->force ? ", force" : "");
	if (t->has_epoch)
		say(run, ", epoch %" PRIu64, t->epoch);
	say(run, ":");
	for (int i = 0; i < t->n; i++) {
		const struct hf_identity *from = &ids[t->items[i].from], *to = &ids[t->items[i].to];
		say(run, " %s/%s/%s/%.20s>%s/%s/%s/%.20s", hf_kind_name(from->kind), from->zone, from->mesh, from->service,
		    hf_kind_name(to->kind), to->zone, to->mesh, to->service);
	}
}

/* Which item is refused; their number: the transfer as a whole is. */
static int failed_item(const struct hf_transfer *transfer) {
	return (int)(transfer->failed == HF_TRANSFER_WHOLE ? transfer->n : transfer->failed);
}

/* Makes the store's request of the model's. False: both refuse the list. */
static bool make(struct run *run, struct m_transfer *m, struct hf_transfer *ret) {
	ret->has_epoch = m->has_epoch;
	ret->epoch = m->epoch;
	ret->dry_run = m->dry_run;
	ret->force = m->force;
	ret->max_release_percent = m->percent;
	for (int i = 0; i < m->n; i++)
		c_err(run, "an item",
		      hf_transfer_add(ret, &run->world.ids[m->items[i].from], &run->world.ids[m->items[i].to], NULL), HF_OK);
	enum hf_err err = hf_transfer_close_list(ret, NULL), expected = m_transfer_list(&run->model, m);
	c_err(run, "the end of the list", err, expected);
	bool twice_from = false, twice_to = false;
	for (int k = 0; err && ret->failed < (uint32_t)m->n && k < (int)ret->failed; k++) {
		twice_from = twice_from || m->items[k].from == m->items[ret->failed].from;
		twice_to = twice_to || m->items[k].to == m->items[ret->failed].to;
	}
	if (err && m->failed != failed_item(ret) && !twice_from && !twice_to)
		c_fail(run, "transfer: item %u is refused, expected %d", ret->failed, m->failed);
	seen.transfers.empty += err && m->n == 0;
	seen.transfers.zones += err && m->n > 0 && m->failed < m->n;
	seen.transfers.twice += err && m->n > 0 && m->failed == m->n;
	return !err;
}

static void check_items(struct run *run, const struct hf_transfer *is, const struct m_transfer *m) {
	const struct hf_transfer_item *item = is->first;
	for (int i = 0; i < m->n; i++, item = item->next) {
		const struct m_lease *lease = &run->model.leases[m->items[i].to];
		bool same = item && item->revision == lease->revision && item->n_vips == lease->n_vips;
		for (int v = 0; same && v < item->n_vips; v++)
			same = item->vips[v].n == lease->vips[v];
		if (!same)
			c_fail(run, "transfer: item %d has another revision or address", i);
		seen.transfers.items++;
		seen.transfers.quarantined += lease->quarantined;
		seen.transfers.previous += lease->n_previous > 0;
		seen.transfers.draining += lease->n_vips > 0 && !m_in(run->model.pools[lease->pool].config.cidrs,
								      run->model.pools[lease->pool].config.n_cidrs, lease->vips[0]);
	}
	if (item || is->revision != run->model.revision)
		c_fail(run, "transfer: more items than expected, or another revision: %" PRIu64, is->revision);
}

static void see(const struct run *run, const struct m_transfer *m, enum hf_err err) {
	struct seen_transfers *s = &seen.transfers;
	const struct model *before = &run->spare;
	s->errors[err]++;
	s->itself += err == HF_E_INVALID_PARAMETER;
	s->guarded_zone += err == HF_E_MASS_RELEASE_GUARD && m->guarded_zone;
	s->guarded_part += err == HF_E_MASS_RELEASE_GUARD && m->guarded_part;
	s->guarded_worn += err == HF_E_MASS_RELEASE_GUARD && m->guarded_worn;
	if (err == HF_E_LEASE_EXISTS) /* a circle or a chain: the target is itself to be given away */
		for (int i = 0; i < m->n; i++)
			s->chained += m->items[i].from == m->items[m->failed].to;
	if (err)
		return;
	s->dry_runs += m->dry_run;
	s->fenced += m->has_epoch;
	for (int i = 0; i < m->n; i++) {
		const struct hf_identity *from = &run->world.ids[m->items[i].from], *to = &run->world.ids[m->items[i].to];
		bool leaves = strcmp(from->zone, to->zone) != 0;
		s->to_other_zone += leaves;
		s->forced += leaves && before->zones[m_find_zone(before, from->zone)].state == HF_ZONE_OFFLINE;
		s->to_other_scope += !leaves && !m_same_scope(before, m->items[i].from, m->items[i].to);
		s->beside_selector += !m_pool_serves(before, before->leases[m->items[i].from].pool, m->items[i].to);
	}
}

/* As the committer does with a write that commits alone. */
static void commit_alone(struct run *run, struct hf_transfer *transfer, struct m_transfer *m) {
	struct hf_batch *batch;
	struct hf_why why = {""};
	struct hf_write *write = &transfer->write;
	struct stat before = age_file(run);
	hf_transfer_begin(transfer);
	c_err(run, "begin", hf_upkeep_begin(run->f.store, NULL, &batch), HF_OK);
	m_copy(&run->spare, &run->model);
	m_begin(&run->model, run->f.now_ms, M_SWEEP);
	run->f.monotonic_ms += 30000 * (1 + w_below(&run->world, 4)); /* as for syncs */
	run->model.monotonic_ms = run->f.monotonic_ms;
	run->model.by = w_caller(&run->world);
	hf_batch_set_by(batch, run->model.by);
	enum hf_err expected = m_transfer(&run->model, m);
	write->err = write->apply(batch, write, &why);
	if (write->err != expected)
		c_fail(run, "transfer: the answer is %s (%s), expected %s for item %d; guard: %d %d %d", hf_err_slug(write->err),
		       why.text, hf_err_slug(expected), m->failed, m->guarded_zone, m->guarded_part, m->guarded_worn);
	if (!write->solo || (!write->err && write->discard != m->dry_run))
		c_fail(run, "transfer: solo %d, discard %d", write->solo, write->discard);
	if (expected && failed_item(transfer) != m->failed)
		c_fail(run, "transfer: item %u is refused (%s), expected %d", transfer->failed, why.text, m->failed);
	see(run, m, expected);
	if (!expected)
		check_items(run, transfer, m);
	if (expected || m->dry_run) {
		hf_batch_abort(batch);
		give_up(run);
	} else {
		c_err(run, "commit", hf_upkeep_commit(batch, NULL), HF_OK);
		seen.transfers.written++;
	}
	check_file(run, &before, !expected && !m->dry_run);
	check_meta(run);
}

void do_transfer(struct run *run) {
	static struct m_transfer m;
	struct hf_budget budget = {.max_bytes = (size_t)64 << 20};
	struct hf_transfer transfer;
	hf_transfer_init(&transfer, &budget);
	w_transfer(&run->world, &run->model, &m);
	say_transfer(run, &m);
	if (make(run, &m, &transfer))
		commit_alone(run, &transfer, &m);
	hf_transfer_free(&transfer);
}

/* seen.c — counts of what the runs met. */
#include "seen.h"

#include <inttypes.h>
#include <stdio.h>

struct seen seen;

struct count {
	const char *group, *name;
	uint64_t n;
};

#define COUNTS 256

static int add(struct count *counts, int n, const char *group, const char *name, uint64_t number) {
	counts[n] = (struct count){group, name, number};
	return n + 1;
}

/* The errors of a group that must be met. */
static int add_errors(struct count *counts, int n, const char *group, const uint64_t *errors, const enum hf_err *wanted) {
	for (; *wanted; wanted++)
		n = add(counts, n, group, hf_err_slug(*wanted), errors[*wanted]);
	return n;
}

static int add_list(struct count *counts, int n, const char *group, const struct count *list, size_t len) {
	for (size_t i = 0; i < len; i++)
		n = add(counts, n, group, list[i].name, list[i].n);
	return n;
}
#define ADD_LIST(counts, n, group, list) add_list(counts, n, group, list, sizeof list / sizeof list[0])

static int collect_writes(struct count *counts, int n) {
	static const enum hf_err WRITES[] = {HF_E_INVALID_NAME,
					     HF_E_NOT_FOUND,
					     HF_E_ADDRESS_TAKEN,
					     HF_E_LEASE_EXISTS,
					     HF_E_STALE_EPOCH,
					     HF_E_ZONE_OFFLINE,
					     HF_E_POOL_IN_USE,
					     HF_E_POOL_OVERLAP,
					     HF_E_PRECONDITION_FAILED,
					     HF_E_ADDRESS_OUTSIDE_POOL,
					     HF_E_NO_POOL,
					     HF_E_POOL_EXHAUSTED,
					     HF_OK};
	for (int i = 0; i < HF_OUTCOMES; i++)
		n = add(counts, n, "", hf_outcome_name((enum hf_outcome)i), seen.outcomes[i]);
	n = add_errors(counts, n, "", seen.errors, WRITES);
	const struct count others[] = {{"", "quarantines ended", seen.met.expired}, {"", "connections lapsed", seen.met.lapsed},
				       {"", "held offline", seen.met.held_offline}, {"", "held after a return", seen.met.held_back},
				       {"", "incremental", seen.incremental},	    {"", "disconnected", seen.disconnected},
				       {"", "instances forgotten", seen.forgotten}, {"", "reopened", seen.reopened}};
	const struct count remembered[] = {
		{"", "addresses", seen.met.remembered},		{"", "and back", seen.met.came_back},
		{"", "handed out last", seen.met.handed_out},	{"", "forgotten as too many", seen.met.crowded_out},
		{"", "forgotten by an edit", seen.met.cut_off}, {"", "forgotten after 90 days", seen.met.aged}};
	n = ADD_LIST(counts, n, "remembered ", remembered);
	n = ADD_LIST(counts, n, "", others);
	for (int i = 0; i < 3; i++)
		n = add(counts, n, "connection ", hf_connection_name((enum hf_connection)i), seen.connections[i]);
	return n;
}

static int collect_backups(struct count *counts, int n) {
	const struct count backups[] = {{"", "taken", seen.backups},
					{"", "while others wrote", seen.backups_between},
					{"", "as plain copies", seen.copies}};
	const struct count restores[] = {{"", "done", seen.restores},
					 {"", "of an older backup", seen.restores_older},
					 {"", "of a plain copy", seen.restores_plain},
					 {"", "of one from before another", seen.restores_again},
					 {"", "to a stated epoch", seen.restores_stated},
					 {"", "held a quarantine", seen.met.held_restored},
					 {"", "new services before the old", seen.new_first},
					 {"", "adopted after it", seen.adopted_back},
					 {"", "addresses lost", seen.met.lost},
					 {"", "… that nobody else may get soon", seen.met.promised},
					 {"", "… that another got", seen.met.lost_given},
					 {"", "… that their owner got", seen.met.found}};
	n = ADD_LIST(counts, n, "backup: ", backups);
	return ADD_LIST(counts, n, "restore: ", restores);
}

static int collect_syncs(struct count *counts, int n) {
	static const enum hf_err SYNCS[] = {HF_E_STALE_EPOCH, HF_E_ZONE_OFFLINE, HF_E_MASS_RELEASE_GUARD, HF_OK};
	static const enum hf_err ITEMS[] = {HF_E_INVALID_JSON, HF_E_INVALID_NAME,   HF_E_INVALID_PARAMETER,
					    HF_E_NO_POOL,      HF_E_POOL_EXHAUSTED, HF_OK};
	static const char *const MODES[] = {"full", "delta", "manifest"};
	for (int i = 0; i < 3; i++)
		n = add(counts, n, "sync ", MODES[i], seen.syncs[i]);
	n = add_errors(counts, n, "sync ", seen.sync_errors, SYNCS);
	const struct count syncs[] = {{"", "unwritten", seen.unwritten},
				      {"", "written", seen.written},
				      {"", "dry run", seen.dry_runs},
				      {"", "forced", seen.forced},
				      {"", "guarded as empty", seen.guarded_empty},
				      {"", "guarded for one mesh and kind alone", seen.guarded_part},
				      {"", "guarded with what went before", seen.guarded_worn},
				      {"", "writes between", seen.between},
				      {"", "… in its zone", seen.between_same},
				      {"", "… elsewhere", seen.between_other},
				      {"", "releases skipped", seen.skipped},
				      {"", "claim refused", seen.claims_refused},
				      {"", "claimed in part", seen.partly_claimed},
				      {"", "reallocations avoided", seen.avoided}};
	n = ADD_LIST(counts, n, "sync ", syncs);
	for (int i = 0; i < HF_SYNC_OUTCOMES; i++)
		n = add(counts, n, "item ", hf_sync_outcome_name((enum hf_sync_outcome)i), seen.items[i]);
	return add_errors(counts, n, "item ", seen.rejected, ITEMS);
}

static int collect_moves(struct count *counts, int n) {
	static const enum hf_err MOVES[] = {
		HF_E_NOT_FOUND,		  HF_E_ADDRESS_TAKEN,	     HF_E_LEASE_EXISTS, HF_E_STALE_EPOCH,    HF_E_ZONE_OFFLINE,
		HF_E_PRECONDITION_FAILED, HF_E_ADDRESS_OUTSIDE_POOL, HF_E_NO_POOL,	HF_E_POOL_EXHAUSTED, HF_OK};
	const struct seen_moves *s = &seen.moves;
	const struct m_met_moves *met = &seen.met.moves;
	const struct count moves[] = {{"", "done", s->moved},
				      {"", "there already", s->stayed},
				      {"", "with previous addresses", s->overlapped},
				      {"", "… of other pools", s->across_pools},
				      {"", "too many previous addresses", s->too_many},
				      {"", "to another pool", s->other_pool},
				      {"", "forced", s->forced},
				      {"", "back", s->back},
				      {"", "… and the other stays", s->swapped},
				      {"", "… to a draining range", s->back_to_draining}};
	const struct count overlaps[] = {{"", "ended", met->ended},
					 {"", "… in quarantine", met->ended_quarantined},
					 {"", "… and a draining range with it", met->drained},
					 {"", "held offline", met->held_offline},
					 {"", "held after a return", met->held_back},
					 {"", "held by a restore", met->held_restored},
					 {"", "that a quarantine waits for", met->waited},
					 {"", "ended by a purge", met->purged},
					 {"", "ended with a quarantine", met->expired},
					 {"", "of a lease that came back", met->restored},
					 {"", "that kept a pool", seen.held_by_previous}};
	n = add_errors(counts, n, "move ", s->errors, MOVES);
	n = ADD_LIST(counts, n, "move ", moves);
	return ADD_LIST(counts, n, "overlap ", overlaps);
}

static int collect_transfers(struct count *counts, int n) {
	static const enum hf_err TRANSFERS[] = {
		HF_E_INVALID_PARAMETER, HF_E_NOT_FOUND,	   HF_E_LEASE_EXISTS,	    HF_E_ADDRESS_OUTSIDE_POOL,
		HF_E_STALE_EPOCH,	HF_E_ZONE_OFFLINE, HF_E_MASS_RELEASE_GUARD, HF_OK};
	const struct seen_transfers *s = &seen.transfers;
	const struct count transfers[] = {{"", "of nothing", s->empty},
					  {"", "of several zones", s->zones},
					  {"", "of one twice", s->twice},
					  {"", "to itself", s->itself},
					  {"", "to one that goes away", s->chained},
					  {"", "guarded for the zone alone", s->guarded_zone},
					  {"", "guarded for one mesh and kind alone", s->guarded_part},
					  {"", "guarded with what went before", s->guarded_worn},
					  {"", "done", s->written},
					  {"", "dry run", s->dry_runs},
					  {"", "fenced", s->fenced},
					  {"", "forced", s->forced},
					  {"", "items", s->items},
					  {"", "… in quarantine", s->quarantined},
					  {"", "… with previous addresses", s->previous},
					  {"", "… in a draining range", s->draining},
					  {"", "… to another zone", s->to_other_zone},
					  {"", "… to another mesh or kind", s->to_other_scope},
					  {"", "… that the pool never served", s->beside_selector}};
	n = add_errors(counts, n, "transfer ", s->errors, TRANSFERS);
	return ADD_LIST(counts, n, "transfer ", transfers);
}

static int collect_renames(struct count *counts, int n) {
	static const char *const WHY[M_NOT_RENAMED] = {[M_RENAMES_OFF] = "as nobody asked",
						       [M_UNREADABLE] = "as something is unreadable",
						       [M_STILL_NAMED] = "as the old name is listed",
						       [M_NOT_REMOVED] = "as the removal is rejected",
						       [M_OTHER_SCOPE] = "as the old name is out of the scope",
						       [M_OTHER_HOLDERS] = "as it shows others' addresses",
						       [M_NOT_SERVED] = "as the pool does not serve it",
						       [M_SECOND] = "as another shows the same"};
	const struct count renames[] = {{"", "of what a delta removes", seen.renamed_removed},
					{"", "out of quarantine", seen.renamed_quarantined},
					{"", "with previous addresses", seen.renamed_previous},
					{"", "after a restore", seen.renamed_back}};
	const struct count replays[] = {{"", "changes", seen.replayed},
					{"", "transfers", seen.replayed_transfers},
					{"", "overlaps", seen.replayed_overlaps}};
	for (int i = 0; i < M_NOT_RENAMED; i++)
		n = add(counts, n, "no rename ", WHY[i], seen.not_renamed[i]);
	n = ADD_LIST(counts, n, "rename ", renames);
	return ADD_LIST(counts, n, "replayed ", replays);
}

static int collect(struct count *counts) {
	int n = collect_backups(counts, collect_writes(counts, 0));
	n = collect_transfers(counts, collect_moves(counts, n));
	return collect_syncs(counts, collect_renames(counts, n));
}

static void add_met_moves(const struct m_met_moves *met) {
	struct m_met_moves *sum = &seen.met.moves;
	sum->ended += met->ended;
	sum->ended_quarantined += met->ended_quarantined;
	sum->drained += met->drained;
	sum->held_offline += met->held_offline;
	sum->held_back += met->held_back;
	sum->held_restored += met->held_restored;
	sum->waited += met->waited;
	sum->purged += met->purged;
	sum->expired += met->expired;
	sum->restored += met->restored;
}

void seen_met(const struct m_met *met) {
	add_met_moves(&met->moves);
	seen.met.expired += met->expired;
	seen.met.held_offline += met->held_offline;
	seen.met.lapsed += met->lapsed;
	seen.met.held_back += met->held_back;
	seen.met.held_restored += met->held_restored;
	seen.met.lost += met->lost;
	seen.met.found += met->found;
	seen.met.lost_given += met->lost_given;
	seen.met.promised += met->promised;
	seen.met.remembered += met->remembered;
	seen.met.crowded_out += met->crowded_out;
	seen.met.cut_off += met->cut_off;
	seen.met.aged += met->aged;
	seen.met.came_back += met->came_back;
	seen.met.handed_out += met->handed_out;
}

void seen_print(void) {
	static struct count counts[COUNTS];
	int n = collect(counts);
	for (int i = 0; i < n; i++)
		printf("%s%s %" PRIu64 "%s", counts[i].group, counts[i].name, counts[i].n, i + 1 < n ? ", " : "\n");
}

bool seen_all(void) {
	static struct count counts[COUNTS];
	int n = collect(counts), missing = 0;
	for (int i = 0; i < n; i++)
		if (counts[i].n == 0)
			missing += printf("FAILED: the runs never met \"%s%s\"\n", counts[i].group, counts[i].name) > 0;
	return missing == 0;
}

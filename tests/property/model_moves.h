/* model_moves.h — moves with an overlap, and transfers, once more: what is bound to a lease besides its addresses, and to whom. */
#ifndef HF_TESTS_MODEL_MOVES_H
#define HF_TESTS_MODEL_MOVES_H

#include "model.h"
#include "storage/requests/move.h"

#define M_TRANSFERS 200 /* items of one transfer */

/* All that is bound to a lease: its addresses, then those that it moved from. */
int m_bound(const struct m_lease *lease);
hf_u128 m_bound_at(const struct m_lease *lease, int i);
bool m_binds(const struct m_lease *lease, hf_u128 a);

/* The pool that an address is counted in, draining or not; -1: none. */
int m_pool_at(const struct model *m, hf_u128 a);

/* A quarantine frees all addresses, so it ends with the last overlap at the earliest. */
void m_wait_for_overlaps(struct model *m, struct m_lease *lease);

/* What was bound to a lease and no longer is becomes free. Then no pool keeps a draining range that nobody holds an address of. */
void m_close_left(struct model *m, const struct m_lease *before, const struct m_lease *after);
void m_drop_all_drained(struct model *m);

/* What a move must answer; with `write`, what it must do. */
struct m_answer m_move(struct model *m, const struct hf_move *request, bool write);

/* Gives a lease, as it is to be, to another identity. */
void m_hand_over(struct model *m, int from, int to, enum hf_cause cause);

struct m_transfer {
	/* The request. */
	bool has_epoch, dry_run, force;
	uint64_t epoch;
	int percent;
	int n;
	struct {
		int from, to;
	} items[M_TRANSFERS];
	/* The result. */
	int failed;				       /* the item that is refused; n: none, or all of them */
	bool guarded_zone, guarded_part, guarded_worn; /* why: a zone, a mesh and kind alone, what went before alone */
};

/* What a list is refused for before anything is looked at; and what the write must do. The model is altered also in a dry run. */
enum hf_err m_transfer_list(const struct model *m, struct m_transfer *t);
enum hf_err m_transfer(struct model *m, struct m_transfer *t);

/* What counts for the guard (model_wear.c): a lease of an identity's mesh and kind was released or taken away by the change with a
 * revision; a lease in quarantine comes back; what is over is dropped, and what lies in the scope of a sync that may release all.
 */
void m_wear(struct model *m, int who, uint64_t revision);
void m_end_wear(struct model *m, int who);
bool m_counts(const struct model *m, const struct m_worn *worn);
/* The noted ones of the same mesh and kind among which a release with that revision is, if that counts; else -1. */
int m_worn_among(const struct model *m, int who, uint64_t revision);
bool m_same_scope(const struct model *m, int a, int b);

#endif

/* moves.h — moves and transfers against the model. */
#ifndef HF_TESTS_MOVES_H
#define HF_TESTS_MOVES_H

#include "check.h"
#include "model_moves.h"

/* A transfer, which commits alone. */
void do_transfer(struct run *run);

/* Counts a move: the lease before it and the answer. */
void see_move(const struct model *m, const struct hf_move *move, const struct m_lease *before, const struct m_answer *answer);

#endif

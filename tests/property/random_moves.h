/* random_moves.h — random moves and transfers: mostly sensible. */
#ifndef HF_TESTS_RANDOM_MOVES_H
#define HF_TESTS_RANDOM_MOVES_H

#include "model_moves.h"
#include "random.h"

void w_move(struct world *w, const struct model *m, struct hf_move *ret);
int w_pool_to_delete(struct world *w, const struct model *m); /* often one that previous addresses alone hold */
void w_transfer(struct world *w, const struct model *m, struct m_transfer *ret);

#endif

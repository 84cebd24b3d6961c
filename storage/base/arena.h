/* arena.h — memory for one purpose: taken in blocks from a shared budget, given back all at once.
 *
 * A budget limits the memory that all requests of a kind use together; it is thread-safe. It may be divided into shares: each
 * share may use only a fraction of what is left of the whole, so something is always left for the next. An arena is one request's
 * part of a budget or share; one thread uses it at a time. Nothing blocks: an allocation that exceeds the budget fails.
 */
#ifndef HF_STORAGE_BASE_ARENA_H
#define HF_STORAGE_BASE_ARENA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct hf_budget {
	size_t max_bytes;	   /* of a share: what it may always use, even beyond the whole */
	_Atomic size_t used_bytes; /* including its shares */
	struct hf_budget *whole;   /* NULL for a whole budget; may be a share itself. Outlives its shares */
	unsigned parts;		   /* of a share: it may use 1/parts of what is left. 3: a quarter, if nobody else uses any */
};

/* Returns the whole budget of a share, through all levels; of a whole budget, itself. */
const struct hf_budget *hf_budget_root(const struct hf_budget *budget);

struct hf_arena {
	struct hf_budget *budget; /* set by its owner, the rest zeros; must outlive the arena */
	struct hf_arena_block *blocks;
	char *at, *end;	      /* the unused rest of the newest block */
	size_t charged_bytes; /* taken from the budget */
};

/* Returns memory aligned for any type, not zeroed, valid until hf_arena_free(). NULL: the budget is exceeded, or memory ran out. */
void *hf_arena_alloc(struct hf_arena *arena, size_t len);

/* Charges memory held elsewhere for the same purpose. Returns false if that exceeds the budget. */
bool hf_arena_charge(struct hf_arena *arena, size_t bytes);

/* Frees everything allocated and returns everything charged to the budget. The arena is then empty, and can be used again. */
void hf_arena_free(struct hf_arena *arena);

#endif

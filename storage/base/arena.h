/* arena.h — memory for one purpose: taken in blocks from a shared budget, given back all at once.
 *
 * A budget is what all requests of a kind may use together; it is thread-safe. It may have shares, so that nobody uses it all: a
 * share may use a part of what is left of the whole, and so there is always something left for the next. An arena is one request's
 * part of a budget or share, and one thread's at a time. Nothing blocks: what exceeds the budget is refused.
 */
#ifndef HF_STORAGE_BASE_ARENA_H
#define HF_STORAGE_BASE_ARENA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct hf_budget {
	size_t max_bytes;	   /* of a share: what it may use however much others do, beyond the whole if need be */
	_Atomic size_t used_bytes; /* with its shares */
	struct hf_budget *whole;   /* NULL: it is no share; may be a share itself. Outlives it */
	unsigned parts; /* of a share: so many times what it uses fits into what is left. 3: a quarter, if nobody else does */
};

/* The budget that a share is of in the end, or the budget itself. */
const struct hf_budget *hf_budget_root(const struct hf_budget *budget);

struct hf_arena {
	struct hf_budget *budget; /* set by its owner, the rest zeros; must outlive the arena */
	struct hf_arena_block *blocks;
	char *at, *end;	      /* what is left of the newest block */
	size_t charged_bytes; /* taken from the budget */
};

/* Memory for any type, not zeroed, until hf_arena_free(). NULL: beyond the budget, or out of memory. */
void *hf_arena_alloc(struct hf_arena *arena, size_t len);

/* Charges memory that is held elsewhere for the arena's purpose. False: beyond the budget. */
bool hf_arena_charge(struct hf_arena *arena, size_t bytes);

/* Frees what was allocated and gives back all that was charged. The arena is then empty, and can be used again. */
void hf_arena_free(struct hf_arena *arena);

#endif

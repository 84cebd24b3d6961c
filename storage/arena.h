/* arena.h — memory for one purpose: taken in blocks from a shared budget, given back all at once.
 *
 * A budget is what all requests of a kind may use together; it is thread-safe. An arena is one request's part of it, and one
 * thread's at a time. Nothing blocks: what exceeds the budget is refused.
 */
#ifndef HF_STORAGE_ARENA_H
#define HF_STORAGE_ARENA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct hf_budget {
	size_t max_bytes;
	_Atomic size_t used_bytes;
};

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

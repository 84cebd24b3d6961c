/* arena.c — blocks of memory, and the budget that they come from. */
#include "arena.h"

#include <stdint.h>
#include <stdlib.h>

#define BLOCK_BYTES ((size_t)64 << 10)
#define ALIGNMENT _Alignof(max_align_t)

struct hf_arena_block {
	struct hf_arena_block *next;
	_Alignas(max_align_t) char data[];
};

const struct hf_budget *hf_budget_root(const struct hf_budget *budget) {
	while (budget->whole)
		budget = budget->whole;
	return budget;
}

static size_t left(const struct hf_budget *root) {
	size_t used = root->used_bytes;
	return used < root->max_bytes ? root->max_bytes - used : 0;
}

static void give(struct hf_budget *budget, size_t bytes) {
	for (; budget; budget = budget->whole)
		atomic_fetch_sub(&budget->used_bytes, bytes);
}

/* Takes bytes from a budget; if `allowed`, a share below it may use them in any case. */
static bool take(struct hf_budget *budget, size_t bytes, bool allowed) {
	size_t used = atomic_fetch_add(&budget->used_bytes, bytes) + bytes;
	allowed = allowed || used <= budget->max_bytes;
	if (budget->whole ? take(budget->whole, bytes, allowed) : allowed) {
		if (allowed || used <= left(hf_budget_root(budget)) / budget->parts)
			return true;
		give(budget, bytes);
		return false;
	}
	atomic_fetch_sub(&budget->used_bytes, bytes);
	return false;
}

bool hf_arena_charge(struct hf_arena *arena, size_t bytes) {
	if (bytes > hf_budget_root(arena->budget)->max_bytes) /* also keeps the sum below from overflowing */
		return false;
	if (!take(arena->budget, bytes, false))
		return false;
	arena->charged_bytes += bytes;
	return true;
}

static bool add_block(struct hf_arena *arena, size_t len) {
	size_t bytes = len > BLOCK_BYTES ? len : BLOCK_BYTES;
	if (!hf_arena_charge(arena, sizeof(struct hf_arena_block) + bytes))
		return false;
	struct hf_arena_block *block = malloc(sizeof *block + bytes); /* if it fails, the charge stays until hf_arena_free() */
	if (!block)
		return false;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->at = block->data;
	arena->end = block->data + bytes;
	return true;
}

void *hf_arena_alloc(struct hf_arena *arena, size_t len) {
	if (len > SIZE_MAX / 2) /* from here on no sum overflows */
		return NULL;
	len = ((len ? len : 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if ((size_t)(arena->end - arena->at) < len && !add_block(arena, len))
		return NULL;
	void *memory = arena->at;
	arena->at += len;
	return memory;
}

void hf_arena_free(struct hf_arena *arena) {
	while (arena->blocks) {
		struct hf_arena_block *block = arena->blocks;
		arena->blocks = block->next;
		free(block);
	}
	if (arena->charged_bytes)
		give(arena->budget, arena->charged_bytes);
	*arena = (struct hf_arena){.budget = arena->budget};
}

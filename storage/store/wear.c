/* wear.c — for each scope, counts by steps of half a minute. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "wear.h"

#include <stdlib.h>
#include <uthash.h>

#include "storage/base/identity.h"

#define PRUNE_MIN 64 /* scopes */

/* Releases within half a minute. */
struct step {
	int64_t from_ms, to_ms; /* when the first and the last of them were made */
	uint64_t first, last;	/* their revisions */
	uint64_t count;		/* of those that still count */
	uint64_t added, undone; /* by the current batch */
};

struct worn {
	uint8_t scope[HF_SCOPE_MAX];
	unsigned scope_len;
	bool lost; /* could not be added to the hash table: out of memory */
	int n;
	struct step steps[HF_WEAR_STEPS]; /* the oldest first */
	UT_hash_handle hh;
};

struct hf_wear {
	struct worn *scopes;
	unsigned prune_at; /* how many scopes there are before they are pruned again: so that a scope costs O(1) */
	bool unsettled;	   /* the current batch has noted something */
};

static bool counts(const struct step *step, int64_t now_ms) { return now_ms - step->to_ms < HF_WEAR_MS; }

static struct worn *find(const struct hf_wear *wear, struct hf_slice scope) {
	struct worn *worn = NULL;
	if (wear)
		HASH_FIND(hh, wear->scopes, scope.data, scope.len, worn);
	return worn;
}

static void drop(struct hf_wear *wear, struct worn *worn) {
	HASH_DEL(wear->scopes, worn);
	free(worn);
}

/* Drops scopes whose releases no longer count. */
static void prune(struct hf_wear *wear, int64_t now_ms) {
	struct worn *worn, *next;
	if (HASH_COUNT(wear->scopes) < wear->prune_at)
		return;
	HASH_ITER (hh, wear->scopes, worn, next)
		if (worn->n == 0 || (!counts(&worn->steps[worn->n - 1], now_ms) && worn->steps[worn->n - 1].added == 0))
			drop(wear, worn);
	wear->prune_at = 2 * HASH_COUNT(wear->scopes) + PRUNE_MIN;
}

static struct worn *make(struct hf_wear *wear, struct hf_slice scope, int64_t now_ms) {
	prune(wear, now_ms);
	struct worn *worn = calloc(1, sizeof *worn);
	if (!worn)
		return NULL;
	memcpy(worn->scope, scope.data, scope.len);
	worn->scope_len = (unsigned)scope.len;
	HASH_ADD(hh, wear->scopes, scope, worn->scope_len, worn);
	if (worn->lost) {
		free(worn);
		return NULL;
	}
	return worn;
}

/* Returns the step of a release now; a new step replaces the oldest, which no longer counts. */
static struct step *step_of(struct worn *worn, uint64_t revision, int64_t now_ms) {
	struct step *last = worn->n > 0 ? &worn->steps[worn->n - 1] : NULL;
	if (last && now_ms - last->from_ms < HF_WEAR_STEP_MS)
		return last;
	if (worn->n == HF_WEAR_STEPS)
		memmove(&worn->steps[0], &worn->steps[1], sizeof worn->steps[0] * (size_t)--worn->n);
	worn->steps[worn->n] = (struct step){.from_ms = now_ms, .to_ms = now_ms, .first = revision, .last = revision};
	return &worn->steps[worn->n++];
}

bool hf_wear_add(struct hf_wear **wear, struct hf_slice scope, uint64_t revision, int64_t now_ms) {
	if (!*wear && !(*wear = calloc(1, sizeof **wear)))
		return false;
	struct worn *worn = find(*wear, scope);
	if (!worn && !(worn = make(*wear, scope, now_ms)))
		return false;
	struct step *step = step_of(worn, revision, now_ms);
	step->to_ms = now_ms;
	step->last = revision;
	step->added++;
	(*wear)->unsettled = true;
	return true;
}

/* Returns the step that may contain the release with that revision, and still has releases. */
static struct step *find_step(const struct hf_wear *wear, struct hf_slice scope, uint64_t revision) {
	struct worn *worn = find(wear, scope);
	for (int i = 0; worn && i < worn->n; i++) {
		struct step *step = &worn->steps[i];
		if (step->first <= revision && revision <= step->last && step->count + step->added > step->undone)
			return step;
	}
	return NULL;
}

void hf_wear_undo(struct hf_wear *wear, struct hf_slice scope, uint64_t revision) {
	struct step *step = find_step(wear, scope, revision);
	if (!step)
		return;
	step->undone++;
	wear->unsettled = true;
}

void hf_wear_forget(struct hf_wear *wear, struct hf_slice scope) {
	struct worn *worn = find(wear, scope);
	for (int i = 0; worn && i < worn->n; i++) {
		worn->steps[i].undone = worn->steps[i].count;
		wear->unsettled = true;
	}
}

void hf_wear_settle(struct hf_wear *wear, bool committed) {
	struct worn *worn, *next;
	if (!wear || !wear->unsettled)
		return;
	wear->unsettled = false;
	HASH_ITER (hh, wear->scopes, worn, next)
		for (int i = 0; i < worn->n; i++) {
			struct step *step = &worn->steps[i];
			if (committed)
				step->count += step->added - step->undone;
			step->added = step->undone = 0;
		}
}

bool hf_wear_has(const struct hf_wear *wear, struct hf_slice scope, uint64_t revision, int64_t now_ms) {
	const struct step *step = find_step(wear, scope, revision);
	return step && counts(step, now_ms);
}

static uint64_t count_of(const struct worn *worn, int64_t now_ms) {
	uint64_t releases = 0;
	for (int i = 0; i < worn->n; i++)
		releases += counts(&worn->steps[i], now_ms) ? worn->steps[i].count : 0;
	return releases;
}

uint64_t hf_wear_of(const struct hf_wear *wear, struct hf_slice scope, int64_t now_ms) {
	const struct worn *worn = find(wear, scope);
	return worn ? count_of(worn, now_ms) : 0;
}

void hf_wear_each(const struct hf_wear *wear, struct hf_slice prefix, int64_t now_ms,
		  void (*each)(void *context, struct hf_slice scope, uint64_t releases), void *context) {
	struct worn *worn, *next;
	if (!wear)
		return;
	HASH_ITER (hh, wear->scopes, worn, next) {
		struct hf_slice scope = {worn->scope, worn->scope_len};
		uint64_t releases = count_of(worn, now_ms);
		if (releases > 0 && hf_slice_extends(scope, prefix))
			each(context, scope, releases);
	}
}

void hf_wear_free(struct hf_wear *wear) {
	struct worn *worn, *next;
	if (!wear)
		return;
	HASH_ITER (hh, wear->scopes, worn, next)
		drop(wear, worn);
	free(wear);
}

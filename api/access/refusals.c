/* refusals.c — a table of recent refusals. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "refusals.h"

#include <pthread.h>
#include <stdlib.h>
#include <uthash.h>

#include "storage/base/identity.h"

struct key {
	char zone[HF_NAME_MAX + 1]; /* padded with NULs */
	int code;
};

struct entry {
	struct key key;
	int64_t logged_ms; /* when the last line was written */
	uint64_t unlogged;
	bool lost; /* could not be hashed, out of memory */
	UT_hash_handle hh;
};

struct hf_refusals {
	pthread_mutex_t lock; /* guards what follows */
	struct entry *entries;
};

struct hf_refusals *hf_refusals_new(void) {
	struct hf_refusals *refusals = calloc(1, sizeof *refusals);
	if (refusals)
		pthread_mutex_init(&refusals->lock, NULL);
	return refusals;
}

void hf_refusals_free(struct hf_refusals *refusals) {
	struct entry *entry, *next;
	if (!refusals)
		return;
	HASH_ITER (hh, refusals->entries, entry, next) {
		HASH_DEL(refusals->entries, entry);
		free(entry);
	}
	pthread_mutex_destroy(&refusals->lock);
	free(refusals);
}

static struct entry *find(struct hf_refusals *refusals, const char *zone, enum hf_err code) {
	struct key key;
	struct entry *entry;
	memset(&key, 0, sizeof key);
	strncpy(key.zone, zone, HF_NAME_MAX);
	key.code = code;
	HASH_FIND(hh, refusals->entries, &key, sizeof key, entry);
	return entry;
}

/* NULL: out of memory. */
static struct entry *make(struct hf_refusals *refusals, const char *zone, enum hf_err code) {
	struct entry *entry = calloc(1, sizeof *entry);
	if (!entry)
		return NULL;
	strncpy(entry->key.zone, zone, HF_NAME_MAX);
	entry->key.code = code;
	HASH_ADD(hh, refusals->entries, key, sizeof entry->key, entry);
	if (!entry->lost)
		return entry;
	free(entry);
	return NULL;
}

bool hf_refusals_note(struct hf_refusals *refusals, const char *zone, enum hf_err code, int64_t now_ms, uint64_t *ret_unlogged) {
	pthread_mutex_lock(&refusals->lock);
	struct entry *entry = find(refusals, zone, code);
	if (!entry && HASH_COUNT(refusals->entries) >= HF_REFUSALS_MAX)
		entry = find(refusals, zone = "", code);
	bool is_new = !entry;
	if (is_new)
		entry = make(refusals, zone, code);
	bool logs = entry && (is_new || now_ms - entry->logged_ms >= HF_REFUSALS_QUIET_MS);
	if (logs) {
		*ret_unlogged = entry->unlogged;
		entry->unlogged = 0;
		entry->logged_ms = now_ms;
	} else if (entry) {
		entry->unlogged++;
	}
	pthread_mutex_unlock(&refusals->lock);
	return logs;
}

void hf_refusals_report(struct hf_refusals *refusals, int64_t now_ms, bool all,
			void (*each)(void *context, const char *zone, enum hf_err code, uint64_t unlogged), void *context) {
	struct entry *entry, *next;
	pthread_mutex_lock(&refusals->lock);
	HASH_ITER (hh, refusals->entries, entry, next) {
		if (!all && now_ms - entry->logged_ms < HF_REFUSALS_QUIET_MS)
			continue;
		if (entry->unlogged > 0) {
			each(context, entry->key.zone, (enum hf_err)entry->key.code, entry->unlogged);
			entry->unlogged = 0;
			entry->logged_ms = now_ms; /* this line counts for the next ten seconds */
		} else if (!all) {
			HASH_DEL(refusals->entries, entry);
			free(entry);
		}
	}
	pthread_mutex_unlock(&refusals->lock);
}

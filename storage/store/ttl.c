/* ttl.c — when each connection was last refreshed. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "ttl.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uthash.h>

#include "store_internal.h"

/* Entries stay, as a refresh that is late must find that its epoch is over; there is at most one for each zone that ever stated a
 * ttl. */
struct entry {
	char zone[HF_NAME_MAX + 1];
	bool lost; /* could not be added to the hash table: out of memory */
	bool is_over;
	bool lapses; /* in this batch */
	bool is_news;
	uint64_t epoch;
	int64_t ttl_ms, refreshed_ms;
	uint64_t lapsed_epoch; /* of the last lapse: the zone may have connected again in the same batch */
	int64_t lapsed_ttl_ms;
	UT_hash_handle hh;
};

struct hf_ttl {
	pthread_mutex_t lock; /* of the entries */
	struct entry *entries;
	int n_lapses, n_news; /* how many entries have these marks; the writer's */
	_Atomic int64_t next_ms;
};

struct hf_ttl *hf_ttl_new(void) {
	struct hf_ttl *ttl = calloc(1, sizeof *ttl);
	if (ttl) {
		pthread_mutex_init(&ttl->lock, NULL);
		ttl->next_ms = INT64_MAX;
	}
	return ttl;
}

void hf_ttl_free(struct hf_ttl *ttl) {
	struct entry *entry, *next;
	if (!ttl)
		return;
	HASH_ITER (hh, ttl->entries, entry, next) {
		HASH_DEL(ttl->entries, entry);
		free(entry);
	}
	pthread_mutex_destroy(&ttl->lock);
	free(ttl);
}

static struct entry *find(struct hf_ttl *ttl, const char *zone) {
	struct entry *entry;
	HASH_FIND_STR(ttl->entries, zone, entry);
	return entry;
}

static struct entry *add(struct hf_ttl *ttl, const char *zone) {
	struct entry *entry = calloc(1, sizeof *entry);
	if (!entry)
		return NULL;
	memcpy(entry->zone, zone, strlen(zone) + 1);
	HASH_ADD_STR(ttl->entries, zone, entry);
	if (!entry->lost)
		return entry;
	free(entry);
	return NULL;
}

/* The lock is held. */
static bool set(struct hf_ttl *ttl, const struct hf_zone *zone, bool again, int64_t now_ms) {
	struct entry *entry = find(ttl, zone->name);
	bool has_time = zone->state == HF_ZONE_ONLINE && zone->ttl_ms > 0;
	if (!entry && has_time)
		entry = add(ttl, zone->name);
	if (!entry)
		return !has_time;
	bool begins = has_time && entry->is_over && !again; /* a connection that was rolled back can have had the same epoch */
	entry->is_over = !has_time;
	if (begins || entry->epoch != zone->epoch || entry->ttl_ms != zone->ttl_ms)
		entry->refreshed_ms = now_ms;
	entry->epoch = zone->epoch;
	entry->ttl_ms = zone->ttl_ms;
	if (has_time && entry->refreshed_ms + entry->ttl_ms < ttl->next_ms)
		ttl->next_ms = entry->refreshed_ms + entry->ttl_ms;
	return true;
}

bool hf_ttl_set(struct hf_ttl *ttl, const struct hf_zone *zone, int64_t now_ms) {
	pthread_mutex_lock(&ttl->lock);
	bool good = set(ttl, zone, false, now_ms);
	pthread_mutex_unlock(&ttl->lock);
	return good;
}

bool hf_ttl_set_again(struct hf_ttl *ttl, const struct hf_zone *zone, int64_t now_ms) {
	pthread_mutex_lock(&ttl->lock);
	bool good = set(ttl, zone, true, now_ms);
	pthread_mutex_unlock(&ttl->lock);
	return good;
}

void hf_ttl_clear(struct hf_ttl *ttl) {
	pthread_mutex_lock(&ttl->lock);
	for (struct entry *entry = ttl->entries; entry; entry = entry->hh.next)
		entry->is_over = true;
	pthread_mutex_unlock(&ttl->lock);
}

bool hf_ttl_refresh(struct hf_ttl *ttl, const char *zone, uint64_t epoch, int64_t now_ms) {
	pthread_mutex_lock(&ttl->lock);
	struct entry *entry = find(ttl, zone);
	bool good = entry && entry->epoch == epoch && !entry->is_over;
	if (good)
		entry->refreshed_ms = now_ms;
	pthread_mutex_unlock(&ttl->lock);
	return good;
}

int64_t hf_ttl_next_ms(const struct hf_ttl *ttl) { return ttl->next_ms; }

int hf_ttl_take_due(struct hf_ttl *ttl, int64_t now_ms, int max, char (*ret_zones)[HF_NAME_MAX + 1]) {
	int64_t next_ms = INT64_MAX;
	int n = 0;
	pthread_mutex_lock(&ttl->lock);
	for (struct entry *entry = ttl->entries; entry; entry = entry->hh.next) {
		int64_t end_ms = entry->refreshed_ms + entry->ttl_ms;
		if (entry->is_over)
			continue;
		if (end_ms <= now_ms && n < max) {
			entry->is_over = true;
			memcpy(ret_zones[n++], entry->zone, sizeof entry->zone);
		} else if (end_ms < next_ms) {
			next_ms = end_ms;
		}
	}
	ttl->next_ms = next_ms;
	pthread_mutex_unlock(&ttl->lock);
	return n;
}

void hf_ttl_note_lapse(struct hf_ttl *ttl, const char *zone) {
	pthread_mutex_lock(&ttl->lock);
	struct entry *entry = find(ttl, zone);
	if (entry && !entry->lapses) {
		entry->lapses = true;
		entry->lapsed_epoch = entry->epoch;
		entry->lapsed_ttl_ms = entry->ttl_ms;
		ttl->n_lapses++;
	}
	pthread_mutex_unlock(&ttl->lock);
}

void hf_ttl_settle(struct hf_ttl *ttl, bool committed) {
	if (ttl->n_lapses == 0)
		return;
	pthread_mutex_lock(&ttl->lock);
	for (struct entry *entry = ttl->entries; entry; entry = entry->hh.next) {
		if (entry->lapses && committed && !entry->is_news) {
			entry->is_news = true;
			ttl->n_news++;
		}
		entry->lapses = false;
	}
	ttl->n_lapses = 0;
	pthread_mutex_unlock(&ttl->lock);
}

bool hf_ttl_next_news(struct hf_ttl *ttl, struct hf_ttl_news *ret) {
	if (ttl->n_news == 0)
		return false;
	pthread_mutex_lock(&ttl->lock);
	struct entry *entry = ttl->entries;
	while (entry && !entry->is_news)
		entry = entry->hh.next;
	if (entry) {
		*ret = (struct hf_ttl_news){.epoch = entry->lapsed_epoch, .ttl_ms = entry->lapsed_ttl_ms};
		memcpy(ret->zone, entry->zone, sizeof ret->zone);
		entry->is_news = false;
		ttl->n_news--;
	}
	pthread_mutex_unlock(&ttl->lock);
	return entry != NULL;
}

bool hf_store_refresh_zone(struct hf_store *store, const struct hf_zone *zone) {
	return hf_ttl_refresh(store->ttl, zone->name, zone->epoch, hf_store_monotonic_ms(store));
}

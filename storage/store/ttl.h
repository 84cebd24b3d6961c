/* ttl.h — connections that end by themselves: a zone that stated a ttl is taken offline when nobody refreshes its connection.
 *
 * The zone's record has the ttl. When the connection was last refreshed is kept in memory only, on the monotonic clock: a refresh
 * writes nothing, a clock that is set changes nothing, and after a start the whole time runs again. The writer marks a connection
 * as over before it takes the zone offline, and a refresh that comes after the mark is judged again by the writer: so no refresh is
 * answered with an epoch that is gone.
 *
 * hf_ttl_refresh() may be called by any thread; everything else by the one that has the writer's turn. Inside storage/ only,
 * except struct hf_ttl_news.
 */
#ifndef HF_STORAGE_STORE_TTL_H
#define HF_STORAGE_STORE_TTL_H

#include "storage/model/zone.h"

struct hf_store;
struct hf_ttl;

/* Returns NULL if out of memory. */
struct hf_ttl *hf_ttl_new(void);
void hf_ttl_free(struct hf_ttl *ttl); /* NULL is fine */

/* Record a zone: as it is written; and as it is read again, after hf_ttl_clear(). Its time begins unless its epoch and ttl are
 * those that run; or, when it is read again, those that it was recorded with last. A zone that is not online, or has no ttl, has no
 * time. Return false if out of memory. */
bool hf_ttl_set(struct hf_ttl *ttl, const struct hf_zone *zone, int64_t now_ms) HF_CHECKED;
bool hf_ttl_set_again(struct hf_ttl *ttl, const struct hf_zone *zone, int64_t now_ms) HF_CHECKED;

/* Ends every zone's time, before they are all read again. */
void hf_ttl_clear(struct hf_ttl *ttl);

/* Begins the zone's time again. Returns false, and has done nothing, if no connection of that epoch is known, or if it is over. */
bool hf_ttl_refresh(struct hf_ttl *ttl, const char *zone, uint64_t epoch, int64_t now_ms);

/* Returns a moment before which no zone's time is over; INT64_MAX: none has one. */
int64_t hf_ttl_next_ms(const struct hf_ttl *ttl);

/* Marks the connections whose time is over, at most `max`, and returns how many. */
int hf_ttl_take_due(struct hf_ttl *ttl, int64_t now_ms, int max, char (*ret_zones)[HF_NAME_MAX + 1]);

/* A zone that was taken offline. */
struct hf_ttl_news {
	char zone[HF_NAME_MAX + 1];
	uint64_t epoch;
	int64_t ttl_ms;
};

/* Notes that the batch takes the zone offline; ends the batch; and returns one by one what committed batches took offline. */
void hf_ttl_note_lapse(struct hf_ttl *ttl, const char *zone);
void hf_ttl_settle(struct hf_ttl *ttl, bool committed);
bool hf_ttl_next_news(struct hf_ttl *ttl, struct hf_ttl_news *ret);

/* hf_ttl_refresh() for the store's zone now. Any thread. */
bool hf_store_refresh_zone(struct hf_store *store, const struct hf_zone *zone);

#endif

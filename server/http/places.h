/* places.h — limits connections: in all, and for each address.
 *
 * Every connection takes a place when it begins. There are `max` ordinary places, and one address takes at most `per_address` of
 * them; an IPv6 /64 counts as one address, because one host usually has all of it. A few more places are kept for the operator:
 * connections on them get answers to probes, metrics, the status and backups only. Pure; the caller holds a lock.
 */
#ifndef HF_SERVER_HTTP_PLACES_H
#define HF_SERVER_HTTP_PLACES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum hf_client_place { HF_CLIENT_PLACE_NONE, HF_CLIENT_PLACE_KEPT, HF_CLIENT_PLACE_ORDINARY };

#define HF_ADDRESS_KEY_BYTES 9
#define HF_ADDRESS_TEXT 64

/* A connected address. */
struct hf_address {
	struct hf_address *next;
	unsigned char key[HF_ADDRESS_KEY_BYTES];
	uint64_t clients;	  /* connections, with or without a place */
	uint64_t taken;		  /* ordinary places */
	_Atomic uint64_t waiters; /* requests waiting for a change */
};

struct hf_places {
	uint64_t max, per_address, kept; /* limits */
	uint64_t taken, kept_taken;
	uint64_t n_buckets; /* a power of two */
	struct hf_address **buckets;
};

/* Returns false if out of memory. */
bool hf_places_init(struct hf_places *places, uint64_t max, uint64_t per_address);
void hf_places_free(struct hf_places *places); /* after the last disconnect */

/* Returns how many places are kept in addition to `max` ordinary ones. */
uint64_t hf_places_kept(uint64_t max);

/* Counts a new connection from an address, or a closed one. NULL: out of memory. */
struct hf_address *hf_places_connect(struct hf_places *places, const struct sockaddr *from);
void hf_places_disconnect(struct hf_places *places, struct hf_address *address);

/* has_room: an ordinary place is free for the address. is_full: the address has reached its own limit. */
bool hf_places_has_room(const struct hf_places *places, const struct hf_address *address);
bool hf_places_is_full(const struct hf_places *places, const struct hf_address *address);

/* Takes a free place, an ordinary one if possible, else a kept one. Returns its kind. */
enum hf_client_place hf_places_take(struct hf_places *places, struct hf_address *address);
void hf_places_give_back(struct hf_places *places, struct hf_address *address, enum hf_client_place place);

/* Writes the address as text: 192.0.2.1, 2001:db8::/64, or `local`. Returns ret. */
const char *hf_address_text(const struct hf_address *address, char ret[HF_ADDRESS_TEXT]);

#endif

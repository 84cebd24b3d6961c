/* places.h — who may hold a connection: places in all, of one address, and a few that are kept.
 *
 * Every connection takes a place as it begins. There are `max` of them, and one address takes at most `per_address`; an IPv6 /64 is
 * one address, as one host commonly has all of it. Behind them are a few that are kept for the operator: on those only probes,
 * metrics, the status and backups are answered. Pure; the caller has a lock.
 */
#ifndef HF_SERVER_HTTP_PLACES_H
#define HF_SERVER_HTTP_PLACES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum hf_client_place { HF_CLIENT_PLACE_NONE, HF_CLIENT_PLACE_KEPT, HF_CLIENT_PLACE_ORDINARY };

#define HF_ADDRESS_KEY_BYTES 9
#define HF_ADDRESS_TEXT 64

/* An address that somebody is connected from. */
struct hf_address {
	struct hf_address *next;
	unsigned char key[HF_ADDRESS_KEY_BYTES];
	uint64_t clients;	  /* connections, whatever place they have */
	uint64_t taken;		  /* ordinary places */
	_Atomic uint64_t waiters; /* requests that wait for a change */
};

struct hf_places {
	uint64_t max, per_address, kept; /* limits */
	uint64_t taken, kept_taken;
	uint64_t n_buckets; /* a power of two */
	struct hf_address **buckets;
};

/* False: out of memory. */
bool hf_places_init(struct hf_places *places, uint64_t max, uint64_t per_address);
void hf_places_free(struct hf_places *places); /* nobody is connected any more */

/* How many are kept behind `max` others. */
uint64_t hf_places_kept(uint64_t max);

/* Notes one more, or one less, connection from an address. NULL: out of memory. */
struct hf_address *hf_places_connect(struct hf_places *places, const struct sockaddr *from);
void hf_places_disconnect(struct hf_places *places, struct hf_address *address);

/* Whether there is an ordinary place for the address; an address's own limit may be what is in the way. */
bool hf_places_has_room(const struct hf_places *places, const struct hf_address *address);
bool hf_places_is_full(const struct hf_places *places, const struct hf_address *address);

/* Takes a place, if there is one: an ordinary one or else one of those kept. */
enum hf_client_place hf_places_take(struct hf_places *places, struct hf_address *address);
void hf_places_give_back(struct hf_places *places, struct hf_address *address, enum hf_client_place place);

/* The address as text: 192.0.2.1, 2001:db8::/64, or `local`. */
const char *hf_address_text(const struct hf_address *address, char ret[HF_ADDRESS_TEXT]);

#endif

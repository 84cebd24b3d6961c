/* places.c — a table of the connected addresses, and how many places each has taken. */
#include "places.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MIN 8 /* more than the number of concurrent backups */
#define KEPT_MAX 64
#define KEPT_PART 16
#define BUCKETS_MIN 64

/* The first byte of a key. */
enum { LOCAL, IPV4, IPV6 };

uint64_t hf_places_kept(uint64_t max) {
	uint64_t kept = max / KEPT_PART;
	return kept < KEPT_MIN ? KEPT_MIN : kept > KEPT_MAX ? KEPT_MAX : kept;
}

bool hf_places_init(struct hf_places *places, uint64_t max, uint64_t per_address) {
	*places = (struct hf_places){.max = max, .per_address = per_address, .kept = hf_places_kept(max), .n_buckets = BUCKETS_MIN};
	while (places->n_buckets < max)
		places->n_buckets *= 2;
	places->buckets = calloc(places->n_buckets, sizeof *places->buckets);
	return places->buckets != NULL;
}

void hf_places_free(struct hf_places *places) {
	free(places->buckets);
	places->buckets = NULL;
}

static void make_key(const struct sockaddr *from, unsigned char ret[HF_ADDRESS_KEY_BYTES]) {
	memset(ret, 0, HF_ADDRESS_KEY_BYTES);
	if (from && from->sa_family == AF_INET) {
		ret[0] = IPV4;
		memcpy(ret + 1, &((const struct sockaddr_in *)from)->sin_addr, 4);
	} else if (from && from->sa_family == AF_INET6) {
		const struct in6_addr *address = &((const struct sockaddr_in6 *)from)->sin6_addr;
		bool mapped = IN6_IS_ADDR_V4MAPPED(address);
		ret[0] = mapped ? IPV4 : IPV6;
		memcpy(ret + 1, address->s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
	}
}

/* FNV-1a. An attacker who picks addresses that share a bucket gains little: each costs a connection. */
static struct hf_address **bucket_of(struct hf_places *places, const unsigned char key[HF_ADDRESS_KEY_BYTES]) {
	uint64_t hash = 14695981039346656037u;
	for (int i = 0; i < HF_ADDRESS_KEY_BYTES; i++)
		hash = (hash ^ key[i]) * 1099511628211u;
	return &places->buckets[(hash ^ hash >> 32) & (places->n_buckets - 1)];
}

struct hf_address *hf_places_connect(struct hf_places *places, const struct sockaddr *from) {
	unsigned char key[HF_ADDRESS_KEY_BYTES];
	make_key(from, key);
	struct hf_address **bucket = bucket_of(places, key), *address = *bucket;
	while (address && memcmp(address->key, key, sizeof key) != 0)
		address = address->next;
	if (!address) {
		address = calloc(1, sizeof *address);
		if (!address)
			return NULL;
		memcpy(address->key, key, sizeof key);
		address->next = *bucket;
		*bucket = address;
	}
	address->clients++;
	return address;
}

void hf_places_disconnect(struct hf_places *places, struct hf_address *address) {
	if (--address->clients > 0)
		return;
	struct hf_address **at = bucket_of(places, address->key);
	while (*at != address)
		at = &(*at)->next;
	*at = address->next;
	free(address);
}

bool hf_places_is_full(const struct hf_places *places, const struct hf_address *address) {
	return address->taken >= places->per_address;
}

bool hf_places_has_room(const struct hf_places *places, const struct hf_address *address) {
	return places->taken < places->max && !hf_places_is_full(places, address);
}

enum hf_client_place hf_places_take(struct hf_places *places, struct hf_address *address) {
	if (hf_places_has_room(places, address)) {
		places->taken++;
		address->taken++;
		return HF_CLIENT_PLACE_ORDINARY;
	}
	if (places->kept_taken == places->kept)
		return HF_CLIENT_PLACE_NONE;
	places->kept_taken++;
	return HF_CLIENT_PLACE_KEPT;
}

void hf_places_give_back(struct hf_places *places, struct hf_address *address, enum hf_client_place place) {
	if (place == HF_CLIENT_PLACE_KEPT)
		places->kept_taken--;
	if (place != HF_CLIENT_PLACE_ORDINARY)
		return;
	places->taken--;
	address->taken--;
}

const char *hf_address_text(const struct hf_address *address, char ret[HF_ADDRESS_TEXT]) {
	struct in6_addr six = {0};
	if (address->key[0] == LOCAL)
		return strcpy(ret, "local");
	if (address->key[0] == IPV4)
		return inet_ntop(AF_INET, address->key + 1, ret, HF_ADDRESS_TEXT);
	memcpy(six.s6_addr, address->key + 1, 8);
	inet_ntop(AF_INET6, &six, ret, HF_ADDRESS_TEXT - 4);
	return strcat(ret, "/64");
}

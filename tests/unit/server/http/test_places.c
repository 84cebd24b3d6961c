/* Who may hold a connection. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>

#include "server/http/places.h"

/* An address, whether IPv4 or IPv6. */
static struct sockaddr_storage from(const char *text) {
	struct sockaddr_storage ret = {0};
	struct sockaddr_in *four = (struct sockaddr_in *)&ret;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&ret;
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1)
		four->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1)
		six->sin6_family = AF_INET6;
	return ret;
}

static struct hf_address *enter(struct hf_places *places, const char *text) {
	struct sockaddr_storage address = from(text);
	struct hf_address *ret = hf_places_connect(places, (struct sockaddr *)&address);
	cr_assert_not_null(ret);
	return ret;
}

Test(places, what_is_one_address) {
	static const struct {
		const char *a, *b, *text_of_a;
		bool same;
	} table[] = {
		{"192.0.2.1", "192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", "192.0.2.1", false},
		{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", true},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.2", "192.0.2.1", false},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:1::/64", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:1::/64", false},
		{"::1", "127.0.0.1", "::/64", false},
		{"neither", "192.0.2.1", "local", false},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct hf_places places;
		char text[HF_ADDRESS_TEXT];
		cr_assert(hf_places_init(&places, 10, 10));
		struct hf_address *a = enter(&places, table[i].a), *b = enter(&places, table[i].b);
		cr_expect_eq(a == b, table[i].same, "%s and %s", table[i].a, table[i].b);
		cr_expect_str_eq(hf_address_text(a, text), table[i].text_of_a);
		hf_places_disconnect(&places, a);
		hf_places_disconnect(&places, b);
		hf_places_free(&places);
	}
}

Test(places, an_address_leaves_the_rest_to_others) {
	struct hf_places places;
	cr_assert(hf_places_init(&places, 8, 6));
	struct hf_address *greedy = enter(&places, "192.0.2.1"), *other = enter(&places, "192.0.2.2");
	for (int i = 0; i < 6; i++)
		cr_assert_eq(hf_places_take(&places, greedy), HF_CLIENT_PLACE_ORDINARY);
	cr_assert(hf_places_is_full(&places, greedy));
	cr_assert_eq(hf_places_take(&places, greedy), HF_CLIENT_PLACE_KEPT);
	cr_assert(hf_places_has_room(&places, other));
	cr_assert_eq(hf_places_take(&places, other), HF_CLIENT_PLACE_ORDINARY);
	cr_assert_eq(hf_places_take(&places, other), HF_CLIENT_PLACE_ORDINARY);
	cr_assert_eq(hf_places_take(&places, other), HF_CLIENT_PLACE_KEPT, "all are taken");
	cr_assert(!hf_places_is_full(&places, other));
	hf_places_give_back(&places, greedy, HF_CLIENT_PLACE_ORDINARY);
	cr_assert_eq(hf_places_take(&places, other), HF_CLIENT_PLACE_ORDINARY);
	hf_places_disconnect(&places, greedy);
	hf_places_disconnect(&places, other);
	hf_places_free(&places);
}

Test(places, what_is_kept_is_used_up_and_comes_back) {
	struct hf_places places;
	cr_assert(hf_places_init(&places, 1, 1));
	struct hf_address *address = enter(&places, "192.0.2.1");
	cr_assert_eq(hf_places_take(&places, address), HF_CLIENT_PLACE_ORDINARY);
	for (uint64_t i = 0; i < hf_places_kept(1); i++)
		cr_assert_eq(hf_places_take(&places, address), HF_CLIENT_PLACE_KEPT);
	cr_assert_eq(hf_places_take(&places, address), HF_CLIENT_PLACE_NONE);
	hf_places_give_back(&places, address, HF_CLIENT_PLACE_NONE);
	cr_assert_eq(hf_places_take(&places, address), HF_CLIENT_PLACE_NONE);
	hf_places_give_back(&places, address, HF_CLIENT_PLACE_KEPT);
	cr_assert_eq(hf_places_take(&places, address), HF_CLIENT_PLACE_KEPT);
	hf_places_disconnect(&places, address);
	hf_places_free(&places);
}

Test(places, how_many_are_kept) {
	static const struct { uint64_t max, kept; } table[] = {{1, 8}, {128, 8}, {160, 10}, {1000, 62}, {100000, 64}};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		cr_expect_eq(hf_places_kept(table[i].max), table[i].kept);
}

Test(places, thousands_of_addresses) {
	struct hf_places places;
	static struct hf_address *addresses[5000];
	cr_assert(hf_places_init(&places, 100, 10));
	for (uint32_t i = 0; i < 5000; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(0x0a000000 + i)}};
		addresses[i] = hf_places_connect(&places, (struct sockaddr *)&address);
		cr_assert_eq(addresses[i]->clients, 1);
	}
	for (uint32_t i = 0; i < 5000; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(0x0a000000 + i)}};
		cr_assert_eq(hf_places_connect(&places, (struct sockaddr *)&address), addresses[i]);
		hf_places_disconnect(&places, addresses[i]);
		hf_places_disconnect(&places, addresses[i]);
	}
	for (uint64_t i = 0; i < places.n_buckets; i++)
		cr_assert_null(places.buckets[i]);
	hf_places_free(&places);
}

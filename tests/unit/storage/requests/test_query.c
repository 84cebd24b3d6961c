/* Reading leases and addresses: filters, pages, snapshots, totals. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "storage/requests/address_query.h"
#include "storage/requests/lease_query.h"
#include "storage/requests/lease_snapshot.h"
#include "storage/requests/totals.h"
#include "tests/unit/support.h"

static struct fixture f;

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(query, .init = setup, .fini = teardown, .timeout = 600);

static void write_lease(enum hf_kind kind, const char *zone, const char *mesh, const char *service) {
	struct hf_acquire a = acquire_request(identity(zone, mesh, service), service);
	a.want.id.kind = kind;
	cr_assert_eq(acquire(&f, &a), HF_OK, "%s", a.write.why.text);
}

/* In the order of their keys. */
static const struct {
	enum hf_kind kind;
	const char *zone, *mesh, *service;
} LEASES[] = {
	{HF_MESH_SERVICE, "east", "default", "a"},
	{HF_MESH_SERVICE, "east", "default", "ab"},
	{HF_MESH_SERVICE, "east", "default", "abc"},
	{HF_MESH_SERVICE, "east", "default", "b"},
	{HF_MESH_EXTERNAL_SERVICE, "east", "default", "a"},
	{HF_MESH_SERVICE, "east", "default2", "ab"},
	{HF_MESH_SERVICE, "east", "demo", "a"},
	{HF_MESH_EXTERNAL_SERVICE, "east", "demo", "z"},
	{HF_MESH_SERVICE, "east-2", "default", "a"},
	{HF_MESH_SERVICE, "east2", "default", "a"},
	{HF_MESH_MULTIZONE_SERVICE, "global", "default", "m"},
	{HF_MESH_SERVICE, "west", "default", "a"},
};
#define N_LEASES ((int)(sizeof LEASES / sizeof *LEASES))

static void write_all(void) {
	struct hf_identity quarantined = identity("east", "default", "b");
	for (int i = N_LEASES - 1; i >= 0; i--)
		write_lease(LEASES[i].kind, LEASES[i].zone, LEASES[i].mesh, LEASES[i].service);
	cr_assert_eq(release(&f, quarantined, false, NULL), HF_OK);
}

static char seen[2048]; /* indices into LEASES */

static void note(void *context, const struct hf_lease *lease) {
	int i = 0;
	for (; i < N_LEASES; i++)
		if (LEASES[i].kind == lease->id.kind && strcmp(LEASES[i].zone, lease->id.zone) == 0 &&
		    strcmp(LEASES[i].mesh, lease->id.mesh) == 0 && strcmp(LEASES[i].service, lease->id.service) == 0)
			break;
	snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%d", seen[0] ? " " : "", i);
	if (context)
		++*(int *)context;
}

static const struct {
	const char *name;
	int kind; /* 0: any */
	const char *zone, *mesh, *service, *pool;
	bool prefix;
	int state;
	const char *seen;
} FILTERS[] = {
	{"all", 0, "", "", "", "", false, 0, "0 1 2 3 4 5 6 7 8 9 10 11"},
	{"a zone, not those that begin like it", 0, "east", "", "", "", false, 0, "0 1 2 3 4 5 6 7"},
	{"a mesh of any zone", 0, "", "default", "", "", false, 0, "0 1 2 3 4 8 9 10 11"},
	{"a mesh of a zone", 0, "east", "default", "", "", false, 0, "0 1 2 3 4"},
	{"a kind", HF_MESH_EXTERNAL_SERVICE, "", "", "", "", false, 0, "4 7"},
	{"a kind of a zone", HF_MESH_SERVICE, "east", "", "", "", false, 0, "0 1 2 3 5 6"},
	{"a scope", HF_MESH_SERVICE, "east", "default", "", "", false, 0, "0 1 2 3"},
	{"one service", HF_MESH_SERVICE, "east", "default", "a", "", false, 0, "0"},
	{"a service name anywhere", 0, "", "", "a", "", false, 0, "0 4 6 8 9 11"},
	{"a service of a zone and mesh", 0, "east", "default", "a", "", false, 0, "0 4"},
	{"a prefix in a scope", HF_MESH_SERVICE, "east", "default", "ab", "", true, 0, "1 2"},
	{"a prefix anywhere", 0, "", "", "ab", "", true, 0, "1 2 5"},
	{"an empty prefix", HF_MESH_SERVICE, "east", "demo", "", "", true, 0, "6"},
	{"a pool", 0, "", "", "", "meshexternalservice", false, 0, "4 7"},
	{"active", 0, "east", "default", "", "", false, HF_ACTIVE, "0 1 2 4"},
	{"quarantined", 0, "", "", "", "", false, HF_QUARANTINED, "3"},
	{"a zone that is not there", 0, "eas", "", "", "", false, 0, ""},
	{"the last zone", 0, "west", "", "", "", false, 0, "11"},
};

static struct hf_filter filter_of(size_t i) {
	struct hf_filter filter = {.has_kind = FILTERS[i].kind != 0, .service_is_prefix = FILTERS[i].prefix};
	filter.kind = (enum hf_kind)FILTERS[i].kind;
	filter.state = (enum hf_lease_state)FILTERS[i].state;
	snprintf(filter.zone, sizeof filter.zone, "%s", FILTERS[i].zone);
	snprintf(filter.mesh, sizeof filter.mesh, "%s", FILTERS[i].mesh);
	snprintf(filter.service, sizeof filter.service, "%s", FILTERS[i].service);
	snprintf(filter.pool, sizeof filter.pool, "%s", FILTERS[i].pool);
	return filter;
}

Test(query, pages_of_any_size_cover_each_lease_once_in_order) {
	write_all();
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	for (size_t i = 0; i < sizeof FILTERS / sizeof *FILTERS; i++) {
		struct hf_filter filter = filter_of(i);
		for (int limit = 1; limit <= N_LEASES + 1; limit++) {
			struct hf_list_page page = {.more = true};
			struct hf_key after;
			int pages = 0;
			seen[0] = '\0';
			for (; page.more; pages++) {
				int n = 0;
				struct hf_key *from = pages ? &after : NULL;
				cr_assert_eq(hf_lease_list(f.reader, &filter, from, limit, note, &n, NULL, &page), HF_OK);
				cr_assert_leq(n, limit);
				cr_assert_eq(page.revision, 16);
				after = page.last;
			}
			cr_expect_str_eq(seen, FILTERS[i].seen, "%s, %d a page: %s", FILTERS[i].name, limit, seen);
		}
	}
	hf_reader_end(f.reader);
}

Test(query, a_page_goes_on_behind_a_lease_that_is_gone) {
	struct hf_filter filter = {.zone = "east", .mesh = "default"};
	struct hf_list_page page;
	write_all();
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_lease_list(f.reader, &filter, NULL, 2, note, NULL, NULL, &page), HF_OK);
	hf_reader_end(f.reader);
	cr_assert_str_eq(seen, "0 1");
	cr_assert_eq(release(&f, identity("east", "default", "ab"), true, NULL), HF_OK);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_lease_list(f.reader, &filter, &page.last, 9, note, NULL, NULL, &page), HF_OK);
	hf_reader_end(f.reader);
	cr_assert_str_eq(seen, "0 1 2 3 4");
	cr_assert(!page.more);
}

Test(query, a_position_outside_the_filter_is_no_harm) {
	struct hf_filter filter = {.zone = "east2"};
	struct hf_identity before = identity("aaa", "default", "a"), behind = identity("zzz", "default", "a");
	struct hf_list_page page;
	struct hf_key key;
	write_all();
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	hf_identity_encode(&before, &key);
	cr_assert_eq(hf_lease_list(f.reader, &filter, &key, 9, note, NULL, NULL, &page), HF_OK);
	cr_assert_str_eq(seen, "9");
	hf_identity_encode(&behind, &key);
	cr_assert_eq(hf_lease_list(f.reader, &filter, &key, 9, note, NULL, NULL, &page), HF_OK);
	cr_assert_str_eq(seen, "9");
	hf_reader_end(f.reader);
}

Test(query, a_snapshot_is_filtered_as_a_list_is) {
	write_all();
	for (size_t i = 0; i < sizeof FILTERS / sizeof *FILTERS; i++) {
		struct hf_filter filter = filter_of(i);
		struct hf_snapshot *snapshot;
		struct hf_lease lease;
		seen[0] = '\0';
		cr_assert_eq(hf_snapshot_open(f.store, &filter, NULL, &snapshot), HF_OK);
		cr_assert_eq(hf_snapshot_revision(snapshot), 16);
		enum hf_err err;
		while ((err = hf_snapshot_next(snapshot, &lease)) == HF_OK)
			note(NULL, &lease);
		cr_expect_eq(err, HF_E_NOT_FOUND);
		cr_expect_eq(hf_snapshot_next(snapshot, &lease), HF_E_NOT_FOUND, "and again");
		hf_snapshot_close(snapshot);
		cr_expect_str_eq(seen, FILTERS[i].seen, "%s: %s", FILTERS[i].name, seen);
	}
}

Test(query, a_snapshot_stays_as_it_was_while_writes_go_on) {
	struct hf_filter all = {0};
	struct hf_snapshot *snapshot;
	struct hf_lease lease;
	char name[16];
	for (int i = 100; i < 200; i++) {
		snprintf(name, sizeof name, "s%d", i);
		write_lease(HF_MESH_SERVICE, "east", "default", name);
	}
	cr_assert_eq(hf_snapshot_open(f.store, &all, NULL, &snapshot), HF_OK);
	for (int i = 100; i < 200; i++) {
		cr_assert_eq(hf_snapshot_next(snapshot, &lease), HF_OK);
		snprintf(name, sizeof name, "s%d", i);
		cr_assert_str_eq(lease.id.service, name);
		cr_assert_eq(lease.generation, 1);
		cr_assert_eq(release(&f, identity("east", "default", name), true, NULL), HF_OK);
		snprintf(name, sizeof name, "s%d", 299 - i);
		struct hf_acquire change = acquire_request(identity("east", "default", name), "changed");
		cr_assert_eq(acquire(&f, &change), HF_OK);
		snprintf(name, sizeof name, "t%d", i);
		write_lease(HF_MESH_SERVICE, "east", "default", name);
	}
	cr_assert_eq(hf_snapshot_next(snapshot, &lease), HF_E_NOT_FOUND);
	cr_assert_eq(hf_snapshot_revision(snapshot), 103);
	hf_snapshot_close(snapshot);
}

static void *expire(void *snapshot) {
	hf_snapshot_expire(snapshot);
	return NULL;
}

Test(query, a_snapshot_can_be_expired_from_another_thread) {
	struct hf_filter all = {0};
	struct hf_snapshot *snapshot;
	struct hf_lease lease;
	pthread_t thread;
	write_all();
	cr_assert_eq(hf_snapshot_open(f.store, &all, NULL, &snapshot), HF_OK);
	cr_assert_eq(hf_snapshot_next(snapshot, &lease), HF_OK);
	cr_assert_eq(pthread_create(&thread, NULL, expire, snapshot), 0);
	enum hf_err err = HF_OK;
	for (int i = 0; !err && i < N_LEASES - 1; i++)
		err = hf_snapshot_next(snapshot, &lease);
	cr_assert(err == HF_OK || err == HF_E_OVERLOADED);
	pthread_join(thread, NULL);
	cr_assert_eq(hf_snapshot_next(snapshot, &lease), HF_E_OVERLOADED);
	hf_snapshot_expire(snapshot);
	hf_snapshot_close(snapshot);
}

static const struct {
	const char *name, *address;
	enum hf_address_state state;
	const char *pool, *service; /* service: NULL if there is no lease */
} ADDRESSES[] = {
	{"leased", "10.0.0.2", HF_ADDRESS_LEASED, "blue", "a"},
	{"quarantined", "10.0.0.3", HF_ADDRESS_QUARANTINED, "blue", "b"},
	{"reserved", "10.0.0.0", HF_ADDRESS_RESERVED, "blue", NULL},
	{"free", "10.0.0.4", HF_ADDRESS_FREE, "blue", NULL},
	{"free IPv6", "fd00:7::9", HF_ADDRESS_FREE, "blue", NULL},
	{"unmanaged", "192.0.2.1", HF_ADDRESS_UNMANAGED, "", NULL},
	{"unmanaged IPv6", "2001:db8::1", HF_ADDRESS_UNMANAGED, "", NULL},
};

Test(query, an_address_is_in_one_of_five_states) {
	POOL_PUT_REQUEST put = pool_request("blue", "10.0.0.0/24 fd00:7::/64", "10.0.0.0/31", 60);
	cr_assert_eq(commit(&f, &put.write), HF_OK);
	for (int i = 0; i < 2; i++) {
		struct hf_acquire a = acquire_request(identity("east", "default", i ? "b" : "a"), "{}");
		snprintf(a.want.pool, sizeof a.want.pool, "blue");
		cr_assert_eq(acquire(&f, &a), HF_OK);
	}
	cr_assert_eq(release(&f, identity("east", "default", "b"), false, NULL), HF_OK);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	for (size_t i = 0; i < sizeof ADDRESSES / sizeof *ADDRESSES; i++) {
		struct hf_address_info info;
		cr_assert_eq(hf_address_read(f.reader, addr(ADDRESSES[i].address), NULL, &info), HF_OK);
		cr_expect_eq(info.state, ADDRESSES[i].state, "%s: %s", ADDRESSES[i].name, hf_address_state_name(info.state));
		cr_expect_str_eq(info.pool, ADDRESSES[i].pool, "%s", ADDRESSES[i].name);
		cr_expect_eq(info.has_lease, ADDRESSES[i].service != NULL, "%s", ADDRESSES[i].name);
		if (ADDRESSES[i].service)
			cr_expect_str_eq(info.lease.id.service, ADDRESSES[i].service, "%s", ADDRESSES[i].name);
	}
	hf_reader_end(f.reader);
}

Test(query, totals_count_what_there_is) {
	struct hf_totals totals;
	write_all();
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_totals_read(f.reader, NULL, &totals), HF_OK);
	hf_reader_end(f.reader);
	cr_assert_eq(totals.active, N_LEASES - 1);
	cr_assert_eq(totals.quarantined, 1);
	cr_assert_eq(totals.pools, 3);
	cr_assert_eq(totals.zones, 5);
	cr_assert_eq(totals.changes, 3 + N_LEASES + 1);
}

/* The zone rules: a table for who may connect, one for what the store knows of a zone, one for when a quarantine ends. */
#include <criterion/criterion.h>
#include <string.h>

#include "storage/model/zone_rules.h"

/* A zone online at epoch 7 with instance "a", before it "b" and "c". */
static struct hf_zone online(void) {
	return (struct hf_zone){.name = "east",
				.state = HF_ZONE_ONLINE,
				.epoch = 7,
				.reconnects = 6,
				.store_epoch = 2,
				.created_ms = 1000,
				.changed_ms = 2000,
				.n_instances = 3,
				.instances = {"a", "b", "c"}};
}

static const struct {
	const char *name;
	enum hf_zone_state state;
	const char *instance;
	enum hf_err err;
	enum hf_connection connection;
	const char *instances; /* then */
} CONNECTS[] = {
	{"never connected", HF_ZONE_UNMANAGED, "a", HF_OK, HF_CONNECTION_FIRST, "a"},
	{"the current instance", HF_ZONE_ONLINE, "a", HF_OK, HF_CONNECTION_REFRESH, NULL},
	{"the current instance, offline", HF_ZONE_OFFLINE, "a", HF_OK, HF_CONNECTION_RECONNECT, "abc"},
	{"a new instance", HF_ZONE_ONLINE, "d", HF_OK, HF_CONNECTION_RECONNECT, "dabc"},
	{"a new instance, offline", HF_ZONE_OFFLINE, "d", HF_OK, HF_CONNECTION_RECONNECT, "dabc"},
	{"the one before", HF_ZONE_ONLINE, "b", HF_E_STALE_EPOCH, 0, NULL},
	{"the oldest that is known", HF_ZONE_ONLINE, "c", HF_E_STALE_EPOCH, 0, NULL},
	{"the one before, offline", HF_ZONE_OFFLINE, "b", HF_E_STALE_EPOCH, 0, NULL},
	{"a name that begins like one", HF_ZONE_ONLINE, "bb", HF_OK, HF_CONNECTION_RECONNECT, NULL},
};

Test(zone_rules, connections_are_judged_as_the_table_says) {
	for (size_t i = 0; i < sizeof CONNECTS / sizeof *CONNECTS; i++) {
		const char *name = CONNECTS[i].name;
		struct hf_zone zone = online();
		enum hf_connection connection = HF_CONNECTION_FIRST;
		zone.state = CONNECTS[i].state;
		if (zone.state == HF_ZONE_UNMANAGED)
			zone = (struct hf_zone){.name = "east", .state = HF_ZONE_UNMANAGED, .created_ms = 1000};
		enum hf_err err = hf_zone_rules_connect(&zone, CONNECTS[i].instance, NULL, &connection);
		cr_expect_eq(err, CONNECTS[i].err, "%s: %s", name, hf_err_slug(err));
		cr_expect_eq(connection, CONNECTS[i].connection, "%s: %s", name, hf_connection_name(connection));
		if (!CONNECTS[i].instances)
			continue;
		struct hf_zone after = hf_zone_rules_connected(&zone, CONNECTS[i].instance, 30000, 2, 5000);
		cr_expect_eq(after.ttl_ms, 30000, "%s", name);
		cr_expect(after.state == HF_ZONE_ONLINE && after.store_epoch == 2, "%s", name);
		cr_expect_eq(after.epoch, 1 + (zone.epoch ? zone.epoch : (uint64_t)1 << HF_BAND_BITS), "%s", name);
		cr_expect_eq(after.reconnects, zone.epoch ? 7 : 0, "%s", name);
		cr_expect(after.created_ms == 1000 && after.changed_ms == 5000, "%s", name);
		cr_expect_eq(after.n_instances, (int)strlen(CONNECTS[i].instances), "%s", name);
		for (int k = 0; k < after.n_instances; k++)
			cr_expect_eq(after.instances[k][0], CONNECTS[i].instances[k], "%s: number %d", name, k);
	}
}

Test(zone_rules, eight_superseded_instances_are_remembered) {
	struct hf_zone zone = {.name = "east", .state = HF_ZONE_UNMANAGED};
	enum hf_connection connection;
	char instance[] = "a";
	for (; instance[0] < 'k'; instance[0]++) /* a to j: ten of them */
		zone = hf_zone_rules_connected(&zone, instance, 0, 1, 0);
	cr_assert_eq(zone.n_instances, HF_INSTANCES_KEPT);
	cr_assert_eq(zone.epoch, 10);
	for (instance[0] = 'b'; instance[0] < 'j'; instance[0]++)
		cr_expect_eq(hf_zone_rules_connect(&zone, instance, NULL, &connection), HF_E_STALE_EPOCH, "%s", instance);
	cr_expect_eq(hf_zone_rules_connect(&zone, "j", NULL, &connection), HF_OK);
	cr_expect_eq(connection, HF_CONNECTION_REFRESH);
	cr_expect_eq(hf_zone_rules_connect(&zone, "a", NULL, &connection), HF_OK, "forgotten");
	char longest[HF_INSTANCE_MAX + 1], cut[HF_INSTANCE_MAX + 1];
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	memcpy(cut, longest, sizeof cut);
	cut[sizeof cut - 2] = '\0';
	zone = hf_zone_rules_connected(&zone, longest, 0, 1, 0);
	cr_expect_str_eq(zone.instances[0], longest);
	cr_expect_eq(hf_zone_rules_connect(&zone, cut, NULL, &connection), HF_OK);
	cr_expect_eq(connection, HF_CONNECTION_RECONNECT, "shorter by one byte is another");
}

static const struct {
	const char *name;
	uint64_t connected_at, active, store_epoch;
	bool incremental;
} SYNCS[] = {
	{"never connected", 0, 5, 1, false},
	{"connected, nothing held", 1, 0, 1, false},
	{"connected, leases held", 1, 5, 1, true},
	{"connected before the last restore", 1, 5, 2, false},
	{"connected since the last restore", 2, 5, 2, true},
};

Test(zone_rules, a_zone_goes_on_from_what_the_store_knows) {
	for (size_t i = 0; i < sizeof SYNCS / sizeof *SYNCS; i++) {
		struct hf_zone zone = {.store_epoch = SYNCS[i].connected_at};
		cr_expect_eq(hf_zone_rules_is_incremental(&zone, SYNCS[i].active, SYNCS[i].store_epoch), SYNCS[i].incremental, "%s",
			     SYNCS[i].name);
	}
}

/* What an offline zone, or one that has just come back, does to a quarantine; the pool's is an hour. */
static const struct {
	const char *name;
	enum hf_zone_state state;
	int64_t changed_ms, quarantine_ms, now_ms; /* due at 1,000,000 ms */
	int64_t end_ms, restored_ms;
	bool forced;
} ENDS[] = {
	{"unmanaged", HF_ZONE_UNMANAGED, 999999, 3600000, 1000000, 1000000, 0, false},
	{"offline", HF_ZONE_OFFLINE, 5, 3600000, 1000000, 4600000, 0, false},
	{"offline, looked at late", HF_ZONE_OFFLINE, 5, 3600000, 9000000, 12600000, 0, false},
	{"offline, no quarantine", HF_ZONE_OFFLINE, 5, 0, 1000000, 1001000, 0, false},
	{"offline, a short one", HF_ZONE_OFFLINE, 5, 999, 1000000, 1001000, 0, false},
	{"offline, a second and a bit", HF_ZONE_OFFLINE, 5, 1001, 1000000, 1001001, 0, false},
	{"online for longer", HF_ZONE_ONLINE, 1000, 3600000, 9000000, 1000000, 0, false},
	{"online for exactly as long", HF_ZONE_ONLINE, 1000000, 3600000, 4600000, 1000000, 0, false},
	{"online for not so long", HF_ZONE_ONLINE, 1000001, 3600000, 4600000, 4600001, 0, false},
	{"online, no quarantine", HF_ZONE_ONLINE, 1000000, 0, 1000000, 1000000, 0, false},
	{"online, the clock went back", HF_ZONE_ONLINE, 8000000, 3600000, 1000000, 11600000, 0, false},
	{"unmanaged, after a restore", HF_ZONE_UNMANAGED, 5, 3600000, 4600000, 4600001, 1000001, false},
	{"unmanaged, long after a restore", HF_ZONE_UNMANAGED, 5, 3600000, 4600000, 1000000, 1000000, false},
	{"online, back later than the restore", HF_ZONE_ONLINE, 2000000, 3600000, 4600000, 5600000, 1000001, false},
	{"online, restored under its feet", HF_ZONE_ONLINE, 5, 3600000, 4600000, 4600001, 1000001, false},
	{"retired", HF_ZONE_RETIRED, 999999, 3600000, 1000000, 1000000, 0, false},
	{"forced, offline", HF_ZONE_OFFLINE, 5, 3600000, 1000000, 1000000, 0, true},
	{"forced, just back", HF_ZONE_ONLINE, 1000001, 3600000, 1000002, 1000000, 0, true},
	{"forced, but just restored", HF_ZONE_OFFLINE, 5, 3600000, 1000002, 4600001, 1000001, true},
	{"offline since a restore", HF_ZONE_OFFLINE, 1000001, 3600000, 1000002, 4600002, 1000001, false},
};

Test(zone_rules, a_quarantine_ends_as_the_table_says) {
	for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
		struct hf_zone zone = {.state = ENDS[i].state, .changed_ms = ENDS[i].changed_ms};
		int64_t end_ms = hf_zone_rules_quarantine_end(&zone, ENDS[i].forced, ENDS[i].restored_ms, 1000000,
							      ENDS[i].quarantine_ms, ENDS[i].now_ms);
		cr_expect_eq(end_ms, ENDS[i].end_ms, "%s: %lld", ENDS[i].name, (long long)end_ms);
		cr_expect(end_ms == 1000000 || end_ms > ENDS[i].now_ms, "%s: it would be looked at again at once", ENDS[i].name);
	}
}

/* Who held an address, and when. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/store/upkeep.h"
#include "storage/tables/holders.h"
#include "tests/unit/support.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

static struct fixture f;
static struct hf_addr vip;

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
	vip = addr("241.0.0.5");
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(history, .init = setup, .fini = teardown);

static struct hf_identity holder(int i) {
	char name[16];
	snprintf(name, sizeof name, "h%d", i);
	return identity("east", "default", name);
}

static void hold(int i) {
	struct hf_acquire a = acquire_request(holder(i), "{}");
	a.want.addresses[a.want.n_addresses++] = vip;
	cr_assert_eq(acquire(&f, &a), HF_OK, "%s", a.write.why.text);
}

static void let_go(int i) { cr_assert_eq(release(&f, holder(i), true, NULL), HF_OK); }

/* The holders' services, newest first. */
static const char *holders(int64_t at_ms) {
	static char text[512];
	struct hf_holder list[HF_HISTORY_HOLDERS];
	text[0] = '\0';
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	int n = hf_holders_read(f.reader, vip, at_ms, f.now_ms, list);
	cr_assert_eq(hf_txn_fault(f.reader, NULL), HF_OK);
	hf_reader_end(f.reader);
	for (int i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s%s", i ? " " : "", list[i].id.service,
			 list[i].to_ms ? "" : "*");
	return text;
}

static uint64_t entries(enum hf_table table) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	uint64_t n = hf_txn_count(f.reader, table);
	hf_reader_end(f.reader);
	return n;
}

static void batch(void) {
	struct hf_batch *b;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &b), HF_OK);
	cr_assert_eq(hf_upkeep_commit(b, NULL), HF_OK);
}

Test(history, a_moment_has_one_holder_or_none) {
	int64_t start = f.now_ms;
	hold(1);
	f.now_ms += 1000;
	let_go(1);
	f.now_ms += 1000;
	hold(2);
	static const struct {
		const char *name;
		int64_t after_ms;
		const char *holder;
	} moments[] = {
		{"before", -1, ""},    {"bound", 0, "h1"},	     {"held", 999, "h1"},     {"freed", 1000, ""},
		{"between", 1999, ""}, {"bound again", 2000, "h2*"}, {"later", 99999, "h2*"},
	};
	for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
		cr_expect_str_eq(holders(start + moments[i].after_ms), moments[i].holder, "%s", moments[i].name);
	cr_assert_str_eq(holders(-1), "h2* h1");
}

Test(history, a_quarantine_is_part_of_the_holding) {
	hold(1);
	f.now_ms += 1000;
	cr_assert_eq(release(&f, holder(1), false, NULL), HF_OK);
	cr_assert_str_eq(holders(-1), "h1*");
	struct hf_acquire back = acquire_request(holder(1), "{}");
	cr_assert_eq(acquire(&f, &back), HF_OK);
	cr_assert_eq(entries(HF_HISTORY), 0, "restoring begins no new holding");
	cr_assert_eq(release(&f, holder(1), false, NULL), HF_OK);
	f.now_ms += 3600 * 1000;
	batch();
	cr_assert_str_eq(holders(-1), "h1");
	cr_assert_str_eq(holders(f.now_ms - 1), "h1");
	cr_assert_str_eq(holders(f.now_ms), "");
}

Test(history, sixteen_holders_are_kept) {
	for (int i = 0; i < 20; i++) {
		hold(i);
		f.now_ms += 1000;
		if (i < 19)
			let_go(i);
		cr_assert_eq(entries(HF_HISTORY), (uint64_t)(i < 16 ? i + 1 : 16), "%d", i);
	}
	cr_assert_str_eq(holders(-1), "h19* h18 h17 h16 h15 h14 h13 h12 h11 h10 h9 h8 h7 h6 h5 h4");
	cr_assert_eq(entries(HF_DEADLINES), 16, "what is pushed out takes its deadline along");
	let_go(19);
	cr_assert_str_eq(holders(-1), "h19 h18 h17 h16 h15 h14 h13 h12 h11 h10 h9 h8 h7 h6 h5 h4");
	f.now_ms += 91 * DAY_MS;
	batch();
	cr_assert_eq(entries(HF_HISTORY), 0);
	cr_assert_eq(entries(HF_DEADLINES), 0);
}

Test(history, ninety_days_are_kept) {
	hold(1);
	let_go(1);
	int64_t freed_ms = f.now_ms;
	f.now_ms += 10 * DAY_MS;
	hold(2);
	f.now_ms = freed_ms + 90 * DAY_MS - 1;
	cr_assert_str_eq(holders(-1), "h2* h1");
	f.now_ms++;
	cr_assert_str_eq(holders(-1), "h2*", "too old to be read");
	cr_assert_str_eq(holders(freed_ms), "");
	cr_assert_eq(entries(HF_HISTORY), 1, "and still there");
	uint64_t changes = entries(HF_CHANGES);
	batch();
	cr_assert_eq(entries(HF_HISTORY), 0, "dropped by its deadline");
	cr_assert_eq(entries(HF_DEADLINES), 0);
	cr_assert_eq(entries(HF_CHANGES), changes, "which is no change");
	f.now_ms += 1000 * DAY_MS;
	batch();
	cr_assert_str_eq(holders(-1), "h2*", "whoever holds it is never too old");
}

Test(history, neighbouring_addresses_are_apart) {
	hold(1);
	vip = addr("241.0.0.6");
	cr_assert_str_eq(holders(-1), "");
	hold(2);
	cr_assert_str_eq(holders(-1), "h2*");
	vip = addr("241.0.0.4");
	cr_assert_str_eq(holders(-1), "");
	vip = addr("241.0.0.5");
	cr_assert_str_eq(holders(-1), "h1*");
}

/* follow_support.c — a store whose time follows the fixture's wall clock. */
#include "follow_support.h"

#include <criterion/criterion.h>

#include "storage/requests/lease_query.h"
#include "storage/store/follow.h"
#include "storage/store/upkeep.h"
#include "storage/tables/change_table.h"
#include "storage/tables/holders.h"

struct fixture f;

void follow_setup(void) {
	fixture_dir(&f);
	f.options.follow_clock = true;
	f.options.follow_after_ms = -1;
	fixture_open(&f);
}

void follow_teardown(void) {
	verify_clean(&f, "at the end");
	fixture_remove(&f);
}

struct hf_identity service(const char *name) {
	return identity("east", "default", name);
}

struct hf_acquire acquired(const char *name) {
	struct hf_acquire a = acquire_request(service(name), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK, "%s", a.write.why.text);
	return a;
}

void released(const char *name) { cr_assert_eq(release(&f, service(name), false, NULL), HF_OK, "%s", name); }

static bool read_lease(const char *name, struct hf_lease *ret) {
	struct hf_identity id = service(name);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	enum hf_err err = hf_lease_get(f.reader, &id, NULL, ret);
	hf_reader_end(f.reader);
	return err == HF_OK;
}

bool exists(const char *name) {
	struct hf_lease lease;
	return read_lease(name, &lease);
}

int64_t until(const char *name) {
	struct hf_lease lease;
	cr_assert(read_lease(name, &lease), "%s", name);
	return lease.quarantined_until_ms;
}

/* What the committer's thread does each second, until there is no more to do. */
struct hf_clock_news upkeep(void) {
	struct hf_clock_news news;
	bool due = true;
	cr_assert_eq(hf_follow_clock(f.store, NULL, &news), HF_OK);
	for (int i = 0; due && i < 1000; i++) {
		cr_assert_eq(hf_upkeep_is_due(f.store, f.reader, NULL, &due), HF_OK);
		if (due)
			cr_assert_eq(hf_upkeep_run(f.store, NULL), HF_OK);
	}
	cr_assert(!due, "there is no end to what is due");
	return news;
}

/* Time passes, and the wall clock steps. */
struct hf_clock_news pass(int64_t ms, int64_t step_ms) {
	f.now_ms += ms;
	f.monotonic_ms += ms;
	f.shift_ms += step_ms;
	return upkeep();
}

/* The server ends; time passes; another one starts, after a boot or not. */
struct hf_clock_news restart(int64_t ms, int64_t step_ms, bool boot) {
	fixture_close(&f);
	f.now_ms += ms;
	f.monotonic_ms = boot ? MINUTE : f.monotonic_ms + ms;
	f.shift_ms += step_ms;
	f.boot += boot;
	fixture_open(&f);
	upkeep();
	return hf_store_clock_start(f.store);
}

/* How many past holders its address has. */
int past(struct hf_addr vip) {
	struct hf_holder holders[HF_HISTORY_HOLDERS];
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	int n = hf_holders_read(f.reader, vip, -1, hf_store_patient_ms(f.store), holders);
	hf_reader_end(f.reader);
	return n;
}

uint64_t compacted(void) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	uint64_t revision = hf_meta_read(f.reader).compacted;
	hf_reader_end(f.reader);
	return revision;
}

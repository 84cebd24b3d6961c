/* Refusals: one line a zone and code each ten seconds, and the number of those that had none comes out. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "api/access/refusals.h"

static struct hf_refusals *refusals;
static uint64_t lines, unlogged;
static char last[128];

static void setup(void) {
	refusals = hf_refusals_new();
	cr_assert_not_null(refusals);
	lines = unlogged = 0;
}

static void teardown(void) { hf_refusals_free(refusals); }

TestSuite(refusals, .init = setup, .fini = teardown);

static void told(void *context, const char *zone, enum hf_err code, uint64_t n) {
	(void)context;
	snprintf(last, sizeof last, "%s %s %d", zone, hf_err_slug(code), (int)n);
	lines++;
	unlogged += n;
}

/* One refusal; whether it is logged. */
static bool refuse(const char *zone, enum hf_err code, int64_t at_ms) {
	uint64_t before = 12345;
	bool logs = hf_refusals_note(refusals, zone, code, at_ms, &before);
	lines += logs;
	unlogged += logs ? before : 0;
	cr_expect(logs || before == 12345);
	return logs;
}

Test(refusals, the_first_is_logged_and_the_rest_is_counted) {
	cr_expect(refuse("east", HF_E_STALE_EPOCH, 5));
	for (int i = 1; i <= 100; i++)
		cr_expect_not(refuse("east", HF_E_STALE_EPOCH, 5 + i));
	cr_expect_not(refuse("east", HF_E_STALE_EPOCH, 5 + HF_REFUSALS_QUIET_MS - 1));
	cr_expect(refuse("east", HF_E_STALE_EPOCH, 5 + HF_REFUSALS_QUIET_MS));
	cr_expect_eq(unlogged, 101, "with the next line");
	cr_expect_not(refuse("east", HF_E_STALE_EPOCH, 6 + HF_REFUSALS_QUIET_MS));
}

Test(refusals, each_zone_and_code_has_its_own) {
	cr_expect(refuse("east", HF_E_STALE_EPOCH, 0));
	cr_expect(refuse("west", HF_E_STALE_EPOCH, 1));
	cr_expect(refuse("east", HF_E_ZONE_OFFLINE, 2));
	cr_expect(refuse("eas", HF_E_STALE_EPOCH, 3));
	cr_expect(refuse("", HF_E_STALE_EPOCH, 4));
	cr_expect_not(refuse("west", HF_E_STALE_EPOCH, 5));
	cr_expect_not(refuse("", HF_E_STALE_EPOCH, 6));
}

Test(refusals, what_was_counted_comes_out_when_nobody_is_refused_any_more) {
	refuse("east", HF_E_STALE_EPOCH, 0);
	for (int i = 0; i < 7; i++)
		refuse("east", HF_E_STALE_EPOCH, 1);
	hf_refusals_report(refusals, HF_REFUSALS_QUIET_MS - 1, false, told, NULL);
	cr_expect_eq(lines, 1);
	hf_refusals_report(refusals, HF_REFUSALS_QUIET_MS, false, told, NULL);
	cr_expect_eq(lines, 2);
	cr_expect_str_eq(last, "east stale-epoch 7");
	hf_refusals_report(refusals, 10 * HF_REFUSALS_QUIET_MS, false, told, NULL);
	cr_expect_eq(lines, 2, "once");
	cr_expect(refuse("east", HF_E_STALE_EPOCH, 10 * HF_REFUSALS_QUIET_MS), "and then it is as new");
}

Test(refusals, the_end_waits_for_nothing) {
	refuse("east", HF_E_STALE_EPOCH, 0);
	refuse("east", HF_E_STALE_EPOCH, 1);
	refuse("west", HF_E_STALE_EPOCH, 1);
	hf_refusals_report(refusals, 2, true, told, NULL);
	cr_expect_eq(lines, 3);
	cr_expect_str_eq(last, "east stale-epoch 1");
}

/* A thousand a second for a minute, told every second: a line each ten seconds, and none is lost. */
Test(refusals, a_flood_is_a_few_lines) {
	for (int ms = 0; ms < 60000; ms++) {
		refuse("east", HF_E_STALE_EPOCH, ms);
		if (ms % 1000 == 999)
			hf_refusals_report(refusals, ms, false, told, NULL);
	}
	hf_refusals_report(refusals, 60000, true, told, NULL);
	cr_expect_leq(lines, 7, "%d lines", (int)lines);
	uint64_t logged = 60000 - unlogged;
	cr_expect(logged >= 1 && logged <= lines, "%d were logged, %d not", (int)logged, (int)unlogged);
}

Test(refusals, however_many_zones_there_are) {
	char zone[16];
	for (int i = 0; i < 5 * HF_REFUSALS_MAX; i++) {
		snprintf(zone, sizeof zone, "zone-%d", i);
		refuse(zone, HF_E_STALE_EPOCH, 0);
	}
	cr_expect_eq(lines, HF_REFUSALS_MAX + 1);
	hf_refusals_report(refusals, HF_REFUSALS_QUIET_MS, false, told, NULL);
	cr_expect_str_eq(last, " stale-epoch 4095");
	cr_expect(refuse("zone-5000", HF_E_STALE_EPOCH, HF_REFUSALS_QUIET_MS), "there is room again");
}

/* test_shares.c — what answers hold: limits, and who makes room. */
#include <criterion/criterion.h>

#include "api/call/shares.h"

#define SECOND_US INT64_C(1000000)

struct holder {
	struct hf_share share;
	int expired;
};

static void on_expire(struct hf_share *share) { ((struct holder *)share)->expired++; }

static enum hf_err take(struct hf_shares *shares, struct holder *holder, enum hf_share_kind kind, uint64_t cost, int64_t now_us) {
	struct hf_why why = {""};
	*holder = (struct holder){.share = {.kind = kind, .cost = cost, .expire = on_expire}};
	enum hf_err err = hf_shares_take(shares, &holder->share, now_us, &why);
	cr_assert_eq(err == HF_OK, why.text[0] == '\0');
	return err;
}

/* All places of backups, taken at second 0. */
static void take_all(struct hf_shares *shares, struct holder holders[HF_SHARE_BACKUPS_MAX]) {
	for (int i = 0; i < HF_SHARE_BACKUPS_MAX; i++)
		cr_assert_eq(take(shares, &holders[i], HF_SHARE_BACKUPS, 1, 0), HF_OK);
}

Test(shares, what_is_given_back_can_be_taken) {
	struct hf_shares shares = {0};
	struct holder holders[HF_SHARE_BACKUPS_MAX], more;
	take_all(&shares, holders);
	cr_assert_eq(take(&shares, &more, HF_SHARE_BACKUPS, 1, 0), HF_E_OVERLOADED);
	cr_assert_eq(shares.refused[HF_SHARE_BACKUPS], 1);
	hf_shares_give_back(&shares, &holders[2].share);
	hf_shares_give_back(&shares, &holders[2].share);
	cr_assert_eq(take(&shares, &more, HF_SHARE_BACKUPS, 1, 0), HF_OK);
	cr_assert_eq(shares.used[HF_SHARE_BACKUPS], HF_SHARE_BACKUPS_MAX);
}

Test(shares, kinds_are_apart) {
	struct hf_shares shares = {0};
	struct holder holders[HF_SHARE_BACKUPS_MAX], stream, answer;
	take_all(&shares, holders);
	cr_assert_eq(take(&shares, &stream, HF_SHARE_STREAMS, 1, 100 * SECOND_US), HF_OK);
	cr_assert_eq(take(&shares, &answer, HF_SHARE_ANSWERS, HF_SHARE_ANSWERS_MAX, 100 * SECOND_US), HF_OK);
	for (int i = 0; i < HF_SHARE_BACKUPS_MAX; i++)
		cr_assert_eq(holders[i].expired, 0);
}

Test(shares, who_reads_keeps_it_and_who_does_not_makes_room) {
	struct hf_shares shares = {0};
	struct holder holders[HF_SHARE_BACKUPS_MAX], more, late;
	take_all(&shares, holders);
	for (int i = 0; i < HF_SHARE_BACKUPS_MAX; i++)
		if (i != 1)
			hf_share_sent(&holders[i].share, (uint64_t)HF_SHARE_BYTES_PER_S * 3); /* three seconds' worth */
	cr_assert_eq(take(&shares, &more, HF_SHARE_BACKUPS, 1, HF_SHARE_LAG_US - 1), HF_E_OVERLOADED, "a moment to begin");
	cr_assert_eq(take(&shares, &more, HF_SHARE_BACKUPS, 1, HF_SHARE_LAG_US), HF_OK);
	for (int i = 0; i < HF_SHARE_BACKUPS_MAX; i++)
		cr_assert_eq(holders[i].expired, i == 1, "%d", i);
	cr_assert_eq(shares.cut[HF_SHARE_BACKUPS], 1);
	hf_shares_give_back(&shares, &holders[1].share); /* its owner notices later */
	cr_assert_eq(shares.used[HF_SHARE_BACKUPS], HF_SHARE_BACKUPS_MAX);
	cr_assert_eq(take(&shares, &late, HF_SHARE_BACKUPS, 1, 3 * SECOND_US), HF_E_OVERLOADED, "the others are being read");
}

Test(shares, of_those_behind_the_last_one_goes) {
	struct hf_shares shares = {0};
	struct holder holders[HF_SHARE_BACKUPS_MAX], more;
	take_all(&shares, holders);
	for (int i = 0; i < HF_SHARE_BACKUPS_MAX; i++)
		hf_share_sent(&holders[i].share, (uint64_t)(i == 2 ? 1 : 1000 + i));
	cr_assert_eq(take(&shares, &more, HF_SHARE_BACKUPS, 1, 60 * SECOND_US), HF_OK);
	cr_assert_eq(holders[2].expired, 1);
	cr_assert_eq(holders[0].expired + holders[1].expired + holders[3].expired, 0);
}

Test(shares, a_large_answer_needs_the_room_of_several) {
	struct hf_shares shares = {0};
	struct holder small[4], large;
	for (int i = 0; i < 4; i++)
		cr_assert_eq(take(&shares, &small[i], HF_SHARE_ANSWERS, HF_SHARE_ANSWERS_MAX / 4, 0), HF_OK);
	cr_assert_eq(take(&shares, &large, HF_SHARE_ANSWERS, HF_SHARE_ANSWERS_MAX / 2, SECOND_US), HF_E_OVERLOADED);
	cr_assert_eq(take(&shares, &large, HF_SHARE_ANSWERS, HF_SHARE_ANSWERS_MAX / 2, 9 * SECOND_US), HF_OK);
	cr_assert_eq(small[0].expired + small[1].expired + small[2].expired + small[3].expired, 2);
	cr_assert_eq(shares.used[HF_SHARE_ANSWERS], HF_SHARE_ANSWERS_MAX);
}

Test(shares, what_is_larger_than_all_has_it_alone) {
	struct hf_shares shares = {0};
	struct holder huge, small;
	cr_assert_eq(take(&shares, &huge, HF_SHARE_ANSWERS, 2 * HF_SHARE_ANSWERS_MAX, 0), HF_OK);
	cr_assert_eq(take(&shares, &small, HF_SHARE_ANSWERS, 1, 0), HF_E_OVERLOADED);
	hf_shares_give_back(&shares, &huge.share);
	cr_assert_eq(take(&shares, &small, HF_SHARE_ANSWERS, 1, 0), HF_OK);
}

Test(shares, what_was_done_is_answered_beyond_the_limit) {
	struct hf_shares shares = {0};
	struct holder first, second = {.share = {.kind = HF_SHARE_ANSWERS, .cost = 10, .expire = on_expire}};
	cr_assert_eq(take(&shares, &first, HF_SHARE_ANSWERS, HF_SHARE_ANSWERS_MAX, 0), HF_OK);
	hf_shares_take_anyway(&shares, &second.share, 0);
	cr_assert_eq(shares.used[HF_SHARE_ANSWERS], HF_SHARE_ANSWERS_MAX + 10);
	cr_assert_eq(first.expired, 0);
	hf_shares_give_back(&shares, &second.share);
	hf_shares_give_back(&shares, &first.share);
	cr_assert_eq(shares.used[HF_SHARE_ANSWERS], 0);
}

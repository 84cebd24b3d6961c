/* shares.c — the list of shares in use, and which of them makes room. */
#include "shares.h"

#include <inttypes.h>
#include <string.h>

#include "api/text/prometheus.h"

static const struct {
	const char *name, *what;
	uint64_t max;
} KINDS[] = {
	[HF_SHARE_BACKUPS] = {"backups", "4 backups are under way, and all of them are being read; try again",
			      HF_SHARE_BACKUPS_MAX},
	[HF_SHARE_STREAMS] = {"lease_streams", "64 streams of leases are under way, and all of them are being read; try again",
			      HF_SHARE_STREAMS_MAX},
	[HF_SHARE_ANSWERS] = {"answer_bytes", "64 MiB of answers are being read; try again, or ask for smaller pages",
			      HF_SHARE_ANSWERS_MAX},
};

static void take_out(struct hf_shares *shares, struct hf_share *share) {
	*(share->prev ? &share->prev->next : &shares->first) = share->next;
	if (share->next)
		share->next->prev = share->prev;
	shares->used[share->kind] -= share->cost;
	share->held = false;
}

static void put_in(struct hf_shares *shares, struct hf_share *share, int64_t now_us) {
	share->since_us = now_us;
	share->sent = 0;
	share->held = true;
	share->prev = NULL;
	share->next = shares->first;
	if (shares->first)
		shares->first->prev = share;
	shares->first = share;
	shares->used[share->kind] += share->cost;
}

/* Returns how far a reader lags behind the expected rate. */
static int64_t lag_us(const struct hf_share *share, int64_t now_us) {
	return now_us - share->since_us - (int64_t)(share->sent * 1000000 / (uint64_t)HF_SHARE_BYTES_PER_S);
}

/* Expires the share whose reader lags most. Returns false if no reader lags. */
static bool make_room(struct hf_shares *shares, enum hf_share_kind kind, int64_t now_us) {
	struct hf_share *last = NULL;
	for (struct hf_share *at = shares->first; at; at = at->next)
		if (at->kind == kind && (!last || lag_us(at, now_us) > lag_us(last, now_us)))
			last = at;
	if (!last || lag_us(last, now_us) < HF_SHARE_LAG_US)
		return false;
	take_out(shares, last);
	shares->cut[kind]++;
	last->expire(last);
	return true;
}

/* Returns whether the share fits, after making room for it. The caller holds the lock. */
static bool has_room(struct hf_shares *shares, const struct hf_share *share, int64_t now_us) {
	uint64_t max = KINDS[share->kind].max;
	while (shares->used[share->kind] > 0 && shares->used[share->kind] + share->cost > max)
		if (!make_room(shares, share->kind, now_us))
			return false;
	return true; /* a share larger than the limit may use all of it alone */
}

enum hf_err hf_shares_take(struct hf_shares *shares, struct hf_share *share, int64_t now_us, struct hf_why *why) {
	pthread_mutex_lock(&shares->lock);
	bool room = has_room(shares, share, now_us);
	if (room)
		put_in(shares, share, now_us);
	else
		shares->refused[share->kind]++;
	pthread_mutex_unlock(&shares->lock);
	return room ? HF_OK : hf_fail(why, HF_E_OVERLOADED, "%s", KINDS[share->kind].what);
}

void hf_shares_take_anyway(struct hf_shares *shares, struct hf_share *share, int64_t now_us) {
	pthread_mutex_lock(&shares->lock);
	if (!has_room(shares, share, now_us))
		shares->refused[share->kind]++;
	put_in(shares, share, now_us);
	pthread_mutex_unlock(&shares->lock);
}

void hf_shares_give_back(struct hf_shares *shares, struct hf_share *share) {
	pthread_mutex_lock(&shares->lock);
	if (share->held)
		take_out(shares, share);
	pthread_mutex_unlock(&shares->lock);
}

static void write_numbers(struct hf_buf *out, const char *metric, const char *type, const char *help,
			  const uint64_t numbers[HF_SHARE_KINDS]) {
	hf_prometheus_head(out, metric, type, help);
	for (int i = 0; i < HF_SHARE_KINDS; i++)
		hf_buf_printf(out, "%s{budget=\"%s\"} %" PRIu64 "\n", metric, KINDS[i].name, numbers[i]);
}

void hf_shares_write(struct hf_shares *shares, struct hf_buf *out) {
	uint64_t limits[HF_SHARE_KINDS];
	for (int i = 0; i < HF_SHARE_KINDS; i++)
		limits[i] = KINDS[i].max;
	uint64_t used[HF_SHARE_KINDS], refused[HF_SHARE_KINDS], cut[HF_SHARE_KINDS];
	pthread_mutex_lock(&shares->lock);
	memcpy(used, shares->used, sizeof used);
	memcpy(refused, shares->refused, sizeof refused);
	memcpy(cut, shares->cut, sizeof cut);
	pthread_mutex_unlock(&shares->lock);
	write_numbers(out, "holdfast_budget_used", "gauge", "What answers hold while they are read, by budget.", used);
	write_numbers(out, "holdfast_budget_limit", "gauge", "How much of it there is.", limits);
	write_numbers(out, "holdfast_budget_refused_total", "counter", "Requests for which there was none left.", refused);
	write_numbers(out, "holdfast_budget_cut_total", "counter", "Answers that were cut to make room, as nobody read them.", cut);
}

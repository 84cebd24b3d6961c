/* kept.c — a large answer in memory, waiting for its reader: it holds a share, and frees its memory if it must make room. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kept.h"
#include "storage/base/container.h"
#include "storage/base/monotonic.h"

#define LIMIT_MS 60000	    /* a reader may take a minute … */
#define BYTES_PER_S 1048576 /* … and one more second for each of these */

struct kept {
	struct hf_stream base;
	struct hf_share share;
	struct hf_api *api;
	pthread_mutex_t lock; /* guards what follows */
	struct hf_buf answer; /* without data: expired */
	size_t at;
};

static void let_go(struct kept *kept) {
	pthread_mutex_lock(&kept->lock);
	hf_buf_free(&kept->answer);
	pthread_mutex_unlock(&kept->lock);
}

static void make_room(struct hf_share *share) { let_go(HF_CONTAINER_OF(share, struct kept, share)); }

static ssize_t fill(struct hf_stream *base, char *ret, size_t max) {
	struct kept *kept = (struct kept *)base;
	ssize_t n = -1;
	pthread_mutex_lock(&kept->lock);
	if (kept->answer.data) {
		size_t left = kept->answer.len - kept->at;
		n = (ssize_t)(left < max ? left : max);
		memcpy(ret, kept->answer.data + kept->at, (size_t)n);
		kept->at += (size_t)n;
		hf_share_sent(&kept->share, (uint64_t)n);
	}
	pthread_mutex_unlock(&kept->lock);
	return n;
}

static void expire(struct hf_stream *base) {
	struct kept *kept = (struct kept *)base;
	hf_shares_give_back(&kept->api->shares, &kept->share);
	let_go(kept);
}

static void close_kept(struct hf_stream *base) {
	struct kept *kept = (struct kept *)base;
	hf_shares_give_back(&kept->api->shares, &kept->share);
	hf_buf_free(&kept->answer);
	pthread_mutex_destroy(&kept->lock);
	free(kept);
}

static enum hf_err take_share(struct hf_call *call, struct kept *kept) {
	if (!call->write) /* nothing was written, so the client can ask again */
		return hf_shares_take(&call->api->shares, &kept->share, hf_monotonic_us(), &call->why);
	hf_shares_take_anyway(&call->api->shares, &kept->share, hf_monotonic_us());
	return HF_OK;
}

void hf_call_keep(struct hf_call *call) {
	struct hf_response *response = &call->response;
	size_t len = response->body.len;
	if (response->stream || response->fixed || len <= HF_SHARE_SMALL_BYTES)
		return;
	struct kept *kept = calloc(1, sizeof *kept);
	enum hf_err err = kept ? HF_OK : hf_no_memory(&call->why);
	if (kept) {
		kept->base = (struct hf_stream){len, LIMIT_MS + (int64_t)(len / BYTES_PER_S * 1000), fill, expire, close_kept};
		kept->share = (struct hf_share){.kind = HF_SHARE_ANSWERS, .cost = response->body.cap, .expire = make_room};
		err = take_share(call, kept);
	}
	if (err) {
		free(kept);
		call->refused = NULL;
		hf_call_problem(call, err);
		return;
	}
	kept->api = call->api;
	pthread_mutex_init(&kept->lock, NULL);
	kept->answer = response->body;
	response->body = (struct hf_buf){0};
	response->stream = &kept->base;
}

/* access.c — holds the tokens in force. */
#include "access.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "api/text/prometheus.h"
#include "refusals.h"
#include "storage/base/clock.h"

struct hf_access {
	pthread_rwlock_t lock; /* guards the pointer, and what it points to while it is read */
	struct hf_tokens *tokens;
	struct hf_refusals *strangers;
	_Atomic uint64_t failures, reload_failures;
};

struct hf_access *hf_access_new(struct hf_tokens *tokens) {
	struct hf_access *access = calloc(1, sizeof *access);
	if (!access)
		return NULL;
	access->strangers = hf_refusals_new();
	if (!access->strangers) {
		free(access);
		return NULL;
	}
	pthread_rwlock_init(&access->lock, NULL);
	access->tokens = tokens;
	return access;
}

void hf_access_free(struct hf_access *access) {
	if (!access)
		return;
	hf_tokens_free(access->tokens);
	hf_refusals_free(access->strangers);
	pthread_rwlock_destroy(&access->lock);
	free(access);
}

void hf_access_replace(struct hf_access *access, struct hf_tokens *tokens) {
	pthread_rwlock_wrlock(&access->lock);
	struct hf_tokens *before = access->tokens;
	access->tokens = tokens;
	pthread_rwlock_unlock(&access->lock);
	hf_tokens_free(before);
}

struct hf_refusals *hf_access_strangers(struct hf_access *access) {
	return access->strangers;
}

void hf_access_note_failed_reload(struct hf_access *access) { access->reload_failures++; }

bool hf_access_find(struct hf_access *access, const char *authorization, struct hf_principal *ret) {
	int64_t now_ms = hf_clock_wall(&HF_SYSTEM_CLOCK);
	pthread_rwlock_rdlock(&access->lock);
	bool found = hf_tokens_find(access->tokens, authorization, now_ms, ret);
	pthread_rwlock_unlock(&access->lock);
	if (!found)
		access->failures++;
	return found;
}

void hf_access_write(struct hf_access *access, struct hf_buf *out) {
	int n = 0;
	if (access) {
		pthread_rwlock_rdlock(&access->lock);
		n = hf_tokens_count(access->tokens);
		pthread_rwlock_unlock(&access->lock);
	}
	hf_prometheus_single(out, "holdfast_tokens", "gauge", "Secrets in the tokens file that is in force, expired ones included.",
			     (uint64_t)n);
	hf_prometheus_single(out, "holdfast_auth_failures_total", "counter",
			     "Requests without a valid token, which were answered 401.", access ? access->failures : 0);
	hf_prometheus_single(out, "holdfast_tokens_reload_failures_total", "counter",
			     "Times that the tokens file could not be read again; the tokens before stayed in force.",
			     access ? access->reload_failures : 0);
}

/* http.c — starts and stops libmicrohttpd's daemon. */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "exchange.h"
#include "headers.h"
#include "http_internal.h"
#include "refusal.h"
#include "server/process/log.h"
#include "storage/base/monotonic.h"
#include "watch.h"

/* Never reached: places.c has the limits. libmicrohttpd's own limit would leave clients without an answer. */
#define WORKER_CONNECTIONS_MAX 1000000
/* The beginning of libmicrohttpd's log line about an error that it answers by itself; the status follows. */
#define REFUSES "Error processing request (HTTP response code is %u"

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_len, void **state) {
	(void)context, (void)connection;
	return *state ? hf_exchange_handle(*state, url, method, version, upload, upload_len) : MHD_NO; /* NULL: out of memory */
}

/* Leaves names as they are: the API decodes them, strictly. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text) {
	(void)context, (void)connection;
	return strlen(text);
}

static void log_library(void *context, const char *format, va_list args) {
	char text[256], quoted[HF_LOG_QUOTED];
	(void)context;
	va_list more;
	va_copy(more, args);
	vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	hf_log(HF_LOG_DEBUG, "libmicrohttpd", "detail=%s", hf_log_quote(text, quoted));
	if (strncmp(format, REFUSES, sizeof REFUSES - 1) == 0)
		hf_refusal_by_library(va_arg(more, unsigned));
	va_end(more);
}

static struct hf_client_limits read_limits(const struct hf_http_options *options) {
	uint64_t max = options->connections_max, own = options->connections_per_address;
	return (struct hf_client_limits){.max = max,
					 .per_address = own ? (own < max ? own : max) : max - max / 4,
					 .head_us = (int64_t)options->head_seconds * 1000000,
					 .transfer_us = (int64_t)options->body_seconds * 1000000};
}

enum hf_err hf_http_start(int listen_fd, const struct hf_http_options *options, struct hf_api *api, struct hf_wakeups *wakeups,
			  struct hf_lane *const lanes[HF_LANE_NAMES], struct hf_why *why, struct hf_http **ret) {
	struct hf_http *http = calloc(1, sizeof *http);
	if (!http) {
		close(listen_fd);
		return hf_no_memory(why);
	}
	http->api = api;
	http->wakeups = wakeups;
	memcpy(http->lanes, lanes, sizeof http->lanes);
	pthread_mutex_init(&http->lock, NULL);
	hf_condition_init(&http->ended);
	hf_workers_init(&http->workers, api, options->threads > 1);
	struct hf_client_limits limits = read_limits(options);
	api->traffic.connections_max = limits.max;
	api->traffic.per_address_max = limits.per_address;
	api->traffic.waiters_max = limits.max - limits.max / 4;
	if (!hf_clients_init(&http->clients, &limits, &api->traffic) || hf_watch_start(&http->clients, &http->watch)) {
		close(listen_fd);
		hf_http_stop(http);
		return hf_fail(why, HF_E_OVERLOADED, "out of memory or threads");
	}
	(void)!hf_linger_start(&http->linger); /* without it, a client that is still sending may lose its answer */
	/* Threads that poll: in 0.9.75, an epoll thread collapses beyond 127 connections. */
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL}, {MHD_OPTION_END, 0, NULL}};
	http->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, http, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
					MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT,
					WORKER_CONNECTIONS_MAX * (unsigned)options->threads, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
					(size_t)HF_CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
					(unsigned)options->idle_seconds, MHD_OPTION_URI_LOG_CALLBACK, hf_connection_begin, http,
					MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_NOTIFY_COMPLETED,
					hf_connection_end, http, MHD_OPTION_NOTIFY_CONNECTION, hf_connection_notify, http,
					MHD_OPTION_ARRAY, options->threads > 1 ? pool : &pool[1], MHD_OPTION_END);
	if (!http->daemon) {
		close(listen_fd);
		hf_http_stop(http);
		return hf_fail(why, HF_E_OVERLOADED, "the HTTP workers cannot be started");
	}
	*ret = http;
	return HF_OK;
}

void hf_http_drain(struct hf_http *http, int grace_ms) {
	int fd = http->drained ? -1 : MHD_quiesce_daemon(http->daemon);
	if (fd >= 0)
		close(fd);
	int64_t end_us = hf_monotonic_us() + (int64_t)grace_ms * 1000;
	pthread_mutex_lock(&http->lock);
	http->draining = true;
	while (http->api->traffic.under_way > 0 && hf_condition_wait(&http->ended, &http->lock, end_us))
		continue;
	pthread_mutex_unlock(&http->lock);
	http->drained = true;
}

void hf_http_stop(struct hf_http *http) {
	if (!http)
		return;
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	hf_watch_stop(http->watch);
	hf_clients_free(&http->clients);
	hf_linger_stop(http->linger);
	hf_workers_free(&http->workers);
	pthread_cond_destroy(&http->ended);
	pthread_mutex_destroy(&http->lock);
	free(http);
}

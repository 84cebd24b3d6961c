/* main.c — the process: options, store, committer, HTTP; and down again in the opposite order.
 *
 *   server/   this folder: sockets, signals, logging           http.c is where requests come in
 *   api/      what clients see: routes, JSON, problems         api/routes.c is the table of contents
 *   storage/  what lasts: leases, addresses, pools, changes    storage/store/lease_change.c is where leases change
 */
#include <gnutls/gnutls.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "api/call/metrics.h"
#include "api/call/origin.h"
#include "api/routes.h"
#include "api/sync/sync_ledger.h"
#include "server/config/options.h"
#include "server/http/http.h"
#include "server/http/places.h"
#include "server/http/wakeups.h"
#include "server/offline/offline.h"
#include "server/process/lastwords.h"
#include "server/process/listen.h"
#include "server/process/log.h"
#include "server/process/logwriter.h"
#include "server/process/owner.h"
#include "server/process/stall.h"
#include "storage/disk/descriptors.h"

#define DRAIN_MS 3000
#define ANSWER_MS 500  /* for the last answers to be sent */
#define LOG_MS 500     /* for the last lines to be read */
#define OUTPUT_MS 1000 /* for standard output to take its line */
#define FAILURE_LOG_US 10000000

enum { EXIT_OK, EXIT_RUNNING, EXIT_USAGE, EXIT_DATA_DIR, EXIT_LOCKED, EXIT_NEWER_FORMAT, EXIT_CORRUPT, EXIT_LISTEN };

struct server {
	struct hf_options options;
	struct hf_api api;
	struct hf_hosts hosts;
	struct hf_wakeups *wakeups;
	struct hf_lane *lanes[HF_LANE_NAMES];
	struct hf_http *http;
	struct hf_stall *stall;
	int listen_fd;
	char url[HF_URL_TEXT];
	_Atomic bool broken; /* the store must be opened anew: the process ends, and whoever watches it starts it again */
	/* The last failure that was logged, and how many like it were not; of whoever has the writer's turn. */
	enum hf_err failure;
	int64_t failure_us;
	unsigned failures_unlogged;
};

static int fail(int status, const char *text) {
	char quoted[HF_LOG_QUOTED];
	hf_log(HF_LOG_ERROR, "cannot start", "detail=%s", hf_log_quote(text, quoted));
	return status;
}

static int open_status(enum hf_err err) {
	switch (err) {
	case HF_E_LOCKED:
		return EXIT_LOCKED;
	case HF_E_NEWER_FORMAT:
		return EXIT_NEWER_FORMAT;
	case HF_E_CORRUPT:
		return EXIT_CORRUPT;
	default:
		return EXIT_DATA_DIR;
	}
}

static void on_commit(void *context, uint64_t revision) { hf_wakeups_committed(((struct server *)context)->wakeups, revision); }

/* A disk that is full fails every commit: one line each ten seconds tells it as well. */
static void on_failure(void *context, enum hf_err err, const struct hf_why *why) {
	struct server *s = context;
	char quoted[HF_LOG_QUOTED];
	int64_t now_us = hf_monotonic_us();
	if (err == s->failure && now_us - s->failure_us < FAILURE_LOG_US) {
		s->failures_unlogged++;
	} else {
		hf_log(HF_LOG_ERROR, "commit failed", "code=%s detail=%s unlogged=%u", hf_err_slug(err),
		       hf_log_quote(why->text, quoted), s->failures_unlogged);
		s->failures_unlogged = 0;
		s->failure = err;
		s->failure_us = now_us;
	}
	if (err == HF_E_PANIC && !s->broken) {
		s->broken = true;
		kill(getpid(), SIGTERM); /* main waits for it */
	}
}

static void on_clock(void *context, struct hf_clock_news news) {
	double seconds = (double)news.by_ms / 1000;
	(void)context;
	if (news.what == HF_CLOCK_UNSET)
		hf_log(HF_LOG_WARN, "the wall clock is not set",
		       "detail=\"it says what cannot be; the store's time goes on without it\"");
	else if (news.what == HF_CLOCK_RETURNED)
		hf_log(HF_LOG_INFO, "the wall clock stepped back again", "seconds=%+.3f", seconds);
	else
		hf_log(HF_LOG_WARN, "the wall clock stepped",
		       "seconds=%+.3f detail=\"quarantines end no sooner and no later for it\"", seconds);
}

/* After a boot nobody knows what passed: worth a warning if it is backward, or so much that the clock may be wrong. */
static void tell_clock_start(const struct hf_store *store) {
	struct hf_clock_news news = hf_store_clock_start(store);
	if (news.what == HF_CLOCK_STEPPED || news.what == HF_CLOCK_UNSET)
		on_clock(NULL, news);
	if (news.what != HF_CLOCK_BOOTED)
		return;
	const char *detail = news.by_ms < 0 ? "it is behind the newest change: one of them is wrong"
					    : "since the newest change; quarantines wait as long as was left of them then";
	hf_log(news.by_ms < 0 || news.by_ms > HF_CLOCK_FAR_MS ? HF_LOG_WARN : HF_LOG_INFO, "first start since a boot",
	       "seconds=%+.3f detail=\"%s\"", (double)news.by_ms / 1000, detail);
}

static void on_slow(void *context, int64_t duration_us) {
	(void)context;
	hf_log(HF_LOG_WARN, "a commit was slow", "seconds=%.1f", (double)duration_us / 1e6);
}

static void on_presence(void *context, bool is_gone, const struct hf_why *why) {
	char quoted[HF_LOG_QUOTED];
	(void)context;
	if (is_gone)
		hf_log(HF_LOG_ERROR, "database gone", "detail=%s", hf_log_quote(why->text, quoted));
	else
		hf_log(HF_LOG_WARN, "database back", "detail=\"the file is where it was; writes go on\"");
}

static void on_event(enum hf_event_level level, const char *message, const char *pairs) {
	static const enum hf_log_level levels[] = {
		[HF_EVENT_DEBUG] = HF_LOG_DEBUG,
		[HF_EVENT_INFO] = HF_LOG_INFO,
		[HF_EVENT_WARN] = HF_LOG_WARN,
		[HF_EVENT_ERROR] = HF_LOG_ERROR,
	};
	hf_log(levels[level], message, "%s", pairs);
}

/* Signals are waited for by the main thread alone; SIGHUP and SIGPIPE mean nothing to us, and a limit on the size of files is an
 * error of the write that meets it. */
static void block_signals(sigset_t *ret_stop) {
	sigemptyset(ret_stop);
	sigaddset(ret_stop, SIGTERM);
	sigaddset(ret_stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, ret_stop, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* Descriptors for every connection, and what else is open. */
static void raise_file_limit(uint64_t connections) {
	struct rlimit limit;
	rlim_t wanted = connections + hf_places_kept(connections) + 128; /* some have been ended and not yet been closed */
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		hf_log(HF_LOG_WARN, "fewer files may be open than connections are allowed", "limit=%llu connections=%llu",
		       (unsigned long long)limit.rlim_cur, (unsigned long long)connections);
}

static int open_store(struct server *s) {
	struct hf_why why = {""};
	struct hf_store_options options = {
		.map_size_bytes = s->options.map_size_bytes,
		.quarantine_seconds = s->options.quarantine_seconds,
		.changes_max = s->options.changes_max,
		.changes_age_ms = (int64_t)s->options.changes_age_seconds * 1000,
		.follow_clock = true,
	};
	const char *aside;
	char quoted[HF_LOG_QUOTED];
	bool changed;
	enum hf_err err = hf_owner_become(s->options.data_dir, &why, &changed);
	if (!err && changed)
		hf_log(HF_LOG_WARN, "ids of the data directory's owner taken", "user=%lu group=%lu", (unsigned long)geteuid(),
		       (unsigned long)getegid());
	if (!err)
		err = hf_store_open(s->options.data_dir, &options, &why, &s->api.store);
	if (err)
		return fail(open_status(err), why.text);
	if (hf_store_is_new(s->api.store))
		hf_log(HF_LOG_WARN, "store created", "data_dir=%s", hf_log_quote(s->options.data_dir, quoted));
	if (hf_store_checked_ms(s->api.store) >= 0)
		hf_log(HF_LOG_INFO, "pages checked",
		       "milliseconds=%lld detail=\"the database was not closed in order, or was written since\"",
		       (long long)hf_store_checked_ms(s->api.store));
	unsigned found = hf_store_format_found(s->api.store, &aside);
	if (found < HF_FORMAT)
		hf_log(HF_LOG_INFO, "store migrated", "from=%u format=%d aside=%s", found, HF_FORMAT, hf_log_quote(aside, quoted));
	tell_clock_start(s->api.store);
	return EXIT_OK;
}

static enum hf_err start_lanes(struct server *s) {
	enum hf_err err = HF_OK;
	for (int i = HF_LANE_SYNCS; !err && i < HF_LANE_NAMES; i++)
		err = hf_lane_start(s->api.store, &s->lanes[i]);
	return err;
}

static int start(struct server *s) {
	struct hf_why why = {""};
	int status = open_store(s);
	if (status)
		return status;
	raise_file_limit(s->options.connections_max);
	s->api.body_max_bytes = s->options.body_max_bytes;
	s->api.quarantine_seconds = s->options.quarantine_seconds;
	s->api.started_ms = hf_store_monotonic_ms(s->api.store);
	s->api.routes = HF_ROUTES;
	s->api.n_routes = HF_ROUTES_COUNT;
	s->api.metrics = hf_metrics_new();
	s->api.syncs = hf_syncs_new(&(struct hf_syncs_options){.body_max_bytes = s->options.sync_body_max_bytes,
							       .items_max = (uint32_t)s->options.sync_items_max,
							       .memory_max_bytes = s->options.sync_memory_bytes});
	s->api.event = on_event;
	s->api.lines_dropped = hf_logwriter_dropped;
	s->api.log_debug = hf_log_enabled(HF_LOG_DEBUG);
	if (!s->api.metrics || !s->api.syncs || hf_wakeups_start(&s->wakeups) || start_lanes(s))
		return fail(EXIT_RUNNING, "out of memory or threads");
	struct hf_committer_options options = {.queue_max = (int)s->options.queue_max,
					       .committed = on_commit,
					       .failed = on_failure,
					       .presence = on_presence,
					       .clock_news = on_clock,
					       .slow = on_slow,
					       .context = s};
	if (hf_committer_start(s->api.store, &options, &why, &s->api.committer))
		return fail(EXIT_RUNNING, why.text);
	if (hf_stall_start(&s->api, &s->stall))
		return fail(EXIT_RUNNING, "out of memory or threads");
	enum hf_err err = hf_listen(s->options.listen, s->options.insecure, &why, &s->listen_fd, s->url);
	if (err)
		return fail(err == HF_E_INVALID_PARAMETER ? EXIT_USAGE : EXIT_LISTEN, why.text);
	hf_hosts_set(s->url, s->options.host, &s->hosts);
	s->api.hosts = &s->hosts;
	struct hf_http_options http = {.connections_max = s->options.connections_max,
				       .connections_per_address = s->options.connections_per_address,
				       .head_seconds = s->options.head_seconds,
				       .body_seconds = s->options.body_seconds,
				       .idle_seconds = s->options.idle_seconds,
				       .threads = s->options.threads};
	if (hf_http_start(s->listen_fd, &http, &s->api, s->wakeups, s->lanes, &why, &s->http))
		return fail(EXIT_RUNNING, why.text);
	return EXIT_OK;
}

/* Ends the process if this does not come to its end. What is queued is committed and answered, but for syncs that have not begun to
 * be written in time: these are refused. Whoever waits for a change is answered; then the store is closed. */
static void stop(struct server *s) {
	s->api.stopping = true;
	hf_stall_stopping(s->stall);
	if (s->wakeups)
		hf_wakeups_stop(s->wakeups);
	if (s->http)
		hf_http_drain(s->http, DRAIN_MS);
	if (s->api.committer)
		hf_committer_stop(s->api.committer);
	for (int i = HF_LANE_SYNCS; i < HF_LANE_NAMES; i++)
		hf_lane_stop(s->lanes[i]);
	if (s->http)
		hf_http_drain(s->http, ANSWER_MS);
	hf_http_stop(s->http);
	hf_stall_end(s->stall);
	if (s->api.syncs)
		hf_syncs_report_refusals(&s->api, true);
	for (int i = HF_LANE_SYNCS; i < HF_LANE_NAMES; i++)
		hf_lane_free(s->lanes[i]);
	hf_committer_free(s->api.committer);
	hf_wakeups_free(s->wakeups);
	hf_metrics_free(s->api.metrics);
	hf_syncs_free(s->api.syncs);
	hf_buf_free(&s->api.check_answer);
	hf_store_close(s->api.store);
}

/* The one line on standard output; if that is full and nobody reads it, there is nobody to wait for. */
static void announce(const char *url) {
	struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
	if (poll(&output, 1, OUTPUT_MS) <= 0) {
		hf_log(HF_LOG_WARN, "standard output is full", "url=%s", url);
		return;
	}
	printf("listening on %s\n", url);
	fflush(stdout);
}

/* Returns the signal that comes; meanwhile what was counted and not logged comes out. */
static int wait_for_signal(struct server *s, const sigset_t *stop_signals) {
	int number;
	while ((number = sigtimedwait(stop_signals, NULL, &(struct timespec){1, 0})) < 0)
		hf_syncs_report_refusals(&s->api, false);
	return number;
}

static int serve(struct server *s) {
	sigset_t stop_signals;
	int signal_number = 0;
	char dir[HF_LOG_QUOTED];
	block_signals(&stop_signals);
	gnutls_global_init(); /* before there are threads */
	hf_lastwords_install(NULL, EXIT_CORRUPT, EXIT_RUNNING);
	int status = hf_log_start() ? start(s) : fail(EXIT_RUNNING, "out of threads");
	if (!status) {
		hf_log(HF_LOG_INFO, "started", "version=%s url=%s data_dir=%s", HOLDFAST_VERSION, s->url,
		       hf_log_quote(s->options.data_dir, dir));
		announce(s->url); /* last: after it, a reader finds everything as it says, the log included */
		sd_notifyf(0, "READY=1\nSTATUS=listening on %s", s->url); /* nothing, unless a service manager wants to be told */
		signal_number = wait_for_signal(s, &stop_signals);
		sd_notify(0, "STOPPING=1\nSTATUS=answering what was queued");
		if (s->broken)
			status = EXIT_RUNNING;
		else
			hf_log(HF_LOG_INFO, "stopping", "signal=%s", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
	}
	stop(s);
	hf_log(HF_LOG_INFO, "stopped", "status=%d", status);
	hf_log_stop(LOG_MS);
	return status;
}

int main(int argc, char **argv) {
	struct server server = {.listen_fd = -1};
	int status;
	if (!hf_descriptors_fill())
		return EXIT_USAGE; /* and there is nowhere to say so */
	if (hf_offline_run(argc, argv, &status))
		return status;
	struct hf_why why = {""};
	enum hf_asked asked;
	enum hf_err err = hf_options_read(argc, argv, &why, &server.options, &asked);
	if (!err && asked == HF_ASKED_RUN) /* before a data directory is made */
		err = hf_listen_check(server.options.listen, server.options.insecure, &why);
	if (err) {
		fprintf(stderr, "holdfastd: %s\n", why.text);
		return EXIT_USAGE;
	}
	if (asked == HF_ASKED_HELP) {
		hf_options_help();
		return EXIT_OK;
	}
	if (asked == HF_ASKED_VERSION) {
		printf("holdfastd %s\n", HOLDFAST_VERSION);
		return EXIT_OK;
	}
	hf_log_set_level(server.options.log_level);
	return serve(&server);
}

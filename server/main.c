/* main.c — starts the store, the committer and HTTP, and stops them in the opposite order.
 *
 * The map of the code. Includes run downward only: from server/ to api/ to storage/, and within each from the bottom of its list
 * upward, as in docs/architecture.md.
 *
 *   server/    the process
 *     offline/    commands that need no server: verify, export, import, restore, repair, migrate
 *     http/       carries requests over connections: libmicrohttpd, workers, lanes, waiting, limits. Requests come in at http.c
 *     config/     settings from the command line, the environment and a file
 *     process/    what a process is to its system: log, sockets, owner, last words
 *
 *   api/       what clients see. routes.c is the table of contents
 *     resources/  one resource a file: its handlers
 *     sync/       the body of a sync on its way in, and what syncs share
 *     call/       the life of a request: target, access, headers, conditions, media types, problems, counters
 *     access/     who may do what: principals, tokens, and the log of refusals
 *     lists/      reads lists of documents as they arrive, piece by piece
 *     kuma/       what a Kuma document means: canonical form, fingerprint, identity, claims
 *     shapes/     records as JSON, both ways
 *     text/       bytes, JSON and times; knows no request
 *
 *   storage/   what lasts. FORMAT.md has the layout of every table
 *     admin/      a store as a whole: backup, restore, export, import, repair
 *     sync/       a zone at once: decides on a snapshot, judges the releases, applies in one transaction
 *     requests/   what one request does or asks: acquire, release, pools, zones, queries
 *     store/      the open store: its readers and its one writer. Leases change in lease_change.c
 *     verify/     the invariants, checked table against table
 *     tables/     one file a table: its keys, records, reads and writes
 *     lmdb/       the only code that includes <lmdb.h>: environment, transactions, cursors
 *     disk/       files as the file system sees them; knows no transaction
 *     model/      what a lease, a pool, a zone and a change are, and the rules: pure
 *     base/       words of every layer: errors, addresses, identities, digests, bytes, clocks; knows no lease
 */
#include <gnutls/gnutls.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "api/access/access.h"
#include "api/call/metrics.h"
#include "api/call/origin.h"
#include "api/routes.h"
#include "api/sync/sync_ledger.h"
#include "server/config/options.h"
#include "server/config/tokenfile.h"
#include "server/http/http.h"
#include "server/http/places.h"
#include "server/http/strangers.h"
#include "server/http/wakeups.h"
#include "server/offline/offline.h"
#include "server/process/lastwords.h"
#include "server/process/listen.h"
#include "server/process/log.h"
#include "server/process/logwriter.h"
#include "server/process/owner.h"
#include "server/process/stall.h"
#include "storage/disk/descriptors.h"
#include "storage/store/open.h"

#define DRAIN_MS 3000
#define ANSWER_MS 500  /* to send the last answers */
#define LOG_MS 500     /* to write the last lines */
#define OUTPUT_MS 1000 /* to print the line on standard output */
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
	int secrets; /* in the tokens file at the start */
	char url[HF_URL_TEXT];
	_Atomic bool broken; /* the store must be reopened: the process ends, and the service manager starts it again */
	/* The last logged failure, and how many like it were left out; for the thread that commits. */
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

/* Logs a failed commit, equal ones at most once in ten seconds: a full disk fails every commit. */
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
		kill(getpid(), SIGTERM); /* the main thread waits for it */
	}
}

static void on_clock(void *context, struct hf_clock_news news) {
	double seconds = (double)news.by_ms / 1000;
	(void)context;
	if (news.what == HF_CLOCK_UNSET)
		hf_log(HF_LOG_WARN, "the wall clock is not set",
		       "detail=\"its time is impossible; the store's time continues without it\"");
	else if (news.what == HF_CLOCK_RETURNED)
		hf_log(HF_LOG_INFO, "the wall clock stepped back again", "seconds=%+.3f", seconds);
	else
		hf_log(HF_LOG_WARN, "the wall clock stepped", "seconds=%+.3f detail=\"quarantines are not affected\"", seconds);
}

/* Reports how far the clock moved before the start. After a boot the true time is unknown: warns if the clock went backward, or so
 * far forward that it may be wrong. */
static void report_clock_start(const struct hf_store *store) {
	struct hf_clock_news news = hf_store_clock_start(store);
	if (news.what == HF_CLOCK_STEPPED || news.what == HF_CLOCK_UNSET)
		on_clock(NULL, news);
	if (news.what != HF_CLOCK_BOOTED)
		return;
	const char *detail = news.by_ms < 0 ? "the wall clock is earlier than the newest change: one of them is wrong"
					    : "since the newest change; quarantines keep the time that they had left then";
	hf_log(news.by_ms < 0 || news.by_ms > HF_CLOCK_FAR_MS ? HF_LOG_WARN : HF_LOG_INFO, "first start since a boot",
	       "seconds=%+.3f detail=\"%s\"", (double)news.by_ms / 1000, detail);
}

static void on_zone_lapsed(void *context, const struct hf_ttl_news *news) {
	(void)context;
	hf_log(HF_LOG_WARN, "zone lost", "zone=%s epoch=%" PRIu64 " ttl_seconds=%.3f detail=\"its connection was not refreshed\"",
	       news->zone, news->epoch, (double)news->ttl_ms / 1000);
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
		hf_log(HF_LOG_WARN, "database back", "detail=\"the file is in its place again; writes continue\"");
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

/* Blocks the signals that the main thread waits for in all threads: those that stop the server, and SIGHUP, at which it reads the
 * tokens again. Ignores SIGPIPE, and SIGXFSZ, after which a write beyond the limit of file sizes fails instead. */
static void block_signals(sigset_t *ret_awaited) {
	sigemptyset(ret_awaited);
	sigaddset(ret_awaited, SIGTERM);
	sigaddset(ret_awaited, SIGINT);
	sigaddset(ret_awaited, SIGHUP);
	pthread_sigmask(SIG_BLOCK, ret_awaited, NULL);
	signal(SIGHUP, SIG_DFL); /* the parent may have ignored it, as nohup does, and then it would not arrive */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* Allows descriptors for every connection, and for everything else that is open. */
static void raise_file_limit(uint64_t connections) {
	struct rlimit limit;
	rlim_t wanted = connections + hf_places_kept(connections) +
			128; /* 128 also covers connections that were ended but not closed yet */
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
	report_clock_start(s->api.store);
	return EXIT_OK;
}

static enum hf_err start_lanes(struct server *s) {
	enum hf_err err = HF_OK;
	for (int i = HF_LANE_SYNCS; !err && i < HF_LANE_NAMES; i++)
		err = hf_lane_start(s->api.store, &s->lanes[i]);
	return err;
}

static int start_api(struct server *s) {
	const struct hf_options *o = &s->options;
	s->api.body_max_bytes = o->body_max_bytes;
	s->api.quarantine_seconds = o->quarantine_seconds;
	s->api.started_ms = hf_store_monotonic_ms(s->api.store);
	s->api.routes = HF_ROUTES;
	s->api.n_routes = HF_ROUTES_COUNT;
	s->api.metrics = hf_metrics_new();
	s->api.syncs = hf_syncs_new(&(struct hf_syncs_options){.body_max_bytes = o->sync_body_max_bytes,
							       .items_max = (uint32_t)o->sync_items_max,
							       .memory_max_bytes = o->sync_memory_bytes});
	s->api.event = on_event;
	s->api.lines_dropped = hf_logwriter_dropped;
	s->api.log_debug = hf_log_enabled(HF_LOG_DEBUG);
	if (!s->api.metrics || !s->api.syncs || hf_wakeups_start(&s->wakeups) || start_lanes(s))
		return fail(EXIT_RUNNING, "out of memory or threads");
	return EXIT_OK;
}

static int start_committer(struct server *s) {
	struct hf_why why = {""};
	struct hf_committer_options options = {.queue_max = (int)s->options.queue_max,
					       .committed = on_commit,
					       .failed = on_failure,
					       .presence = on_presence,
					       .clock_news = on_clock,
					       .zone_lapsed = on_zone_lapsed,
					       .slow = on_slow,
					       .context = s};
	if (hf_committer_start(s->api.store, &options, &why, &s->api.committer))
		return fail(EXIT_RUNNING, why.text);
	if (hf_stall_start(&s->api, &s->stall))
		return fail(EXIT_RUNNING, "out of memory or threads");
	return EXIT_OK;
}

static struct hf_beyond beyond(const struct hf_options *o) {
	return (struct hf_beyond){.auth = o->tokens[0] || o->insecure_no_auth, .tls = o->insecure_no_tls};
}

static int start_http(struct server *s) {
	const struct hf_options *o = &s->options;
	struct hf_why why = {""};
	struct hf_http_options options = {.connections_max = o->connections_max,
					  .connections_per_address = o->connections_per_address,
					  .head_seconds = o->head_seconds,
					  .body_seconds = o->body_seconds,
					  .idle_seconds = o->idle_seconds,
					  .threads = o->threads};
	enum hf_err err = hf_listen(o->listen, beyond(o), &why, &s->listen_fd, s->url);
	if (err)
		return fail(err == HF_E_INVALID_PARAMETER ? EXIT_USAGE : EXIT_LISTEN, why.text);
	hf_hosts_set(s->url, o->host, &s->hosts);
	s->api.hosts = &s->hosts;
	if (hf_http_start(s->listen_fd, &options, &s->api, s->wakeups, s->lanes, &why, &s->http))
		return fail(EXIT_RUNNING, why.text);
	return EXIT_OK;
}

static int start(struct server *s) {
	int status = open_store(s);
	if (status)
		return status;
	raise_file_limit(s->options.connections_max);
	status = start_api(s);
	if (!status)
		status = start_committer(s);
	return status ? status : start_http(s);
}

/* Stops everything that start() has started, or ends the process if that takes too long (stall.h). Queued writes are committed and
 * answered, except syncs whose write has not begun in time, which are refused. Long-polls are answered. Then the store is closed.
 */
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
	hf_strangers_report(&s->api, true);
	if (s->api.syncs)
		hf_syncs_report_refusals(&s->api, true);
	for (int i = HF_LANE_SYNCS; i < HF_LANE_NAMES; i++)
		hf_lane_free(s->lanes[i]);
	hf_committer_free(s->api.committer);
	hf_wakeups_free(s->wakeups);
	hf_metrics_free(s->api.metrics);
	hf_syncs_free(s->api.syncs);
	hf_access_free(s->api.access);
	hf_buf_free(&s->api.check_answer);
	hf_store_close(s->api.store);
}

/* Prints the one line on standard output; does not wait for it if nobody reads it. */
static void announce(const char *url) {
	struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
	if (poll(&output, 1, OUTPUT_MS) <= 0) {
		hf_log(HF_LOG_WARN, "standard output is full", "url=%s", url);
		return;
	}
	printf("listening on %s\n", url);
	fflush(stdout);
}

/* Reads the tokens again. If that fails, the tokens before stay in force. */
static void reload(struct server *s) {
	struct hf_why why = {""};
	struct hf_tokens *tokens;
	char quoted[HF_LOG_QUOTED];
	if (!s->api.access)
		return;
	if (hf_tokenfile_read(s->options.tokens, &why, &tokens)) {
		hf_access_note_failed_reload(s->api.access);
		hf_log(HF_LOG_ERROR, "tokens not read again", "detail=%s", hf_log_quote(why.text, quoted));
		return;
	}
	int secrets = hf_tokens_count(tokens);
	hf_access_replace(s->api.access, tokens);
	hf_log(HF_LOG_INFO, "tokens read", "secrets=%d", secrets);
}

/* Waits for a stop signal and returns it; meanwhile logs refusals that were only counted, and reads the tokens again at SIGHUP. */
static int wait_for_signal(struct server *s, const sigset_t *awaited) {
	int number;
	while ((number = sigtimedwait(awaited, NULL, &(struct timespec){1, 0})) < 0 || number == SIGHUP) {
		if (number == SIGHUP)
			reload(s);
		hf_syncs_report_refusals(&s->api, false);
		hf_strangers_report(&s->api, false);
	}
	return number;
}

/* Says who may call. */
static void report_access(const struct server *s) {
	if (s->api.open_to_all)
		hf_log(HF_LOG_WARN, "no authentication",
		       "detail=\"everybody who reaches the address is an administrator; --tokens FILE says who may call\"");
	else
		hf_log(HF_LOG_INFO, "tokens read", "secrets=%d", s->secrets);
}

static int serve(struct server *s) {
	sigset_t awaited;
	int signal_number = 0;
	char dir[HF_LOG_QUOTED];
	block_signals(&awaited);
	gnutls_global_init(); /* before the first thread */
	hf_lastwords_install(NULL, EXIT_CORRUPT, EXIT_RUNNING);
	int status = hf_log_start() ? start(s) : fail(EXIT_RUNNING, "out of threads");
	if (!status) {
		hf_log(HF_LOG_INFO, "started", "version=%s url=%s data_dir=%s", HOLDFAST_VERSION, s->url,
		       hf_log_quote(s->options.data_dir, dir));
		report_access(s);
		announce(s->url); /* last, so that everything, the log included, is ready for its reader */
		sd_notifyf(0, "READY=1\nSTATUS=listening on %s", s->url); /* does nothing without a service manager */
		signal_number = wait_for_signal(s, &awaited);
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

/* Reads the tokens; without a file of them, every caller is an administrator. */
static enum hf_err open_access(struct server *s, struct hf_why *why) {
	const struct hf_options *o = &s->options;
	struct hf_tokens *tokens;
	s->api.open_to_all = !o->tokens[0];
	if (s->api.open_to_all)
		return HF_OK;
	if (o->insecure_no_auth)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "--tokens and --insecure-no-auth exclude each other");
	prctl(PR_SET_DUMPABLE, 0); /* what clients send has secrets, which belong in no core */
	enum hf_err err = hf_tokenfile_read(o->tokens, why, &tokens);
	if (err)
		return err;
	s->secrets = hf_tokens_count(tokens);
	s->api.access = hf_access_new(tokens);
	if (s->api.access)
		return HF_OK;
	hf_tokens_free(tokens);
	return hf_no_memory(why);
}

int main(int argc, char **argv) {
	struct server server = {.listen_fd = -1};
	int status;
	if (!hf_descriptors_fill())
		return EXIT_USAGE; /* without descriptors, nothing can be printed */
	if (hf_offline_run(argc, argv, &status))
		return status;
	struct hf_why why = {""};
	enum hf_asked asked;
	enum hf_err err = hf_options_read(argc, argv, &why, &server.options, &asked);
	if (!err && asked == HF_ASKED_RUN) /* before the data directory is made */
		err = hf_listen_check(server.options.listen, beyond(&server.options), &why);
	if (!err && asked == HF_ASKED_RUN)
		err = open_access(&server, &why);
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

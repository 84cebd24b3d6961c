/* logwriter.c — a descriptor that never blocks, a ring for waiting lines, and the thread that empties the ring.
 *
 * Two locks: `out` is held while a line is written, `lock` only briefly. A write to a file may hang with a disk; a thread that does
 * not get `out` soon leaves its line in the ring.
 */
#include "logwriter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/base/monotonic.h"

#define RING_BYTES ((size_t)256 << 10)
#define OUT_WAIT_MS 200 /* to wait for another thread's write to a file */
#define POLL_MS 200	/* between two checks whether to stop */

enum kind { FILE_OR_OTHER, SOCKET, UNBLOCKED, POLLED };

static struct {
	pthread_mutex_t out;  /* held during a write; guards nothing else */
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	char ring[RING_BYTES];
	size_t from, len;    /* the waiting bytes */
	uint64_t unreported; /* dropped lines that no notice has counted yet */
	bool flows;	     /* the last write succeeded: the next one may */
	bool running, stopping;
	_Atomic bool distrust_files;
	_Atomic uint64_t dropped;
	enum kind kind;
	int fd;
	pthread_t thread;
	hf_logwriter_notice *notice;
} W = {.out = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .fd = STDERR_FILENO};

/* Opens a pipe or a terminal again, to have flags of its own that other users of standard error do not share. */
static void choose_descriptor(void) {
	struct stat st;
	if (fstat(STDERR_FILENO, &st) != 0 || S_ISREG(st.st_mode)) {
		W.kind = FILE_OR_OTHER;
	} else if (S_ISSOCK(st.st_mode)) {
		W.kind = SOCKET;
	} else {
		int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		W.kind = fd >= 0 ? UNBLOCKED : POLLED;
		W.fd = fd >= 0 ? fd : STDERR_FILENO;
	}
}

static bool takes_more(int wait_ms) {
	struct pollfd poll_fd = {.fd = W.fd, .events = POLLOUT};
	return poll(&poll_fd, 1, wait_ms) > 0;
}

/* Returns the number of bytes written; 0: none fits now; -1: the descriptor failed. The caller holds `out`. */
static ssize_t write_now(const char *text, size_t len) {
	ssize_t n;
	if (W.kind == POLLED && !takes_more(0))
		return 0;
	do
		n = W.kind == SOCKET ? send(W.fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) : write(W.fd, text, len);
	while (n < 0 && errno == EINTR);
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : n;
}

/* Counts a dropped line. The caller holds the lock. */
static void drop(void) {
	W.dropped++;
	W.unreported++;
	pthread_cond_broadcast(&W.changed);
}

/* Adds bytes to the ring, or drops the line. The caller holds the lock. */
static void append(const char *text, size_t len) {
	if (W.stopping || len > RING_BYTES - W.len) {
		drop();
		return;
	}
	for (size_t done = 0, n; done < len; done += n) {
		size_t at = (W.from + W.len) % RING_BYTES, room = RING_BYTES - at;
		n = len - done < room ? len - done : room;
		memcpy(W.ring + at, text + done, n);
		W.len += n;
	}
	pthread_cond_broadcast(&W.changed);
}

/* Records the result of a write. The caller holds the lock. */
static void note_write(ssize_t n) {
	if (n < 0)
		drop();
	if (n != 0)
		W.flows = n > 0;
}

/* Copies the first waiting line. Returns its length. The caller holds the lock. */
static size_t first_line(char ret[HF_LOG_LINE_MAX]) {
	size_t n = 0;
	while (n < W.len && n < HF_LOG_LINE_MAX && (n == 0 || ret[n - 1] != '\n')) {
		ret[n] = W.ring[(W.from + n) % RING_BYTES];
		n++;
	}
	return n;
}

static void consume(size_t len) {
	W.from = (W.from + len) % RING_BYTES;
	W.len -= len;
	pthread_cond_broadcast(&W.changed);
}

static void put_notice(void) {
	char line[HF_LOG_LINE_MAX];
	uint64_t lines = W.unreported;
	W.unreported = 0;
	if (W.notice)
		append(line, W.notice(lines, line));
}

static void *run(void *context) {
	char line[HF_LOG_LINE_MAX];
	(void)context;
	pthread_mutex_lock(&W.lock);
	while (!W.stopping || W.len > 0) {
		if (W.len == 0) {
			if (W.unreported > 0 && W.flows)
				put_notice();
			else
				pthread_cond_wait(&W.changed, &W.lock);
			continue;
		}
		size_t len = first_line(line);
		pthread_mutex_unlock(&W.lock);
		ssize_t n = 0;
		if (W.kind == FILE_OR_OTHER || takes_more(POLL_MS)) {
			pthread_mutex_lock(&W.out);
			n = write_now(line, len);
			pthread_mutex_unlock(&W.out);
		}
		pthread_mutex_lock(&W.lock);
		note_write(n);
		consume(n < 0 ? len : (size_t)n);
	}
	pthread_mutex_unlock(&W.lock);
	return NULL;
}

bool hf_logwriter_start(void) {
	hf_condition_init(&W.changed);
	choose_descriptor();
	W.running = pthread_create(&W.thread, NULL, run, NULL) == 0;
	return W.running;
}

bool hf_logwriter_flush(int grace_ms) {
	int64_t end_us = hf_monotonic_us() + grace_ms * 1000;
	bool in_time = true;
	pthread_mutex_lock(&W.lock);
	while (W.running && (W.len > 0 || (W.unreported > 0 && W.flows)) && in_time)
		in_time = hf_condition_wait(&W.changed, &W.lock, end_us);
	pthread_mutex_unlock(&W.lock);
	return in_time;
}

void hf_logwriter_stop(int grace_ms) {
	bool flushed = hf_logwriter_flush(grace_ms);
	if (!W.running)
		return;
	pthread_mutex_lock(&W.lock);
	W.stopping = true;
	pthread_cond_broadcast(&W.changed);
	pthread_mutex_unlock(&W.lock);
	if (flushed) /* otherwise the thread may hang in a write; the process ends without it */
		pthread_join(W.thread, NULL);
}

/* Writes a line and waits for it; used before the thread runs. */
static void put_slowly(const char *line, size_t len) {
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);
		if (n < 0 && errno != EINTR)
			return; /* it cannot be reported anywhere */
		line += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

/* Returns true if this thread may write its line; it then holds `out`. */
static bool take_out(void) {
	struct timespec end = hf_monotonic_time(hf_monotonic_us() + OUT_WAIT_MS * 1000);
	if (W.kind == FILE_OR_OTHER && W.distrust_files)
		return false;
	return pthread_mutex_clocklock(&W.out, CLOCK_MONOTONIC, &end) == 0;
}

void hf_logwriter_put(const char *line, size_t len) {
	if (!W.running) {
		put_slowly(line, len);
		return;
	}
	bool mine = take_out();
	pthread_mutex_lock(&W.lock);
	bool first = W.len == 0 && W.unreported == 0;
	pthread_mutex_unlock(&W.lock);
	ssize_t n = mine && first ? write_now(line, len) : 0;
	pthread_mutex_lock(&W.lock);
	note_write(n);
	if (n >= 0 && (size_t)n < len)
		append(line + n, len - (size_t)n);
	pthread_mutex_unlock(&W.lock);
	if (mine)
		pthread_mutex_unlock(&W.out);
}

void hf_logwriter_distrust_files(bool distrust) { W.distrust_files = distrust; }

uint64_t hf_logwriter_dropped(void) { return W.dropped; }

void hf_logwriter_set_notice(hf_logwriter_notice *notice) { W.notice = notice; }

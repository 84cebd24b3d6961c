/* linger.c — reads and discards what arrives too late. */
#include "linger.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "storage/base/monotonic.h"

#define SOCKETS_MAX 64
#define IDLE_US 2000000
#define TOTAL_US 10000000
#define TOTAL_BYTES ((size_t)32 << 20)
#define TURN_BYTES ((size_t)64 << 10) /* from one socket before the others have their turn */
#define LOOK_MS 100

struct late {
	int fd;
	size_t bytes;
	int64_t idle_us, end_us; /* when it has been idle, or open, for too long */
};

struct hf_linger {
	pthread_t thread;
	int wake;	      /* an eventfd */
	pthread_mutex_t lock; /* guards what follows */
	bool stopping;
	int n;
	struct late late[SOCKETS_MAX];
	char scrap[TURN_BYTES];
};

/* Discards what has arrived. Returns false if the socket should be closed. */
static bool drain(struct late *late, char scrap[TURN_BYTES]) {
	int64_t now_us = hf_monotonic_us();
	ssize_t got = recv(late->fd, scrap, TURN_BYTES, MSG_DONTWAIT);
	if (got == 0)
		return false;
	if (got > 0) {
		late->bytes += (size_t)got;
		late->idle_us = now_us + IDLE_US;
	}
	return now_us < late->idle_us && now_us < late->end_us && late->bytes < TOTAL_BYTES;
}

static void drain_all(struct hf_linger *linger) {
	for (int i = 0; i < linger->n;) {
		if (!linger->stopping && drain(&linger->late[i], linger->scrap)) {
			i++;
			continue;
		}
		close(linger->late[i].fd);
		linger->late[i] = linger->late[--linger->n];
	}
}

static void *run(void *context) {
	struct hf_linger *linger = context;
	uint64_t woken;
	for (bool stopping = false; !stopping;) {
		struct pollfd fds[SOCKETS_MAX + 1] = {{.fd = linger->wake, .events = POLLIN}};
		pthread_mutex_lock(&linger->lock);
		drain_all(linger);
		int n = linger->n;
		for (int i = 0; i < n; i++)
			fds[i + 1] = (struct pollfd){.fd = linger->late[i].fd, .events = POLLIN};
		stopping = linger->stopping;
		pthread_mutex_unlock(&linger->lock);
		if (!stopping)
			poll(fds, (nfds_t)n + 1, n > 0 ? LOOK_MS : -1);
		if (fds[0].revents)
			(void)!read(linger->wake, &woken, sizeof woken);
	}
	return NULL;
}

static void wake(struct hf_linger *linger) {
	uint64_t one = 1;
	(void)!write(linger->wake, &one, sizeof one);
}

enum hf_err hf_linger_start(struct hf_linger **ret) {
	struct hf_linger *linger = calloc(1, sizeof *linger);
	if (!linger)
		return HF_E_OVERLOADED;
	linger->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&linger->lock, NULL);
	if (linger->wake >= 0 && pthread_create(&linger->thread, NULL, run, linger) == 0) {
		pthread_setname_np(linger->thread, "linger");
		*ret = linger;
		return HF_OK;
	}
	if (linger->wake >= 0)
		close(linger->wake);
	pthread_mutex_destroy(&linger->lock);
	free(linger);
	return HF_E_OVERLOADED;
}

void hf_linger_keep(struct hf_linger *linger, int fd) {
	if (!linger)
		return;
	pthread_mutex_lock(&linger->lock);
	int own = linger->n < SOCKETS_MAX ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	int64_t now_us = hf_monotonic_us();
	if (own >= 0) {
		shutdown(own, SHUT_WR); /* announces the end, which libmicrohttpd's close() alone no longer does */
		linger->late[linger->n++] = (struct late){own, 0, now_us + IDLE_US, now_us + TOTAL_US};
	}
	pthread_mutex_unlock(&linger->lock);
	if (own >= 0)
		wake(linger);
}

void hf_linger_stop(struct hf_linger *linger) {
	if (!linger)
		return;
	pthread_mutex_lock(&linger->lock);
	linger->stopping = true;
	pthread_mutex_unlock(&linger->lock);
	wake(linger);
	pthread_join(linger->thread, NULL);
	close(linger->wake);
	pthread_mutex_destroy(&linger->lock);
	free(linger);
}

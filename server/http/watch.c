/* watch.c — the thread that looks at all connections. */
#include "watch.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "client.h"
#include "exchange.h"
#include "storage/base/monotonic.h"

#define LOOK_MAX_US 1000000
#define LOOK_MIN_US 10000
#define PARTS 5			     /* looks within a limit */
#define RATE_BYTES_PER_SECOND 16384u /* least rate of a body or of reading an answer */
#define POLLED_MAX 64

struct hf_watch {
	struct hf_clients *clients;
	pthread_t thread;
	pthread_cond_t changed; /* with the clients' lock, which guards what follows */
	bool sleeping, stopping;
};

/* Waiting clients, polled together to see which have gone. */
struct waiting {
	int n;
	struct pollfd fds[POLLED_MAX];
	struct hf_client *clients[POLLED_MAX];
};

static bool read_info(const struct hf_client *client, struct tcp_info *ret) {
	socklen_t len = sizeof *ret;
	return getsockopt(client->fd, IPPROTO_TCP, TCP_INFO, ret, &len) == 0;
}

/* Returns true if bytes have arrived that no thread has read yet: the server is late, not the client. */
static bool has_unread(const struct hf_client *client) {
	int bytes = 0;
	return ioctl(client->fd, SIOCINQ, &bytes) == 0 && bytes > 0;
}

static bool has_unsent(const struct hf_client *client) {
	int bytes = 0;
	return ioctl(client->fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

static int64_t time_for(uint64_t bytes) { return (int64_t)(bytes * 1000000u / RATE_BYTES_PER_SECOND); }

/* Returns when the current head began on a connection that was answered before; 0: none has begun. Only the kernel's count of
 * received bytes shows it, because libmicrohttpd keeps an incomplete head to itself. */
static int64_t later_head_us(struct hf_client *client, int64_t now_us, int64_t look_us) {
	struct hf_watched *idle = &client->idle;
	struct tcp_info info = {0};
	if (now_us < client->look_us || !read_info(client, &info))
		return idle->since_us == client->since_us ? idle->at_us : 0;
	client->look_us = now_us + look_us;
	if (idle->since_us != client->since_us)
		*idle = (struct hf_watched){.since_us = client->since_us, .bytes = info.tcpi_bytes_received};
	else if (!idle->at_us && info.tcpi_bytes_received != idle->bytes)
		idle->at_us = now_us;
	return idle->at_us;
}

static bool head_is_late(struct hf_client *client, int64_t limit_us, int64_t now_us) {
	int64_t begun_us = client->asked ? later_head_us(client, now_us, limit_us / PARTS) : client->since_us;
	return begun_us && now_us - begun_us >= limit_us && !has_unread(client);
}

static bool body_is_late(struct hf_client *client, int64_t limit_us, int64_t now_us) {
	return now_us - client->since_us >= limit_us + time_for(client->received) && !has_unread(client);
}

/* An answer that ends between two looks is not measured. */
static bool answer_is_late(struct hf_client *client, int64_t limit_us, int64_t now_us) {
	struct hf_watched *answer = &client->answer;
	struct tcp_info info = {0};
	if (answer->since_us == client->since_us && now_us < answer->at_us)
		return false;
	if (now_us - client->since_us < limit_us / PARTS || !read_info(client, &info))
		return false;
	if (answer->since_us != client->since_us)
		*answer = (struct hf_watched){.since_us = client->since_us, .bytes = info.tcpi_bytes_acked};
	answer->at_us = answer->since_us + limit_us + time_for(info.tcpi_bytes_acked - answer->bytes);
	return now_us >= answer->at_us && has_unsent(client);
}

static void look_at_waiting(struct hf_clients *clients, struct waiting *waiting) {
	if (waiting->n == 0 || poll(waiting->fds, (nfds_t)waiting->n, 0) <= 0) {
		waiting->n = 0;
		return;
	}
	for (int i = 0; i < waiting->n; i++)
		if (waiting->fds[i].revents && hf_exchange_give_up(waiting->clients[i]->exchange))
			clients->traffic->cuts[HF_CUT_CLIENT_GONE]++;
	waiting->n = 0;
}

static void look_at(struct hf_clients *clients, struct hf_client *client, int64_t now_us, struct waiting *waiting) {
	const struct hf_client_limits *limits = &clients->limits;
	enum hf_client_state state = client->state;
	switch (state) {
	case HF_CLIENT_IDLE:
		if (head_is_late(client, limits->head_us, now_us))
			hf_client_cut(client, state, HF_CUT_HEAD_TIMEOUT);
		break;
	case HF_CLIENT_BODY:
		if (body_is_late(client, limits->transfer_us, now_us))
			hf_client_cut(client, state, HF_CUT_BODY_TIMEOUT);
		break;
	case HF_CLIENT_WAITING:
		if (now_us - client->since_us < LOOK_MAX_US)
			break;
		waiting->clients[waiting->n] = client;
		waiting->fds[waiting->n++] = (struct pollfd){.fd = client->fd, .events = POLLRDHUP};
		if (waiting->n == POLLED_MAX)
			look_at_waiting(clients, waiting);
		break;
	case HF_CLIENT_ANSWERING:
		if (answer_is_late(client, limits->transfer_us, now_us))
			hf_client_cut(client, state, HF_CUT_ANSWER_TIMEOUT);
		break;
	default:
		break;
	}
}

static void look(struct hf_clients *clients) {
	struct waiting waiting = {.n = 0};
	int64_t now_us = hf_monotonic_us();
	for (struct hf_client *client = clients->first; client; client = client->next)
		look_at(clients, client, now_us, &waiting);
	look_at_waiting(clients, &waiting);
}

static int64_t interval_us(const struct hf_client_limits *limits) {
	int64_t us = (limits->head_us < limits->transfer_us ? limits->head_us : limits->transfer_us) / PARTS;
	return us > LOOK_MAX_US ? LOOK_MAX_US : us < LOOK_MIN_US ? LOOK_MIN_US : us;
}

static void *run(void *context) {
	struct hf_watch *w = context;
	struct hf_clients *clients = w->clients;
	pthread_setname_np(pthread_self(), "watch");
	pthread_mutex_lock(&clients->lock);
	while (!w->stopping) {
		w->sleeping = !clients->first;
		if (w->sleeping) {
			pthread_cond_wait(&w->changed, &clients->lock);
			continue;
		}
		int64_t until_us = hf_monotonic_us() + interval_us(&clients->limits);
		while (!w->stopping && hf_condition_wait(&w->changed, &clients->lock, until_us))
			continue;
		look(clients);
	}
	pthread_mutex_unlock(&clients->lock);
	return NULL;
}

enum hf_err hf_watch_start(struct hf_clients *clients, struct hf_watch **ret) {
	struct hf_watch *w = calloc(1, sizeof *w);
	if (!w)
		return HF_E_OVERLOADED;
	w->clients = clients;
	hf_condition_init(&w->changed);
	if (pthread_create(&w->thread, NULL, run, w) != 0) {
		pthread_cond_destroy(&w->changed);
		free(w);
		return HF_E_OVERLOADED;
	}
	*ret = w;
	return HF_OK;
}

void hf_watch_wake(struct hf_watch *w) {
	pthread_mutex_lock(&w->clients->lock);
	if (w->sleeping)
		pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->clients->lock);
}

void hf_watch_stop(struct hf_watch *w) {
	if (!w)
		return;
	pthread_mutex_lock(&w->clients->lock);
	w->stopping = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->clients->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->changed);
	free(w);
}

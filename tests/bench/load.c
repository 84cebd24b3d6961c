/* load.c — sends prepared HTTP requests over keep-alive connections and measures how long each answer takes.
 *
 *   bench_load PORT FILE CONNECTIONS     every request of FILE once, as fast as they are answered
 *   bench_load PORT FILE every MS        one connection, a request every MS milliseconds, over and over until standard input ends
 *
 * FILE is a row of requests, each a length (32 bits, of this machine) and its bytes. Prints one line of JSON: how many were
 * answered, in how many seconds, with which statuses, and the median, the 99th percentile and the longest wait in milliseconds.
 *
 * With `every`, a wait begins when the request was due: one that is stuck behind a slow answer has waited too, as any client of its
 * own would have. tests/bench/load.py is what calls this.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_BYTES 65536
#define STATUSES 600
#define CONNECTIONS_MAX 256

struct request {
	const char *bytes;
	uint32_t len;
};

static struct request *REQUESTS;
static int N_REQUESTS, PORT;
static atomic_int NEXT;
static atomic_int ANSWERED[STATUSES];
static double *WAITS_MS; /* of each request in turn */
static int N_WAITS, WAITS_MAX;

static void require(bool good, const char *what) {
	if (!good) {
		perror(what);
		exit(1);
	}
}

static double now_ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void read_requests(const char *path) {
	FILE *file = fopen(path, "rb");
	require(file && fseek(file, 0, SEEK_END) == 0, path);
	long size = ftell(file);
	char *all = malloc((size_t)size + 1);
	require(all && size > 0, path);
	rewind(file);
	require(fread(all, 1, (size_t)size, file) == (size_t)size, path);
	fclose(file);
	for (long at = 0; at < size; N_REQUESTS++) {
		if (N_REQUESTS % 1024 == 0)
			REQUESTS = realloc(REQUESTS, (size_t)(N_REQUESTS + 1024) * sizeof *REQUESTS);
		require(REQUESTS != NULL, "memory");
		struct request *r = &REQUESTS[N_REQUESTS];
		memcpy(&r->len, all + at, sizeof r->len);
		r->bytes = all + at + sizeof r->len;
		at += (long)(sizeof r->len + r->len);
	}
}

static int connect_to(int port) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	require(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

/* The length of the whole answer whose head is in `text`, or 0 as long as the head is not complete. */
static size_t answer_len(const char *text) {
	const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\nContent-Length:");
	if (!end)
		return 0;
	require(length && length < end, "an answer without Content-Length");
	return (size_t)(end - text) + 4 + strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
}

/* One request and its answer. Returns the status. */
static int exchange(int fd, const struct request *r) {
	static _Thread_local char text[ANSWER_BYTES];
	for (size_t sent = 0; sent < r->len;) {
		ssize_t n = send(fd, r->bytes + sent, r->len - sent, MSG_NOSIGNAL);
		require(n > 0, "send");
		sent += (size_t)n;
	}
	size_t have = 0, want = 0;
	do {
		ssize_t n = recv(fd, text + have, sizeof text - 1 - have, 0);
		require(n > 0, "receive");
		have += (size_t)n;
		text[have] = '\0';
		want = want ? want : answer_len(text);
	} while (!want || have < want);
	int status = atoi(text + strlen("HTTP/1.1 "));
	return status > 0 && status < STATUSES ? status : 0;
}

static void *send_all(void *unused) {
	int fd = connect_to(PORT);
	for (int i; (i = atomic_fetch_add(&NEXT, 1)) < N_REQUESTS;) {
		double start = now_ms();
		ANSWERED[exchange(fd, &REQUESTS[i])]++;
		WAITS_MS[i] = now_ms() - start;
	}
	close(fd);
	return unused;
}

static void send_everything(int connections) {
	pthread_t threads[CONNECTIONS_MAX];
	require(connections > 0 && connections <= CONNECTIONS_MAX, "connections");
	WAITS_MS = calloc((size_t)N_REQUESTS, sizeof *WAITS_MS);
	require(WAITS_MS != NULL, "memory");
	N_WAITS = N_REQUESTS;
	for (int i = 0; i < connections; i++)
		require(pthread_create(&threads[i], NULL, send_all, NULL) == 0, "thread");
	for (int i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
}

/* Waits until a moment. Returns false when standard input has ended before. */
static bool wait_until(double due_ms) {
	for (;;) {
		double left = due_ms - now_ms();
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
		struct timespec time = {.tv_nsec = left > 0 ? (long)(left * 1e6) % 1000000000 : 0};
		if (ppoll(&input, 1, &time, NULL) > 0)
			return false;
		if (left <= 0)
			return true;
	}
}

static void send_regularly(double interval_ms) {
	int fd = connect_to(PORT);
	double due = now_ms() + interval_ms;
	for (; wait_until(due); due += interval_ms) {
		if (N_WAITS == WAITS_MAX) {
			WAITS_MAX += 4096;
			WAITS_MS = realloc(WAITS_MS, (size_t)WAITS_MAX * sizeof *WAITS_MS);
			require(WAITS_MS != NULL, "memory");
		}
		ANSWERED[exchange(fd, &REQUESTS[N_WAITS % N_REQUESTS])]++;
		WAITS_MS[N_WAITS++] = now_ms() - due;
	}
	close(fd);
}

static int compare(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print(double seconds) {
	qsort(WAITS_MS, (size_t)N_WAITS, sizeof *WAITS_MS, compare);
	printf("{\"n\":%d,\"seconds\":%.6f,\"statuses\":{", N_WAITS, seconds);
	const char *comma = "";
	for (int status = 0; status < STATUSES; status++) {
		if (ANSWERED[status]) {
			printf("%s\"%d\":%d", comma, status, ANSWERED[status]);
			comma = ",";
		}
	}
	printf("},\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}\n", N_WAITS ? WAITS_MS[N_WAITS / 2] : 0,
	       N_WAITS ? WAITS_MS[(int)((int64_t)N_WAITS * 99 / 100)] : 0, N_WAITS ? WAITS_MS[N_WAITS - 1] : 0);
}

int main(int argc, char **argv) {
	bool regularly = argc == 5 && strcmp(argv[3], "every") == 0;
	if (argc != 4 && !regularly) {
		fputs("usage: bench_load PORT FILE CONNECTIONS | PORT FILE every MS\n", stderr);
		return 2;
	}
	PORT = atoi(argv[1]);
	read_requests(argv[2]);
	double start = now_ms();
	if (regularly)
		send_regularly(atof(argv[4]));
	else
		send_everything(atoi(argv[3]));
	print((now_ms() - start) / 1e3);
	return 0;
}

/* client.c — asks a peer of Holdfast (Redis, PostgreSQL, etcd) over many keep-alive connections, one request of each at a time.
 *
 *   bench_peer PROTOCOL PORT TEMPLATE CONNECTIONS SECONDS FIRST COUNT MARK
 *
 * PROTOCOL is resp, pg or http: how one tells where an answer ends. TEMPLATE is a file of parts, each a letter, a length (32 bits,
 * of this machine) and so many bytes:
 *   S  a message that every connection sends once before the clock runs, and whose answer it awaits
 *   T  text of a request            K  the key of the request's number: 10 decimal digits, in no order
 *   (  base64 begins   )  it ends   A  the address of the request's number: 8 hexadecimal digits, 241.0.0.0 and so many more
 * Requests have the numbers FIRST, FIRST + 1, …, and after COUNT of them FIRST again (COUNT 0: never). Every number has a key of
 * its own, which a random number would not have.
 *
 * Prints "ready" when all connections are there, begins at a line of standard input, sends for SECONDS, waits for the answers that
 * are missing and prints one line of JSON: how many were answered in how many seconds, and the median and 99th percentile of the
 * waits in milliseconds. Connections stay until standard input ends, so that what they cost the peer is not in the measurement.
 * An answer without MARK in it is an error, and ends the program with status 1. common.py is what calls this.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_BYTES 8192
#define ANSWER_BYTES 65536
#define CONNECTIONS_MAX 1024
#define PARTS_MAX 256
#define KEY_DIGITS 10
#define FIRST_ADDRESS 0xf1000000 /* 241.0.0.0 */

struct part {
	char letter;
	uint32_t len;
	const char *bytes;
};

struct connection {
	int fd;
	double sent_ms;
	size_t have;
	char answer[ANSWER_BYTES + 1];
};

/* The length of the whole answer that begins in `text`, or 0 as long as that is not known; `have` may still be less. */
typedef size_t answer_len_fn(const char *text, size_t have);

static struct part PARTS[PARTS_MAX];
static int N_PARTS;
static struct connection *CONNECTIONS;
static int N_CONNECTIONS;
static answer_len_fn *ANSWER_LEN;
static const char *MARK;
static uint64_t FIRST, COUNT, SENT;
static double *WAITS_MS;
static size_t N_WAITS, WAITS_MAX;

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

/* One line: the script answers with a status or an error, and with nothing else. */
static size_t resp_answer_len(const char *text, size_t have) {
	const char *end = memchr(text, '\n', have);
	return end ? (size_t)(end - text) + 1 : 0;
}

/* Messages until ReadyForQuery. */
static size_t pg_answer_len(const char *text, size_t have) {
	for (size_t at = 0; at + 5 <= have;) {
		uint32_t len;
		memcpy(&len, text + at + 1, sizeof len);
		char kind = text[at];
		at += 1 + ntohl(len);
		if (kind == 'Z')
			return at;
	}
	return 0;
}

static size_t http_answer_len(const char *text, size_t have) {
	(void)have;
	const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\nContent-Length:");
	if (!end)
		return 0;
	require(length && length < end, "an answer without Content-Length");
	return (size_t)(end - text) + 4 + strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
}

static void read_parts(const char *path) {
	FILE *file = fopen(path, "rb");
	require(file && fseek(file, 0, SEEK_END) == 0, path);
	long size = ftell(file);
	char *all = malloc((size_t)size + 1);
	require(all && size > 0, path);
	rewind(file);
	require(fread(all, 1, (size_t)size, file) == (size_t)size, path);
	fclose(file);
	for (long at = 0; at < size; N_PARTS++) {
		require(N_PARTS < PARTS_MAX, "too many parts");
		struct part *part = &PARTS[N_PARTS];
		part->letter = all[at];
		memcpy(&part->len, all + at + 1, sizeof part->len);
		part->bytes = all + at + 1 + sizeof part->len;
		at += (long)(1 + sizeof part->len + part->len);
	}
}

/* Replaces what stands in `text` from `from` to `to` by its base64. Returns the new end. */
static size_t base64(char *text, size_t from, size_t to) {
	static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static unsigned char plain[REQUEST_BYTES + 2];
	size_t len = to - from, at = from;
	require(from + (len + 2) / 3 * 4 <= REQUEST_BYTES, "a request too long");
	memcpy(plain, text + from, len);
	memset(plain + len, 0, 2);
	for (size_t i = 0; i < len; i += 3, at += 4) {
		uint32_t bits = (uint32_t)plain[i] << 16 | (uint32_t)plain[i + 1] << 8 | plain[i + 2];
		for (int digit = 0; digit < 4; digit++)
			text[at + (size_t)digit] = DIGITS[bits >> (18 - 6 * digit) & 63];
	}
	for (size_t pad = (3 - len % 3) % 3; pad > 0; pad--)
		text[at - pad] = '=';
	return at;
}

/* The request of a number. Returns its length. */
static size_t make_request(char *text, uint64_t number) {
	size_t len = 0, begin = 0;
	for (const struct part *part = PARTS; part < PARTS + N_PARTS; part++) {
		require(len + part->len + KEY_DIGITS + 1 < REQUEST_BYTES, "a request too long");
		switch (part->letter) {
		case 'T':
			memcpy(text + len, part->bytes, part->len);
			len += part->len;
			break;
		case 'K': /* an odd factor: no two numbers below 2^32 have one key; 2^32 more, so that all have as many digits */
			len += (size_t)sprintf(text + len, "%010llu",
					       (unsigned long long)((uint32_t)(number * 2654435761) + (UINT64_C(1) << 32)));
			break;
		case 'A':
			len += (size_t)sprintf(text + len, "%08x", (unsigned)(FIRST_ADDRESS + number));
			break;
		case '(':
			begin = len;
			break;
		case ')':
			len = base64(text, begin, len);
			break;
		default:
			break;
		}
	}
	return len;
}

static void send_all(int fd, const char *bytes, size_t len) {
	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);
		require(n > 0, "send");
		sent += (size_t)n;
	}
}

/* Takes what has come. Returns true when the answer is complete, which makes room for the next one. */
static bool receive(struct connection *c, const char *mark) {
	ssize_t n = recv(c->fd, c->answer + c->have, ANSWER_BYTES - c->have, 0);
	require(n > 0, "receive");
	c->have += (size_t)n;
	c->answer[c->have] = '\0';
	size_t want = ANSWER_LEN(c->answer, c->have);
	if (!want || c->have < want)
		return false;
	if (c->have > want || !memmem(c->answer, want, mark, strlen(mark))) {
		fprintf(stderr, "an answer without %s: ", mark);
		fwrite(c->answer, 1, c->have, stderr);
		exit(1);
	}
	c->have = 0;
	return true;
}

static void open_connection(struct connection *c, int port) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	require(c->fd >= 0 && connect(c->fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	for (const struct part *part = PARTS; part < PARTS + N_PARTS; part++) {
		if (part->letter == 'S') {
			send_all(c->fd, part->bytes, part->len);
			while (!receive(c, ""))
				;
		}
	}
}

static void send_next(struct connection *c) {
	char text[REQUEST_BYTES];
	size_t len = make_request(text, FIRST + (COUNT ? SENT % COUNT : SENT));
	SENT++;
	c->sent_ms = now_ms();
	send_all(c->fd, text, len);
}

static void add_wait(double ms) {
	if (N_WAITS == WAITS_MAX) {
		WAITS_MAX = WAITS_MAX ? 2 * WAITS_MAX : 65536;
		WAITS_MS = realloc(WAITS_MS, WAITS_MAX * sizeof *WAITS_MS);
		require(WAITS_MS != NULL, "memory");
	}
	WAITS_MS[N_WAITS++] = ms;
}

/* Every connection sends again as soon as it is answered, until the time is over. Returns the seconds until the last answer. */
static double run(double seconds) {
	struct epoll_event events[CONNECTIONS_MAX];
	int epoll = epoll_create1(0);
	require(epoll >= 0, "epoll");
	for (int i = 0; i < N_CONNECTIONS; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &CONNECTIONS[i]};
		require(epoll_ctl(epoll, EPOLL_CTL_ADD, CONNECTIONS[i].fd, &event) == 0, "epoll");
	}
	double start = now_ms(), now = start;
	for (int i = 0; i < N_CONNECTIONS; i++)
		send_next(&CONNECTIONS[i]);
	while (N_WAITS < SENT) {
		int n = epoll_wait(epoll, events, CONNECTIONS_MAX, -1);
		require(n > 0 || errno == EINTR, "epoll");
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (!receive(c, MARK))
				continue;
			now = now_ms();
			add_wait(now - c->sent_ms);
			if (now - start < seconds * 1e3)
				send_next(c);
		}
	}
	close(epoll);
	return (now - start) / 1e3;
}

static int compare(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static answer_len_fn *protocol_of(const char *name) {
	if (strcmp(name, "resp") == 0)
		return resp_answer_len;
	if (strcmp(name, "pg") == 0)
		return pg_answer_len;
	return strcmp(name, "http") == 0 ? http_answer_len : NULL;
}

int main(int argc, char **argv) {
	if (argc != 9 || !(ANSWER_LEN = protocol_of(argv[1]))) {
		fputs("usage: bench_peer resp|pg|http PORT TEMPLATE CONNECTIONS SECONDS FIRST COUNT MARK\n", stderr);
		return 2;
	}
	read_parts(argv[3]);
	N_CONNECTIONS = atoi(argv[4]);
	require(N_CONNECTIONS > 0 && N_CONNECTIONS <= CONNECTIONS_MAX, "connections");
	FIRST = strtoull(argv[6], NULL, 10);
	COUNT = strtoull(argv[7], NULL, 10);
	MARK = argv[8];
	CONNECTIONS = calloc((size_t)N_CONNECTIONS, sizeof *CONNECTIONS);
	require(CONNECTIONS != NULL, "memory");
	for (int i = 0; i < N_CONNECTIONS; i++)
		open_connection(&CONNECTIONS[i], atoi(argv[2]));
	puts("ready");
	fflush(stdout);
	require(getchar() == '\n', "nobody says when to begin");
	double seconds = run(atof(argv[5]));
	qsort(WAITS_MS, N_WAITS, sizeof *WAITS_MS, compare);
	printf("{\"n\":%zu,\"seconds\":%.6f,\"p50\":%.4f,\"p99\":%.4f}\n", N_WAITS, seconds, WAITS_MS[N_WAITS / 2],
	       WAITS_MS[N_WAITS * 99 / 100]);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

/* listen.c — parses an address, binds, listens. */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024
/* Limits what the system keeps for a client that does not read, which grows to megabytes otherwise. Connections inherit it. */
#define SEND_BUFFER_BYTES (256 << 10)

/* Splits at the last colon, and removes brackets around an IPv6 address. */
static bool split(const char *text, char host[64], const char **ret_port) {
	const char *colon = strrchr(text, ':');
	if (!colon || !colon[1])
		return false;
	size_t len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		return false; /* an IPv6 address needs brackets */
	}
	if (len >= 64)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!host[0] || strcmp(host, "localhost") == 0)
		strcpy(host, "127.0.0.1");
	*ret_port = colon + 1;
	return true;
}

static bool is_loopback(const struct sockaddr *address) {
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static enum hf_err open_socket(const struct addrinfo *info, const char *text, struct hf_why *why, int *ret_fd) {
	int yes = 1, buffer = SEND_BUFFER_BYTES, fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer) == 0 && bind(fd, info->ai_addr, info->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0) {
		*ret_fd = fd;
		return HF_OK;
	}
	enum hf_err err = hf_fail(why, HF_E_LISTEN, "cannot listen on %.60s: %s", text, strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}

static void write_url(int fd, char ret_url[HF_URL_TEXT]) {
	struct sockaddr_storage bound = {0};
	socklen_t len = sizeof bound;
	char host[INET6_ADDRSTRLEN] = "", port[8] = "";
	getsockname(fd, (struct sockaddr *)&bound, &len);
	getnameinfo((struct sockaddr *)&bound, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
	bool six = bound.ss_family == AF_INET6;
	snprintf(ret_url, HF_URL_TEXT, "http://%s%s%s:%s", six ? "[" : "", host, six ? "]" : "", port);
}

static bool is_port(const char *text) {
	size_t digits = strspn(text, "0123456789");
	return digits > 0 && digits <= 5 && text[digits] == '\0' &&
	       atoi(text) <= 65535; /* getaddrinfo() would truncate a larger one */
}

/* The caller frees *ret. */
static enum hf_err resolve(const char *text, struct hf_beyond beyond, struct hf_why *why, struct addrinfo **ret) {
	char host[64];
	const char *port;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE}, *info;
	if (!split(text, host, &port) || !is_port(port) || getaddrinfo(host, port, &hints, &info) != 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER,
			       "--listen: \"%.60s\" is not HOST:PORT with a numeric address and a port from 0 to 65535", text);
	if (!is_loopback(info->ai_addr) && !(beyond.auth && beyond.tls)) {
		freeaddrinfo(info);
		return hf_fail(
			why, HF_E_INVALID_PARAMETER, "--listen: %.60s is not a loopback address%s%s", text,
			beyond.auth ? "" : "; --tokens FILE says who may call, or --insecure-no-auth lets everybody do everything",
			beyond.tls ? "" : "; there is no TLS yet, and --insecure-no-tls does without");
	}
	*ret = info;
	return HF_OK;
}

enum hf_err hf_listen_check(const char *text, struct hf_beyond beyond, struct hf_why *why) {
	struct addrinfo *info = NULL;
	enum hf_err err = resolve(text, beyond, why, &info);
	if (!err)
		freeaddrinfo(info);
	return err;
}

enum hf_err hf_listen(const char *text, struct hf_beyond beyond, struct hf_why *why, int *ret_fd, char ret_url[HF_URL_TEXT]) {
	struct addrinfo *info = NULL;
	enum hf_err err = resolve(text, beyond, why, &info);
	if (err)
		return err;
	err = open_socket(info, text, why, ret_fd);
	freeaddrinfo(info);
	if (!err)
		write_url(*ret_fd, ret_url);
	return err;
}

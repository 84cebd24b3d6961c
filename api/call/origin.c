/* origin.c — checks Host, Origin and Sec-Fetch-Site. */
#include "origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_BYTES 256 /* a name has at most 253 characters */

/* The parts of HOST[:PORT]. */
struct authority {
	char host[HOST_BYTES]; /* without brackets, and without the dot that ends an absolute name */
	bool is_address;
	struct hf_addr address;
	int port; /* -1: not stated */
};

/* Reads an IPv4 address, including its mapped form, which a socket of both families may use. */
static bool parse_address(const char *text, struct hf_addr *ret) {
	bool mapped = strncasecmp(text, "::ffff:", 7) == 0 && strchr(text + 7, '.');
	return hf_addr_parse(mapped ? text + 7 : text, NULL, ret) == HF_OK;
}

static bool is_name(const char *text) {
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")] == '\0';
}

/* Reads a host of `len` characters, with or without brackets. */
static bool parse_host(const char *text, size_t len, struct authority *ret) {
	bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	text += bracketed;
	len -= bracketed ? 2 : 0;
	if (len >= sizeof ret->host)
		return false;
	memcpy(ret->host, text, len);
	ret->host[len] = '\0';
	if (bracketed || strchr(ret->host, ':'))
		return bracketed && (ret->is_address = parse_address(ret->host, &ret->address)) && strchr(ret->host, ':');
	if (len > 1 && ret->host[len - 1] == '.')
		ret->host[len - 1] = '\0';
	ret->is_address = parse_address(ret->host, &ret->address);
	return is_name(ret->host);
}

static bool parse_authority(const char *text, struct authority *ret) {
	ret->port = -1;
	ret->is_address = false;
	text += strspn(text, " \t");
	size_t len = strcspn(text, " \t");
	if (text[len + strspn(text + len, " \t")] != '\0')
		return false;
	size_t host = *text == '[' ? strcspn(text, "]") + 1 : strcspn(text, ": \t");
	if (host > len)
		return false;
	if (host < len) {
		size_t digits = strspn(text + host + 1, "0123456789");
		if (text[host] != ':' || host + 1 + digits != len || digits > 5)
			return false;
		ret->port = digits > 0 ? atoi(text + host + 1) : -1;
	}
	return ret->port <= 65535 && parse_host(text, host, ret);
}

static bool same_host(const struct authority *a, const struct authority *b) {
	if (a->is_address || b->is_address)
		return a->is_address && b->is_address && a->address.n == b->address.n;
	return strcasecmp(a->host, b->host) == 0;
}

/* Takes the next entry off a list. Returns false at its end. */
static bool next_name(const char **at, const char **ret_name, size_t *ret_len) {
	*at += strspn(*at, " \t,");
	*ret_name = *at;
	*ret_len = strcspn(*at, " \t,");
	*at += *ret_len;
	return *ret_len > 0;
}

enum hf_err hf_hosts_check(const char *names, struct hf_why *why) {
	const char *at = names, *name;
	size_t len;
	struct authority entry;
	int n = 0;
	for (; next_name(&at, &name, &len); n++) {
		char text[HOST_BYTES + 4] = "";
		bool bare = len < sizeof text && memchr(name, ':', len) && *name != '['; /* an IPv6 address without brackets */
		if (len < HOST_BYTES)
			snprintf(text, sizeof text, bare ? "[%.*s]" : "%.*s", (int)len, name);
		if (len >= HOST_BYTES || !parse_host(text, strlen(text), &entry))
			return hf_fail(why, HF_E_INVALID_PARAMETER,
				       "\"%.*s\" is neither a host's name nor an address; a port is not part of it",
				       len < 60 ? (int)len : 60, name);
	}
	return n > 0 ? HF_OK : hf_fail(why, HF_E_INVALID_PARAMETER, "it names no host");
}

void hf_hosts_set(const char *url, const char *names, struct hf_hosts *ret) {
	struct authority listen;
	*ret = (struct hf_hosts){0};
	snprintf(ret->own, sizeof ret->own, "%s", url + strlen("http://"));
	if (parse_authority(url + strlen("http://"), &listen) && listen.is_address) {
		ret->listen = listen.address;
		ret->any_address = strcmp(listen.host, "0.0.0.0") == 0 || strcmp(listen.host, "::") == 0;
	}
	snprintf(ret->names, sizeof ret->names, "%s", names);
}

static bool is_loopback(const struct authority *host) {
	if (!host->is_address)
		return strcasecmp(host->host, "localhost") == 0;
	if (hf_addr_family(host->address) == HF_IPV4)
		return (uint32_t)host->address.n >> 24 == 127;
	return host->address.n == 1;
}

static bool is_named(const struct hf_hosts *hosts, const struct authority *host) {
	const char *at = hosts->names, *name;
	size_t len;
	while (next_name(&at, &name, &len)) {
		char text[HOST_BYTES + 4];
		struct authority entry = {.port = -1};
		snprintf(text, sizeof text, memchr(name, ':', len) && *name != '[' ? "[%.*s]" : "%.*s", (int)len, name);
		if (parse_host(text, strlen(text), &entry) && same_host(&entry, host))
			return true;
	}
	return false;
}

static bool is_ours(const struct hf_hosts *hosts, const struct authority *host) {
	if (is_loopback(host) || (host->is_address && (hosts->any_address || host->address.n == hosts->listen.n)))
		return true;
	return is_named(hosts, host);
}

/* Returns whether an Origin is the host that the request is for. Ports must be equal; an absent port is the scheme's default. */
static bool is_own_origin(const char *origin, const struct authority *host) {
	struct authority from;
	bool plain = strncasecmp(origin, "http://", 7) == 0;
	if (!plain && strncasecmp(origin, "https://", 8) != 0)
		return false;
	int port = plain ? 80 : 443;
	return parse_authority(origin + (plain ? 7 : 8), &from) && same_host(&from, host) &&
	       (from.port < 0 ? port : from.port) == (host->port < 0 ? port : host->port);
}

/* Checks what browsers report about the page that sent the request; no other client sends these headers. */
static enum hf_err check_page(const struct hf_call *call, const struct authority *host, struct hf_why *why) {
	const char *origin = call->request.headers[HF_ORIGIN], *site = call->request.headers[HF_SEC_FETCH_SITE];
	if (origin && (!host || !is_own_origin(origin, host)))
		return hf_fail(why, HF_E_CROSS_ORIGIN,
			       "Origin: \"%.80s\" is not the origin that the request is for; pages of others are refused", origin);
	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return hf_fail(why, HF_E_CROSS_ORIGIN, "Sec-Fetch-Site: \"%.40s\": the page is of another origin, which is refused",
			       site);
	return HF_OK;
}

enum hf_err hf_origin_check(const struct hf_call *call, struct hf_why *why) {
	const struct hf_hosts *hosts = call->api->hosts;
	const char *text = call->authority ? call->authority : call->request.headers[HF_HOST];
	struct authority host;
	if (text && hosts && !call->request.headers[HF_ORIGIN] && strcmp(text, hosts->own) == 0) /* the usual case */
		return check_page(call, NULL, why);
	if (text && !parse_authority(text, &host))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "Host: \"%.80s\" is not a host with or without a port", text);
	if (text && hosts && !is_ours(hosts, &host))
		return hf_fail(why, HF_E_MISDIRECTED,
			       "Host: \"%.80s\" is neither this server's address nor a loopback name, and no --host names it",
			       host.host);
	return check_page(call, text ? &host : NULL, why);
}
